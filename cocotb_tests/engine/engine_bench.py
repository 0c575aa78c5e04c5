"""An emitted engine at its own ports: memory behind it, queues on it, and what it tells of them."""

import random
from random import Random
from typing import Any, NamedTuple

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge, RisingEdge

from cimforge.cocotb_tests.engine.engine_job import job_engine
from cimforge.cocotb_tests.engine.memory_agent import MemoryAgent
from cimforge.cocotb_tests.engine.stream_agent import StreamAgent
from cimforge.hdl.params.engine_errors import ERROR_CAUSES

__all__ = ["NO_ERROR", "PACES", "Ending", "EngineBench"]

INPUTS = ("start", "soft_reset", "queue_base", "queue_count", "test_en")
STREAMS = ("into_valid", "into_data", "into_strobe", "into_last", "out_ready")
COUNTED = {  # what is counted of a queue, by the line that counts it
    **{f"count_{name}": name for name in ("compute", "stall_input", "stall_output")},
    **{"count_cycle": "cycles", "count_stall_weights": "stall_weights", "count_vector": "vectors"},
    **{"count_read": "read_words", "count_written": "written_words"},
    **{name: name for name in ("planes_skipped", "ended", "interrupt", "overflow")},
}
LIMIT = 2_000_000  # cycles in which a queue must end
STILL = 5000  # cycles in which something must move
MOVES = ("count_read", "count_written", "count_vector", "ended")
NO_ERROR = ("none", 0, 0)
PACES = (  # of a memory: share of cycles, cycles to an answer, share of words to write
    *((1.0, 1, 1.0), (0.6, 3, 0.6), (0.25, 9, 0.25)),
    (1.0, 1, 0.05),  # nearly stopped: results wait in every block before it
)


class Ending(NamedTuple):
    """How a queue ended: whether without an error, the error's cause, field and index, descriptors
    that ended, how many of them raised the interrupt, or whether any did, the overflow, and the
    counters by the names of COUNTERS."""

    finished: bool
    error: tuple[str, int, int]
    ended: int
    interrupts: int | bool
    overflow: bool
    counts: dict[str, int]


class EngineBench:
    """Starts queues on an engine with a MemoryAgent behind its memory port, and a StreamAgent at
    its streams."""

    def __init__(self, dut):
        self.dut, self.config = dut, job_engine()
        self.rng = Random(random.getrandbits(64))
        self.agent: MemoryAgent
        self.streams: StreamAgent | None = None  # of an engine that has them
        self._tasks: list[Any] = []  # of the memory under way

    async def begin(self, image: np.ndarray, base: int) -> None:
        """Reset, with a memory that holds ``image`` from the address ``base`` on."""
        dut = self.dut
        if self._tasks:
            while self._tasks:
                self._tasks.pop().cancel()
        else:
            Clock(dut.clk, 10, unit="ns").start()
        for name in (*INPUTS, *STREAMS):
            if hasattr(dut, name):
                getattr(dut, name).value = 0
        self.agent = MemoryAgent(dut, self.config, image, base, self.rng)
        self.agent.idle()
        dut.rst.value = 1
        for _ in range(3):
            await RisingEdge(dut.clk)
        dut.rst.value = 0
        await RisingEdge(dut.clk)
        self._tasks.append(cocotb.start_soon(self.agent.run()))
        if self.config.streams:
            self.streams = StreamAgent(dut, self.config, self.rng)
            self._tasks.append(cocotb.start_soon(self.streams.run()))

    @property
    def image(self) -> np.ndarray:
        """What memory holds."""
        return self.agent.image

    def remember(self, image: np.ndarray, base: int) -> None:
        """Memory holds something else; it owes nothing."""
        assert not self.agent.owes
        self.agent.image, self.agent.base = image, base

    def pace(self, number: int) -> None:
        """How fast memory is from now on, of PACES."""
        agent, (pace, delay, writes) = self.agent, PACES[number % len(PACES)]
        agent.pace, agent.delay, agent.write_pace = pace, delay, writes

    async def run(self, base: int, count: int) -> Ending:
        """Run one queue to its end."""
        dut = self.dut
        dut.queue_base.value, dut.queue_count.value, dut.start.value = base, count, 1
        await RisingEdge(dut.clk)
        dut.start.value = 0
        counted = dict.fromkeys(COUNTED, 0)
        lines = {name: getattr(dut, name) for name in COUNTED}
        moved, last = -1, 0
        for cycle in range(LIMIT):
            await FallingEdge(dut.clk)
            for name, line in lines.items():
                counted[name] += int(line.value)
            if (moves := sum(counted[name] for name in MOVES)) != moved:
                moved, last = moves, cycle
            assert cycle - last < STILL, f"nothing has moved for {STILL} cycles: {counted}"
            finished, failed = int(dut.finished.value), int(dut.failed.value)
            if finished or failed:
                assert finished != failed, "the queue has finished, and failed"
                return await self._ending(bool(finished), counted)
        raise AssertionError(f"the queue has not ended after {LIMIT} cycles: {counted}")

    async def _ending(self, finished: bool, counted: dict[str, int]) -> Ending:
        dut = self.dut
        cause = list(ERROR_CAUSES)[int(dut.error_cause.value)]
        error = cause, int(dut.error_field.value), int(dut.error_index.value)
        assert int(dut.busy.value), "the queue ends before busy falls"
        await FallingEdge(dut.clk)
        assert not int(dut.busy.value), "busy stays behind the queue's end"
        assert not int(dut.finished.value) | int(dut.failed.value), "the end is told twice"
        await RisingEdge(dut.clk)
        told = {COUNTED[name]: value for name, value in counted.items()}
        ends = told.pop("ended"), told.pop("interrupt"), bool(told.pop("overflow"))
        return Ending(finished, error, *ends, told)

    async def start(self, base: int, count: int, cycles: int) -> None:
        """Start a queue and leave it after that many cycles."""
        dut = self.dut
        dut.queue_base.value, dut.queue_count.value, dut.start.value = base, count, 1
        await RisingEdge(dut.clk)
        dut.start.value = 0
        for _ in range(cycles):
            await RisingEdge(dut.clk)

    async def soft_reset(self) -> None:
        """Reset without breaking a promise to memory, which owes nothing afterwards."""
        dut = self.dut
        dut.soft_reset.value = 1
        await RisingEdge(dut.clk)
        dut.soft_reset.value = 0
        for _ in range(STILL):
            await FallingEdge(dut.clk)
            if not int(dut.resetting.value):
                break
        else:
            raise AssertionError(f"the reset has not ended after {STILL} cycles")
        assert not int(dut.busy.value), "busy after a reset"
        assert not self.agent.owes, "memory owes an answer after the reset"
        await RisingEdge(dut.clk)
