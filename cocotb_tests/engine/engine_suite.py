"""An emitted engine runs random programs as golden does, whatever memory does meanwhile."""

import random
from random import Random
from typing import Any

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge, RisingEdge

from cimforge.cocotb_tests.engine.engine_job import job_engine
from cimforge.cocotb_tests.engine.memory_agent import MemoryAgent
from cimforge.cocotb_tests.engine.program_draw import Program, draw_program
from cimforge.flow.simulate.job import load_job
from cimforge.golden.engine import EngineModel
from cimforge.hdl.params.descriptors import operations
from cimforge.hdl.params.engine_errors import ERROR_CAUSES

CAUSES = tuple(ERROR_CAUSES)
INPUTS = ("start", "soft_reset", "queue_base", "queue_count", "test_en")


class EngineBench:
    """Starts queues on the engine, and watches what it tells."""

    def __init__(self, dut):
        self.dut, self.config = dut, job_engine()
        self.rng = Random(random.getrandbits(64))
        self.model: EngineModel
        self.agent: MemoryAgent
        self.counts: dict[str, int] = {}
        self._tasks: list[Any] = []  # of the memory under way

    async def begin(self, program: Program) -> None:
        """Reset, with a memory that holds a program's."""
        dut = self.dut
        if self._tasks:
            self._tasks.pop().cancel()
        else:
            Clock(dut.clk, 10, unit="ns").start()
        for name in INPUTS:
            if hasattr(dut, name):
                getattr(dut, name).value = 0
        self.agent = MemoryAgent(dut, self.config, program.image.copy(), program.base, self.rng)
        self.agent.idle()
        dut.rst.value = 1
        for _ in range(3):
            await RisingEdge(dut.clk)
        dut.rst.value = 0
        await RisingEdge(dut.clk)
        self._tasks.append(cocotb.start_soon(self.agent.run()))
        self.model = EngineModel(self.config, program.image.copy(), program.base)

    async def queue(self, base: int, count: int, limit: int = 200_000) -> str:
        """Run one queue and return how it ended."""
        dut = self.dut
        dut.queue_base.value, dut.queue_count.value, dut.start.value = base, count, 1
        await RisingEdge(dut.clk)
        dut.start.value = 0
        counted = dict.fromkeys([*COUNTED, "ended", "interrupt", "overflow"], 0)
        for _ in range(limit):
            await FallingEdge(dut.clk)
            for name in counted:
                counted[name] += int(getattr(dut, name).value)
            if int(dut.finished.value) or int(dut.failed.value):
                self.counts = counted
                await RisingEdge(dut.clk)
                return "failed" if int(dut.failed.value) else "finished"
        raise AssertionError(f"the queue has not ended after {limit} cycles: {counted}")

    def error(self) -> tuple[str, int, int]:
        """Cause, field and index that the engine tells."""
        dut = self.dut
        cause = CAUSES[int(dut.error_cause.value)]
        return cause, int(dut.error_field.value), int(dut.error_index.value)


COUNTED = (
    *("count_cycle", "count_compute", "count_vector", "count_stall_input"),
    *("count_stall_output", "count_stall_weights", "count_read", "count_written"),
    "planes_skipped",
)


def told(config, error) -> tuple[str, int, int]:
    """What the engine tells of golden's error."""
    if error is None:
        return "none", 0, 0
    number = 0
    if error.field == "reserved":
        number = 0xFFFF
    elif error.field:
        every = [field for known in operations(config) for field in known.fields]
        number = next(field.number for field in every if field.name == error.field)
    return error.cause, number, error.index


@cocotb.test()
async def random_programs(dut):
    """Memory, ends, interrupts and counts after each are golden's."""
    bench = EngineBench(dut)
    programs = load_job().get("programs", 3)
    length = load_job().get("length", 12)
    for number in range(programs):
        program = draw_program(bench.config, bench.rng, length)
        await bench.begin(program)
        bench.agent.pace, bench.agent.delay = ((1.0, 1), (0.6, 3), (0.25, 9))[number % 3]
        result = bench.model.run_queue(program.base, len(program.descriptors))
        outcome = await bench.queue(program.base, len(program.descriptors))
        assert outcome == "finished", f"{bench.error()}"
        assert result.error is None, result.error
        differ = np.flatnonzero(bench.agent.image != bench.model.memory.data)
        assert not len(differ), first_difference(program, bench, differ)
        assert bench.counts["ended"] == result.ended
        assert bench.counts["interrupt"] == len(result.interrupts)
        assert bool(bench.counts["overflow"]) == result.overflow
        assert bench.counts["count_vector"] == bench.model.vectors
        assert bench.counts["planes_skipped"] == bench.model.planes_skipped
        planes = bench.model.macs_1b // (bench.config.macros * bench.config.macro.macs_1b)
        assert bench.counts["count_compute"] == planes


def first_difference(program: Program, bench: EngineBench, places) -> str:
    """The first byte that is not golden's."""
    place = int(places[0])
    got, wanted = bench.agent.image[place], bench.model.memory.data[place]
    stores = [d for d in program.descriptors if d[0] == "store"]
    where = f"byte {place - program.layout.results} of the results"
    return f"{len(places)} bytes differ; {where} is {got}, not {wanted}; stores: {stores}"
