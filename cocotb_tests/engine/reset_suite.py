"""An engine is reset in every phase of every operation, and works as new."""

import json
from pathlib import Path
from random import Random

import cocotb
import numpy as np

from cimforge.cocotb_tests.engine.bare_bench import BareBench, snapshots
from cimforge.cocotb_tests.engine.program_draw import Program, draw_program
from cimforge.cocotb_tests.engine.reset_programs import (
    ENDINGS,
    expected_phases,
    labels,
    reset_program,
)
from cimforge.flow.simulate.job import load_job

RESETS = int(load_job().get("resets", 40))  # in a test, beside one of each phase
PACES = ((1.0, 1), (0.6, 4), (0.3, 7))


class Place:
    """A cycle of a program in which it is reset: so many after its start, of memory that answers as
    ``seed``, ``pace`` and ``delay`` say."""

    def __init__(self, ending: str, program: Program, manner: tuple[int, float, int], cycle: int):
        self.ending, self.program, self.manner, self.cycle = ending, program, manner, cycle

    def __repr__(self) -> str:
        return f"{self.ending}, {self.manner}, cycle {self.cycle}"


async def places(bench: BareBench, rng: Random) -> list[Place]:
    """Run programs of every ending; the cycles in which they are to be reset: for each phase that
    one was in a random one, and every so many. Asserts that no phase is missing."""
    by_phase: dict[str, list[Place]] = {}
    bench.labels = ()
    every: list[Place] = []
    for ending in ENDINGS:
        for pace, delay in PACES:
            program = reset_program(bench.config, rng, ending)
            manner = rng.getrandbits(32), pace, delay
            await bench.begin(program, *manner)
            bench.labels = labels(program)
            await bench.start(program.base, len(program.descriptors))
            status = await bench.ended()
            assert bool(status["error"]) == (ending != "end"), (ending, status)
            for cycle, seen in enumerate(bench.trace[: bench.irq_at]):
                place = Place(ending, program, manner, cycle)
                every.append(place)
                for phase in seen:
                    by_phase.setdefault(phase, []).append(place)
    missing = expected_phases(bench.config) - set(by_phase)
    assert not missing, f"no program was in {sorted(missing)}"
    chosen = [rng.choice(found) for _, found in sorted(by_phase.items())]
    step = max(1, len(every) // RESETS)
    chosen += every[rng.randrange(step) :: step]
    print(f"{len(chosen)} resets in {len(every)} cycles, {len(by_phase)} phases")
    return chosen


async def reset_at(dut, bench: BareBench, place: Place, hard: bool, again: bool) -> set[str]:
    """Reset there; the phases in that cycle. Memory holds what descriptors up to it have written,
    each byte as before or as after one of them."""
    program = place.program
    await bench.begin(program, *place.manner)
    bench.labels = ()  # what goes before is known
    await bench.start(program.base, len(program.descriptors))
    await bench.wait(place.cycle if hard else max(0, place.cycle - 1))
    bench.labels = labels(program)
    if hard:
        dut.rst.value = 1
        await bench.wait(1)
    else:
        await bench.soft_reset(again)  # acts in the second cycle of its write
    seen = bench.trace[0 if hard else 1]
    lawful = np.stack(snapshots(bench.config, program)) == bench.agent.image
    stray = np.flatnonzero(~lawful.any(axis=0))
    assert not len(stray), f"{place}: byte {stray[0]} is neither old nor new"
    return seen


async def campaign(dut, hard: bool) -> None:
    """Reset at each place; then another program has golden's result, in memory elsewhere."""
    bench = BareBench(dut)
    rng = bench.rng
    seen: set[str] = set()
    chosen = await places(bench, rng)
    for place in chosen:
        seen |= await reset_at(dut, bench, place, hard, again=rng.random() < 0.3)
        bench.labels = ()
        other = draw_program(bench.config, rng, 2)
        if hard:
            await bench.begin(other, *place.manner)
        else:
            await bench.enable()
        await bench.runs(other)
    missing = expected_phases(bench.config) - seen
    assert not missing, f"no reset came in {sorted(missing)}"
    name = "hard" if hard else "soft"
    told = {"resets": len(chosen), "phases": sorted(seen)}
    Path(f"{name}_resets.json").write_text(json.dumps(told))


@cocotb.test()
async def soft_resets(dut):
    """By the control register: bursts that were asked for end lawfully, nothing else is asked for
    or written, registers are as at reset."""
    await campaign(dut, hard=False)


@cocotb.test()
async def hard_resets(dut):
    """By rst, of memory too."""
    await campaign(dut, hard=True)


@cocotb.test()
async def what_a_soft_reset_keeps(dut):
    """Weights, activations and kept sums; channels too, for nothing empties a RAM."""
    bench = BareBench(dut)
    rng = bench.rng
    for _ in range(3):
        kinds = [("run", {"accumulate": 1}), ("store", {"raw": 1}), ("store", {"raw": 0})]
        program = draw_program(bench.config, rng, 0, kinds)
        first = len(program.descriptors) - len(kinds)
        await bench.begin(program, rng.getrandbits(32), 0.6, 3)
        await bench.start(program.base, first)
        assert (await bench.ended())["done"]
        await bench.soft_reset()
        await bench.enable()
        await bench.start(program.base + 64 * first, len(kinds))
        assert (await bench.ended())["done"]
        assert (bench.agent.image == snapshots(bench.config, program)[-1]).all()
