"""Quantisation rules: hand-computed values, then a slow reference written from TFLite's integer
definitions."""

import re
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cimforge.compiler.matmul import exact_matmul, tiled_matmul
from cimforge.compiler.quantise import (
    quantise_layer,
    quantise_multiplier,
    quantise_values,
    requantise,
    symmetric_limit,
    symmetric_scale,
)
from cimforge.hdl.params.config import MacroConfig

INT32 = st.integers(-(2**31), 2**31 - 1)
HALF = 2**30  # the multiplier of 0.5


def slow_requantise(value, multiplier, shift):
    """TFLite's two steps on one Python int, with C's division and shifts spelled out."""
    value <<= max(-shift, 0)
    product = value * multiplier
    nudged = product + (2**30 if product >= 0 else 1 - 2**30)
    high = abs(nudged) // 2**31 * (1 if nudged >= 0 else -1)
    right = max(shift, 0)
    mask = (1 << right) - 1
    remainder, threshold = high & mask, (mask >> 1) + (1 if high < 0 else 0)
    return (high >> right) + (1 if remainder > threshold else 0)


@given(st.lists(INT32, max_size=8), st.integers(1, 2**31 - 1), st.integers(0, 31))
@example([-(2**31), 2**31 - 1], 2**31 - 1, 0)
@example([-(2**31), 2**31 - 1], 2**30, 31)
@example([-3, -1, 1, 3, 5], 2**30, 1)
def test_requantise_equals_the_slow_reference(values, multiplier, shift):
    expected = [slow_requantise(value, multiplier, shift) for value in values]
    assert requantise(np.array(values, np.int64), multiplier, shift).tolist() == expected


@given(st.integers(-(2**20), 2**20), st.integers(1, 2**31 - 1), st.integers(-11, -1))
def test_a_left_shift_equals_the_slow_reference(value, multiplier, shift):
    assert requantise(np.array([value]), multiplier, shift).tolist() == [
        slow_requantise(value, multiplier, shift)
    ]


@given(INT32, st.integers(2**30, 2**31 - 1), st.integers(0, 20))
def test_requantise_is_within_one_half_and_a_little_of_the_exact_ratio(value, multiplier, shift):
    exact = Fraction(value * multiplier, 2 ** (31 + shift))
    error = abs(int(requantise(np.array([value]), multiplier, shift)[0]) - exact)
    assert error <= Fraction(1, 2) + Fraction(1, 2 ** (shift + 1))


@pytest.mark.parametrize(
    ("value", "multiplier", "shift", "expected"),
    [
        (10, HALF, 0, 5),
        (1, HALF, 0, 1),  # 0.5: the multiply takes ties up
        (-1, HALF, 0, 0),  # -0.5: up
        (-3, HALF, 0, -1),  # -1.5: up
        (2, HALF, 1, 1),  # 1 then 0.5: the shift takes ties away from zero
        (-2, HALF, 1, -1),  # -1 then -0.5: away from zero
        (-6, HALF, 1, -2),  # -3 then -1.5: away from zero
        (3, HALF, 1, 1),  # 0.75: 1.5 rounds to 2, then 1
        (5, HALF, 2, 1),  # 0.625: 2.5 rounds to 3, then 0.75 to 1
        (11, HALF, 2, 2),  # 1.375 in one step is 1: 5.5 rounds to 6, then 1.5 to 2
        (-(2**31), 2**31 - 1, 0, -(2**31) + 1),
        (3, HALF, -2, 6),
    ],
)
def test_requantise_of_hand_computed_values(value, multiplier, shift, expected):
    assert requantise(np.array([value]), multiplier, shift).tolist() == [expected]


@pytest.mark.parametrize(
    ("value", "multiplier", "shift", "message"),
    [
        (2**31, HALF, 0, "accumulator[0] = 2147483648 leaves int32 (-2147483648..2147483647)"),
        (2**30, HALF, -1, "accumulator << 1[0] = 2147483648 leaves int32"),
        (0, 0, 0, "multiplier must be in 1..2147483647, not 0"),
        (0, 2**31, 0, "multiplier must be in 1..2147483647, not 2147483648"),
        (0, HALF, 32, "shift must be in -31..31, not 32"),
        (0, HALF, -32, "shift must be in -31..31, not -32"),
    ],
)
def test_requantise_refuses_what_has_no_int32_result(value, multiplier, shift, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        requantise(np.array([value]), multiplier, shift)


@pytest.mark.parametrize(
    ("real", "expected"),
    [
        (0.5, (2**30, 0)),
        (0.25, (2**30, 1)),
        (0.75, (3 * 2**29, 0)),
        (1.0, (2**30, -1)),
        (0.1, (1717986918, 3)),  # 0.8 * 2^31 = 1717986918.4
        (1 - 2**-40, (2**30, -1)),  # the mantissa rounds to 2^31, so it is halved
        (2**-32, (2**30, 31)),
    ],
)
def test_multipliers_of_hand_computed_ratios(real, expected):
    assert quantise_multiplier(real) == expected


@given(st.floats(2**-31, 2**30))
def test_a_multiplier_is_normalised_and_within_its_relative_error(real):
    multiplier, shift = quantise_multiplier(real)
    assert 2**30 <= multiplier < 2**31
    ratio = Fraction(multiplier, 2**31) / Fraction(2) ** shift / Fraction(real)
    assert abs(ratio - 1) <= Fraction(1, 2**31)


@pytest.mark.parametrize("real", [0.0, -1.0, float("nan"), float("inf")])
def test_a_multiplier_that_is_not_positive_and_finite_is_refused(real):
    with pytest.raises(ValueError, match=f"a multiplier must be positive and finite, not {real}"):
        quantise_multiplier(real)


@pytest.mark.parametrize(("real", "shift"), [(2**-33, 32), (2.0**31, -32)])
def test_a_multiplier_past_the_shifts_is_refused(real, shift):
    message = f"a multiplier must be in 2^-32..2^31, not {real}: its shift would be {shift}"
    with pytest.raises(ValueError, match=re.escape(message)):
        quantise_multiplier(real)


@pytest.mark.parametrize(("bits", "limit"), [(2, 1), (4, 7), (8, 127)])
def test_symmetric_limits(bits, limit):
    assert symmetric_limit(bits) == limit


@pytest.mark.parametrize(("bits", "nearest"), [(1, 2), (0, 2), (9, 8)])
def test_bits_without_a_symmetric_range_are_refused(bits, nearest):
    message = f"symmetric quantisation needs 2..8 bits, not {bits} (nearest legal value: {nearest})"
    with pytest.raises(ValueError, match=re.escape(message)):
        symmetric_limit(bits)


def test_values_round_to_nearest_with_ties_away_from_zero_and_clamp():
    below_half = np.nextafter(0.5, 0)
    values = np.array([0.5, -0.5, 1.5, 2.5, -2.5, below_half, -below_half, 7.4, 9.0, -9.0])
    assert quantise_values(values, 1.0, 4).tolist() == [1, -1, 2, 3, -3, 0, 0, 7, 7, -7]


def test_the_scale_puts_the_greatest_magnitude_on_the_limit():
    values = np.array([0.3, -2.54, 1.0])
    scale = symmetric_scale(values, 8)
    assert scale == 2.54 / 127
    assert quantise_values(values, scale, 8).tolist() == [15, -127, 50]


def test_the_scale_of_zeros_is_one():
    assert symmetric_scale(np.zeros(3), 8) == 1.0
    assert symmetric_scale(np.zeros(0), 8) == 1.0


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_tensor_that_is_not_finite_is_refused(value):
    with pytest.raises(ValueError, match="values must be finite to have a scale"):
        symmetric_scale(np.array([1.0, value]), 8)


def make_layer(relu=False, bias=(0.0, 100.0), y_max=254.0, bits=8):
    weights = np.array([[127.0, -1.0], [64.0, 2.0]])
    return quantise_layer(
        weights,
        np.array(bias),
        x_scale=1.0,
        y_max=y_max,
        weight_bits=bits,
        output_bits=bits,
        relu=relu,
    )


def test_a_layer_of_hand_computed_integers():
    layer = make_layer()
    assert (layer.weights.dtype, layer.bias.dtype) == (np.int8, np.int32)
    assert layer.weights.tolist() == [[127, -1], [64, 2]]
    assert layer.bias.tolist() == [0, 100]
    assert (layer.multiplier, layer.shift, layer.rounding) == (HALF, 0, "tflite_double")
    x = np.array([[1, 0], [-1, 0], [1, 2], [0, -128]])
    assert layer.accumulate(x, exact_matmul).tolist() == [
        [127, 99],
        [-127, 101],
        [255, 103],
        [-8192, -156],
    ]
    assert layer.run(x, exact_matmul).tolist() == [[64, 50], [-63, 51], [127, 52], [-127, -78]]


def test_relu_clamps_from_zero_up():
    x = np.array([[1, 0], [-1, 0], [0, -128]])
    assert make_layer(relu=True).run(x, exact_matmul).tolist() == [[64, 50], [0, 51], [0, 0]]


def test_a_layer_gives_the_same_integers_on_a_small_macro():
    layer, macro = make_layer(), tiled_matmul(MacroConfig(rows=1, cols=1, banks=2))
    x = np.random.default_rng(5).integers(-127, 128, (9, 2))
    assert layer.run(x, macro).tolist() == layer.run(x, exact_matmul).tolist()


def test_a_bias_or_sum_past_int32_is_refused():
    with pytest.raises(ValueError, match=re.escape("bias[1] = 3000000000.0 leaves int32")):
        make_layer(bias=(0.0, 3e9))
    with pytest.raises(ValueError, match=re.escape("bias[0] = nan leaves int32")):
        make_layer(bias=(np.nan, 0.0))
    layer = make_layer(bias=(2.0**31 - 100, 0.0))
    with pytest.raises(ValueError, match=re.escape("accumulator[1, 0] = 2147483675 leaves int32")):
        layer.accumulate(np.array([[0, 0], [1, 0]]), exact_matmul)
