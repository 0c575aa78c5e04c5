"""Row groups: sums that follow their rows, the slots that writes take, and the fast path."""

from itertools import pairwise

import cocotb

from cimforge.cocotb_tests.macro_bench import Bench
from cimforge.cocotb_tests.stimuli import row_classes, some
from cimforge.flow.simulate.job import job_config
from cimforge.golden.cycles import pass_cycles, write_cycles

CONFIG = job_config()
BANKS = range(CONFIG.banks)
PAIRED = [row for row in range(CONFIG.rows) if CONFIG.group_size(row) > 1]
ROWS = [row for row in row_classes(CONFIG.rows) if row in PAIRED]
NO_PAIRS = not CONFIG.pairs
ONE_BANK = NO_PAIRS or CONFIG.banks == 1


def _use(bench: Bench, bank: int) -> None:
    """Vectors that select every sum and every row alone."""
    ones, rows = (1 << CONFIG.input_bits) - 1, range(CONFIG.rows)
    for chosen in (lambda row: True, lambda row: row % 2 == 0, lambda row: row % 2 == 1):
        bench.send([ones * chosen(row) for row in rows], bank=bank)
    bench.send(bench.random_vector(), signed=True, bank=bank)


@cocotb.test(skip=NO_PAIRS)
async def test_sums_follow_any_order_of_writes(dut):
    """Rows of every class, one or both of a group, again and again, filled or not, with either
    sign: after each write the sums are those of the rows."""
    bench = await Bench.loaded(dut)
    for _ in range(48):
        bank, first = bench.rng.choice(BANKS), bench.rng.choice(PAIRED) // 2 * 2
        signed, rows = bench.rng.random() < 0.5, bench.rng.choice([(0,), (1,), (0, 1), (1, 0)])
        fill = rows == (0, 1) and bench.rng.random() < 0.5
        for place in rows:
            bench.write(first + place, bench.random_row(), signed=signed, bank=bank, fill=fill)
        if bench.rng.random() < 0.7:
            _use(bench, bank)
            await bench.run()
    for bank in BANKS:
        _use(bench, bank)
    bench.read_everything()
    await bench.finish()


@cocotb.test(skip=NO_PAIRS)
async def test_reset_in_every_cycle_of_a_write(dut):
    """A row cut off must be written again: its neighbour and all other rows stay as they were,
    alone and in the sums, before and after that."""
    bench = await Bench.loaded(dut)
    board = bench.scoreboard
    for cycle in range(write_cycles(CONFIG, PAIRED[0]) + 2):
        for row in some(ROWS, 6, bench.rng):
            bank, neighbour = bench.rng.choice(BANKS), row ^ 1
            bench.write(row, bench.random_row(), bank=bank, signed=bool(row % 3))
            await bench.until("w")
            await bench.steps(cycle)
            cut_off = board.under_way is not None
            assert cut_off == (cycle < write_cycles(CONFIG, row) - 1)
            await bench.reset()
            assert board.model.defined(bank, row) != cut_off
            other = next((each for each in PAIRED if each // 2 != row // 2), None)
            if other is not None:  # a write of another group settles the sign
                bench.write(other, bench.random_row(), bank=bank)
                bench.read(neighbour, bank=bank)
                await bench.run()
                assert board.model.defined(bank, neighbour)
            bench.write(row, bench.random_row(), bank=bank, signed=True)
            _use(bench, bank)
            bench.read(neighbour, bank=bank)
            await bench.run()
            assert board.model.defined(bank)
    bench.read_everything()
    await bench.finish()


@cocotb.test(skip=NO_PAIRS)
async def test_broken_promises(dut):
    """A group whose filling is cut off, by another row or bank, a missing row, a plain write or a
    reset, is right again as soon as all its rows are written, in either order, or filled."""
    bench = await Bench.loaded(dut)
    ways = ["another row", "another bank", "unfilled", "missing", "reset", "second row first"]
    for way in [*ways, *ways]:
        first = bench.rng.choice(PAIRED) // 2 * 2
        bank, other = bench.rng.choice(BANKS), bench.rng.choice(BANKS)
        if way != "second row first":
            bench.write(first, bench.random_row(), bank=bank, fill=True)
        if way == "another row":
            bench.write(bench.rng.choice(PAIRED), bench.random_row(), bank=bank, fill=True)
        elif way == "another bank":
            bench.write(first + 1, bench.random_row(), bank=other, fill=True)
        elif way == "unfilled":
            bench.write(bench.rng.randrange(CONFIG.rows), bench.random_row(), bank=other)
        elif way == "missing" and CONFIG.rows < 1 << CONFIG.row_bits:
            bench.write(CONFIG.rows, bench.random_row(), bank=bank, fill=True)
        await bench.run()
        if way == "reset":
            await bench.reset()
        bench.write(first + 1, bench.random_row(), bank=bank, fill=True)
        await bench.run()
        for place in bench.rng.choice([(0, 1), (1, 0)]):
            bench.write(first + place, bench.random_row(), bank=bank)
        await bench.run()
        bench.rewrite_undefined()
        await bench.run()
        _use(bench, bank)
        _use(bench, other)
        await bench.run()
    bench.read_everything()
    await bench.finish()


@cocotb.test(skip=ONE_BANK)
async def test_slots_between_passes(dut):
    """With vectors of one bank and rows of another always waiting, each pass is followed by one
    slot at most, of one cycle, and rows go on being written."""
    bench = await Bench.loaded(dut)
    for bits in {1, CONFIG.input_bits}:
        passes, starts, rows = 24, [], 0
        for index in range(passes):
            bench.send(bench.full_vector(bits), x_bits=bits, bank=0)
            bench.write(PAIRED[index % len(PAIRED)], bench.random_row(), bank=1)
        while bench.x.pending:
            accepted = await bench.step()
            starts += [bench.cycle] if accepted.x else []
            rows += bool(accepted.w)
        steps = {later - earlier for earlier, later in pairwise(starts)}
        cycles = pass_cycles(CONFIG, bits)
        assert steps == {cycles, cycles + 1} or steps == {cycles + 1}, f"{bits} bits: {steps}"
        assert rows > passes // (write_cycles(CONFIG, PAIRED[0]) + 1)
        await bench.run()
    bench.read_everything()
    await bench.finish()


@cocotb.test(skip=ONE_BANK)
async def test_filling_beside_passes_costs_nothing(dut):
    """A bank is filled at the published rate while another computes at full rate."""
    bench = await Bench.loaded(dut)
    start, passes = bench.cycle, 4 + CONFIG.load_cycles(fill=True) // pass_cycles(CONFIG)
    for _ in range(passes):
        bench.send(bench.full_vector(), bank=0)
    bench.queue_bank(1, fill=True, signed=True)
    while bench.w.pending or bench.scoreboard.filling:
        await bench.step()
    assert bench.cycle - start == CONFIG.load_cycles(fill=True)
    await bench.run()
    last = bench.y_results[-1][0]
    assert last - start == passes * pass_cycles(CONFIG) + CONFIG.result_ranks + 1
    bench.read_everything()
    await bench.finish()
