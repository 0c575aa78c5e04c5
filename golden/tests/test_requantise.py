"""Requantisation: cases worked out by hand, and all roundings beside exact fractions."""

import random
import re
import time
from fractions import Fraction
from math import ceil, floor

import numpy as np
import pytest

from cimforge.golden.requantise import requantise
from cimforge.hdl.params.descriptors import ROUNDINGS

HALF = 1 << 30  # the multiplier of 1/2
MOST = (1 << 31) - 1  # the greatest multiplier, 1 - 2^-31
INT32_MIN, INT32_MAX = -(1 << 31), (1 << 31) - 1


def one(value: int, multiplier: int, shift: int, rounding: str, **more: int) -> int:
    """A single value without bias, beside limits that change nothing."""
    return int(requantise([value], 0, multiplier, shift, rounding=rounding, **more)[0])


# value, shift to the left, with the multiplier 1/2; then double, single, half_even
TIES = [
    # shift 0: v/2. Of double the first step is all there is, ties up.
    (1, 0, 1, 1, 0),  # 0.5: up 1, even 0
    (3, 0, 2, 2, 2),  # 1.5: up 2, even 2
    (5, 0, 3, 3, 2),  # 2.5: up 3, even 2
    (-1, 0, 0, 0, 0),  # -0.5: up 0, even 0
    (-3, 0, -1, -1, -2),  # -1.5: up -1, even -2
    (-5, 0, -2, -2, -2),  # -2.5: up -2, even -2
    # shift -1: v/4. double: d = v/2 up, then d/2 away from zero
    (1, -1, 1, 0, 0),  # 0.25: d = 0.5 -> 1, 0.5 -> 1; at once 0
    (2, -1, 1, 1, 0),  # 0.5: d = 1, 0.5 -> 1; up 1, even 0
    (6, -1, 2, 2, 2),  # 1.5: d = 3, 1.5 -> 2; up 2, even 2
    (10, -1, 3, 3, 2),  # 2.5: d = 5, 2.5 -> 3; up 3, even 2
    (-2, -1, -1, 0, 0),  # -0.5: d = -1, -0.5 -> -1; up 0, even 0
    (-6, -1, -2, -1, -2),  # -1.5: d = -3, -1.5 -> -2; up -1, even -2
    (-10, -1, -3, -2, -2),  # -2.5: d = -5, -2.5 -> -3; up -2, even -2
    (-3, -1, -1, -1, -1),  # -0.75: d = -1.5 -> -1, -0.5 -> -1; at once -1
    (-7, -1, -2, -2, -2),  # -1.75: d = -3.5 -> -3, -1.5 -> -2; at once -2
    (-1, -1, 0, 0, 0),  # -0.25: d = -0.5 -> 0
    # shift -2: v/8
    (3, -2, 1, 0, 0),  # 0.375: d = 1.5 -> 2, 2/4 = 0.5 -> 1; at once 0
    (11, -2, 2, 1, 1),  # 1.375: d = 5.5 -> 6, 6/4 = 1.5 -> 2; at once 1
    (-12, -2, -2, -1, -2),  # -1.5: d = -6, -6/4 = -1.5 -> -2; up -1, even -2
    (-20, -2, -3, -2, -2),  # -2.5: d = -10, -2.5 -> -3; up -2, even -2
    # shift 1: v itself
    *((v, 1, v, v, v) for v in (-3, -1, 0, 1, 2)),
]


@pytest.mark.parametrize(("value", "shift", "double", "single", "half_even"), TIES)
def test_ties_by_hand(value: int, shift: int, double: int, single: int, half_even: int) -> None:
    assert one(value, HALF, shift, "double") == double
    assert one(value, HALF, shift, "single") == single
    assert one(value, HALF, shift, "half_even") == half_even


def test_the_steps_of_double_tie_differently() -> None:
    """-0.5 is 0 in the first step (as in VQRDMULH) and -1 in the second. -3/8: the first step makes
    -1.5 -> -1, the second -0.25 -> 0; were the first tie away from zero, -2/4 -> -1."""
    assert one(-1, HALF, 0, "double") == 0
    assert one(-2, HALF, -1, "double") == -1
    assert one(-3, HALF, -2, "double") == 0


# value, multiplier, shift; then double, single, half_even between the limits of int16
EXTREMES = [
    # 2^31 - 1 and -2^31 times (1 - 2^-31): 2147483646 + 2^-31, and -2147483648 + 1; far outside
    (INT32_MAX, MOST, 0, 32767, 32767, 32767),
    (INT32_MIN, MOST, 0, -32768, -32768, -32768),
    # over 2^16: d = 2147483646 / 65536 = 32767.99997 -> 32768, clamped; over 2^17 half as much,
    # 16383.99998 -> 16384
    (INT32_MAX, MOST, -16, 32767, 32767, 32767),
    (INT32_MAX, MOST, -17, 16384, 16384, 16384),
    # d = -2147483647, over 2^17: -16383.99999 -> -16384
    (INT32_MIN, MOST, -17, -16384, -16384, -16384),
    # over 2^31: 2147483646 / 2^31 = 1 - 2^-30 -> 1; -2147483647 / 2^31 -> -1
    (INT32_MAX, MOST, -31, 1, 1, 1),
    (INT32_MIN, MOST, -31, -1, -1, -1),
    # half of -2^31 over 2^31: -0.5, a tie: away -1, up 0, even 0. 2^30 is a quarter: 0
    (INT32_MIN, HALF, -31, -1, 0, 0),
    (1 << 30, HALF, -31, 0, 0, 0),
    # 2^31 - 1 times 1/2 over 2^31: d = 2^30 - 0.5 -> 2^30, a tie that the first step made: 1;
    # at once 0.49999 -> 0
    (INT32_MAX, HALF, -31, 1, 0, 0),
    # nothing
    (INT32_MIN, 0, 31, 0, 0, 0),
    (INT32_MAX, 0, -31, 0, 0, 0),
    (0, MOST, 31, 0, 0, 0),
    # 7 shifted left by 31 saturates: 2^31 - 1 times 2^-31 (m = 1) is 1 - 2^-31 -> 1. The exact
    # product is 7.
    (7, 1, 31, 1, 7, 7),
    # -7: -2^31 times 2^-31 is -1, exactly; and -7
    (-7, 1, 31, -1, -7, -7),
    # 1 << 31 is beyond int32 by one: 2^31 - 1 -> 1; -1 << 31 is int32's least: -1
    (1, 1, 31, 1, 1, 1),
    (-1, 1, 31, -1, -1, -1),
    # 1 << 30 is not: 2^30 * 2^-31 = 0.5: up 1, up 1, even 0
    (1, 1, 30, 1, 1, 0),
    # -1 << 30: -0.5: up 0, up 0, even 0
    (-1, 1, 30, 0, 0, 0),
    # 48 bits: -2^47 and 2^47 - 1, saturated to 32 bits, times 1/2 over 2^16: -2^30 / 2^16 = -16384
    # and (2^30 - 0.5 -> 2^30) / 2^16 = 16384; exactly they are far outside
    (-(1 << 47), HALF, -16, -16384, -32768, -32768),
    ((1 << 47) - 1, HALF, -16, 16384, 32767, 32767),
    # over 2^31: exactly -2^47 / 2^32 = -32768, and 32767.9999 -> 32768, clamped; (2^47 - 2^31) /
    # 2^32 = 32767.5: up 32768, clamped, even 32768, clamped; (2^47 - 3 * 2^31) / 2^32 = 32766.5:
    # up 32767, even 32766. Saturated: -2^30 / 2^31 = -0.5 -> -1, and 2^30 / 2^31 -> 1
    (-(1 << 47), HALF, -31, -1, -32768, -32768),
    ((1 << 47) - 1, HALF, -31, 1, 32767, 32767),
    ((1 << 47) - (1 << 31), HALF, -31, 1, 32767, 32767),
    ((1 << 47) - (3 << 31), HALF, -31, 1, 32767, 32766),
]


@pytest.mark.parametrize(
    ("value", "multiplier", "shift", "double", "single", "half_even"), EXTREMES
)
def test_extremes_by_hand(
    value: int, multiplier: int, shift: int, double: int, single: int, half_even: int
) -> None:
    assert one(value, multiplier, shift, "double") == double
    assert one(value, multiplier, shift, "single") == single
    assert one(value, multiplier, shift, "half_even") == half_even


def test_single_shifts_by_nothing_where_the_left_shift_takes_all() -> None:
    """t = 31 - 31 = 0: v * m as it is, and no half is added."""
    for rounding in ("single", "half_even"):
        assert one(5, 3, 31, rounding) == 15
        assert one(-5, 3, 31, rounding) == -15


@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_zero_points_come_behind_rounding_and_limits_last(rounding: str) -> None:
    """v = 20 + 4 = 24, a half of it 12; 12 - 10 = 2, 12 + 100 = 112."""
    told = {"rounding": rounding}
    assert requantise([20], 4, HALF, 0, **told, zero=-10).tolist() == [2]
    assert requantise([20], 4, HALF, 0, **told, zero=100).tolist() == [112]
    assert requantise([20], 4, HALF, 0, **told, zero=100, highest=111).tolist() == [111]
    # ReLU at a zero point of -10: no result below it
    assert requantise([-20, 20], 0, HALF, 0, **told, zero=-10, lowest=-10).tolist() == [-10, 0]
    assert requantise([20], 0, HALF, 0, **told, lowest=7, highest=7).tolist() == [7]
    # 40000 + 32767 is beyond 16 bits before it is clamped
    assert requantise([80000], 0, HALF, 0, **told, zero=32767, highest=32767).tolist() == [32767]
    assert requantise([80000], 0, HALF, 0, **told, zero=-32768).tolist() == [7232]
    # uint8: 0..255
    assert requantise([-2, 600], 0, HALF, 0, **told, lowest=0, highest=255).tolist() == [0, 255]


@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_bias_is_added_exactly(rounding: str) -> None:
    """2^31 - 1 twice is no int32: double saturates it, 2^31 - 1 -> 1 over 2^31 at m = 1/2 as above,
    and at once (2^32 - 2) / 2^32 -> 1. -2^31 and -2^31 are -2^32: -1 exactly, -0.5 -> -1 saturated;
    2^31 - 1 and -2^31 are -1."""
    told = {"rounding": rounding}
    sums, bias = [INT32_MAX, INT32_MIN, INT32_MAX], [INT32_MAX, INT32_MIN, INT32_MIN]
    assert requantise(sums, bias, HALF, -31, **told).tolist() == [1, -1, 0]
    assert requantise(sums, bias, HALF, [-31, -31, 1], **told).tolist() == [1, -1, -1]


def test_each_channel_has_its_own_parameters() -> None:
    """Halves of (v + bias): 2 + 1 -> 1.5, 4 + 2 -> 3, quarter of 6 + 2 -> 2; and again."""
    result = requantise(
        [[2, 4, 6], [0, 0, 0]], [1, 2, 2], [HALF, HALF, HALF], [0, 0, -1], rounding="half_even"
    )
    assert result.tolist() == [[2, 3, 2], [0, 1, 0]]
    assert result.dtype == np.int64


def nearest(exact: Fraction, tie: str) -> int:
    """The nearest integer; of two the one that ``tie`` names."""
    below, above = floor(exact), ceil(exact)
    if exact - below != Fraction(1, 2):
        return below if exact - below < Fraction(1, 2) else above
    if tie == "up":
        return above
    if tie == "away":
        return above if exact > 0 else below
    return below if below % 2 == 0 else above


def reference(value: int, multiplier: int, shift: int, rounding: str) -> int:
    """The rounded value, in fractions."""
    if rounding == "single":
        return nearest(Fraction(value * multiplier) * Fraction(2) ** (shift - 31), "up")
    if rounding == "half_even":
        return nearest(Fraction(value * multiplier) * Fraction(2) ** (shift - 31), "even")
    shifted = value * 2 ** max(shift, 0)
    saturated = min(max(shifted, INT32_MIN), INT32_MAX)
    high = nearest(Fraction(saturated * multiplier, 2**31), "up")
    return nearest(Fraction(high, 2 ** max(-shift, 0)), "away")


def drawn(rng: random.Random, acc_bits: int) -> tuple[int, int, int, int]:
    """A sum, a bias, a multiplier and a shift, most of which leave a result of at most 16 bits."""
    size = rng.randint(1, acc_bits - 1)
    value = rng.choice([rng.randint(-(1 << size), (1 << size) - 1), rng.choice([-1, 1]) << size])
    value = min(max(value, -(1 << acc_bits - 1)), (1 << acc_bits - 1) - 1)
    bias = rng.choice([0, rng.randint(-9, 9), rng.randint(INT32_MIN, INT32_MAX)])
    multiplier = rng.randint(1 << 30, MOST) >> rng.choice([0, 0, rng.randint(0, 30)])
    right = max(0, size + multiplier.bit_length() - 31 - rng.randint(0, 15))
    return value, bias, multiplier, rng.choice([-min(31, right), rng.randint(-31, 31)])


def drawn_tie(rng: random.Random, acc_bits: int) -> tuple[int, int, int, int]:
    """The same, v * m an odd number of halves or a little beside that."""
    twos = rng.randint(0, 30)  # of the multiplier
    multiplier = rng.choice([1, 3, 5, 7, 2**31 - 1]) << twos & MOST or 1 << twos
    zeros = (multiplier & -multiplier).bit_length() - 1
    less = rng.randint(0, min(acc_bits - 2, 61 - zeros))  # twos of the value
    t = zeros + less + 1
    odd = rng.randint(0, min(1 << 15, (1 << acc_bits - 2 - less) - 1)) | 1
    value = rng.choice([-1, 1]) * ((odd << less) + rng.choice([0, 0, 0, 1, -1]))
    return value, 0, multiplier, 31 - t


@pytest.mark.parametrize("acc_bits", [32, 48])
@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_random_values_match_exact_fractions(rounding: str, acc_bits: int) -> None:
    """The batches as a whole, whose products fit no int64, and each value alone, whose may."""
    seed = 7 + acc_bits
    print(f"seed {seed}")
    rng = random.Random(seed)
    cases = [draw(rng, acc_bits) for draw in (drawn, drawn_tie) for _ in range(1500)]
    value, bias, multiplier, shift = (list(column) for column in zip(*cases, strict=True))
    got = requantise(value, bias, multiplier, shift, rounding=rounding).tolist()
    exact = [reference(v + b, m, s, rounding) for v, b, m, s in cases]
    ties = inner = 0
    for case, found, wanted in zip(cases, got, exact, strict=True):
        clamped = min(max(wanted, -32768), 32767)
        assert found == clamped, case
        v, b, m, s = case
        assert int(requantise([v], b, m, s, rounding=rounding)[0]) == clamped, case
        inner += wanted == clamped
        ties += (2 * (v + b) * m * Fraction(2) ** (s - 31)) % 2 == 1
    assert inner > 1000  # no mere clamps
    assert ties > 500


def test_a_layer_takes_well_under_a_second() -> None:
    rng = np.random.default_rng(1)
    sums = rng.integers(-(1 << 47), 1 << 47, (128, 128))
    begin = time.process_time()
    for rounding in ROUNDINGS:
        requantise(sums, 1, MOST, np.full(128, -20), rounding=rounding)
    assert time.process_time() - begin < 1


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"multiplier": [1, 1 << 31]},
            "multiplier[1] must be in 0..2147483647, not 2147483648 "
            "(nearest legal value: 2147483647)",
        ),
        (
            {"multiplier": -1},
            "multiplier must be in 0..2147483647, not -1 (nearest legal value: 0)",
        ),
        ({"shift": [0, -32]}, "shift[1] must be in -31..31, not -32 (nearest legal value: -31)"),
        ({"shift": 32}, "shift must be in -31..31, not 32 (nearest legal value: 31)"),
        (
            {"bias": 1 << 31},
            "bias must be in -2147483648..2147483647, not 2147483648 "
            "(nearest legal value: 2147483647)",
        ),
        (
            {"rounding": "up"},
            "rounding must be one of double, single, half_even, not 'up' "
            "(nearest legal value: 'double')",
        ),
        (
            {"lowest": 5, "highest": 4},
            "highest must be an integer in 5..32767, not 4 (nearest legal value: 5)",
        ),
        (
            {"lowest": -40000},
            "lowest must be an integer in -32768..32767, not -40000 (nearest legal value: -32768)",
        ),
        (
            {"zero": 40000},
            "zero must be an integer in -32768..32767, not 40000 (nearest legal value: 32767)",
        ),
        ({"sums": [1.5]}, "sums must be integers, not float64 (nearest legal value: int64)"),
        (
            {"sums": np.array([1 << 70, 1.5], object)},
            "sums must be integers, not object (nearest legal value: int64)",
        ),
    ],
)
def test_refusals(changed: dict, message: str) -> None:
    told = {"sums": [1, 2], "bias": 0, "multiplier": HALF, "shift": 0, "rounding": "single"}
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        requantise(**(told | changed))
