"""A macro behind a bus of AMBA: software that polls nothing, since an access that comes too early
waits."""

import random
from pathlib import Path
from random import Random

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import RisingEdge

from cimforge.cocotb_tests.bus_fronts.bus_drivers import CLOCK_NS, DRIVERS
from cimforge.cocotb_tests.bus_fronts.register_model import Access
from cimforge.cocotb_tests.coverage import Coverage
from cimforge.cocotb_tests.packing import pack
from cimforge.flow.simulate.job import job_config, load_job
from cimforge.flow.simulate.stream_drivers import tie_off
from cimforge.golden.macro import MacroModel
from cimforge.hdl.bus.registers import MAGIC, RegisterMap

JOB = load_job()
CONFIG = job_config()
BUS, PATIENCE = JOB.get("bus", "apb"), int(JOB.get("patience", 500))
VECTORS = int(JOB.get("beats", 40))
WORD = 0xFFFFFFFF


class WrappedBench:
    """Drives the macro through its registers and compares its results with golden."""

    products = 0

    def __init__(self, dut):
        self.dut, self.rng = dut, Random(random.getrandbits(64))
        self.numpy_rng = np.random.default_rng(self.rng.getrandbits(32))
        self.map, self.model = RegisterMap(CONFIG), MacroModel(CONFIG)

    async def start(self) -> "WrappedBench":
        """Start the clock, reset, and write every bank."""
        dut = self.dut
        tie_off(dut, CONFIG)
        Clock(dut.clk, CLOCK_NS, unit="ns").start()
        dut.rst.value = 1
        self.driver = DRIVERS[BUS](dut, self.rng, 4 * PATIENCE + 500)
        for _ in range(3):
            await RisingEdge(dut.clk)
        dut.rst.value = 0
        for bank in range(CONFIG.banks):
            for row in range(CONFIG.rows):
                await self.write_row(bank, row)
        return self

    async def run(self, *accesses: Access) -> list[tuple[bool, int]]:
        """A batch; whether each failed, and its word."""
        told: dict[Access, tuple[bool, int]] = {}

        def end(access: Access, failed: bool, word: int) -> None:
            told[access] = failed, word

        await self.driver.batch(list(accesses), lambda _: None, end)
        return [told[access] for access in accesses]

    async def write(self, *accesses: tuple[int, int]) -> None:
        """Writes that must be taken, in order."""
        told = await self.run(*(Access(address, data) for address, data in accesses))
        assert told == [(False, 0)] * len(accesses)

    async def window(self, name: str) -> int:
        """What stands in a window, as one number; it waits until there is something."""
        window = self.map.window(name)
        told = await self.run(*(Access(window.offset + 4 * n) for n in range(window.words)))
        assert not any(failed for failed, _ in told)
        return sum(word << 32 * place for place, (_, word) in enumerate(told))

    def at(self, register: str) -> int:
        """Address of a register."""
        return self.map.register(register).offset

    def filled(self, name: str, value: int) -> list[tuple[int, int]]:
        """Writes that fill a window."""
        window = self.map.window(name)
        return [(window.offset + 4 * n, value >> 32 * n & WORD) for n in range(window.words)]

    async def write_row(self, bank: int, row: int) -> None:
        """A row of random weights; the next waits until it has landed."""
        patterns = self.numpy_rng.integers(0, 1 << CONFIG.weight_bits, CONFIG.cols)
        self.model.write(bank, row, patterns, bank % 2 == 0)
        start = (self.at("w_start"), row | bank << 16 | int(bank % 2 == 0) << 31)
        await self.write(*self.filled("w", pack(patterns, CONFIG.weight_bits)), start)

    async def vector(self) -> np.ndarray:
        """Start a random vector; what it must give."""
        patterns = self.numpy_rng.integers(0, 1 << CONFIG.input_bits, CONFIG.rows)
        bits, signed = self.rng.randint(0, CONFIG.input_bits), self.rng.random() < 0.5
        bank = self.rng.randrange(CONFIG.banks)
        start = (self.at("x_start"), bits | bank << 16 | int(signed) << 31)
        await self.write(*self.filled("x", pack(patterns, CONFIG.input_bits)), start)
        return self.model.mvm(patterns, x_bits=bits, x_signed=signed, bank=bank)

    async def take(self, due: np.ndarray) -> None:
        """Read and release the oldest result."""
        size = 32 * self.map.result_words
        told = await self.window("y")
        words = [told >> size * place & ((1 << size) - 1) for place in range(CONFIG.cols)]
        assert words == [int(value) & ((1 << size) - 1) for value in due]
        await self.write((self.at("y_next"), 0))
        WrappedBench.products += 1

    def finish(self) -> None:
        """Save the count of products."""
        assert self.driver.owed == 0
        Coverage({}).save(Path(JOB["coverage"]), WrappedBench.products)


@cocotb.test()
async def test_products_without_polling(dut):
    """Vectors are started and results read with no look at status, one or several at a time."""
    bench = await WrappedBench(dut).start()
    for _ in range(VECTORS):
        due = [await bench.vector() for _ in range(bench.rng.choice((1, 2, 3)))]
        for result in due:
            await bench.take(result)
        await bench.write_row(bench.rng.randrange(CONFIG.banks), bench.rng.randrange(CONFIG.rows))
    bench.finish()


@cocotb.test()
async def test_rows_are_read_back(dut):
    """Rows come back as they were written."""
    bench = await WrappedBench(dut).start()
    for row in range(CONFIG.rows):
        bank = bench.rng.randrange(CONFIG.banks)
        await bench.write((bench.at("r_start"), row | bank << 16))
        patterns = np.asarray(bench.model.read(bank, row)) & ((1 << CONFIG.weight_bits) - 1)
        assert await bench.window("q") == pack(patterns, CONFIG.weight_bits)
        await bench.write((bench.at("q_next"), 0))
    bench.finish()


@cocotb.test()
async def test_what_never_comes_is_an_error(dut):
    """Wrong accesses, and reads of a result that nobody started, end in errors and change nothing;
    those that are misaligned or of some bytes only at once."""
    bench = await WrappedBench(dut).start()
    cycles = 0

    async def count() -> None:
        nonlocal cycles
        while True:
            await RisingEdge(dut.clk)
            cycles += 1

    cocotb.start_soon(count())
    beyond = bench.map.window("q").offset + 4 * bench.map.window("q").words
    late = [Access(bench.map.window("y").offset), Access(bench.at("y_next"), 0), Access(beyond)]
    late += [
        Access(bench.at("id"), 5),
        Access(bench.at("x_start")),
        Access(bench.at("x_start"), 7 << 24),
    ]
    prompt = [Access(bench.at("id") + 1), Access(bench.at("irq_enable"), 1, 0b0111)]
    for access in (*late, *prompt):
        before = cycles
        assert await bench.run(access) == [(True, 0)], access
        assert (cycles - before >= PATIENCE) == (access in late), access
    assert await bench.run(Access(bench.at("id"))) == [(False, MAGIC)]
    assert await bench.run(Access(bench.at("irq_enable"))) == [(False, 0)]
    await bench.take(await bench.vector())
    bench.finish()


@cocotb.test()
async def test_the_interrupt_passes_through(dut):
    """irq rises with a result, where that is enabled, and falls with its release."""
    bench = await WrappedBench(dut).start()
    await bench.write((bench.at("irq_enable"), 1 << 3))
    assert not int(dut.irq.value)
    due = await bench.vector()
    for _ in range(CONFIG.latency() + 10):
        await RisingEdge(dut.clk)
    assert int(dut.irq.value)
    assert not int(dut.busy.value)
    await bench.take(due)
    assert not int(dut.irq.value)
    bench.finish()
