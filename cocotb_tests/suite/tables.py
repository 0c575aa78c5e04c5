"""Tables of sums: their entries of no row, what a reset takes, and rows that are renewed beside
passes of other banks."""

from collections.abc import Sequence
from itertools import pairwise

import cocotb

from cimforge.cocotb_tests.macro_bench import Bench
from cimforge.cocotb_tests.stimuli import some, table_entries
from cimforge.flow.simulate.job import job_config
from cimforge.golden.cycles import (
    fill_cycles,
    pass_cycles,
    reset_cycles,
    result_interval,
    slots,
    table_groups,
)

CONFIG = job_config()
BANKS = range(CONFIG.banks)
NO_TABLES = not CONFIG.tables
ONE_BANK = NO_TABLES or CONFIG.banks == 1


async def _check_no_row(bench: Bench) -> None:
    """In every bank, all of its rows written: no rows, each alone, and all."""
    bench.rewrite_undefined()
    await bench.run()
    for bank in BANKS:
        bench.send([0] * CONFIG.rows, bank=bank)
        for size in table_groups(CONFIG):
            choices = [0, *(1 << place for place in range(size)), (1 << size) - 1]
            for vector in table_entries(CONFIG, choices, size):
                bench.send(vector, bank=bank)
    await bench.run()


@cocotb.test(skip=NO_TABLES)
async def test_the_entry_of_no_row_is_zero(dut):
    """Whatever RAM held, rows and their sums come right after the first reset; and after resets in
    the middle of anything, with any row offered, in each cycle of the one before."""
    bench = Bench(dut)
    await bench.start()
    await _check_no_row(bench)
    for again in range(reset_cycles(CONFIG) + 2):
        for _ in range(3):
            bank, row = bench.rng.choice(BANKS), bench.rng.randrange(CONFIG.rows)
            bench.random_passes([bench.rng.choice(BANKS)], 2)
            bench.write(row, bench.random_row(), bank=bank, fill=bench.rng.random() < 0.5)
        await bench.steps(bench.rng.randint(1, slots(CONFIG, 0, fill=False) + 12))
        await bench.reset(keep_offers=True)
        await bench.steps(again)
        await bench.reset(bench.rng.randint(1, 2))
        await _check_no_row(bench)
    bench.read_everything()
    await bench.finish()


@cocotb.test(skip=NO_TABLES)
async def test_readies_after_a_reset(dut):
    """After a reset, of any length and in any cycle of another's end, every ready is low for the
    published cycles, and high in the next one; what is offered is then taken."""
    bench = await Bench.loaded(dut)
    cycles = reset_cycles(CONFIG)
    assert cycles == CONFIG.reset_cycles
    for again in range(cycles + 1):
        await bench.reset(1 + again % 3)
        await bench.steps(again)
        await bench.reset(1)
        for _ in range(cycles):
            await bench.step()
            assert not any(bench.readies().values())
        await bench.step()
        assert all(bench.readies().values())
        for stream in "xwr":
            await bench.reset()
            bench.send(bench.random_vector()) if stream == "x" else None
            bench.write(0, bench.random_row()) if stream == "w" else None
            bench.read(0) if stream == "r" else None
            start = bench.cycle
            assert await bench.until(stream) == start + cycles
            await bench.run()
    bench.read_everything()
    await bench.finish()


@cocotb.test(skip=ONE_BANK)
async def test_rows_are_renewed_beside_passes(dut):
    """A bank is filled, row by row and on the fast path, while others compute and results stall:
    a pass waits for one slot at most, and nothing of the other banks changes."""
    bench = await Bench.loaded(dut)
    for fill, refuse in ((True, 0.0), (False, 0.0), (True, 0.4)):
        bank = bench.rng.choice(BANKS)
        others = [each for each in BANKS if each != bank]
        bench.y.refuse = refuse
        rows: Sequence[int] = range(CONFIG.rows)
        if not fill:  # a row may take hundreds of slots
            rows = some(rows, 3, bench.rng)
        for row in rows:
            bench.write(row, bench.random_row(), bank=bank, fill=fill, signed=True)
        starts = []
        while bench.w.pending or bench.scoreboard.writing():
            if not bench.x.pending:
                bench.send(bench.full_vector(), bank=bench.rng.choice(others))
            starts += [bench.cycle] if (await bench.step()).x else []
        await bench.run()
        longest = max((later - earlier for earlier, later in pairwise(starts)), default=0)
        # the vector that is sent when the last one is taken is offered a cycle later, and what a
        # slot has read waits for the result before it
        most = pass_cycles(CONFIG) + 1 + result_interval(CONFIG, 1)
        assert refuse or longest <= most, f"a pass every {longest} cycles"
        for each in BANKS:
            bench.random_passes([each], 2)
            bench.read(bench.rng.randrange(CONFIG.rows), bank=each)
        await bench.run()
    await _check_no_row(bench)
    await bench.finish()


@cocotb.test(skip=NO_TABLES)
async def test_filled_rows_take_fewer_slots(dut):
    """Each row of a bank that is filled takes the published cycles, twice as many as the one before
    it in its group, but for those of the way through the array."""
    bench = await Bench.loaded(dut)
    starts = []
    bench.queue_bank(CONFIG.banks - 1, fill=True)
    while bench.w.pending or bench.scoreboard.writing():
        starts += [bench.cycle] if (await bench.step()).w else []
    taken = [later - earlier for earlier, later in pairwise([*starts, bench.cycle + 1])]
    assert taken == [fill_cycles(CONFIG, row) for row in range(CONFIG.rows)]
    sizes = table_groups(CONFIG)
    passed = taken[0] - 1
    assert taken == [passed + 2 ** max(row % size for size in sizes) for row in range(CONFIG.rows)]
    await _check_no_row(bench)
    await bench.finish()
