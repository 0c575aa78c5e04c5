"""Registers behind a front end, under a third-party master."""

import random
from pathlib import Path
from random import Random

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge, RisingEdge
from cocotb.utils import get_sim_time

from cimforge.cocotb_tests.bus_fronts.bus_drivers import CLOCK_NS, DRIVERS
from cimforge.cocotb_tests.bus_fronts.register_file import DOOR, FIXED, LONGEST_WAIT, WORDS
from cimforge.cocotb_tests.bus_fronts.register_model import (
    Access,
    RegisterModel,
    draw_access,
    register_bins,
)
from cimforge.cocotb_tests.coverage import Coverage
from cimforge.flow.simulate.job import load_job

JOB = load_job()
BUS, PATIENCE = JOB.get("bus", "apb"), int(JOB.get("patience", 0))
ACCESSES = int(JOB.get("beats", 1000))
# Cycles for an answer: two accesses at most go before, and the master itself pauses.
LIMIT = 4 * (PATIENCE + LONGEST_WAIT) + 500
BATCH = 24
KNOCKS = 60  # at a door that is closed half the time
# a request of each bus as it stands in its last cycle, and the lines that answer it
RAW = {
    "axi4lite": (("axil_awvalid", "axil_wvalid", "axil_arvalid"), ("axil_bvalid", "axil_rvalid")),
    "apb": (("apb_psel", "apb_penable"), ("apb_pready",)),
    "wishbone": (("wb_cyc", "wb_stb"), ("wb_ack", "wb_err")),
}


class RegisterBench:
    """Runs batches of accesses and checks each answer against the model."""

    coverage: Coverage | None = None
    answered = 0

    def __init__(self, dut):
        self.dut, self.rng = dut, Random(random.getrandbits(64))
        self.model = RegisterModel(PATIENCE)
        self.begun = self.ended = self.failed = 0
        if RegisterBench.coverage is None:
            RegisterBench.coverage = Coverage(register_bins(PATIENCE))

    async def start(self) -> "RegisterBench":
        """Start the clock, reset, and write every register."""
        dut = self.dut
        Clock(dut.clk, CLOCK_NS, unit="ns").start()
        dut.rst.value = 1
        self.driver = DRIVERS[BUS](dut, self.rng, LIMIT)
        for _ in range(3):
            await RisingEdge(dut.clk)
        dut.rst.value = 0
        await RisingEdge(dut.clk)
        words = [Access(4 * place, self.rng.getrandbits(32)) for place in range(WORDS)]
        await self.run(words)
        return self

    def begin(self, access: Access) -> None:
        """The access is asked for."""
        self.begun += 1
        self.model.begin(access)

    def end(self, access: Access, failed: bool, word: int) -> None:
        """The access has ended."""
        self.ended += 1
        self.failed += failed
        RegisterBench.answered += 1
        self.model.end(access, failed, word)
        assert RegisterBench.coverage is not None
        end = "error" if failed else "ok"
        if access.kind != "partial" or access.data is not None:
            RegisterBench.coverage.hit("access", (access.kind, access.way, end))

    async def run(self, accesses: list[Access]) -> None:
        """A batch; every access is answered, once."""
        await self.driver.batch(accesses, self.begin, self.end)
        assert self.begun == self.ended, "an access was not answered"

    async def check(self) -> None:
        """Every register holds what was written last."""
        await self.run([Access(4 * place) for place in range(WORDS)])

    async def finish(self) -> None:
        """The registers are right, no answer is left over; coverage is saved."""
        await self.check()
        for _ in range(40):
            await RisingEdge(self.dut.clk)
        assert self.driver.owed == 0, "an answer to nothing"
        assert RegisterBench.coverage is not None
        RegisterBench.coverage.save(Path(JOB["coverage"]), RegisterBench.answered)


@cocotb.test()
async def test_random_accesses_of_registers(dut):
    """Legal and illegal accesses with random idle and back-pressure: each is answered once, and
    rightly; errors change nothing."""
    bench = await RegisterBench(dut).start()
    while bench.ended < ACCESSES:
        count = bench.rng.randrange(1, BATCH)
        await bench.run([draw_access(bench.rng, bench.driver.partial_reads) for _ in range(count)])
    await bench.finish()


@cocotb.test()
async def test_each_register_by_itself(dut):
    """Every address, read and written, one at a time; a word stays until it is written."""
    bench = await RegisterBench(dut).start()
    for address in (*range(0, DOOR + 12), *range(64, 128, 7)):
        await bench.run([Access(address)])
        await bench.run([Access(address, bench.rng.getrandbits(32))])
        await bench.run([Access(address)])
    for strobe in range(16):
        await bench.run([Access(4, bench.rng.getrandbits(32), strobe)])
        await bench.run([Access(4)])
    await bench.run([Access(FIXED)])
    await bench.finish()


@cocotb.test()
async def test_an_access_is_waited_for(dut):
    """What registers refuse is asked again until patience is at its end: no error comes before."""
    bench = await RegisterBench(dut).start()
    for number in range(KNOCKS):
        failed, begun = bench.failed, get_sim_time("ns")
        await bench.run([Access(DOOR, bench.rng.getrandbits(32) if number % 2 else None)])
        cycles = (get_sim_time("ns") - begun) / CLOCK_NS
        if bench.failed > failed:
            assert cycles >= PATIENCE, f"an error after {cycles:.0f} cycles, before {PATIENCE}"
        for _ in range(bench.rng.randrange(20)):
            await RisingEdge(dut.clk)
    await bench.finish()


@cocotb.test()
async def test_reset_in_the_midst_of_an_access(dut):
    """Reset at any cycle of an access: no answer is left over, and the next access is right."""
    bench = await RegisterBench(dut).start()
    asks, answers = RAW[BUS]
    for delay in range(3 + 2 * LONGEST_WAIT):
        await FallingEdge(dut.clk)
        for place, line in enumerate(asks):
            getattr(dut, line).value = 1
            if BUS == "apb" and place == 0:  # set-up comes before access
                await FallingEdge(dut.clk)
        for _ in range(delay):
            await FallingEdge(dut.clk)
        dut.rst.value = 1
        for line in asks:
            getattr(dut, line).value = 0
        await FallingEdge(dut.clk)
        dut.rst.value = 0
        for _ in range(LONGEST_WAIT + 6):
            assert not any(int(getattr(dut, line).value) for line in answers), delay
            await FallingEdge(dut.clk)
        bench.driver.forget()
        bench.model = RegisterModel(PATIENCE)  # the raw access, or reset, changed what was there
        await bench.run([Access(4 * place, bench.rng.getrandbits(32)) for place in range(WORDS)])
        await bench.check()
    await bench.finish()
