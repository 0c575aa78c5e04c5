"""Adder plans: every topology sums exactly, csa with the fewest cells; stages cut evenly."""

from collections import Counter
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cimforge.hdl.arith.cell_kinds import KINDS
from cimforge.hdl.arith.plan import Operand, Plan
from cimforge.hdl.arith.planners import PLANNERS, plan_sum, word_operands
from cimforge.hdl.macro.accumulator import accumulate_plan
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.ranges import unsigned_width
from cimforge.hdl.params.trees import TREES as TRAITS
from cimforge.hdl.tests.configs import DIVERSE

TREES = sorted(PLANNERS)
EXHAUSTIVE_BITS = 12
SMALL = [(1, 1), (2, 1), (3, 1), (12, 1), (5, 2), (3, 4), (4, 3), (1, 7), (6, 2), (2, 6), (11, 1)]
LARGE = [(64, 1), (37, 3), (9, 5), (33, 7), (2, 16), (64, 8), (101, 1)]
# count, width, full adders (bits in - bits out), half adders (at most one a result bit)
FLOORS = [
    (64, 8, 498, 6),
    (64, 4, 246, 6),
    (128, 8, 1009, 7),
    (256, 8, 2032, 8),
    (64, 1, 57, 6),
    (128, 1, 120, 7),
    (256, 1, 247, 8),
]


def tree_plan(tree: str, count: int, width: int) -> Plan:
    """A column's plan: ``count`` words of ``width`` bits, to the least width that holds the sum."""
    return plan_sum(tree, word_operands([width] * count), unsigned_width(count * (2**width - 1)))


def input_patterns(bits: int, seed: int) -> list[int]:
    """All patterns of few bits; the extremes and seeded random ones of many."""
    if bits <= EXHAUSTIVE_BITS:
        return list(range(2**bits))
    random = Random(seed)
    return [0, 2**bits - 1, *(1 << bit for bit in range(0, bits, 7))] + [
        random.getrandbits(bits) for _ in range(40)
    ]


def evaluate(plan: Plan, patterns: list[int]) -> list[int]:
    """The plan's results for input patterns."""
    bits = np.array([[(p >> i) & 1 for i in range(plan.input_bits)] for p in patterns])
    return [int(value) for value in plan.evaluate(bits)]


def operand_sum(operands: list[Operand], pattern: int, width: int) -> int:
    """What a plan must give, in plain Python."""
    total = 0
    for operand in operands:
        word = sum(((pattern >> bit) & 1) << place for place, bit in enumerate(operand.bits))
        total += word << operand.shift
    return total % 2**width


@pytest.mark.parametrize("tree", TREES)
@pytest.mark.parametrize(("count", "width"), SMALL + LARGE)
def test_tree_plan_is_the_plain_sum(tree, count, width):
    plan = tree_plan(tree, count, width)
    patterns = input_patterns(count * width, seed=count)
    words = [[(p >> r * width) % 2**width for r in range(count)] for p in patterns]
    assert evaluate(plan, patterns) == [sum(row) for row in words]


# kind: numbers of input words, output bits
SHAPES = {
    **{"fa": ({3}, 2), "ha": ({2}, 2), "xor": ({2, 3}, 1), "add": ({2}, None)},
    **{"c42": ({5}, 3), "split": ({2}, None), "prefix": ({2}, None)},
}


def check_shapes(plan: Plan) -> None:
    """Every cell has the pins of its kind, so that the builder places what evaluate added."""
    for cell in plan.cells:
        words, outputs = SHAPES[cell.kind]
        assert len(cell.inputs) in words
        assert outputs is None or len(cell.outputs) == outputs
        assert outputs is None or {len(word) for word in cell.inputs} == {1}


OPERANDS = st.lists(
    st.builds(
        Operand, st.lists(st.integers(0, 6), min_size=1, max_size=5).map(tuple), st.integers(0, 4)
    ),
    min_size=1,
    max_size=6,
)


@pytest.mark.parametrize("tree", TREES)
@given(operands=OPERANDS, width=st.integers(5, 12))
@settings(max_examples=60, deadline=None)
def test_shifted_operands_with_repeated_bits_add_modulo_the_width(tree, operands, width):
    plan = plan_sum(tree, operands, width)
    patterns = list(range(2**plan.input_bits))
    check_shapes(plan)
    assert len(plan.result) == width
    assert evaluate(plan, patterns) == [operand_sum(operands, p, width) for p in patterns]


@pytest.mark.parametrize("tree", TREES)
@pytest.mark.parametrize("shifts", [(0, 5), (5, 0), (4, 4), (3, 9)])
def test_operands_beyond_the_width_count_nothing(tree, shifts):
    operands = [Operand((i, i + 1), shift) for i, shift in enumerate(shifts)]
    plan = plan_sum(tree, operands, 4)
    assert all(cell.outputs for cell in plan.cells)
    assert evaluate(plan, list(range(8))) == [operand_sum(operands, p, 4) for p in range(8)]


@pytest.mark.parametrize("tree", TREES)
@pytest.mark.parametrize("name", [name for name, config in DIVERSE.items() if not config.tables])
def test_accumulator_plan_takes_all_its_terms(tree, name):
    """In the order of its docstring: negate, feedback from bit k on, totals, correction; of digits
    no negate, totals of two planes, a correction of weight 1."""
    told = {"tree": tree, "tree_stages": 0, "final_adder": "ripple"}
    told |= {"accumulate": "binary", "final_stages": 0}
    parameters = {**DIVERSE[name].parameters(), **told}
    if not TRAITS[tree].exact:
        parameters["group"] = 1
    config = MacroConfig(**parameters).slice
    k, y_bits, tree_bits = config.bits_per_cycle, config.y_bits, config.tree_bits
    plan = accumulate_plan(config, [0] * tree_bits)
    step, low = (2, 0) if config.multiply == "booth" else (1, config.weight_bits - 1)
    sizes = [2 - step, y_bits - k, *[tree_bits] * (k // step), config.correction_bits]
    assert plan.input_bits == sum(sizes)
    for pattern in input_patterns(plan.input_bits, seed=7)[-20:]:
        fields, rest = [], pattern
        for size in sizes:
            fields.append(rest % 2**size)
            rest >>= size
        total = (fields[0] << (k - 1)) + (fields[1] << k) + (fields[-1] << low)
        total += sum(word << j * step for j, word in enumerate(fields[2:-1]))
        assert evaluate(plan, [pattern]) == [total % 2**y_bits]


@pytest.mark.parametrize(("count", "width", "full", "half"), FLOORS)
def test_csa_meets_the_published_floor(count, width, full, half):
    assert tree_plan("csa", count, width).counts() == {"fa": full, "ha": half}


@pytest.mark.parametrize(("count", "width"), SMALL + LARGE)
def test_csa_spends_one_full_adder_a_bit_removed(count, width):
    plan = tree_plan("csa", count, width)
    counts = plan.counts()
    made = [bit for bit in plan.result if bit is not None]
    assert counts["fa"] == count * width - len(made)
    assert counts["ha"] <= len(plan.result)
    assert set(counts) <= {"fa", "ha"}
    places = bit_places(plan, width)
    halves = [places[cell.outputs[0]] for cell in plan.cells if cell.kind == "ha"]
    assert len(halves) == len(set(halves)), "a column has two half adders"


@pytest.mark.parametrize("tree", ["csa", "csa42"])
def test_a_half_adder_takes_the_earliest_bits_of_its_column(tree):
    """So the carry into the next column is not late; 17 levels for 64 operands of 8 bits."""
    plan = tree_plan(tree, 64, 8)
    places, ready = bit_places(plan, 8), plan.level_of
    for half in (cell for cell in plan.cells if cell.kind == "ha"):
        place = places[half.outputs[0]]
        others = [c for c in plan.cells if c != half and places[c.outputs[0]] == place]
        latest = max(ready[word[0]] for word in half.inputs)
        assert all(latest <= max(ready[w[0]] for w in c.inputs) for c in others)
    assert tree_plan("csa", 64, 8).levels == 17


@pytest.mark.parametrize(("count", "width"), SMALL + LARGE)
def test_a_compressor_is_two_full_adders(count, width):
    """So their number is the floor's, and at most two full adders a column are left single."""
    plan, exact = tree_plan("csa42", count, width), tree_plan("csa", count, width)
    counts, places = plan.counts(), bit_places(plan, width)
    assert 2 * counts["c42"] + counts["fa"] == exact.counts()["fa"]
    assert counts["ha"] == exact.counts()["ha"]
    single = Counter(places[cell.outputs[0]] for cell in plan.cells if cell.kind == "fa")
    assert max(single.values(), default=0) <= 1


def bit_places(plan: Plan, width: int) -> dict[int, int]:
    """The binary place of every bit of a tree of full adders, half adders and compressors; no cell
    may mix places."""
    weight = {bit: bit % width for bit in range(plan.input_bits)}
    for cell in plan.cells:
        places = {weight[word[0]] for word in cell.inputs}
        assert len(places) == 1
        (place,) = places
        offsets = KINDS[cell.kind].places
        weight |= {bit: place + up for up, bit in zip(offsets, cell.outputs, strict=True)}
    return weight


@pytest.mark.parametrize(("count", "width"), [(2, 1), (4, 4), (64, 4), (64, 8), (256, 1)])
def test_ripple_wastes_a_half_adder_an_addition(count, width):
    counts = tree_plan("ripple", count, width).counts()
    result = unsigned_width(count * (2**width - 1))
    assert counts["fa"] == count * width - result
    assert counts["ha"] == count - 1


@pytest.mark.parametrize("count", [1, 2, 3, 37, 64])
def test_behavioral_uses_one_adder_less_than_operands(count):
    plan = tree_plan("behavioral", count, 5)
    assert plan.counts()["add"] == count - 1
    assert plan.levels == unsigned_width(count - 1)


@pytest.mark.parametrize("tree", TREES)
@pytest.mark.parametrize(("count", "width"), [(1, 4), (2, 1), (37, 3), (64, 8), (5, 2)])
def test_cells_stand_after_their_inputs_and_levels_rise(tree, count, width):
    plan = tree_plan(tree, count, width)
    level = dict.fromkeys(range(plan.input_bits), 0)
    for cell in plan.cells:
        bits = [bit for word in cell.inputs for bit in word if bit is not None]
        before = max(level[bit] for bit in bits)
        assert cell.level >= max(before, 1)
        if tree != "ripple":
            assert cell.level == before + 1
        assert not set(cell.outputs) & set(level), "a bit has two drivers"
        level |= dict.fromkeys(cell.outputs, cell.level)
    check_shapes(plan)
    assert plan.level_of == level
    assert plan.levels == max(level.values())


@pytest.mark.parametrize(
    ("count", "width", "levels"), [(64, 1, 11), (64, 4, 14), (64, 8, 18), (256, 8, 22)]
)
def test_csa_depth_stays_what_it_was(count, width, levels):
    """Measured, not derived: a planner change that deepens the tree must be seen."""
    assert tree_plan("csa", count, width).levels <= levels


def test_csa_waits_for_late_bits_last():
    """A late operand passes through fewer cells than one that arrives with the others."""
    operands = word_operands([1] * 16)
    late = plan_sum("csa", operands, 5, arrival=[0] * 15 + [9])
    depth = next(cell.level for cell in late.cells if (15,) in cell.inputs)
    first = next(cell.level for cell in plan_sum("csa", operands, 5).cells if (15,) in cell.inputs)
    assert depth > first
    patterns = list(range(0, 2**16, 97))
    assert evaluate(late, patterns) == [pattern.bit_count() for pattern in patterns]


def test_evaluate_takes_any_shape_of_vectors():
    plan = tree_plan("csa", 3, 2)
    bits = np.ones((2, 5, 6), np.uint8)
    assert np.array_equal(plan.evaluate(bits), np.full((2, 5), 9))


def test_a_single_operand_is_wires():
    for tree in TREES:
        plan = tree_plan(tree, 1, 6)
        assert (plan.cells, plan.levels, plan.result) == ((), 0, tuple(range(6)))
