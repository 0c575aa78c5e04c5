"""A whole engine behind real buses, with masters and slaves that are not ours."""

import json
from pathlib import Path

import cocotb
from cocotb.triggers import RisingEdge

from cimforge.cocotb_tests.bus_fronts.register_model import Access
from cimforge.cocotb_tests.bus_fronts.whole_bench import WholeBench
from cimforge.cocotb_tests.engine.program_draw import draw_program
from cimforge.flow.simulate.job import load_job

BEATS = int(load_job().get("beats", 3000))
RESETS = int(load_job().get("resets", 12))
FULL = 0xF


@cocotb.test()
async def programs_are_goldens(dut):
    """Random programs, memory that pauses and stalls at random."""
    bench = await WholeBench(dut).start()
    for length in (2, 6, 10):
        await bench.runs(draw_program(bench.config, bench.rng, length))
    assert bench.driver.owed == 0


@cocotb.test()
async def soft_resets_end_open_bursts(dut):
    """At random cycles of a program: bursts come to their lawful end, and the next program runs."""
    bench = await WholeBench(dut).start()
    opened = 0
    for _ in range(RESETS):
        program = draw_program(bench.config, bench.rng, 4)
        bench.hold(program.image, program.base)
        await bench.begin(program.base, len(program.descriptors))
        for _ in range(int(2 ** (bench.rng.random() * 10))):
            await RisingEdge(dut.clk)
        opened += bool(bench.watch.open)
        await bench.soft_reset()
        await bench.runs(draw_program(bench.config, bench.rng, 1))
    assert opened, "no burst was open at any reset"


@cocotb.test()
async def errors_of_memory_are_told(dut):
    """Each part of memory fails in turn: the cause, the interrupt, and life behind it."""
    bench = await WholeBench(dut).start()
    parts = ("queue", "weights", "channels", "inputs", "results")
    for part in parts:
        program = draw_program(bench.config, bench.rng, 2, [("store", {"raw": 1})])
        first = program.base + getattr(program.layout, part)
        store = program.descriptors[-1][1]["target"]
        bad = range(first, first + 64) if part != "results" else range(store & ~63, store + 1)
        bench.hold(program.image, program.base, (bad,))
        await bench.begin(program.base, len(program.descriptors))
        status = await bench.ended()
        assert (status["error"], status["done"]) == (1, 0), (part, status)
        cause, field, _ = await bench.error()
        assert (cause, field) == ("write" if part == "results" else "read", 0), part
        assert not bench.watch.open
        await bench.runs(draw_program(bench.config, bench.rng, 1))


@cocotb.test()
async def accesses_of_every_kind_meanwhile(dut):
    """Programs run while registers are read and written, rightly and wrongly: every access is
    answered once, wrong ones with an error and no effect. Until BEATS words and accesses."""
    bench = await WholeBench(dut).start()
    programs = 0
    while bench.accesses + bench.watch.moved < BEATS:
        program = draw_program(bench.config, bench.rng, bench.rng.randrange(8))
        bench.hold(program.image, program.base)
        await bench.begin(program.base, len(program.descriptors))
        while await traffic(bench):
            pass
        assert (await bench.ended())["done"]
        await bench.agrees(program)
        programs += 1
    assert bench.driver.owed == 0
    assert bench.refused
    told = {"accesses": bench.accesses, "refused": bench.refused}
    told |= {"words": bench.watch.moved, "programs": programs}
    Path("traffic.json").write_text(json.dumps(told))
    print(told)


async def traffic(bench: WholeBench) -> bool:
    """Some accesses, each of which ends as its kind must; whether the engine was busy then."""
    drawn = [draw_access(bench) for _ in range(bench.rng.choice((1, 2, 5)))]
    status = Access(bench.at("status"))
    told = await bench.batch([*(access for access, _ in drawn), status])
    for (access, refused), (failed, word) in zip(drawn, told, strict=False):
        assert failed == refused, f"{access}: {'refused' if failed else 'taken'}"
        assert not failed or word == 0
    register = bench.map.register("status")
    return bool(register.field("busy").of(told[-1][1]))


def draw_access(bench: WholeBench) -> tuple[Access, bool]:
    """A random access that leaves the program alone, and whether it must be refused."""
    rng, registers = bench.rng, bench.map.registers()
    register = rng.choice(registers)
    data = rng.choice((None, rng.getrandbits(32)))
    kind = rng.randrange(6)
    if kind == 0:
        return Access(register.offset | rng.randrange(1, 4), data), True
    if kind == 1:
        return Access(register.offset, rng.getrandbits(32), rng.randrange(15)), True
    room = range(4 * len(registers), 1 << bench.map.address_bits, 4)
    if kind == 2 and room:
        return Access(rng.choice(room), data), True
    if data is None or kind == 3:
        return Access(register.offset), False
    if register.access == "ro":
        return Access(register.offset, data), True
    if kind == 4:
        return Access(bench.at("irq_enable"), 0b011), False
    return Access(bench.at("control"), data | 1 << rng.randrange(3, 32)), True
