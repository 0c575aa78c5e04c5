"""Register ranks of plans: one number on all paths, fewest registers, no stage too long, and as
many as pay."""

import re
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cimforge.hdl.arith.adder import build_adder
from cimforge.hdl.arith.final_adder import FINALS
from cimforge.hdl.arith.plan import Plan
from cimforge.hdl.arith.planners import PLANNERS, plan_column, plan_sum, word_operands
from cimforge.hdl.arith.staging import (
    FRONT,
    REGISTER,
    Staging,
    delay,
    divided,
    stage_cells,
    taken,
    unstaged,
)
from cimforge.hdl.macro.pipeline import PAYS, auto_ranks, tree_staging
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.trees import TREES


def sum_plan(tree: str, count: int, width: int) -> Plan:
    """The sum of ``count`` words."""
    return plan_sum(tree, word_operands([width] * count), (count * (2**width - 1)).bit_length())


def stage_times(staging: Staging, front: int = REGISTER) -> list[int]:
    """The longest time of each stage, along every path from its registers."""
    times: dict[int, int] = {}
    longest = [front, *[0] * staging.ranks]
    for cell, stage in zip(staging.plan.cells, staging.stages, strict=True):
        start = [
            times.get(bit, front) if staging.made.get(bit, 0) == stage else REGISTER
            for bit in taken(cell)
        ]
        times |= {bit: max(start) + delay(cell, place) for place, bit in enumerate(cell.outputs)}
        longest[stage] = max(longest[stage], *(times[bit] for bit in cell.outputs))
    return longest


def depths(staging: Staging) -> dict[int, set[int]]:
    """The numbers of registers on the paths to each bit, one in front of a cell for each rank
    between its stage and that of what it takes."""
    found: dict[int, set[int]] = {}
    for cell, stage in zip(staging.plan.cells, staging.stages, strict=True):
        before = {
            depth + stage - staging.made.get(bit, 0)
            for bit in taken(cell)
            for depth in found.get(bit, {0})
        }
        found |= dict.fromkeys(cell.outputs, before)
    return found


WIDTHS = st.lists(st.integers(1, 6), min_size=1, max_size=24)
RANKS = st.integers(0, 5)
SHAPES = [(tree, "ripple") for tree in PLANNERS]
SHAPES += [(tree, final) for tree in ("csa", "approx1") for final in FINALS]


@pytest.mark.parametrize(("tree", "final"), SHAPES)
@settings(max_examples=30, deadline=None)
@given(WIDTHS, RANKS, st.integers(REGISTER, 30))
def test_all_paths_pass_as_many_registers_as_asked_for(tree, final, widths, ranks, front):
    """Also the wires of a sum without adders; the plan itself is what it was."""
    widths = [max(widths)] * len(widths) if TREES[tree].pairings else widths
    plan = plan_column(tree, widths, sum(2**w - 1 for w in widths).bit_length(), final)
    staging = divided(plan, ranks, front)
    assert (staging.plan, staging.ranks) == (plan, ranks)
    found = depths(staging)
    assert all(depth == {s} for b, s in staging.made.items() for depth in [found[b]])
    assert max(staging.stages, default=0) <= ranks
    assert sum(staging.crossing(rank + 1) for rank in range(ranks)) == staging.registers
    assert staging == divided(plan, ranks, front), "equal input, equal output"


@pytest.mark.parametrize(("tree", "final"), SHAPES)
@settings(max_examples=10, deadline=None)
@given(WIDTHS, RANKS)
def test_the_module_has_the_registers_of_the_staging(tree, final, widths, ranks):
    widths = [max(widths)] * len(widths) if TREES[tree].pairings else widths
    plan = plan_column(tree, widths, sum(2**w - 1 for w in widths).bit_length(), final)
    staging = divided(plan, ranks)
    text = build_adder("m", "tree", "A sum.", staging, role="tree").verilog()
    declared = re.findall(r"^ *reg ([^;]*);", text, re.M)
    assert sum(len(names.split(",")) for names in declared) == staging.registers
    assert len(re.findall(r"<=", text)) == staging.registers


@pytest.mark.parametrize("tree", PLANNERS)
@pytest.mark.parametrize(("count", "width"), [(2, 1), (5, 3), (9, 4), (64, 8)])
def test_no_stage_is_longer_than_the_limit(tree, count, width):
    plan = sum_plan(tree, count, width)
    for limit, front in product((12, 15, 21, 40), (REGISTER, 9)):
        staging = stage_cells(plan, limit, front)
        assert max(stage_times(staging, front)) == staging.longest <= limit
        assert staging.ranks == max(staging.stages)


@pytest.mark.parametrize("tree", ["csa", "ripple", "behavioral"])
@pytest.mark.parametrize(("count", "width"), [(3, 1), (4, 1), (3, 2)])
def test_no_other_stages_have_fewer_registers(tree, count, width):
    """Against all stages that the limit allows."""
    plan = sum_plan(tree, count, width)
    for limit in (9, 11, 14):
        best = stage_cells(plan, limit)
        for stages in product(range(best.ranks + 1), repeat=len(plan.cells)):
            made = {b: s for c, s in zip(plan.cells, stages, strict=True) for b in c.outputs}
            if any(
                made.get(bit, 0) > stage
                for cell, stage in zip(plan.cells, stages, strict=True)
                for bit in taken(cell)
            ):
                continue
            other = Staging(plan, best.ranks, stages, best.tail, 0, best.area)
            assert max(stage_times(other)) > limit or other.registers >= best.registers


@pytest.mark.parametrize("tree", PLANNERS)
@pytest.mark.parametrize("ranks", [1, 2, 3])
def test_no_limit_costs_less_time_by_area(tree, ranks):
    plan = sum_plan(tree, 24, 4)
    best = divided(plan, ranks, FRONT)
    for limit in range(FRONT, 80):
        other = stage_cells(plan, limit, FRONT)
        if other.ranks == ranks:
            assert best.cost <= other.cost


def test_what_stands_behind_a_plan_moves_its_ranks_forward():
    plan = sum_plan("csa", 64, 8)
    alone = divided(plan, 1)
    before = divided(plan, 1, behind=lambda tail: max(tail) + 15)
    assert before.crossing(1) < alone.crossing(1)
    assert max(before.tail) + 15 <= before.longest


def test_a_sum_of_three_bits_worked_by_hand():
    """One full adder: a rank goes behind it, where two bits are instead of three."""
    plan = sum_plan("csa", 3, 1)
    assert (unstaged(plan).registers, divided(plan, 1).registers) == (0, 2)
    assert divided(plan, 2).registers == 4
    assert unstaged(plan).longest == REGISTER + 3
    assert unstaged(plan).tail == (REGISTER + 3, REGISTER + 2)
    assert unstaged(plan).cost == (REGISTER + 3) * 2
    assert divided(plan, 1).cost == (REGISTER + 3) * (2 + 2)


def test_registers_of_base():
    """Written down, as they decide areas: a change must be seen. Levels shared out evenly took 22,
    74 and 119; with prefix adders 40, 103 and 173."""

    def registers(final: str) -> list[int]:
        configs = (MacroConfig(tree_stages=n, final_adder=final) for n in (1, 2, 3))
        return [tree_staging(config).registers for config in configs]

    assert registers("ripple") == [19, 33, 47]
    assert registers("prefix") == [21, 76, 90]


@pytest.mark.parametrize("tree", PLANNERS)
@pytest.mark.parametrize("shape", [{"rows": 1}, {"rows": 9}, {"rows": 64}], ids=str)
def test_auto_adds_ranks_as_long_as_they_pay(tree, shape):
    config = MacroConfig(**shape, cols=1, tree=tree, tree_stages="auto")
    ranks = config.pipeline_stages
    assert ranks == auto_ranks(config)

    def cost(ranks: int) -> int:
        fixed = config.model_copy(update={"tree_stages": ranks, "name": ""})
        return tree_staging(fixed).cost

    assert ranks == 0 or cost(ranks) <= cost(ranks - 1) * (1 - 1 / PAYS)
    if ranks < config.tree_levels:
        assert cost(ranks + 1) > cost(ranks) * (1 - 1 / PAYS)


def test_evaluate_knows_nothing_of_ranks():
    plan = sum_plan("csa", 7, 3)
    bits = np.random.default_rng(7).integers(0, 2, (20, 21))
    assert np.array_equal(divided(plan, 3).plan.evaluate(bits), plan.evaluate(bits))
