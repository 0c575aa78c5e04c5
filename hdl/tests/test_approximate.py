"""Approximate plans: pairs while they compute, every row as it is in a read-back."""

import random

import numpy as np
import pytest

from cimforge.golden.reference import reference_approximate_sum
from cimforge.hdl.arith.approximate import EXACT
from cimforge.hdl.arith.planners import plan_column, plan_sum, word_operands
from cimforge.hdl.macro.pipeline import tree_plan
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.errors import ConfigError
from cimforge.hdl.params.storage import STORAGE, StorageTraits
from cimforge.hdl.params.trees import TREES

APPROXIMATE = [name for name, traits in TREES.items() if traits.pairings]
ROWS = [*range(1, 10), 11, 15, 64]


def config_of(tree: str, rows: int, bits: int = 3) -> MacroConfig:
    """A macro of one column."""
    return MacroConfig(rows=rows, cols=1, weight_bits=bits, input_bits=1, tree=tree)


@pytest.mark.parametrize("tree", APPROXIMATE)
@pytest.mark.parametrize("rows", ROWS)
def test_pairs_are_what_the_sentence_says(tree, rows):
    """Against plain loops over bits, on all or many patterns of three-bit products."""
    config, rng = config_of(tree, rows), random.Random(rows)
    codes = [[rng.randrange(8) for _ in range(rows)] for _ in range(60)]
    codes += [[0] * rows, [7] * rows]
    bits = np.array([[code >> b & 1 for code in row for b in range(3)] for row in codes])
    want = [
        sum(
            reference_approximate_sum([code >> b & 1 for code in row], TREES[tree].pairings) << b
            for b in range(3)
        )
        for row in codes
    ]
    assert tree_plan(config).evaluate(bits).tolist() == want


@pytest.mark.parametrize("tree", APPROXIMATE)
@pytest.mark.parametrize("rows", ROWS)
def test_a_read_back_passes_one_row_unchanged(tree, rows):
    """With one row at a time, the low places of the result are its code; the tree's other places
    are no part of what is read."""
    plan = tree_plan(config_of(tree, rows))
    for row in range(rows):
        for code in range(8):
            bits = np.zeros(3 * rows, np.int64)
            bits[3 * row : 3 * row + 3] = [code >> b & 1 for b in range(3)]
            assert int(plan.evaluate(bits, {EXACT: 1})) % 8 == code


def test_one_row_needs_no_pairs():
    plan = tree_plan(config_of("approx2", 1))
    assert (plan.cells, plan.controls) == ((), ())


@pytest.mark.parametrize(("tree", "pairs"), [("approx1", 32 * 8), ("approx2", 48 * 8)])
def test_cells_of_64_rows_worked_by_hand(tree, pairs):
    """64 rows of 8 bits: 32 pairs a place, then 16 more; 32 or 16 words of 8 bits are left, whose
    bits but those of the result (14 places, of which the lowest one or two are empty) need a full
    adder each."""
    plan = tree_plan(config_of(tree, 64, 8))
    counts, depth = plan.counts(), TREES[tree].pairings
    assert counts["or"] + counts["and"] == pairs
    assert counts["or"] == counts["and"]
    assert counts["fa"] == (64 >> depth) * 8 - (14 - depth)
    assert counts["mux"] == 8
    assert counts["hold"] == counts["lift"] == 0


@pytest.mark.parametrize("tree", APPROXIMATE)
def test_sums_beside_the_trees_stay_exact(tree):
    """The count of ones and the accumulating sum are no products of rows."""
    operands = word_operands([1] * 9)
    assert plan_sum(tree, operands, 4) == plan_sum("csa", operands, 4)
    assert plan_column(tree, [1] * 9, 4) != plan_sum("csa", operands, 4)


def test_groups_of_rows_have_no_pairs(monkeypatch):
    monkeypatch.setitem(STORAGE._entries, "toy", StorageTraits("groups", groups=(4, 2)))
    rule = r"^tree approx1 takes single rows, but toy stores them in groups \(.*'csa'\)$"
    with pytest.raises(ConfigError, match=rule):
        MacroConfig(storage="toy", tree="approx1")
