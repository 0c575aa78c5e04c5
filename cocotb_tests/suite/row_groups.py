"""Row groups: sums that follow their rows, the slots that writes take, and the fast path."""

from itertools import pairwise

import cocotb

from cimforge.cocotb_tests.macro_bench import Bench
from cimforge.cocotb_tests.stimuli import row_classes, some, table_entries
from cimforge.flow.simulate.job import job_config
from cimforge.golden.cycles import (
    fill_cycles,
    fill_group,
    pass_cycles,
    result_interval,
    slots,
    table_groups,
    write_cycles,
)

CONFIG = job_config()
BANKS = range(CONFIG.banks)
SIZE = fill_group(CONFIG)
GROUPS = [range(low, min(low + SIZE, CONFIG.rows)) for low in range(0, CONFIG.rows, SIZE)]
# Rows whose writes take slots: in tables all, else those that have neighbours.
SLOTTED = [row for group in GROUPS for row in group if CONFIG.tables or len(group) > 1]
NO_SLOTS = not SLOTTED or not CONFIG.grouped
ONE_BANK = NO_SLOTS or CONFIG.banks == 1
CYCLES = 40  # of a write in which it is reset: all of those that are no longer
TRIALS = 120  # writes that are reset, in all


def group_of(row: int) -> range:
    """The rows that share its group, itself among them."""
    return GROUPS[row // SIZE]


def _use(bench: Bench, bank: int, entries: int = 8) -> None:
    """Vectors that select every row alone, all, every other one, and some choices of a group."""
    ones, rows = (1 << CONFIG.input_bits) - 1, range(CONFIG.rows)
    for chosen in (lambda row: True, lambda row: row % 2 == 0, lambda row: row % 2 == 1):
        bench.send([ones * chosen(row) for row in rows], bank=bank)
    bench.send(bench.random_vector(), signed=True, bank=bank)
    if SIZE > 2:
        choices = [bench.rng.getrandbits(SIZE) for _ in range(entries)]
        for vector in table_entries(CONFIG, choices, SIZE):
            bench.send(vector, bank=bank)


def _use_every_entry(bench: Bench, bank: int) -> None:
    """Vectors that select each choice of a group's rows, and _use's."""
    for size in table_groups(CONFIG) if CONFIG.tables else []:
        for vector in table_entries(CONFIG, range(1 << size), size):
            bench.send(vector, bank=bank)
    _use(bench, bank)


def _cycles_to_cut_off(bench: Bench, row: int) -> list[int]:
    """Cycles after a row's acceptance in which it is reset: all of its write and two more, of one
    of hundreds the first and the last, and some between."""
    most = write_cycles(CONFIG, row) + 2
    ends = CYCLES // 2
    if most <= CYCLES:
        return [*range(most)]
    between = some(range(ends, most - ends), 8, bench.rng)
    return [*range(ends), *sorted(between), *range(most - ends, most)]


@cocotb.test(skip=NO_SLOTS)
async def test_sums_follow_any_order_of_writes(dut):
    """Rows of every class, some or all of a group in any order, again and again, filled or not,
    with either sign: after each write the sums are those of the rows."""
    bench = await Bench.loaded(dut)
    for _ in range(48):
        bank, group = bench.rng.choice(BANKS), group_of(bench.rng.choice(SLOTTED))
        signed, fill = bench.rng.random() < 0.5, bench.rng.random() < 0.25
        count = len(group) if fill else bench.rng.randint(1, min(len(group), 3))
        rows = group if fill else bench.rng.sample(group, count)
        for row in rows:
            bench.write(row, bench.random_row(), signed=signed, bank=bank, fill=fill)
        if bench.rng.random() < 0.7:
            _use(bench, bank)
            await bench.run()
    for bank in BANKS:
        _use_every_entry(bench, bank)
    bench.read_everything()
    await bench.finish()


async def _cut_off(bench: Bench, bank: int, row: int, cycle: int, filled: bool) -> bool:
    """Accept a row, filled where it is the first of its group, and reset ``cycle`` cycles later,
    while vectors of other banks go on; returns whether it was under way."""
    board = bench.scoreboard
    bench.write(row, bench.random_row(), bank=bank, signed=bool(row % 3), fill=filled)
    await bench.until("w")
    others = [each for each in BANKS if each != bank and board.model.defined(each)]
    if others:
        bench.random_passes(others, bench.rng.randrange(cycle + 2))
    await bench.steps(cycle)
    cut_off = board.under_way is not None
    lasts = (fill_cycles if filled else write_cycles)(CONFIG, row)
    assert cut_off == (cycle < lasts - 1) or (others and cut_off)
    await bench.reset()
    alone = len(group_of(row)) == 1
    assert board.model.defined(bank, row) == (not cut_off and (alone or not filled))
    return cut_off


@cocotb.test(skip=NO_SLOTS)
async def test_reset_in_every_cycle_of_a_write(dut):
    """A row cut off must be written again: its neighbours and all other rows stay as they were,
    alone and in the sums, before and after that."""
    bench = await Bench.loaded(dut)
    board, longest = bench.scoreboard, max(SLOTTED, key=lambda row: write_cycles(CONFIG, row))
    cycles = _cycles_to_cut_off(bench, longest)
    chosen = [row for row in row_classes(CONFIG.rows) if row in SLOTTED]
    for cycle in cycles:
        for row in some(chosen, max(1, min(6, TRIALS // len(cycles))), bench.rng):
            bank = bench.rng.choice(BANKS)
            await _cut_off(bench, bank, row, cycle, filled=False)
            # a write of another row settles the sign, of its own group too
            other = bench.rng.choice([each for each in SLOTTED if each != row] or [row])
            bench.write(other, bench.random_row(), bank=bank)
            neighbours = [each for each in group_of(row) if each != row]
            for each in some(neighbours, 3, bench.rng) if other != row else []:
                bench.read(each, bank=bank)
            await bench.run()
            assert all(board.model.defined(bank, each) for each in neighbours)
            bench.write(row, bench.random_row(), bank=bank, signed=True)
            _use(bench, bank)
            for each in some(neighbours, 3, bench.rng):
                bench.read(each, bank=bank)
            await bench.run()
            assert board.model.defined(bank)
    for bank in BANKS:
        _use_every_entry(bench, bank)
    bench.read_everything()
    await bench.finish()


@cocotb.test(skip=NO_SLOTS)
async def test_reset_while_filling(dut):
    """A reset in any cycle of a filled row leaves its group undefined until all its rows are
    written again, and all other groups as they were."""
    bench = await Bench.loaded(dut)
    board = bench.scoreboard
    for _ in range(24):
        bank, group = bench.rng.choice(BANKS), group_of(bench.rng.choice(SLOTTED))
        last = bench.rng.choice(group)
        for row in group[: group.index(last)]:
            bench.write(row, bench.random_row(), bank=bank, fill=True)
        await bench.run()
        bench.write(last, bench.random_row(), bank=bank, fill=True)
        await bench.until("w")
        await bench.steps(bench.rng.randrange(fill_cycles(CONFIG, last) + 1))
        await bench.reset()
        undefined = [row for row in group if not board.model.defined(bank, row)]
        assert undefined in ([], [*group]) or len(group) == 1
        outside = next((row for row in SLOTTED if row not in group), None)
        if outside is not None:
            bench.write(outside, bench.random_row(), bank=bank)
            bench.read(outside, bank=bank)
        for row in bench.rng.sample(group, len(group)):
            bench.write(row, bench.random_row(), bank=bank)
        await bench.run()
        assert board.model.defined(bank)
        _use(bench, bank)
        await bench.run()
    bench.read_everything()
    await bench.finish()


@cocotb.test(skip=NO_SLOTS)
async def test_broken_promises(dut):
    """A group whose filling is cut off, by another row or bank, a missing row or bank, a plain
    write or a reset, is right again as soon as all its rows are written, in any order, or
    filled."""
    bench = await Bench.loaded(dut)
    ways = ["another row", "another bank", "unfilled", "missing", "missing bank", "reset"]
    ways += ["a later row first", "begun again"]
    for way in [*ways, *ways]:
        group = group_of(bench.rng.choice(SLOTTED))
        bank, other = bench.rng.choice(BANKS), bench.rng.choice(BANKS)
        kept = bench.rng.randrange(len(group))
        for row in group[: 0 if way == "a later row first" else max(1, kept)]:
            bench.write(row, bench.random_row(), bank=bank, fill=True)
        following = group[kept:][-1:] if way == "a later row first" else group[max(1, kept) :]
        await _break_promise(bench, way, bank, other, following)
        for row in group if way == "begun again" else following:
            bench.write(row, bench.random_row(), bank=bank, fill=True)
        await bench.run()
        assert way != "begun again" or bench.scoreboard.model.defined(bank)
        for row in bench.rng.sample(group, len(group)):
            bench.write(row, bench.random_row(), bank=bank)
        await bench.run()
        bench.rewrite_undefined()
        await bench.run()
        _use(bench, bank)
        _use(bench, other)
        await bench.run()
    for bank in BANKS:
        _use_every_entry(bench, bank)
    bench.read_everything()
    await bench.finish()


async def _break_promise(
    bench: Bench, way: str, bank: int, other: int, following: list[int] | range
) -> None:
    """What comes between two filled rows."""
    row = following[0] if following else 0
    if way == "another row":
        bench.write(bench.rng.choice(SLOTTED), bench.random_row(), bank=bank, fill=True)
    elif way == "another bank":
        bench.write(row, bench.random_row(), bank=other, fill=True)
    elif way == "unfilled":
        bench.write(bench.rng.randrange(CONFIG.rows), bench.random_row(), bank=other)
    elif way == "missing" and CONFIG.rows < 1 << CONFIG.row_bits:
        bench.write(CONFIG.rows, bench.random_row(), bank=bank, fill=True)
    elif way == "missing bank" and CONFIG.banks < 1 << CONFIG.bank_bits:
        bench.write(row, bench.random_row(), bank=CONFIG.banks, fill=True)
    await bench.run()
    if way == "reset":
        await bench.reset()


@cocotb.test(skip=ONE_BANK)
async def test_slots_between_passes(dut):
    """With vectors of one bank and rows of another always waiting, each pass is followed by one
    slot at most, of one cycle, and rows go on being written."""
    bench = await Bench.loaded(dut)
    wanted = slots(CONFIG, SLOTTED[0], fill=False) if CONFIG.tables else 1
    for bits in {1, CONFIG.input_bits}:
        passes, starts, taken = 24 + 2 * wanted, [], 0
        for index in range(passes):
            bench.send(bench.full_vector(bits), x_bits=bits, bank=0)
            bench.write(SLOTTED[index % len(SLOTTED)], bench.random_row(), bank=1)
        while bench.x.pending:
            starts += [bench.cycle] if (await bench.step()).x else []
            taken += bench.rules.slot
        steps = {later - earlier for earlier, later in pairwise(starts)}
        cycles = pass_cycles(CONFIG, bits)
        if CONFIG.keeps_results:  # what a slot has read waits for the result before it
            assert max(steps) <= cycles + 1 + result_interval(CONFIG, 1), f"{bits} bits: {steps}"
        else:
            assert steps in ({cycles, cycles + 1}, {cycles + 1}), f"{bits} bits: {steps}"
        assert taken > passes * wanted // (write_cycles(CONFIG, SLOTTED[0]) + 1)
        bench.w.beats.clear()
        await bench.run()
    bench.read_everything()
    await bench.finish()


@cocotb.test(skip=ONE_BANK or CONFIG.tables)
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
