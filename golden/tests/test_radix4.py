"""Radix-4 digits: by hand, as sums, and what approximate trees make of their operands."""

import numpy as np
import pytest

from cimforge.golden.macro import MacroModel
from cimforge.golden.radix4 import approximate_digit_products, radix4_digits
from cimforge.golden.reference import (
    reference_digit_mvm,
    reference_mvm,
    reference_sliced_digit_mvm,
)
from cimforge.hdl.params.config import MacroConfig


# Highest digit last: 7 = 2 * 4 - 1, 6 = 2 * 4 - 2, 128 = 256 - 2 * 64, -3 = -4 + 1.
@pytest.mark.parametrize(
    ("x", "digits"),
    [
        (0, [0, 0, 0, 0, 0]),
        (1, [1, 0, 0, 0, 0]),
        (2, [-2, 1, 0, 0, 0]),
        (6, [-2, 2, 0, 0, 0]),
        (7, [-1, 2, 0, 0, 0]),
        (128, [0, 0, 0, -2, 1]),
        (255, [-1, 0, 0, 0, 1]),
        (-1, [-1, 0, 0, 0, 0]),
        (-3, [1, -1, 0, 0, 0]),
        (-128, [0, 0, 0, -2, 0]),
    ],
)
def test_digits_by_hand(x: int, digits: list[int]) -> None:
    assert radix4_digits(np.array(x), 5).tolist() == digits


def test_digits_sum_to_their_value() -> None:
    values = np.arange(-(2**9), 2**9)
    digits = radix4_digits(values, 5)
    assert set(digits.flat) == {-2, -1, 0, 1, 2}
    assert ((digits << 2 * np.arange(5)).sum(axis=-1) == values).all()


@pytest.mark.parametrize(("weight_bits", "input_bits"), [(1, 2), (3, 4), (8, 8), (16, 16)])
def test_operands_and_correction_give_the_exact_product(weight_bits: int, input_bits: int) -> None:
    """An exact tree of the operands, less all ones for each negative digit, is the product."""
    rng = np.random.default_rng(weight_bits)
    x = rng.integers(-(2 ** (input_bits - 1)), 2**input_bits, (20, 5))
    codes = rng.integers(0, 2**weight_bits, (5, 3))
    found = approximate_digit_products(
        x, codes, input_bits=input_bits, weight_bits=weight_bits, pairings=0
    )
    assert (found == x @ codes).all()


def test_an_approximate_macro_by_hand() -> None:
    """Two rows of 1b codes 1, 0 and inputs 128 = 256 - 2 * 64. Digits 1 make operands 01 and 00,
    whose ORs count 2: 256 * 2. Digits -2 make 01 and 11, whose ORs are 11 and count 6, which is
    what both inverted operands are corrected by: 64 * (6 - 2 * 3) = 0. 512 does not fit y_bits =
    10: it is -512 there. Inputs 2 = 4 - 2 give 4 * 2 + 0.
    """
    shape = {"rows": 2, "cols": 1, "weight_bits": 1, "input_bits": 8, "bits_per_cycle": 2}
    model = MacroModel(MacroConfig(**shape, multiply="booth", tree="approx1"))
    assert model.config.y_bits == 10
    model.load([[1], [0]], signed=False)
    assert model.mvm([[128, 128], [2, 2], [0, 0]]).tolist() == [[-512], [8], [0]]


def test_slices_wrap_before_they_fuse() -> None:
    """The rows above, each weight two slices of 1b, codes 11 and 00. Each slice is -512 in its 10
    bits; whole weights are -512 - 2 * 512 = -1536, where adding first would give 3 * 512 = 1536.
    Of inputs 2 each slice gives 8.
    """
    shape = {"rows": 2, "cols": 1, "weight_bits": 2, "input_bits": 8, "bits_per_cycle": 2}
    model = MacroModel(MacroConfig(**shape, slice_bits=1, multiply="booth", tree="approx1"))
    assert [mode.y_bits for mode in model.config.modes] == [12, 10]
    model.load([[3], [0]], signed=False)
    assert model.mvm([[128, 128], [2, 2]]).tolist() == [[-1536], [24]]
    model.load([[1, 1], [0, 0]], signed=False, fuse=1)
    assert model.mvm([[128, 128], [2, 2]]).tolist() == [[-512, -512], [8, 8]]


@pytest.mark.parametrize("tree", ["csa", "approx1"])
def test_a_sign_acts_in_the_top_slice(tree: str) -> None:
    """One row, so trees are exact: -5 in slices of 2 bits is 11 and 10, 3 - 4 * 2; as weights of a
    slice each -1 and -2."""
    shape = {"rows": 1, "cols": 1, "weight_bits": 4, "input_bits": 4, "bits_per_cycle": 2}
    model = MacroModel(MacroConfig(**shape, slice_bits=2, multiply="booth", tree=tree))
    model.load([[-5]], signed=True)
    assert model.mvm([[15], [1], [0]]).tolist() == [[-75], [-5], [0]]
    assert model.mvm([[8]], x_signed=True).tolist() == [[40]]
    model.load([[-1, -2]], signed=True, fuse=1)
    assert model.mvm([[15], [6]]).tolist() == [[-15, -30], [-6, -12]]
    assert model.mvm([[8]], x_signed=True).tolist() == [[8, 16]]


def test_the_loops_by_hand() -> None:
    """The same rows and inputs, in loops; with exact trees the products are 128 and 2."""
    told = {"weight_bits": 1, "input_bits": 8, "x_bits": 8, "x_signed": False, "y_bits": 10}
    bank = [([1], False), ([0], False)]
    vectors = [[128, 128], [2, 2]]
    steps = [(1, 10), (2, 12)]
    del (sliced := {**told, "steps": steps})["weight_bits"], sliced["y_bits"]
    whole = [([3], False), ([0], False)]
    wrapped = reference_sliced_digit_mvm(vectors, whole, **sliced, bank_signed=False, pairings=1)
    assert wrapped == [[-1536], [24]]
    exact = reference_digit_mvm(vectors, bank, **told, bank_signed=False, pairings=0)
    assert exact == [[128], [2]]
    made = reference_digit_mvm(vectors, bank, **told, bank_signed=False, pairings=1)
    assert made == [[-512], [8]]


def test_the_loops_of_digits_are_those_of_products() -> None:
    rng = np.random.default_rng(3)
    bank = [(rng.integers(0, 16, 2).tolist(), bool(row % 2)) for row in range(3)]
    vectors = rng.integers(0, 64, (6, 3)).tolist()
    for signed, bank_signed in ((False, False), (True, True)):
        told = {"weight_bits": 4, "input_bits": 6, "x_bits": 5, "x_signed": signed}
        want = reference_mvm(vectors, bank, **told, bank_signed=bank_signed)
        digits = {"pairings": 0, "y_bits": 13}
        assert reference_digit_mvm(vectors, bank, **told, bank_signed=bank_signed, **digits) == want
