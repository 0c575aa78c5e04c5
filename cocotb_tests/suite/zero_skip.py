"""zero_skip: a pass begins at the first group of planes that matters to any row, in any traffic."""

from itertools import pairwise

import cocotb
import numpy as np

from cimforge.cocotb_tests.macro_bench import Bench
from cimforge.cocotb_tests.stimuli import row_classes, small_vector, some
from cimforge.flow.simulate.job import job_config
from cimforge.golden.cycles import pass_cycles, result_interval

CONFIG = job_config()
BANKS = range(CONFIG.banks)
K, BITS = CONFIG.bits_per_cycle, CONFIG.input_bits
ROWS = row_classes(CONFIG.rows)
PRECISIONS = range(1, BITS + 1)
OFF = not CONFIG.skips


def _above(bench: Bench, vector: np.ndarray, x_bits: int) -> np.ndarray:
    """The vector with random bits above the precision, which must not matter."""
    return vector & ((1 << x_bits) - 1) | bench.random_vector() >> x_bits << x_bits


@cocotb.test(skip=OFF)
@cocotb.parametrize(x_signed=[False, True])
async def test_one_row_decides(dut, x_signed):
    """At each precision each bit of one row, of each class, decides where the pass begins, set
    alone or cleared alone in a negative vector; results are right and come in the exact cycle."""
    bench = await Bench.loaded(dut)
    chosen = [(x_bits, bit) for x_bits in PRECISIONS for bit in range(x_bits)]
    for x_bits, bit in chosen:
        for row in some(ROWS, 4, bench.rng):
            for others in (0, -1) if x_signed else (0,):
                vector = np.full(CONFIG.rows, others & ((1 << BITS) - 1), np.int64)
                vector[row] ^= 1 << bit
                bench.send(
                    _above(bench, vector, x_bits),
                    x_bits=x_bits,
                    signed=x_signed,
                    bank=bench.rng.choice(BANKS),
                )
        await bench.run()
    await bench.finish()


@cocotb.test(skip=OFF)
@cocotb.parametrize(x_signed=[False, True])
async def test_every_size_at_every_precision(dut, x_signed):
    """Vectors of each size in bits at each precision, back to back: all begin where the widest
    element says, and follow one another in as many cycles."""
    bench = await Bench.loaded(dut)
    for x_bits in PRECISIONS:
        start = len(bench.y_results)
        expected = []
        for size in range(1, x_bits + 1):
            for signed in (False, True):
                vector = small_vector(bench.full_vector(size), size, signed, BITS)
                vector = _above(bench, vector, x_bits)
                expected.append(result_interval(CONFIG, x_bits, x_signed, vector))
                bench.send(vector, x_bits=x_bits, signed=x_signed, bank=bench.rng.choice(BANKS))
        await bench.run()
        times = [cycle for cycle, _ in bench.y_results[start:]]
        steps = [later - earlier for earlier, later in pairwise(times)]
        assert steps == expected[1:], f"{x_bits} bits: {steps}, must be {expected[1:]}"
    await bench.finish()


@cocotb.test(skip=OFF)
async def test_nothing_to_do_takes_one_cycle(dut):
    """Vectors of zeros, and signed ones of -1 alone, take one cycle, between passes of full length;
    they give zeros, and the weights' negative sums."""
    bench = await Bench.loaded(dut)
    ones = np.full(CONFIG.rows, (1 << BITS) - 1, np.int64)
    for x_bits in PRECISIONS:
        assert pass_cycles(CONFIG, x_bits, True, ones) == 1
        for vector, signed in ((0 * ones, False), (ones, True), (0 * ones, True)):
            bank = bench.rng.choice(BANKS)
            bench.send(vector, x_bits=x_bits, signed=signed, bank=bank)
            bench.send(vector, x_bits=x_bits, signed=signed, bank=bank)
            bench.send(bench.full_vector(x_bits), x_bits=x_bits, signed=signed, bank=bank)
    await bench.finish()


@cocotb.test(skip=OFF)
async def test_short_passes_among_writes_and_reads(dut):
    """Passes of every length, rows and read-backs of the same and other banks, with results that
    wait: nothing is lost and every ready follows its rule."""
    bench = await Bench.loaded(dut)
    bench.w.idle, bench.r.idle, bench.y.refuse, bench.q.refuse = 0.4, 0.6, 0.3, 0.3
    for _ in range(60):
        bits, signed = bench.rng.choice(PRECISIONS), bench.rng.random() < 0.5
        vector = small_vector(bench.random_vector(), bits, signed, BITS)
        bench.send(vector, signed=bench.rng.random() < 0.5, bank=bench.rng.choice(BANKS))
        row, bank = bench.rng.randrange(CONFIG.rows), bench.rng.choice(BANKS)
        bench.write(row, bench.random_row(), bank=bank, signed=bench.rng.random() < 0.5)
        bench.read(bench.rng.randrange(CONFIG.rows), bank=bank)
    await bench.run()
    bench.read_everything()
    await bench.finish()
