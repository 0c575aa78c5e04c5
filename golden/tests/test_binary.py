"""Macros of -1 and 1 (multiply style xnor): by hand, and against counting in plain loops."""

import random
import re

import numpy as np
import pytest

from cimforge.golden.macro import MacroModel
from cimforge.golden.reference import reference_matches
from cimforge.hdl.params.config import MacroConfig


def binary(rows: int, cols: int, banks: int = 1) -> MacroConfig:
    """A macro of style xnor."""
    bits = {"weight_bits": 1, "input_bits": 1, "multiply": "xnor"}
    return MacroConfig(rows=rows, cols=cols, banks=banks, **bits)


# x = 1 0 1, column 0 all ones, column 1 = 0 0 1:  1-1+1 = 1 and -1+1+1 = 1; of two rows 0 and 0.
@pytest.mark.parametrize(
    ("x_rows", "y"), [(0, [1, 1]), (1, [1, -1]), (2, [0, 0]), (3, [1, 1]), (4, [1, 1])]
)
def test_results_by_hand(x_rows: int, y: list[int]) -> None:
    model = MacroModel(binary(3, 2))
    model.load([[1, -1], [1, -1], [1, 1]], signed=False)
    assert model.mvm([1, 0, 1], x_rows=x_rows).tolist() == y
    assert model.weights().tolist() == [[1, -1], [1, -1], [1, 1]]
    assert model.read(0, 1).tolist() == [1, 0]


def test_signs_and_precisions_say_nothing() -> None:
    model = MacroModel(binary(2, 2))
    model.write(0, 0, [1, 0], True)
    model.write(0, 1, [1, 1], False)
    assert model.read(0, 0).tolist() == [1, 0]
    for x_bits, signed in ((0, False), (1, True), (9, True)):
        assert model.mvm([1, 0], x_bits=x_bits, x_signed=signed).tolist() == [0, -2]
    assert not model.bank_signed.any()


def test_extremes_fit_y_bits() -> None:
    for rows in (1, 2, 3, 4, 7, 8, 1024):
        config = binary(rows, 1)
        model = MacroModel(config)
        model.load(np.ones((rows, 1), int), signed=False)
        assert [model.mvm([bit] * rows).tolist() for bit in (1, 0)] == [[rows], [-rows]]
        assert -(1 << config.y_bits - 1) <= -rows < rows < 1 << config.y_bits - 1
        assert rows >= 1 << config.y_bits - 2


@pytest.mark.parametrize("seed", range(30))
def test_random_macros_match_the_reference(seed: int) -> None:
    rng = random.Random(seed)
    config = binary(rng.randint(1, 20), rng.randint(1, 6), rng.randint(1, 3))
    model, bank = MacroModel(config), rng.randrange(config.banks)
    rows = [[rng.getrandbits(1) for _ in range(config.cols)] for _ in range(config.rows)]
    for row, patterns in enumerate(rows):
        model.write(bank, row, patterns, rng.random() < 0.5)
    vectors = [[rng.getrandbits(1) for _ in range(config.rows)] for _ in range(4)]
    for x_rows in range(config.rows + 3):
        y = model.mvm(vectors, bank=bank, x_rows=x_rows)
        assert y.tolist() == reference_matches(vectors, rows, x_rows), f"seed={seed}"
        near = MacroModel(config.model_copy(update={"tree": rng.choice(["approx1", "approx2"])}))
        for row, patterns in enumerate(rows):
            near.write(bank, row, patterns, False)
        y, pairings = near.mvm(vectors, bank=bank, x_rows=x_rows), near.config.tree_traits.pairings
        assert y.tolist() == reference_matches(vectors, rows, x_rows, pairings), f"seed={seed}"
    assert model.mvm(vectors, bank=config.banks, x_rows=1).tolist() == [[0] * config.cols] * 4


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda m: m.load([[1], [0]], signed=False),
            "values[1, 0] must be -1 or 1, not 0 (nearest legal value: 1)",
        ),
        (
            lambda m: m.load([[1], [2]], signed=False),
            "values[1, 0] must be in -1..1, not 2 (nearest legal value: 1)",
        ),
        (
            lambda m: m.mvm([2, 0]),
            "patterns[0] must be in 0..1, not 2 (nearest legal value: 1)",
        ),
        (
            lambda m: m.mvm([1, 0], x_rows=-1),
            "x_rows must be an integer >= 0, not -1 (nearest legal value: 0)",
        ),
    ],
)
def test_refusals(call, message) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        call(MacroModel(binary(2, 1)))


def test_x_rows_belongs_to_xnor() -> None:
    model = MacroModel(MacroConfig(rows=2, cols=1))
    with pytest.raises(ValueError, match=re.escape("x_rows must be an integer in 0..0, not 1")):
        model.mvm([1, 0], x_rows=1)
