"""A front end of memory between an engine's side and a third-party slave."""

import random
from collections.abc import Hashable
from pathlib import Path
from random import Random

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import RisingEdge

from cimforge.cocotb_tests.bus_fronts.bus_drivers import CLOCK_NS
from cimforge.cocotb_tests.bus_fronts.memory_bench import BASE, SIZE, EngineSide, faulty_memory
from cimforge.cocotb_tests.bus_fronts.memory_slaves import MEMORY_SLAVES
from cimforge.cocotb_tests.coverage import Coverage
from cimforge.flow.simulate.job import load_job

JOB = load_job()
BUS, DATA_BITS = JOB.get("bus", "axi4"), int(JOB.get("data_bits", 32))
BEATS = int(JOB.get("beats", 2000))
PATIENCE = 4000  # cycles without any word moved or burst ended: it hangs
MIDDLE = BASE + SIZE // 2
HALVES = ((BASE - 0x800, MIDDLE), (MIDDLE, BASE + SIZE + 0x800))
MOST = (1, 4, 16, 256)  # words of a burst


class MemoryBench:
    """Clock, slave and engine's side of one test."""

    moved = 0
    coverage: Coverage | None = None

    def __init__(self, dut):
        self.dut, self.rng = dut, Random(random.getrandbits(64))
        if MemoryBench.coverage is None:
            ways: list[Hashable] = ["read", "write"]
            bins: list[Hashable] = [(way, most) for way in ways for most in MOST]
            MemoryBench.coverage = Coverage({"burst": bins, "error": ways, "page": ways})

    async def start(self) -> "MemoryBench":
        """Start the clock and reset."""
        dut = self.dut
        self.memory = faulty_memory(self.rng)
        self.engine = EngineSide(dut, DATA_BITS, self.memory, self.rng)
        Clock(dut.clk, CLOCK_NS, unit="ns").start()
        dut.rst.value = 1
        MEMORY_SLAVES[BUS](dut, self.memory, self.rng)
        for _ in range(3):
            await RisingEdge(dut.clk)
        dut.rst.value = 0
        await RisingEdge(dut.clk)
        return self

    async def run(self) -> None:
        """Until everything that was asked for is over."""
        engine, still = self.engine, 0
        while engine.pending:
            if self.rng.random() < 0.02:
                engine.pace()
            before = engine.moved, engine.owed
            await engine.cycle()
            still = 0 if (engine.moved, engine.owed) != before else still + 1
            assert still < PATIENCE, f"hangs, {engine.owed} answers owed"
        for _ in range(20):  # and nothing comes that was not asked for
            await engine.cycle()
        assert self.memory.bytes == engine.expected, "the memory holds something else"

    def ask(self, most: int, half: tuple[int, int], write: bool) -> None:
        """Queue a random burst."""
        request = self.engine.draw(most, *half, write)
        end = request.address + request.words * DATA_BITS // 8
        way, covered = "write" if write else "read", MemoryBench.coverage
        assert covered is not None
        smaller = [n for n in MOST if n < request.words]
        covered.hit("burst", (way, MOST[len(smaller)]))
        if end % 0x1000 == 0:
            covered.hit("page", way)
        if not self.memory.holds(request.address):
            covered.hit("error", way)
        self.engine.ask(request)

    def finish(self) -> None:
        """Save coverage."""
        MemoryBench.moved += self.engine.moved
        assert MemoryBench.coverage is not None
        MemoryBench.coverage.save(Path(JOB["coverage"]), MemoryBench.moved)


@cocotb.test()
async def test_random_bursts(dut):
    """Bursts of every length, to memory and beside it, with random idle and back-pressure: all are
    answered, once, in order and rightly; the memory holds what was written."""
    bench = await MemoryBench(dut).start()
    turn = 0
    while bench.engine.moved < BEATS or turn < 8:
        read, written = HALVES if turn % 2 else HALVES[::-1]
        for _ in range(20):
            most = bench.rng.choice(MOST)
            half, write = bench.rng.choice(((read, False), (written, True)))
            bench.ask(most, half, write)
        await bench.run()
        turn += 1
    bench.finish()


@cocotb.test()
async def test_one_way_alone(dut):
    """Reads alone, then writes alone, at full pace."""
    bench = await MemoryBench(dut).start()
    for write in (False, True):
        for _ in range(12):
            bench.ask(16, (MIDDLE, BASE + SIZE), write)
        await bench.run()
    bench.finish()


@cocotb.test()
async def test_reset_offers_nothing_afterwards(dut):
    """Reset with requests and words in the front end: nothing of them is left on the bus."""
    bench = await MemoryBench(dut).start()
    engine = bench.engine
    offers = {
        "axi4": ("axi_arvalid", "axi_awvalid", "axi_wvalid"),
        "wishbone": ("wb_cyc", "wb_stb"),
    }
    for delay in range(12):
        for write in (False, True):
            bench.ask(4, (MIDDLE, BASE + SIZE), write)
        for _ in range(delay):
            await engine.cycle()
        dut.rst.value = 1
        for source in (engine.read, engine.write, engine.words):
            source.reset()
        await RisingEdge(dut.clk)
        dut.rst.value = 0
        await RisingEdge(dut.clk)
        assert not any(int(getattr(dut, line).value) for line in offers[BUS])
        assert not int(dut.memory_write_done_valid.value)
        for _ in range(20):
            await RisingEdge(dut.clk)
        engine = bench.engine = EngineSide(dut, DATA_BITS, bench.memory, bench.rng)
        bench.ask(4, (MIDDLE, BASE + SIZE), False)
        await bench.run()
    bench.finish()
