"""Precision and the checks on operands: least widths, and one line for each thing refused."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cimforge.compiler.precision import Precision, choose_precision, integer_matrix

AXES = ("batch", "K")


@pytest.mark.parametrize(
    ("values", "bits", "signed"),
    [
        ([], 1, False),
        ([0], 1, False),
        ([1], 1, False),
        ([0, -1], 1, True),
        ([1, -1], 2, True),
        ([-2], 2, True),
        ([255], 8, False),
        ([256], 9, False),
        ([-128, 127], 8, True),
        ([-128, 128], 9, True),
        ([-129], 9, True),
    ],
)
def test_least_precision_of_hand_picked_values(values, bits, signed):
    assert Precision.least(np.array(values, np.int64)) == Precision(bits, signed)


@given(st.lists(st.integers(-(2**40), 2**40), min_size=1))
def test_least_precision_holds_every_value_and_one_bit_less_does_not(values):
    least = Precision.least(np.array(values, np.int64))
    assert least.signed == (min(values) < 0)
    assert least.low <= min(values) <= max(values) <= least.high
    if least.bits > 1:
        narrower = Precision(least.bits - 1, least.signed)
        assert min(values) < narrower.low or max(values) > narrower.high


def test_one_signed_bit_holds_zero_and_minus_one():
    assert (Precision(1, True).low, Precision(1, True).high) == (-1, 0)


@pytest.mark.parametrize(
    ("bits", "signed", "message"),
    [
        (0, False, "bits must be an integer >= 1, not 0 (nearest legal value: 1)"),
        (8.0, False, "bits must be an integer >= 1, not 8.0 (nearest legal value: 1)"),
        (8, 1, "signed must be True or False, not 1"),
    ],
)
def test_an_impossible_precision_is_refused(bits, signed, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        Precision(bits, signed)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([1, 2], "x must have 2 dimensions (batch, K), not 1: shape (2,)"),
        (np.zeros((1, 2, 3), int), "x must have 2 dimensions (batch, K), not 3: shape (1, 2, 3)"),
        (7, "x must have 2 dimensions (batch, K), not 0: shape ()"),
        ([[1, 2], [3]], "x must be a rectangular array (batch, K) of integers"),
        (
            [[1.0, 2.0]],
            "x must have an integer dtype, not float64;"
            " its values are whole: convert with .astype(int)",
        ),
        (
            [[1.0, 2.5]],
            "x[0, 1] = 2.5 is not an integer;"
            " quantise or round first, then convert with .astype(int)",
        ),
        ([[1.5, np.nan]], "x[0, 1] = nan is not an integer"),
        ([[-np.inf, 1.5]], "x[0, 0] = -inf is not an integer"),
        (np.array([[1 + 2j]]), "x must have an integer dtype, not complex128"),
        ([["1"]], "x must have an integer dtype, not <U1"),
        ([[2**70]], "x must have an integer dtype, not object"),
        (
            np.zeros((1, 1), "i4,i4"),
            "x must have an integer dtype, not [('f0', '<i4'), ('f1', '<i4')]",
        ),
        (np.zeros((1, 1), "m8[s]"), "x must have an integer dtype, not timedelta64[s]"),
        (
            np.ma.array([[1]], mask=[[True]]),
            "x is a masked array; give the masked elements a value first",
        ),
    ],
)
def test_what_is_no_integer_matrix_is_refused_in_one_line(values, message):
    with pytest.raises(ValueError, match=re.escape(message)) as caught:
        integer_matrix("x", values, AXES)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("dtype", ["i1", "u1", ">i2", "u4", "i8", "u8"])
def test_every_integer_dtype_is_accepted(dtype):
    assert integer_matrix("x", np.array([[3, 5]], dtype), AXES).tolist() == [[3, 5]]


def test_bool_becomes_zero_and_one():
    matrix = integer_matrix("x", [[True, False]], AXES)
    assert matrix.dtype.kind == "u"
    assert matrix.tolist() == [[1, 0]]


@pytest.mark.parametrize(
    ("values", "explicit", "message"),
    [
        (
            [[5, 300], [-1, 0]],
            None,
            "x[0, 1] = 300 does not fit input_bits = 8: 8-bit signed holds -128..127"
            " (nearest legal value: 127; least precision of x: 10-bit signed, a macro with"
            " --set input_bits=10)",
        ),
        (
            [[0, 0], [256, 999]],
            None,
            "x[1, 0] = 256 does not fit input_bits = 8: 8-bit unsigned holds 0..255"
            " (nearest legal value: 255; least precision of x: 10-bit unsigned, a macro with"
            " --set input_bits=10)",
        ),
        (
            [[-5, 3]],
            Precision(3, True),
            "x[0, 0] = -5 does not fit x_precision: 3-bit signed holds -4..3"
            " (nearest legal value: -4; least precision of x: 4-bit signed)",
        ),
        (
            [[1, -1]],
            Precision(1, True),
            "x[0, 0] = 1 does not fit x_precision: 1-bit signed holds -1..0"
            " (nearest legal value: 0; least precision of x: 2-bit signed)",
        ),
        (
            [[-1]],
            Precision(8, False),
            "x[0, 0] = -1 does not fit x_precision: 8-bit unsigned holds 0..255"
            " (nearest legal value: 0; least precision of x: 1-bit signed)",
        ),
        (
            [[1]],
            Precision(9, False),
            "x_precision must have at most input_bits = 8 bits, not 9 (nearest legal value: 8)",
        ),
    ],
)
def test_values_that_do_not_fit_are_refused_with_where_and_what_is_legal(values, explicit, message):
    with pytest.raises(ValueError, match=re.escape(message)) as caught:
        choose_precision("x", np.array(values), 8, "input_bits", explicit)
    assert str(caught.value) == message


def test_an_unsigned_value_past_int64_is_seen_as_it_is():
    values = np.array([[2**64 - 1]], np.uint64)
    with pytest.raises(
        ValueError, match=re.escape("x[0, 0] = 18446744073709551615 does not fit input_bits = 8")
    ):
        choose_precision("x", values, 8, "input_bits")


def test_an_explicit_precision_is_kept():
    assert choose_precision("x", np.array([[1]]), 8, "input_bits", Precision(6, True)) == Precision(
        6, True
    )
