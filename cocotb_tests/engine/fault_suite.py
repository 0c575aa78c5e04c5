"""Memory answers some word of a program with an error: the queue ends there, and says so."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from random import Random
from typing import NamedTuple

import cocotb
import numpy as np

from cimforge.cocotb_tests.engine.bare_bench import BareBench, snapshots
from cimforge.cocotb_tests.engine.program_draw import Layout, Program, draw_program
from cimforge.cocotb_tests.engine.reset_programs import labels, reset_program
from cimforge.cocotb_tests.engine.word_order import (
    Word,
    descriptor_words,
    words_read,
    words_written,
)
from cimforge.flow.simulate.job import load_job
from cimforge.golden.engine import EngineModel
from cimforge.hdl.params.descriptors import DESCRIPTOR_BYTES, pack_descriptor
from cimforge.host.engine_layer import LinearLayer
from cimforge.host.engine_plan import plan_layer

PLACES = int(load_job().get("places", 1))  # words of each descriptor, beside first and last; 0: all
PACES = ((1.0, 1), (0.5, 5))
LAYERS = 2
SETTLE = 60  # cycles in which nothing may be written any more


class Fault(NamedTuple):
    """Word number ``number`` of all that are read or written fails, which descriptor ``whose``
    moves."""

    way: str
    number: int
    whose: int
    of: str


def chosen(rng: Random, way: str, moved: Iterable[tuple[int, str, int]]) -> Iterator[Fault]:
    """Of the words (index of the descriptor, what it is, number) the first and last of each, and
    some between."""
    groups: dict[tuple[int, str], list[int]] = {}
    for index, of, number in moved:
        groups.setdefault((index, of), []).append(number)
    for (index, of), numbers in groups.items():
        picked = set(numbers)
        if PLACES:
            some = rng.sample(numbers, min(PLACES, len(numbers)))
            picked = {numbers[0], numbers[-1], *some}
        yield from (Fault(way, number, index, of) for number in sorted(picked))


def faults(config, rng: Random, program: Program, agent) -> list[Fault]:
    """What may fail of a program that has run; asserts that just its words were moved."""
    own = {word.address: word.whose for word in descriptor_words(config, program)}
    data, reads = iter(words_read(config, program)), []
    names = [name.partition(" of s")[0] for name in labels(program)]
    for number, address in enumerate(agent.reads):
        if address in own:
            reads.append((own[address], "descriptor", number))
            continue
        due = next(data, Word(0, 0))
        assert due.address == address, f"reads {address:#x}, not {due.address:#x}"
        reads.append((due.whose, names[due.whose], number))
    assert next(data, None) is None, "not all was read"
    written = words_written(config, program)
    assert [word.address for word in written] == agent.writes
    writes = [(word.whose, "store", number) for number, word in enumerate(written)]
    return [*chosen(rng, "read", reads), *chosen(rng, "write", writes)]


async def strike(bench: BareBench, program: Program, manner, fault: Fault) -> None:
    """Run a program with a fault: it ends with an error, told rightly, and nothing is written
    behind it."""
    await bench.begin(program, *manner)
    bad = bench.agent.bad_reads if fault.way == "read" else bench.agent.bad_writes
    bad.add(fault.number)
    await bench.start(program.base, len(program.descriptors))
    status = await bench.ended()
    assert (status["error"], status["done"], status["busy"]) == (1, 0, 0), (fault, status)
    assert await bench.error() == (fault.way, 0, fault.whose), fault
    assert await bench.read("queue_done") == fault.whose, fault
    written = len(bench.agent.writes)
    await bench.wait(SETTLE)
    assert len(bench.agent.writes) == written, f"{fault}: written behind the end"
    lawful = partly(bench.config, program, fault.whose) == bench.agent.image
    stray = np.flatnonzero(~lawful.any(axis=0))
    assert not len(stray), f"{fault}: byte {stray[0]} is not what it must be"
    bad.clear()


def partly(config, program: Program, index: int) -> np.ndarray:
    """Memories that are lawful where descriptor ``index`` has failed: (memories, bytes)."""
    before = program._replace(descriptors=program.descriptors[:index])
    own = program._replace(descriptors=program.descriptors[: index + 1])
    return np.stack(snapshots(config, own)[len(snapshots(config, before)) - 1 :])


@cocotb.test()
async def every_access_may_fail(dut):
    """Words of descriptors, LOADs, COPYs of lines and channels, and STOREs. Behind the error the
    engine runs another program, with and without a reset between."""
    bench = BareBench(dut)
    rng = bench.rng
    hit: dict[str, int] = {}
    for pace in PACES:
        program = reset_program(bench.config, rng, "end")
        manner = rng.getrandbits(32), *pace
        await bench.begin(program, *manner)
        await bench.runs(program)
        await bench.begin(program, *manner)
        await bench.start(program.base, len(program.descriptors))
        assert (await bench.ended())["done"]
        for fault in faults(bench.config, rng, program, bench.agent):
            await strike(bench, program, manner, fault)
            hit[fault.of] = hit.get(fault.of, 0) + 1
            if rng.random() < 0.5:
                await bench.soft_reset()
                await bench.enable()
            await bench.runs(draw_program(bench.config, rng, 1))
    Path("faults.json").write_text(json.dumps(hit))


@cocotb.test()
async def units_beside_each_other(dut):
    """A layer whose commands overlap, some word failing: what is under way elsewhere comes to an
    end, each byte of memory is old or the layer's, and the layer runs behind it."""
    bench = BareBench(dut)
    for _ in range(LAYERS):
        plan, program, wanted = _layer(bench.config, bench.rng)
        manner = bench.rng.getrandbits(32), *bench.rng.choice(PACES)
        await bench.begin(program, *manner)
        await _run_layer(bench, plan)
        assert (bench.agent.image == wanted).all()
        ways = {"read": len(bench.agent.reads), "write": len(bench.agent.writes)}
        for way in ("read", "write") * 5:
            await bench.begin(program, *manner)
            bad = bench.agent.bad_reads if way == "read" else bench.agent.bad_writes
            bad.add(bench.rng.randrange(ways[way]))
            status = await _run_layer(bench, plan)
            assert (status["error"], status["done"], status["busy"]) == (1, 0, 0)
            cause, field, index = await bench.error()
            assert (cause, field) == (way, 0)
            units = ("store",) if way == "write" else ("load", "copy", "run", "store")
            assert plan.commands[index][0] in units
            written = len(bench.agent.writes)
            await bench.wait(SETTLE)
            assert len(bench.agent.writes) == written
            image = bench.agent.image
            assert ((image == program.image) | (image == wanted)).all()
            bad.clear()
            bench.remember(program)
            assert (await _run_layer(bench, plan))["done"]
            assert (bench.agent.image == wanted).all()


def _layer(config, rng: Random):
    """A layer's plan, its memory as a program, and that memory when it has run."""
    outputs, batch = config.outputs + 1, config.acc_vectors
    draw = np.random.default_rng(rng.getrandbits(32))
    weights = draw.integers(0, 1 << config.macro.weight_bits, (outputs, 2 * config.macro.rows + 1))
    plan = plan_layer(config, LinearLayer(weights=weights), batch, base=1 << 16)
    image = draw.integers(0, 256, -(-(plan.end - (1 << 16)) // 64) * 64, np.uint8)
    for address, data in plan.segments():
        place = address - (1 << 16)
        image[place : place + len(data)] = np.frombuffer(data, np.uint8)
    model = EngineModel(config, image.copy(), 1 << 16)
    assert model.run_queue(plan.queue.address, len(plan.commands)).error is None
    return plan, Program([], image, 1 << 16, Layout(0, 0, 0, 0, 0, len(image))), model.memory.data


async def _run_layer(bench: BareBench, plan) -> dict[str, int]:
    await bench.start(plan.queue.address, len(plan.commands))
    return await bench.ended()


@cocotb.test()
async def channels_that_are_none(dut):
    """A multiplier or a shift out of range in any channel of a COPY ends the queue there."""
    bench = BareBench(dut)
    rng = bench.rng
    worst = {4: (1 << 31, 0xFFFFFFFF), 8: (32, 0x80000000, (1 << 32) - 32)}
    for number in range(6):
        told = {"channels": 1, "count": 6}
        kinds = [("store", {"raw": 0}), ("copy", told), ("store", {"raw": 0})]
        program = draw_program(bench.config, rng, 0, kinds)
        index = len(program.descriptors) - 2
        place = program.descriptors[index][1]["source"] - program.base + 16 * number
        offset = rng.choice(list(worst))
        bad = rng.choice(worst[offset]).to_bytes(4, "little")
        program.image[place + offset : place + offset + 4] = np.frombuffer(bad, np.uint8)
        await bench.begin(program, rng.getrandbits(32), 0.7, 3)
        await bench.start(program.base, len(program.descriptors))
        status = await bench.ended()
        assert (status["error"], status["done"]) == (1, 0)
        told_error = await bench.error()
        early = program._replace(descriptors=program.descriptors[:index])
        if told_error[2] == index:
            assert told_error == ("channel", 0, index)
            assert (bench.agent.image == snapshots(bench.config, early)[-1]).all()
        else:  # it is one of those that the program's first COPY brings, too
            assert told_error[0] == "channel", told_error
        await bench.runs(draw_program(bench.config, rng, 1))


@cocotb.test()
async def what_is_behind_the_end_may_be_unreadable(dut):
    """Descriptors are read ahead: those behind an END fail, and nobody hears of it."""
    bench = BareBench(dut)
    rng = bench.rng
    for _ in range(8):
        program = draw_program(bench.config, rng, rng.randrange(3), [("end", {})])
        ends = len(program.descriptors) * DESCRIPTOR_BYTES
        shift = 4096 - ends % 4096  # so that the image begins anew behind the queue
        words = pack_descriptor(bench.config, "end", {})
        assert len(words) * 4 == DESCRIPTOR_BYTES
        await bench.begin(program, rng.getrandbits(32), 0.7, rng.randint(1, 9))
        pages = range((program.base + ends) // 64, (program.base + ends + shift) // 64)
        bench.agent.bad_pages = set(pages[: max(1, program.layout.weights - ends) // 64])
        await bench.start(program.base, len(program.descriptors) + 4)
        assert (await bench.ended())["done"]
        assert await bench.read("queue_done") == len(program.descriptors)
        assert (bench.agent.image == snapshots(bench.config, program)[-1]).all()
