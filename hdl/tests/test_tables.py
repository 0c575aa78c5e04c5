"""Stations of macros of tables: the walk over entries, serialiser, sums in front of accumulators,
and the entry that lands."""

from itertools import pairwise
from random import Random

import pytest
from amaranth.hdl import Module, Signal
from amaranth.lib.wiring import Component, In, Out
from amaranth.sim import Simulator

from cimforge.hdl.arith.planners import plan_sum, word_operands
from cimforge.hdl.arith.staging import levelled
from cimforge.hdl.cells.table_input_sum import TableInputSum
from cimforge.hdl.macro.entry_walk import EntryWalk, group_bits, place_of
from cimforge.hdl.macro.join import Join, join_bits
from cimforge.hdl.macro.renewal import Renewal
from cimforge.hdl.macro.table_accumulator import TableAccumulator
from cimforge.hdl.macro.table_serialiser import TableSerialiser
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.tests.block_run import run_block
from cimforge.hdl.tests.configs import DIVERSE
from cimforge.hdl.tests.sequencer_run import first_cycle
from cimforge.hdl.tests.test_blocks import fits, planes_of, simulate
from cimforge.hdl.tests.tools import needs_icarus


def tables(rows: int, k: int = 1, **more) -> MacroConfig:
    """A macro of LUT RAM, one column, word adders."""
    shape = {"rows": rows, "cols": 1, "weight_bits": 4, "input_bits": 4, "bits_per_cycle": k}
    return MacroConfig(**{**shape, "storage": "lutram", "tree": "behavioral", **more})


class Walk(Component):
    """An EntryWalk with its control as ports."""

    def __init__(self, config: MacroConfig, alone: bool):
        self._config, self._alone = config, alone
        size = min(config.group, config.rows)
        super().__init__(
            {
                **{"row": In(max(1, config.row_bits)), "fill": In(1), "accepted": In(1)},
                **{"slot": In(1), "done": In(1), "exists": Out(1)},
                **{"group": Out(group_bits(config)), "member": Out(size)},
                **{"others": Out(size), "landing": Out(size), "ends": Out(2)},
            }
        )

    def elaborate(self, platform):
        m = Module()
        taken, alone = self.accepted, self._alone
        walk = EntryWalk(m, self._config, self.row, self.fill, taken=taken, alone=alone)
        ends = walk.advance(self.slot, self.done)
        for name in ("exists", "group", "member", "others", "landing"):
            m.d.comb += getattr(self, name).eq(getattr(walk, name))
        m.d.comb += self.ends.eq((ends[0] << 0) | (ends[1] << 1))
        return m


def choices(others: list[int]) -> list[int]:
    """Every choice of rows, as bits, in counting order."""
    return sorted(
        sum(1 << row for n, row in enumerate(others) if choice >> n & 1)
        for choice in range(1 << len(others))
    )


WALKS = {
    "lutram": tables(7),
    "lutram_single": tables(3, group=1),
    "one_row": tables(1),
    "fewer_rows": tables(3),
    "bram": tables(11, storage="bram", group=5),
    "bram_nine": tables(9, storage="bram"),
}


@pytest.mark.parametrize("alone", [False, True], ids=["of_two", "alone"])
@pytest.mark.parametrize("config", WALKS.values(), ids=WALKS)
def test_a_row_renews_every_entry_that_holds_it(config, alone):
    """Slots read each choice of the other rows of its group once, from none up, or on the fast path
    of those before it; the choices land in the same order, later; of two kinds' the last stays."""

    async def drive(ctx):
        for row in range(config.rows):
            size, place = config.group_size(row), row % config.group
            for fill in (0, 1):
                others = range(place) if fill else [p for p in range(size) if p != place]
                expected = choices([*others])
                more = 0 if alone else 2
                fits(ctx, walk, {"row": row, "fill": fill, "accepted": 1, "slot": 0, "done": 0})
                assert ctx.get(walk.exists)
                await ctx.tick()
                fits(ctx, walk, {"row": 0, "fill": 0, "accepted": 0})
                assert ctx.get(walk.group) == row // config.group
                assert ctx.get(walk.member) == 1 << place
                for name, step, end in (("others", "slot", 1), ("landing", "done", 2)):
                    walked = []
                    for _ in range(len(expected) + more):
                        walked.append(ctx.get(getattr(walk, name)))
                        last = bool(ctx.get(walk.ends) & end)
                        assert last == (walked[-1] == expected[-1])
                        fits(ctx, walk, {step: 1})
                        await ctx.tick()
                        fits(ctx, walk, {step: 0})
                    assert walked == [*expected, *expected[-1:] * more]
                    if step == "slot":
                        assert ctx.get(walk.landing) == 0, "lands before it is read"

    walk = Walk(config, alone)
    simulate(walk, drive)


def test_counting_order_by_hand():
    """Row 1 of four: none, row 0, row 2, rows 0 and 2, row 3 ..."""
    assert choices([0, 2, 3]) == [0b0000, 0b0001, 0b0100, 0b0101, 0b1000, 0b1001, 0b1100, 0b1101]


@pytest.mark.parametrize("config", WALKS.values(), ids=WALKS)
def test_a_missing_row_has_no_place(config):
    m, row = Module(), Signal(max(1, config.row_bits))
    group, member = place_of(m, "w", row, config)

    async def drive(ctx):
        for number in range(1 << config.row_bits):
            ctx.set(row, number)
            exists = number < config.rows
            assert not exists or ctx.get(group) == number // config.group
            assert ctx.get(member) == (1 << number % config.group if exists else 0)

    simulator = Simulator(m)
    simulator.add_testbench(drive)
    simulator.run()


SERIALISERS = [(1, 1), (5, 1), (6, 2), (6, 3), (4, 4), (15, 5)]


@pytest.mark.parametrize(("input_bits", "k"), SERIALISERS)
def test_table_serialiser_hands_out_extended_planes_of_every_precision(input_bits, k):
    config, random = tables(1, k, input_bits=input_bits), Random(input_bits)
    block = TableSerialiser(config)

    async def drive(ctx):
        for x_bits in range(1, input_bits + 1):
            for signed in (False, True):
                element = random.getrandbits(input_bits)
                groups = planes_of(config, element, x_bits, signed)
                fill, sign_plane = first_cycle(config, x_bits, signed)
                for number, planes in enumerate(groups):
                    line = 1 << len(groups) - 1 - number
                    first = {"fill": fill, "sign_plane": sign_plane}
                    fits(ctx, block, first if number == 0 else dict.fromkeys(first, 0))
                    fits(ctx, block, {"element": element, "now": line, "read": 0})
                    assert ctx.get(block.planes) == planes

    simulate(block, drive)


@pytest.mark.parametrize("kinds", [1, 2])
@pytest.mark.parametrize(("input_bits", "k"), SERIALISERS)
def test_table_serialiser_reads_with_plane_0_of_each_kind(input_bits, k, kinds):
    storage = {"storage": "hybrid", "cols": 2, "ram_cols": 1} if kinds == 2 else {}
    config, random = tables(12, k, input_bits=input_bits, **storage), Random(k)
    block = TableSerialiser(config)

    async def drive(ctx):
        for _ in range(20):
            read = random.getrandbits(kinds)
            fits(ctx, block, {"element": random.getrandbits(input_bits), "now": 0, "read": read})
            planes = sum((read >> kind & 1) << kind * k for kind in range(kinds))
            assert ctx.get(block.planes) == planes

    simulate(block, drive)


SUMS = {
    **{f"k{k}": tables(9, k, tree_stages=s) for k, s in ((1, 0), (2, 0), (4, 0))},
    **{f"k{k}_ranks": tables(9, k, tree_stages="auto") for k in (1, 2, 4)},
    "narrow": tables(3, 4, weight_bits=1),
    "narrow_ranks": tables(5, 4, weight_bits=2, tree_stages=1),
    "one": tables(1, weight_bits=1, input_bits=1),
    "eight": tables(5, 8, input_bits=8, tree_stages=1),
    "csa": tables(9, 2, tree="csa", tree_stages=2),
    "blocks": tables(20, 2, storage="bram", tree_stages=1),
}
every_sum = pytest.mark.parametrize("config", SUMS.values(), ids=SUMS)


def delayed_check(block, cycles, shown, expected, name: str, modulus: int, least: int = 50) -> None:
    """What ``block`` shows is ``expected`` of the cycle as many enabled ones before as it says."""
    pipeline, seen = [None] * block.latency, 0
    for cycle, each in zip(cycles, shown, strict=True):
        now = expected(cycle)
        must = pipeline[-1] if pipeline else now
        if must is not None:
            assert (each[name] - must) % modulus == 0, (cycle, each[name], must)
            seen += 1
        if pipeline and cycle.get("enable", 1):
            pipeline = [now, *pipeline[:-1]]
    assert seen > least


@needs_icarus
@every_sum
def test_a_join_adds_what_a_cycle_brings(config, tmp_path):
    """Extremes and random totals, negated and not, for every size of correction there can be."""
    block, random, k = Join(config), Random(config.module), config.bits_per_cycle
    most, places = (1 << config.tree_bits) - 1, range(config.bits_per_cycle)
    # what a correction can be: no more than the ones of all planes
    ones = config.rows * ((1 << k) - 1)
    cycles = []
    for _ in range(300):
        totals = [random.choice([0, most, random.randint(0, most)]) for _ in places]
        correction = random.choice([0, ones, -ones, random.randint(-ones, ones)])
        limit = 1 << config.correction_bits - 1
        correction = max(-limit, min(limit - 1, correction))
        given = {"totals": sum(t << j * config.tree_bits for j, t in enumerate(totals))}
        given |= {"correction": correction % (1 << config.correction_bits)}
        given |= {"negate": random.getrandbits(1), "enable": random.random() < 0.8}
        cycles.append({"sums": totals, "less": correction, **given})

    def joined(cycle) -> int:
        *low, top = cycle["sums"]
        total = sum(total << j for j, total in enumerate(low))
        total += (-top if cycle["negate"] else top) << k - 1
        return total + (cycle["less"] << config.correction_place)

    told = [{n: v for n, v in cycle.items() if n in block.ports} for cycle in cycles]
    shown = run_block(tmp_path, block, told)
    delayed_check(block, cycles, shown, joined, "joined", 1 << join_bits(config))


@needs_icarus
@every_sum
def test_the_input_sum_of_tables_takes_off_what_codes_have_too_much(config, tmp_path):
    """For each bank's sign: the ones of all planes, the top one's negative in a sign plane."""
    block, random = TableInputSum(config), Random(config.module)
    rows, k = config.rows, config.bits_per_cycle
    cycles = []
    for number in range(200):
        every = (1 << rows * k) - 1
        planes_n = random.choice([0, every, random.getrandbits(rows * k)])
        sign = number // 100  # comes with the sum, and so not delayed
        given = {"planes_n": planes_n, "sign": sign, "plane_negate": random.getrandbits(1)}
        cycles.append({**given, "enable": random.random() < 0.8})

    def correction(cycle) -> int:
        planes = [~cycle["planes_n"] >> j * rows & (1 << rows) - 1 for j in range(k)]
        *low, top = [plane.bit_count() << j for j, plane in enumerate(planes)]
        return -(sum(low) + (-top if cycle["plane_negate"] else top)) * cycle["sign"]

    for half in (cycles[:100], cycles[100:]):  # one sign all along
        told = [{n: v for n, v in cycle.items() if n in block.ports} for cycle in half]
        shown = run_block(tmp_path, block, told)
        bits = config.correction_bits
        delayed_check(block, half, shown, correction, "correction", 1 << bits, least=40)


@pytest.mark.parametrize("config", SUMS.values(), ids=SUMS)
def test_an_accumulator_of_tables_weighs_what_it_keeps(config):
    """y of a pass is the sum of its words, 2^k times the later ones', whatever stalls it, modulo
    2^y_bits; it stays until the next one ends."""
    block, random = TableAccumulator(config), Random(config.module)
    width, bits = 1 << config.y_bits, join_bits(config)

    async def drive(ctx):
        fits(ctx, block, {"starts": 1, "enable": 0})
        await ctx.tick()
        ended = None
        for _ in range(60):
            total, cycles = 0, random.randint(1, config.max_planes)
            for number in range(cycles):
                word = random.getrandbits(bits)
                signed = word - (1 << bits) if word >> bits - 1 else word
                last = number == cycles - 1
                while random.random() < 0.3:
                    fits(ctx, block, {"enable": 0, "joined": 1, "ending": 0, "starts": 0})
                    await ctx.tick()
                    assert ended is None or ctx.get(block.y) == ended
                fits(ctx, block, {"enable": 1, "joined": word, "ending": last, "starts": last})
                total = (total << config.bits_per_cycle) + signed
                await ctx.tick()
                assert last or ended is None or ctx.get(block.y) == ended
            ended = total % width
            assert ctx.get(block.y) == ended

    simulate(block, drive)


@pytest.mark.parametrize("name", [n for n, c in DIVERSE.items() if c.tables and c.slices == 1])
def test_the_entry_that_lands_is_the_sum(name):
    """In the cycle after renew y + code, to the extremes of a group; after clear 0; else as it
    was."""
    config, random = DIVERSE[name].parts[0], Random(name)
    block, code = Renewal(config), (1 << config.weight_bits) - 1
    most = (len(config.group_sizes[0:1]) and config.group_sizes[0]) * code

    async def drive(ctx):
        held = None
        for _ in range(100):
            row = random.choice([0, code, random.randint(0, code)])
            y = random.choice([0, most - code, random.randint(0, most - code)])
            renew, clear = random.random() < 0.5, random.random() < 0.2
            fits(ctx, block, {"renew": renew, "clear": clear, "code": row, "y": y})
            assert held is None or ctx.get(block.d) == held
            await ctx.tick()
            held = 0 if clear else y + row if renew else held

    simulate(block, drive)


@pytest.mark.parametrize("ranks", [1, 2, 3, 4])
@pytest.mark.parametrize("tree", ["behavioral", "ripple", "csa"])
def test_levels_are_cut_evenly(tree, ranks):
    """Each cell stands behind those it takes, a rank at least every levels / ranks levels, all of a
    level in one stage."""
    plan = plan_sum(tree, word_operands([6] * 13), 10)
    staging = levelled(plan, ranks)
    assert staging.ranks == ranks
    stage_of: dict[int, int] = {}
    for cell, stage in zip(plan.cells, staging.stages, strict=True):
        assert stage_of.setdefault(cell.level, stage) == stage
        assert 0 <= stage < ranks, "the last rank stands behind the last level"
    stages = [stage_of[level] for level in sorted(stage_of)]
    assert all(later - earlier in (0, 1) for earlier, later in pairwise(stages))
    longest = max(stages.count(stage) for stage in stages)
    assert longest == -(-len(stages) // ranks)
