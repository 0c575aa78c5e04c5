"""Values: every precision and sign mode, corners and random vectors, ignored bits, literal
vectors."""

import cocotb
import numpy as np

from cimforge.cocotb_tests.macro_bench import Bench
from cimforge.cocotb_tests.stimuli import input_corners, row_classes, some, weight_corners
from cimforge.flow.simulate.job import job_config

CONFIG = job_config()
MODES = range(len(CONFIG.modes))
PRECISIONS = list(range(CONFIG.input_bits + 1))
BEYOND = list(range(CONFIG.input_bits + 1, 1 << CONFIG.x_bits_width))


@cocotb.test()
@cocotb.parametrize(w_signed=[False, True], x_signed=[False, True], x_bits=PRECISIONS)
async def test_every_precision_and_sign(dut, x_bits, x_signed, w_signed):
    """Random vectors and corners at one precision, in every mode; bits above it are random and must
    not matter."""
    bench = Bench(dut)
    await bench.start()
    bank = (4 * x_bits + 2 * x_signed + w_signed) % CONFIG.banks
    for fuse in MODES:
        bench.queue_bank(bank, signed=w_signed, fuse=fuse)
        await bench.run()
        for corner in input_corners(CONFIG):
            bench.send(corner, x_bits=x_bits, signed=x_signed, bank=bank)
        for _ in range(12):
            bench.send(bench.random_vector(), x_bits=x_bits, signed=x_signed, bank=bank)
        await bench.run()
    await bench.finish()


@cocotb.test(skip=not BEYOND)
async def test_precisions_beyond_the_maximum(dut):
    """Every x_bits that the port can carry above input_bits means input_bits, signed or not."""
    bench = await Bench.loaded(dut)
    for x_bits in BEYOND:
        for x_signed in (False, True):
            for bank in some(range(CONFIG.banks), 2, bench.rng):
                bench.send(bench.random_vector(), x_bits=x_bits, signed=x_signed, bank=bank)
            for corner in input_corners(CONFIG):
                bench.send(corner, x_bits=x_bits, signed=x_signed)
        await bench.run()
    await bench.finish()


@cocotb.test()
async def test_every_bank_at_every_precision(dut):
    """Each bank, signed and unsigned, computes at each precision and sign of the inputs."""
    bench = await Bench.loaded(dut)
    for turned in (False, True):
        for bank in range(CONFIG.banks):
            if turned:  # one row of the other sign turns its bank
                row = bench.rng.choice(row_classes(CONFIG.rows))
                bench.write(row, bench.random_row(), bank=bank, signed=not bank % 2)
                await bench.run()
            for x_bits in range(1, CONFIG.input_bits + 1):
                for x_signed in (False, True):
                    vector = bench.random_vector()
                    bench.send(vector, x_bits=x_bits, signed=x_signed, bank=bank)
        await bench.run()
    await bench.finish()


@cocotb.test()
@cocotb.parametrize(w_signed=[False, True], x_signed=[False, True])
async def test_corners(dut, x_signed, w_signed):
    """Extreme weights against extreme inputs: no overflow, no lost carry, no wrong sign."""
    bench = Bench(dut)
    await bench.start()
    for fuse, matrix in [(mode, m) for mode in MODES for m in weight_corners(CONFIG, mode)]:
        bench.queue_bank(signed=w_signed, patterns=matrix, fuse=fuse)
        await bench.run()
        for corner in input_corners(CONFIG):
            bench.send(corner, signed=x_signed)
        await bench.run()
    await bench.finish()


@cocotb.test()
async def test_single_bits(dut):
    """One input bit against one row at a time: each plane has its weight and each row its place."""
    bench = Bench(dut)
    await bench.start()
    bench.queue_bank()
    await bench.run()
    for row in some(range(CONFIG.rows), 64, bench.rng):
        bit = row % CONFIG.input_bits
        vector = np.zeros(CONFIG.rows, np.int64)
        vector[row] = 1 << bit
        bench.send(vector)
    for bit in range(CONFIG.input_bits):
        vector = np.zeros(CONFIG.rows, np.int64)
        vector[bench.rng.randrange(CONFIG.rows)] = 1 << bit
        bench.send(vector, signed=True)
    await bench.finish()


# Worked by hand for rows 8, cols 4, 4b x 4b, row r's weights all patterns r+1 except column 3,
# which is 0xf in each row; inputs are the patterns f, 8, 7, 1, 0, 2, 9, 4 of rows 0..7. Port hex,
# row 0 and column 0 lowest.
#   x unsigned:  15  8  7  1  0  2  9  4   x signed: -1 -8  7  1  0  2 -7  4
#   w unsigned:   1  2  3  4  5  6  7  8   w signed:  1  2  3  4  5  6  7 -8
#   uu: 15+16+21+4+0+12+63+32 = 163 = 0x0a3;  column 3: 15 * (15+8+7+1+0+2+9+4 = 46) = 690 = 0x2b2
#   us: 15+16+21+4+0+12+63-32 =  99 = 0x063;  column 3: -1 * 46 = -46 = 0xfd2
#   su: -1-16+21+4+0+12-49+32 =   3 = 0x003;  column 3: 15 * (-1-8+7+1+0+2-7+4 = -2) = -30 = 0xfe2
#   ss: -1-16+21+4+0+12-49-32 = -61 = 0xfc3;  column 3: -1 * -2 = 2 = 0x002
LITERAL_ROWS = [0xF111, 0xF222, 0xF333, 0xF444, 0xF555, 0xF666, 0xF777, 0xF888]
LITERAL_X = 0x4920178F
LITERAL_Y = {
    (False, False): 0x2B20A30A30A3,
    (False, True): 0xFD2063063063,
    (True, False): 0xFE2003003003,
    (True, True): 0x002FC3FC3FC3,
}
IS_TINY = (CONFIG.rows, CONFIG.cols, CONFIG.weight_bits, CONFIG.input_bits) == (8, 4, 4, 4)
EXACT = CONFIG.tree_traits.pairings == 0


@cocotb.test(skip=not (IS_TINY and EXACT))
@cocotb.parametrize(x_signed=[False, True], w_signed=[False, True])
async def test_literal_vectors(dut, x_signed, w_signed):
    """Hex in, hex out, worked by hand: pins the order of rows, columns and bits without the golden
    model."""
    bench = Bench(dut)
    await bench.start()
    for row, data in enumerate(LITERAL_ROWS):
        place = {"w_bank": 0, "w_row": row, "w_signed": int(w_signed)}
        bench.w.beats.append({**place, "w_fuse": 0, "w_fill": 0, "w_data": data})
    await bench.run()
    beat = {"x_data": LITERAL_X, "x_bits": 4, "x_signed": int(x_signed), "x_bank": 0}
    bench.x.beats.append(beat)
    bench.y.take = lambda: False
    await bench.steps(CONFIG.latency() + 1)
    assert bench.y.valid
    want = LITERAL_Y[x_signed, w_signed]
    assert bench.y.data == want, f"y_data is {bench.y.data:012x}, must be {want:012x}"
    await bench.finish()
