"""Software of an engine behind no bus: its registers, its memory, and what it is doing."""

import random
from collections.abc import Sequence
from contextlib import suppress
from random import Random
from typing import Any

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge, RisingEdge

from cimforge.cocotb_tests.engine.engine_job import job_engine
from cimforge.cocotb_tests.engine.engine_phases import phases
from cimforge.cocotb_tests.engine.memory_agent import MemoryAgent
from cimforge.cocotb_tests.engine.program_draw import Program
from cimforge.golden.engine import EngineModel
from cimforge.golden.engine_channels import ChannelError
from cimforge.golden.engine_memory import AccessError
from cimforge.hdl.bus.engine_map import EngineMap
from cimforge.hdl.params.descriptors import OPERATIONS
from cimforge.hdl.params.engine_config import EngineConfig
from cimforge.hdl.params.engine_errors import ERROR_CAUSES

__all__ = ["BareBench", "snapshots"]

LIMIT = 20_000  # cycles in which a queue or a reset must end


class BareBench:
    """Drives bare_design. ``trace`` are the phases of each cycle since the last start, where
    ``labels`` name the descriptors; ``irq_at`` is the cycle in which the interrupt came."""

    def __init__(self, dut):
        self.dut, self.config = dut, job_engine()
        self.map = EngineMap(self.config)
        self.rng = Random(random.getrandbits(64))
        self.labels: Sequence[str] = ()
        self.trace: list[set[str]] = []
        self.irq_at = 0
        self.agent: MemoryAgent
        self._running: Any = None
        Clock(dut.clk, 10, unit="ns").start()

    async def begin(self, program: Program, seed: int, pace: float = 1.0, delay: int = 1) -> None:
        """Hard reset, of memory too, which then holds ``program``'s and answers as ``seed`` says;
        interrupts of the queue's end are enabled."""
        dut = self.dut
        if self._running is not None:
            self._running.cancel()
        for name in ("valid", "write", "address", "strobe", "data_w"):
            getattr(dut, f"registers_{name}").value = 0
        if hasattr(dut, "test_en"):
            dut.test_en.value = 0
        rng = Random(seed)
        self.agent = MemoryAgent(dut, self.config, program.image.copy(), program.base, rng)
        self.agent.pace, self.agent.delay = pace, delay
        self.agent.idle()
        dut.rst.value = 1
        await RisingEdge(dut.clk)
        await RisingEdge(dut.clk)
        dut.rst.value = 0
        self._running = cocotb.start_soon(self.agent.run())
        await self.enable()

    def remember(self, program: Program) -> None:
        """Memory holds another program's, where it owes nothing."""
        assert not self.agent.owes
        self.agent.image, self.agent.base = program.image.copy(), program.base
        self.agent.reads, self.agent.writes = [], []

    async def enable(self) -> None:
        """The interrupt tells of a queue's end, good or bad."""
        await self.write("irq_enable", self.map.register("irq_enable").word(done=1, error=1))

    async def _access(self, name: str, word: int | None) -> tuple[bool, int]:
        """One access: whether it failed, and the word."""
        dut = self.dut
        dut.registers_valid.value, dut.registers_write.value = 1, int(word is not None)
        dut.registers_address.value = self.map.register(name).offset
        dut.registers_strobe.value, dut.registers_data_w.value = 0xF, word or 0
        await FallingEdge(dut.clk)
        while not int(dut.registers_ready.value):
            await self.cycle()
        told = bool(int(dut.registers_error.value)), int(dut.registers_data_r.value)
        self._look()
        await RisingEdge(dut.clk)
        dut.registers_valid.value = 0
        return told

    async def cycle(self) -> None:
        """From a falling edge to the next."""
        self._look()
        await FallingEdge(self.dut.clk)

    def _look(self) -> None:
        if self.labels:
            self.trace.append(phases(self.dut, self.labels))

    async def write(self, name: str, word: int) -> None:
        """A write that must be taken."""
        failed, _ = await self._access(name, word)
        assert not failed, f"{name} refuses {word:#x}"

    async def refuses(self, name: str, word: int) -> bool:
        """Whether a write is refused."""
        return (await self._access(name, word))[0]

    async def read(self, name: str) -> int:
        """A register's word."""
        failed, word = await self._access(name, None)
        assert not failed, f"{name} cannot be read"
        return word

    async def start(self, base: int, count: int) -> None:
        """Start a queue; the trace begins with the cycle after the write of the start."""
        await self.write("queue_base", base)
        await self.write("queue_count", count)
        await self.control("start")
        self.trace = []

    async def control(self, bit: str) -> None:
        """Write one bit of the control register."""
        await self.write("control", self.map.register("control").word(**{bit: 1}))

    async def wait(self, cycles: int) -> None:
        """That many cycles, seen in the trace."""
        for _ in range(cycles):
            await FallingEdge(self.dut.clk)
            self._look()
        await RisingEdge(self.dut.clk)

    async def ended(self) -> dict[str, int]:
        """Wait for the interrupt and return the bits of the status; the interrupt is cleared."""
        for _ in range(LIMIT):
            await FallingEdge(self.dut.clk)
            self._look()
            if int(self.dut.irq.value):
                break
        else:
            raise AssertionError(f"no interrupt in {LIMIT} cycles: {await self.status()}")
        self.irq_at = len(self.trace)
        await RisingEdge(self.dut.clk)
        status = await self.status()
        told = await self.read("irq_status")
        wanted = {"done": status["done"], "error": status["error"]}
        events = self.map.register("irq_status")
        assert {name: events.field(name).of(told) for name in wanted} == wanted
        await self.write("irq_status", told)
        assert not int(self.dut.irq.value), "the interrupt stays though it was cleared"
        return status

    async def status(self) -> dict[str, int]:
        """Bits of the status."""
        register, word = self.map.register("status"), await self.read("status")
        return {field.name: field.of(word) for field in register.fields}

    async def error(self) -> tuple[str, int, int]:
        """Cause, field and index of the error."""
        register, word = self.map.register("error"), await self.read("error")
        cause = list(ERROR_CAUSES)[register.field("cause").of(word)]
        return cause, register.field("field").of(word), await self.read("error_index")

    async def soft_reset(self, again: bool = False) -> None:
        """Reset by the control register, ``again`` twice, until it is over: then memory owes
        nothing, and no register holds anything but what it has at reset."""
        await self.control("reset")
        if again:
            await self.control("reset")
        for _ in range(LIMIT):
            if not (await self.status())["resetting"]:
                break
        else:
            raise AssertionError(f"a reset is not over after {LIMIT} looks at it")
        assert not self.agent.owes, "memory owes an answer after the reset"
        for register in self.map.registers():
            word = await self.read(register.name)
            assert word == register.constant, f"{register.name} is {word:#x} after a reset"

    async def runs(self, program: Program, count: int | None = None) -> None:
        """Run a program to its end: memory and counts are golden's."""
        model = EngineModel(self.config, program.image.copy(), program.base)
        result = model.run_queue(program.base, count or len(program.descriptors))
        assert result.error is None, result.error
        self.remember(program)
        await self.control("clear")
        await self.start(program.base, count or len(program.descriptors))
        status = await self.ended()
        assert status["done"], f"ended with {status}: {await self.error()}"
        self.agrees(model)
        assert await self.read("queue_done") == result.ended
        assert await self.read("vectors") == model.vectors
        assert await self.read("written_words") == model.memory.words_written

    def agrees(self, model: EngineModel) -> None:
        """Memory is golden's."""
        differ = np.flatnonzero(self.agent.image != model.memory.data)
        place = self.agent.base + int(differ[0]) if len(differ) else 0
        assert not len(differ), f"{len(differ)} bytes differ from golden's, first {place:#x}"


def snapshots(config: EngineConfig, program: Program) -> list[np.ndarray]:
    """Memory before a program's first descriptor, after each of them up to one that fails, and
    within a STORE after each of its vectors, which may lie over one another."""
    model = EngineModel(config, program.image.copy(), program.base)
    memory = model.memory.data
    taken = [memory.copy()]
    for name, values in program.descriptors:
        told = {"op": OPERATIONS.index(name), **values}
        with suppress(AccessError, ChannelError):
            for vectors in range(1, values.get("vectors", 1) if name == "store" else 1):
                model.execute({**told, "vectors": vectors})
                taken.append(memory.copy())
            model.execute(told)
        taken.append(memory.copy())
    return taken
