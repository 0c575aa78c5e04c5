"""xnor: -1 and 1 in bits, the rows that count, and the ports that say nothing."""

import cocotb
import numpy as np

from cimforge.cocotb_tests.macro_bench import Bench
from cimforge.cocotb_tests.stimuli import input_corners, row_classes, some, weight_corners
from cimforge.flow.simulate.job import job_config

CONFIG = job_config()
BANKS = range(CONFIG.banks)
OFF = not CONFIG.binary
NUMBERS = range(1 << CONFIG.x_rows_width)


@cocotb.test(skip=OFF)
async def test_rows_that_count(dut):
    """With each x_rows that the port carries the first rows count and the others do not, whatever
    they hold: random vectors, and single rows around the border."""
    bench = await Bench.loaded(dut)
    for number in some(NUMBERS, 96, bench.rng):
        bank = bench.rng.choice(BANKS)
        for _ in range(2):
            bench.send(bench.random_vector(), bank=bank, rows=number)
        for row in {number - 1, number} & set(range(CONFIG.rows)):
            vector = bench.random_vector()
            for bit in (0, 1):
                vector[row] = bit
                bench.send(vector, bank=bank, rows=number)
        await bench.run()
    await bench.finish()


@cocotb.test(skip=OFF)
async def test_extremes(dut):
    """All rows match and none does: rows and -rows, of all rows and of some."""
    bench = Bench(dut)
    await bench.start()
    for matrix in weight_corners(CONFIG):
        bench.queue_bank(patterns=matrix)
        await bench.run()
        for corner in [*input_corners(CONFIG), matrix[:, 0], 1 - matrix[:, 0]]:
            for rows in {0, 1, CONFIG.rows, bench.rng.choice(NUMBERS)}:
                bench.send(corner, rows=rows)
        await bench.run()
    await bench.finish()


@cocotb.test(skip=OFF)
async def test_signs_and_precisions_say_nothing(dut):
    """x_bits, x_signed and w_signed change no result and no row read back."""
    bench = await Bench.loaded(dut)
    for bank in some(BANKS, 8, bench.rng):
        vector, rows = bench.random_vector(), bench.rng.choice(NUMBERS)
        written, row = bench.random_row(), bench.rng.choice(row_classes(CONFIG.rows))
        for w_signed in (False, True):
            bench.write(row, written, bank=bank, signed=w_signed)
            await bench.run()
            bench.read(row, bank=bank)
            start = len(bench.y_results)
            for x_signed in (False, True):
                for x_bits in (0, 1):
                    bench.send(vector, x_bits=x_bits, signed=x_signed, bank=bank, rows=rows)
            await bench.run()
            results = [y.tolist() for _, y in bench.y_results[start:]]
            assert results == [results[0]] * 4
            assert bench.q_results[-1][1].tolist() == written.tolist()
    await bench.finish()


@cocotb.test(skip=OFF or not CONFIG.tree_traits.exact)
async def test_products_by_plain_counting(dut):
    """Matches less mismatches, counted bit by bit from what was written: no model in between."""
    bench = Bench(dut)
    await bench.start()
    rows = [bench.random_row() for _ in range(CONFIG.rows)]
    bench.queue_bank(patterns=rows)
    await bench.run()
    for _ in range(12):
        vector, number = bench.random_vector(), bench.rng.randint(1, CONFIG.rows)
        bench.send(vector, rows=number)
        await bench.run()
        expected = np.zeros(CONFIG.cols, np.int64)
        for row in range(number):
            expected += np.where(rows[row] == vector[row], 1, -1)
        assert bench.y_results[-1][1].tolist() == expected.tolist()
    await bench.finish()
