"""Approximate trees: sums by hand and by plain loops, widths, and the measured errors."""

import json
from itertools import product

import numpy as np
import pytest

from cimforge.golden import approximate_error
from cimforge.golden.approximation import approximate_sum, error_distances
from cimforge.golden.macro import MacroModel
from cimforge.golden.reference import reference_approximate_sum
from cimforge.hdl.params.config import MacroConfig

# products of rows 0.., what approx1 and approx2 make of them; worked by hand from the sentence
BY_HAND = [
    ([1], 1, 1),
    ([1, 0], 2, 2),  # OR
    ([0, 0], 0, 0),
    ([0, 0, 1], 1, 1),  # row 2 has no partner
    ([0, 0, 1, 0], 0, 0),  # AND
    ([0, 0, 1, 1], 2, 4),  # approx2: 0 or 1
    ([1, 0, 1, 0], 2, 4),  # 1 or 0
    ([1, 1, 1, 1], 4, 4),
    ([1, 0, 1, 1, 1], 5, 5),  # 2 * 1 + 2 * 1 + 1;  4 * 1 + 1
    ([1, 1, 0, 0, 0, 1], 4, 6),  # approx2: 4 * (1 or 0), the third result alone counts 2
    ([0, 1, 0, 0, 0, 1, 1, 0], 4, 4),  # results 1, 0, 1, 0;  4 * (1 or 0) + 4 * (1 and 0)
    ([0, 0, 0, 0, 0, 1, 1, 1], 4, 4),  # 4 * (0 or 0) + 4 * (1 and 1)
]


@pytest.mark.parametrize(("products", "once", "twice"), BY_HAND)
def test_sums_by_hand(products: list[int], once: int, twice: int) -> None:
    bits = np.array(products, np.bool_)
    assert [int(approximate_sum(bits, pairings)) for pairings in (1, 2)] == [once, twice]
    assert [reference_approximate_sum(products, pairings) for pairings in (1, 2)] == [once, twice]


@pytest.mark.parametrize("pairings", [0, 1, 2])
@pytest.mark.parametrize("rows", range(1, 12))
def test_sums_match_the_loops(rows: int, pairings: int) -> None:
    patterns = np.array(list(product((0, 1), repeat=rows)), np.bool_)
    found = approximate_sum(patterns.T, pairings).tolist()
    assert found == [reference_approximate_sum(p.astype(int).tolist(), pairings) for p in patterns]
    assert max(found) == rows  # so a tree's result has the exact tree's width


@pytest.mark.parametrize("tree", ["approx1", "approx2"])
@pytest.mark.parametrize("rows", range(1, 11))
def test_results_fit_the_exact_width(tree: str, rows: int) -> None:
    """Sums of the extremes of all planes: no result needs more than the exact tree's y_bits.

    For a plane's inputs, the sum of codes is largest where all code bits are set, 0 where none is.
    """
    pairings = MacroConfig(tree=tree).tree_traits.pairings
    planes = np.array(list(product((0, 1), repeat=rows)), np.bool_)
    sums, ones = approximate_sum(planes.T, pairings), planes.sum(axis=1)
    for weight_bits, input_bits in product((1, 2, 3, 8, 16), repeat=2):
        y_bits = MacroConfig(rows=rows, weight_bits=weight_bits, input_bits=input_bits).y_bits
        for w_signed, x_signed in product((False, True), repeat=2):
            excess = int(w_signed) * 2 ** (weight_bits - 1) * ones
            high = int((sums * (2**weight_bits - 1) - excess).max())
            low = int((-excess).min())
            top, rest = 2 ** (input_bits - 1), 2 ** (input_bits - 1) - 1
            if x_signed:
                high, low = rest * high - top * low, rest * low - top * high
            else:
                high, low = (top + rest) * high, (top + rest) * low
            assert -(2 ** (y_bits - 1)) <= low
            assert high < 2 ** (y_bits - 1)


def test_a_signed_macro_by_hand() -> None:
    """Two rows of 2b weights 1, -1 are codes 11, 01: with inputs 1, 1 the ORs are 1, 1, so the sum
    is 2 * 2 + 2 * 1 = 6, less 2 * 2; with inputs -1, -1 it is the negative; with 1, 0 it is 6 - 2.
    """
    model = MacroModel(MacroConfig(rows=2, cols=1, weight_bits=2, input_bits=1, tree="approx1"))
    model.load([[1], [-1]], signed=True)
    assert model.mvm([[1, 1], [1, 0], [0, 0]]).tolist() == [[2], [4], [0]]
    assert model.mvm([1, 1], x_signed=True).tolist() == [-2]
    assert model.read(0, 0).tolist() == [1]
    assert model.read(0, 1).tolist() == [3]


def test_blocks_of_vectors_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    model = MacroModel(MacroConfig(rows=9, cols=2, weight_bits=3, input_bits=4, tree="approx2"))
    model.load(rng.integers(-4, 4, (9, 2)), signed=True)
    vectors = rng.integers(0, 16, (7, 9))
    whole = model.mvm(vectors, x_signed=True)
    monkeypatch.setattr("cimforge.golden.approximation.BLOCK", 100)
    assert np.array_equal(model.mvm(vectors, x_signed=True), whole)


def test_error_distances_by_hand() -> None:
    told = error_distances(np.array([4, -1, 0]), np.array([2, -2, 0]), 10)
    assert told == pytest.approx({"mred": (1 + 0.5) / 2, "nmed": 3 / 30, "bias": 3 / 30})
    assert error_distances(np.array([1]), np.array([0]), 4)["mred"] == 0


def test_errors_grow_with_each_level(capsys: pytest.CaptureFixture[str]) -> None:
    """Twice paired errs more; a pair errs by 1 either way, so there is hardly any bias."""
    assert approximate_error.main(["--json", "--rows", "16", "--bits", "4"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["rows"], report["bits"], report["seed"]) == (16, 4, approximate_error.SEED)
    for sign in ("unsigned", "signed"):
        once, twice = (report[f"{tree}_{sign}"] for tree in approximate_error.TREES)
        assert 0 < once["nmed"] < twice["nmed"]
        assert abs(once["bias"]) < once["nmed"] / 2
    assert approximate_error.main(["--rows", "8", "--bits", "2"]) == 0
    assert "approx2_signed" in capsys.readouterr().out


def test_errors_of_digits_and_what_is_no_macro(capsys: pytest.CaptureFixture[str]) -> None:
    shape = ["--rows", "8", "--bits", "4", "--multiply", "booth"]
    assert approximate_error.main(["--json", *shape, "--planes", "2"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert 0 < report["approx1_unsigned"]["nmed"] < report["approx2_unsigned"]["nmed"]
    with pytest.raises(SystemExit) as stopped:
        approximate_error.main(shape)
    assert stopped.value.code == 2
    message = "bits_per_cycle must be a multiple of 2 with multiply booth, not 1"
    assert message in capsys.readouterr().err
