"""Fused slices: each mode's results and rows, banks turned from mode to mode, the mode that goes
along with a pass."""

import cocotb

from cimforge.cocotb_tests.macro_bench import Bench
from cimforge.cocotb_tests.packing import pack
from cimforge.cocotb_tests.stimuli import row_classes, some
from cimforge.flow.simulate.job import job_config
from cimforge.golden.cycles import result_interval

CONFIG = job_config()
BANKS = range(CONFIG.banks)
MODES = range(len(CONFIG.modes))
OFF = len(MODES) == 1
ROW_BITS = CONFIG.cols * CONFIG.weight_bits
MISSING_ROWS = range(CONFIG.rows, 1 << CONFIG.row_bits)


def _weights(stored: int, fuse: int, signed: bool) -> list[int]:
    """The weights that the stored bits of a row mean in a mode: the least significant of column 0
    first, less half their range where the bank is signed."""
    width = CONFIG.modes[fuse].weight_bits
    places = range(0, ROW_BITS, width)
    return [(stored >> low) % 2**width - signed * 2 ** (width - 1) for low in places]


def _written(data: int, fuse: int, signed: bool) -> int:
    """The bits that a row is stored as: the top bit of each weight inverted in a signed write."""
    width = CONFIG.modes[fuse].weight_bits
    return data ^ sum(2 ** (low + width - 1) for low in range(0, ROW_BITS, width) if signed)


async def _expect(bench: Bench, stored: list[int], bank: int, fuse: int, signed: bool) -> None:
    """Some results and rows of a bank are those of its stored bits, by plain counting."""
    weights = [_weights(row, fuse, signed) for row in stored]
    for _ in range(3):
        x = [int(each) for each in bench.random_vector()]
        bench.send(x, bank=bank)
        await bench.run()
        columns = zip(*weights, strict=True)
        sums = [sum(a * w for a, w in zip(x, column, strict=True)) for column in columns]
        assert not CONFIG.tree_traits.exact or bench.y_results[-1][1].tolist() == sums
    row, width = bench.rng.randrange(CONFIG.rows), CONFIG.modes[fuse].weight_bits
    bench.read(row, bank=bank)
    await bench.run()
    assert bench.q_results[-1][1].tolist() == [w % 2**width for w in weights[row]]


@cocotb.test(skip=OFF)
@cocotb.parametrize(signed=[False, True])
async def test_each_mode_by_plain_counting(dut, signed):
    """In each mode, results and rows are those of the bits that were written: no model in between;
    a row of another mode turns the whole bank, and the sign acts in each of its weights."""
    bench = Bench(dut)
    await bench.start()
    for fuse in MODES:
        bank = bench.rng.choice(BANKS)
        data = [bench.rng.getrandbits(ROW_BITS) for _ in range(CONFIG.rows)]
        stored = [_written(row, fuse, signed) for row in data]
        bits = CONFIG.modes[fuse].weight_bits
        for row, value in enumerate(data):
            patterns = [(value >> low) % 2**bits for low in range(0, ROW_BITS, bits)]
            bench.write(row, patterns, bank=bank, signed=signed, fuse=fuse)
        await bench.run()
        await _expect(bench, stored, bank, fuse, signed)
        for other in MODES:
            sign = bench.rng.random() < 0.5
            for turned in (other, fuse):
                row, drawn = bench.rng.randrange(CONFIG.rows), bench.random_row(turned)
                value = pack(drawn, CONFIG.modes[turned].weight_bits)
                stored[row] = _written(value, turned, sign)
                bench.write(row, drawn, bank=bank, signed=sign, fuse=turned)
                await bench.run()
                await _expect(bench, stored, bank, turned, sign)
    await bench.finish()


@cocotb.test(skip=OFF)
async def test_modes_follow_their_passes(dut):
    """Passes through banks of different modes one after the other, at full rate and held back:
    each result lies on the port in the mode of its own bank."""
    bench = await Bench.loaded(dut)
    for bank in BANKS:
        bench.queue_bank(bank, signed=bench.rng.random() < 0.5, fuse=bank % len(MODES))
    await bench.run()
    for refuse in (0.0, 0.6):
        bench.y.refuse = bench.q.refuse = refuse
        for _ in range(4):
            bench.random_passes(some(BANKS, 8, bench.rng), 8)
            bench.read(bench.rng.randrange(CONFIG.rows), bank=bench.rng.choice(BANKS))
        await bench.run()
    await bench.finish()


@cocotb.test(skip=OFF)
async def test_modes_change_while_computing(dut):
    """A row of another mode that is offered in any cycle of a pass, to its bank or another, changes
    no result before its turn and every one after it."""
    bench = await Bench.loaded(dut)
    cycles = range(result_interval(CONFIG) + CONFIG.ranks + 2)
    for cycle in cycles:
        for bank in some(BANKS, 3, bench.rng):
            written = bench.rng.choice([bank, bench.rng.choice(BANKS)])
            for _ in range(2):
                bench.send(bench.full_vector(), signed=True, bank=bank)
            bench.y.refuse = bench.rng.choice((0.0, 0.7))
            await bench.until("x")
            await bench.steps(cycle)
            fuse = (bench.scoreboard.model.fuse(written) + 1) % len(MODES)
            row, signed = bench.rng.randrange(CONFIG.rows), bench.rng.random() < 0.5
            bench.write(row, bench.random_row(fuse), bank=written, signed=signed, fuse=fuse)
            bench.send(bench.random_vector(), bank=written)
            await bench.run()
    bench.read_everything()
    await bench.finish()


@cocotb.test(skip=OFF)
async def test_numbers_beyond_the_modes(dut):
    """Every w_fuse that the port can carry: one beyond the last mode means mode 0."""
    bench = await Bench.loaded(dut)
    for fuse in range(1 << CONFIG.w_fuse_width):
        for bank in some(BANKS, 4, bench.rng):
            row, meant = bench.rng.randrange(CONFIG.rows), fuse if fuse in MODES else 0
            data = pack(bench.random_row(), CONFIG.weight_bits)
            place = {"w_bank": bank, "w_row": row, "w_signed": 1, "w_fill": 0}
            bench.w.beats.append({**place, "w_fuse": fuse, "w_data": data})
            await bench.run()
            assert bench.scoreboard.model.fuse(bank) == meant
            bench.random_passes([bank], 2)
            bench.read(row, bank=bank)
    await bench.finish()


@cocotb.test(skip=OFF)
async def test_resets_and_missing_rows_keep_modes(dut):
    """Neither a reset nor a write to a row that does not exist changes the mode of any bank."""
    bench = await Bench.loaded(dut)
    for fuse in MODES:
        for bank in some(BANKS, 4, bench.rng):
            signed = bench.rng.random() < 0.5
            bench.queue_bank(bank, signed=signed, fuse=fuse)
            await bench.run()
            for row in some(MISSING_ROWS, 3, bench.rng):
                other = (fuse + 1) % len(MODES)
                missing = bench.random_row(other)
                bench.write(row, missing, bank=bank, signed=not signed, fuse=other)
            await bench.run()
            bench.send(bench.full_vector(), bank=bank)
            await bench.steps(bench.rng.randint(1, CONFIG.latency()))
            await bench.reset()
            assert bench.scoreboard.model.fuse(bank) == fuse
            bench.random_passes([bank], 2)
            bench.read(bench.rng.choice(row_classes(CONFIG.rows)), bank=bank)
            await bench.run()
    bench.read_everything()
    await bench.finish()


# Worked by hand for rows 8, cols 4, 4b x 4b in slices of 2 bits, mode 1: rows as in values.py, each
# nibble two weights, its low two bits first. Row r's nibble is r+1 but in column 3, which has 0xf:
#   low: 1 2 3 0 1 2 3 0    high: 0 0 0 1 1 1 1 2;    signed 2 is -2, 3 is -1
#   x unsigned: 15 8 7 1 0 2 9 4    x signed: -1 -8 7 1 0 2 -7 4
#   uu: 15+16+21+0+0+4+27+0 = 83,  1+0+2+9+8 = 20;       column 3: 3 * 46 = 138
#   us: 15-16-7+0+0-4-9+0 = -21,   1+0+2+9-8 = 4;        column 3: -1 * 46 = -46
#   su: -1-16+21+0+0+4-21+0 = -13, 1+0+2-7+8 = 4;        column 3: 3 * -2 = -6
#   ss: -1+16-7+0+0-4+7+0 = 11,    1+0+2-7-8 = -12;      column 3: -1 * -2 = 2
# Results have 10 bits: two make five digits, 20 * 1024 + 83 = 0x05053, output 0 lowest.
LITERAL_ROWS = [0xF111, 0xF222, 0xF333, 0xF444, 0xF555, 0xF666, 0xF777, 0xF888]
LITERAL_X = 0x4920178F
LITERAL_Y = {
    (False, False): 0x2288A_05053_05053_05053,
    (False, True): 0xF4BD2_013EB_013EB_013EB,
    (True, False): 0xFEBFA_013F3_013F3_013F3,
    (True, True): 0x00802_FD00B_FD00B_FD00B,
}
SHAPE = (CONFIG.rows, CONFIG.cols, CONFIG.weight_bits, CONFIG.input_bits, CONFIG.slice_bits)
EXACT = CONFIG.tree_traits.pairings == 0


@cocotb.test(skip=not (SHAPE == (8, 4, 4, 4, 2) and EXACT))
@cocotb.parametrize(x_signed=[False, True], w_signed=[False, True])
async def test_literal_slices(dut, x_signed, w_signed):
    """Hex in, hex out, worked by hand: pins the order of slices, and that rows read back as
    written."""
    bench = Bench(dut)
    await bench.start()
    for row, data in enumerate(LITERAL_ROWS):
        beat = {"w_bank": 0, "w_row": row, "w_data": data, "w_signed": int(w_signed)}
        bench.w.beats.append({**beat, "w_fuse": 1, "w_fill": 0})
    await bench.run()
    beat = {"x_data": LITERAL_X, "x_bits": 4, "x_signed": int(x_signed), "x_bank": 0}
    bench.x.beats.append(beat)
    bench.y.take = lambda: False
    await bench.steps(CONFIG.latency() + 1)
    assert bench.y.valid
    want = LITERAL_Y[x_signed, w_signed]
    assert bench.y.data == want, f"y_data is {bench.y.data:020x}, must be {want:020x}"
    bench.y.take = None
    for row in range(len(LITERAL_ROWS)):
        bench.read(row)
    await bench.run()
    rows = [pack(patterns, 2) for _, patterns in bench.q_results]
    assert rows == LITERAL_ROWS
    await bench.finish()
