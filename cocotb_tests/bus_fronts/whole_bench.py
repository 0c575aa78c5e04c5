"""A whole engine between a third-party master of its registers and a third-party slave of its
memory."""

import random
from collections.abc import Sequence
from functools import partial
from random import Random
from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import RisingEdge

from cimforge.cocotb_tests.bus_fronts.bus_drivers import CLOCK_NS, DRIVERS
from cimforge.cocotb_tests.bus_fronts.faulty_memory import FaultyMemory
from cimforge.cocotb_tests.bus_fronts.master_watch import WATCHES
from cimforge.cocotb_tests.bus_fronts.memory_slaves import axi4_slave, wishbone_slave
from cimforge.cocotb_tests.bus_fronts.register_model import Access
from cimforge.cocotb_tests.engine.engine_job import job_engine
from cimforge.cocotb_tests.engine.program_draw import Program
from cimforge.flow.simulate.job import load_job
from cimforge.golden.engine import EngineModel
from cimforge.hdl.bus.engine_map import EngineMap
from cimforge.hdl.params.engine_errors import ERROR_CAUSES

__all__ = ["WholeBench"]

ANSWERED = 400  # cycles in which an access must be answered
LOOKS = 20_000  # at the status, in which a queue or a reset must end
SLAVES: dict[str, Any] = {"axi4": axi4_slave, "wishbone": partial(wishbone_slave, prefix="wbm")}


class WholeBench:
    """Software of an engine behind real buses. ``accesses`` and ``refused`` count those of its
    registers."""

    def __init__(self, dut):
        self.dut, self.config = dut, job_engine()
        self.control, self.memory_bus = load_job()["control"], load_job()["memory"]
        self.map = EngineMap(self.config)
        self.rng = Random(random.getrandbits(64))
        self.memory = FaultyMemory(b"", 0)
        self.accesses = self.refused = 0

    async def start(self) -> "WholeBench":
        """Start the clock and reset."""
        dut = self.dut
        Clock(dut.clk, CLOCK_NS, unit="ns").start()
        if hasattr(dut, "test_en"):
            dut.test_en.value = 0
        dut.rst.value = 1
        self.driver = DRIVERS[self.control](dut, self.rng, ANSWERED)
        SLAVES[self.memory_bus](dut, self.memory, self.rng)
        self.watch = WATCHES[self.memory_bus](dut)
        for _ in range(3):
            await RisingEdge(dut.clk)
        dut.rst.value = 0
        await RisingEdge(dut.clk)
        cocotb.start_soon(self.watch.run())
        return self

    def hold(self, image, base: int, bad: Sequence[range] = ()) -> None:
        """Memory holds these bytes from ``base`` on."""
        self.memory.bytes, self.memory.base, self.memory.bad = bytearray(image), base, bad

    async def batch(self, accesses: Sequence[Access]) -> list[tuple[bool, int]]:
        """Whether each failed, and its word."""
        told: dict[Access, tuple[bool, int]] = {}

        def end(access: Access, failed: bool, word: int) -> None:
            assert access not in told, f"{access} is answered twice"
            told[access] = failed, word

        await self.driver.batch(list(accesses), lambda _: None, end)
        assert len(told) == len(accesses), "an access was not answered"
        self.accesses += len(accesses)
        self.refused += sum(failed for failed, _ in told.values())
        return [told[access] for access in accesses]

    def at(self, name: str) -> int:
        """Address of a register."""
        return self.map.register(name).offset

    async def write(self, **words: int) -> None:
        """Writes that must be taken, in order."""
        told = await self.batch([Access(self.at(name), word) for name, word in words.items()])
        assert not any(failed for failed, _ in told), f"refused: {words}"

    async def read(self, name: str) -> int:
        """A register's word."""
        ((failed, word),) = await self.batch([Access(self.at(name))])
        assert not failed, f"{name} cannot be read"
        return word

    async def status(self) -> dict[str, int]:
        """Bits of the status."""
        register, word = self.map.register("status"), await self.read("status")
        return {field.name: field.of(word) for field in register.fields}

    async def begin(self, base: int, count: int) -> None:
        """Start a queue, whose end raises the interrupt."""
        event, control = (self.map.register(name) for name in ("irq_enable", "control"))
        words = {"queue_base": base, "queue_count": count}
        words["irq_enable"] = event.word(done=1, error=1)
        await self.write(**words, irq_status=0b111, control=control.word(start=1))

    async def ended(self) -> dict[str, int]:
        """Look at the status until the queue has ended."""
        for _ in range(LOOKS):
            status = await self.status()
            if not status["busy"]:
                assert int(self.dut.irq.value), "no interrupt"
                return status
        raise AssertionError(f"the queue is busy after {LOOKS} looks")

    async def error(self) -> tuple[str, int, int]:
        """Cause, field and index of the error."""
        register, word = self.map.register("error"), await self.read("error")
        cause = list(ERROR_CAUSES)[register.field("cause").of(word)]
        return cause, register.field("field").of(word), await self.read("error_index")

    async def soft_reset(self) -> None:
        """Until it is over: then no burst is open."""
        await self.write(control=self.map.register("control").word(reset=1))
        for _ in range(LOOKS):
            if not (await self.status())["resetting"]:
                break
        else:
            raise AssertionError(f"a reset is not over after {LOOKS} looks")
        assert not self.watch.open, "a burst is open after the reset"

    async def runs(self, program: Program) -> None:
        """A program has golden's result."""
        self.hold(program.image, program.base)
        await self.begin(program.base, len(program.descriptors))
        status = await self.ended()
        assert status["done"], f"{status}: {await self.error()}"
        await self.agrees(program)

    async def agrees(self, program: Program) -> None:
        """Behind a program that has ended: memory and counts are golden's, no burst is open."""
        model = EngineModel(self.config, program.image.copy(), program.base)
        result = model.run_queue(program.base, len(program.descriptors))
        assert result.error is None
        assert not self.watch.open
        assert self.memory.bytes == model.memory.data.tobytes(), "memory is not golden's"
        assert await self.read("queue_done") == result.ended
