"""Third-party masters of the buses, each as batches of accesses."""

from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import cocotb
from cocotb.queue import Queue
from cocotb.triggers import RisingEdge, with_timeout
from cocotbext.apb import Apb4Bus, ApbHost
from cocotbext.axi import AxiLiteBus
from cocotbext.axi.axil_channels import (
    AxiLiteARSource,
    AxiLiteARTransaction,
    AxiLiteAWSource,
    AxiLiteAWTransaction,
    AxiLiteBSink,
    AxiLiteRSink,
    AxiLiteWSource,
    AxiLiteWTransaction,
)
from cocotbext.wishbone import driver as wishbone_driver
from cocotbext.wishbone.driver import WBOp, WishboneMaster

from cimforge.cocotb_tests.bus_fronts.register_model import Access

__all__ = ["CLOCK_NS", "DRIVERS", "ApbDriver", "Axi4LiteDriver", "WishboneDriver", "pauses"]

CLOCK_NS = 10
AHEAD = 3  # accesses of a kind that a master asks for before the first is answered
STRETCH = 40  # cycles of one rate of pauses
Begin = Callable[[Access], None]
End = Callable[[Access, bool, int], None]


def pauses(rng: Random) -> Iterator[bool]:
    """Whether a side pauses, cycle by cycle, at rates that change."""
    while True:
        rate = rng.choice((0, 0, 0.3, 0.8))
        for _ in range(STRETCH):
            yield rng.random() < rate


class Axi4LiteDriver:
    """Reads beside writes, up to AHEAD of each under way, every channel with its own pauses."""

    partial_reads = False

    def __init__(self, dut, rng: Random, limit: int):
        bus = AxiLiteBus.from_prefix(dut, "axil")
        self._limit = limit
        self._aw = AxiLiteAWSource(bus.write.aw, dut.clk, dut.rst)
        self._w = AxiLiteWSource(bus.write.w, dut.clk, dut.rst)
        self._b = AxiLiteBSink(bus.write.b, dut.clk, dut.rst)
        self._ar = AxiLiteARSource(bus.read.ar, dut.clk, dut.rst)
        self._r = AxiLiteRSink(bus.read.r, dut.clk, dut.rst)
        for channel in (self._aw, self._w, self._b, self._ar, self._r):
            channel.set_pause_generator(pauses(rng))

    async def batch(self, accesses: list[Access], begin: Begin, end: End) -> None:
        """Ask for all, reads and writes each in their order, and end each with its answer."""
        reads = [access for access in accesses if access.data is None]
        writes = [access for access in accesses if access.data is not None]
        tasks = [
            cocotb.start_soon(self._lane(part, begin, end)) for part in (reads, writes) if part
        ]
        for task in tasks:
            await task

    async def _lane(self, accesses: list[Access], begin: Begin, end: End) -> None:
        waiting: list[Access] = []
        for access in accesses:
            if len(waiting) == AHEAD:
                await self._take(waiting.pop(0), end)
            begin(access)
            waiting.append(access)
            if access.data is None:
                await self._ar.send(AxiLiteARTransaction(araddr=access.address))
            else:
                await self._aw.send(AxiLiteAWTransaction(awaddr=access.address))
                await self._w.send(AxiLiteWTransaction(wdata=access.data, wstrb=access.strobe))
        for access in waiting:
            await self._take(access, end)

    async def _take(self, access: Access, end: End) -> None:
        sink = self._r if access.data is None else self._b
        told = await with_timeout(sink.recv(), self._limit * CLOCK_NS, "ns")
        response = int(told.rresp if access.data is None else told.bresp)
        assert response in (0, 2), f"{access} ended with response {response}"
        end(access, response == 2, int(told.rdata) if access.data is None else 0)

    @property
    def owed(self) -> int:
        """Answers that nobody asked for."""
        return self._b.count() + self._r.count()

    def forget(self) -> None:
        """Forget answers to accesses that were not asked for here."""
        self._b.clear()
        self._r.clear()


class ApbDriver:
    """Transfers one after the other, with pauses between batches; answers are sampled here, since
    the master takes an error that it was not told of for the end."""

    partial_reads = False

    def __init__(self, dut, rng: Random, limit: int):
        self._dut, self._rng, self._limit = dut, rng, limit
        self._host = ApbHost(Apb4Bus.from_prefix(dut, "apb"), dut.clk, timeout_max=limit)
        self._host.log.setLevel("WARNING")
        self._host.pslverr_present = False
        self._answers: Queue = Queue()
        cocotb.start_soon(self._sample())

    async def _sample(self) -> None:
        dut = self._dut
        while True:
            await RisingEdge(dut.clk)
            if int(dut.apb_psel.value) and int(dut.apb_penable.value) and int(dut.apb_pready.value):
                self._answers.put_nowait(
                    (bool(int(dut.apb_pslverr.value)), int(dut.apb_prdata.value))
                )

    async def batch(self, accesses: list[Access], begin: Begin, end: End) -> None:
        """All, in their order."""
        for _ in range(self._rng.choice((0, 0, 1, 3))):
            await RisingEdge(self._dut.clk)
        for access in accesses:
            if access.data is None:
                self._host.read_nowait(access.address)
            else:
                self._host.write_nowait(access.address, access.data, access.strobe)
        for access in accesses:
            begin(access)
            failed, word = await with_timeout(
                self._answers.get(), self._limit * len(accesses) * CLOCK_NS, "ns"
            )
            end(access, failed, word if access.data is None else 0)
        self._host.queue_rx.clear()

    @property
    def owed(self) -> int:
        """Answers that nobody asked for."""
        return self._answers.qsize()

    def forget(self) -> None:
        """Forget answers to accesses that were not asked for here."""
        while not self._answers.empty():
            self._answers.get_nowait()


class WishboneDriver:
    """Standard cycles, a block of them for each batch, with pauses before each."""

    partial_reads = True

    def __init__(self, dut, rng: Random, limit: int):
        self._rng, self._limit = rng, limit
        # Icarus shows values set before the first time step and does not pass them on.
        wishbone_driver.set_immediate = lambda signal, value: setattr(signal, "value", value)
        names = {name: name for name in ("cyc", "stb", "we", "adr", "ack")}
        names |= {"datwr": "dat_w", "datrd": "dat_r"}
        self._master = WishboneMaster(dut, "wb", dut.clk, timeout=limit, signals_dict=names)

    async def batch(self, accesses: list[Access], begin: Begin, end: End) -> None:
        """All, in their order."""
        operations = [
            WBOp(a.address, a.data, self._rng.choice((0, 0, 1, 3)), a.strobe, self._limit)
            for a in accesses
        ]
        answers = await self._master.send_cycle(operations)
        assert len(answers) == len(accesses), "an access was not answered, or one twice"
        for access, answer in zip(accesses, answers, strict=True):
            begin(access)
            end(access, answer.ack == 2, int(answer.datrd) if access.data is None else 0)

    @property
    def owed(self) -> int:
        """Answers that nobody asked for: the master keeps none."""
        return 0

    def forget(self) -> None:
        """Nothing is kept."""


DRIVERS: dict[str, Any] = {
    "axi4lite": Axi4LiteDriver,
    "apb": ApbDriver,
    "wishbone": WishboneDriver,
}
