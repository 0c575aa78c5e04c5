"""Fixed-point arithmetic by hand, against golden's roundings, and against floats."""

import random
from fractions import Fraction
from math import floor

import numpy as np
import pytest

from cimforge.compiler.reference.fixed_point import (
    exp_of_negative,
    fixed_multiplier,
    half_over_one_plus,
    inverse_root,
    logistic,
    multiplied,
    multiplied_wide,
    shifted_right,
    tanh,
)
from cimforge.golden.requantise import requantise


@pytest.mark.parametrize(
    ("real", "pair"),
    [
        (0.5, (1 << 30, 0)),
        (1.0, (1 << 30, 1)),
        (0.0, (0, 0)),
        (0.75 / 8, (3 << 29, -3)),
        (1 - 2.0**-40, (1 << 30, 1)),  # rounds to 2^31, so halved
        (2.0**-40, (0, 0)),
        (2.0**-32, (1 << 30, -31)),
        (2.0**29, (1 << 30, 30)),
    ],
)
def test_multipliers_by_hand(real, pair):
    assert fixed_multiplier(real) == pair


def test_shifts_round_ties_away_from_zero():
    assert shifted_right(np.array([3, -3, 1, -1, 5]), 1).tolist() == [2, -2, 1, -1, 3]
    assert shifted_right(np.array([7, -7]), 0).tolist() == [7, -7]


def test_scaling_is_goldens_double():
    draw = np.random.default_rng(3)
    values = draw.integers(-(1 << 31), 1 << 31, 4000)
    multiplier, shift = draw.integers(0, 1 << 31, 4000), draw.integers(-31, 31, 4000)
    told = multiplied(values, multiplier, shift)
    wanted = requantise(values, 0, multiplier, shift, rounding="double")
    assert (np.clip(told, -(1 << 15), (1 << 15) - 1) == wanted).all()


def test_exponentials_are_close():
    a = -np.random.default_rng(4).integers(0, 1 << 31, 5000)
    told = exp_of_negative(a, 5) / 2**31
    assert np.abs(told - np.exp(a / 2**26)).max() < 2e-7
    assert exp_of_negative(np.array([0]), 5).tolist() == [(1 << 31) - 1]


def test_the_smallest_exponentials_are_right_to_the_last_bit():
    """Below exp(-16) a result is less than 250 of 2^31, so what is off by one factor shows."""
    a = -np.random.default_rng(6).integers(16 << 26, 22 << 26, 2000) - (1 << 24)
    assert np.abs(exp_of_negative(a, 5) - np.exp(a / 2**26) * 2**31).max() < 1


def test_reciprocals_are_close():
    a = np.random.default_rng(5).integers(0, 1 << 31, 5000)
    told = half_over_one_plus(a) / 2**31
    assert np.abs(told - 1 / (1 + a / 2**31)).max() < 1e-7


def by_fractions(value: int, multiplier: int, shift: int) -> int:
    """Scaling in exact fractions: the first rounding's ties go up, the second's from zero."""
    held = max(-(1 << 31), min(value * 2 ** max(shift, 0), (1 << 31) - 1))
    high = floor(Fraction(held * multiplier, 1 << 31) + Fraction(1, 2))
    rest = Fraction(high, 1 << max(-shift, 0))
    size = floor(abs(rest) + Fraction(1, 2))
    return size if rest > 0 else -size


SHIFTS = range(-31, 31)
EDGES = (0, 1, 2, 3, 5, (1 << 29) - 1, 1 << 30, (1 << 30) + 1, (1 << 31) - 1)


@pytest.mark.parametrize("shift", SHIFTS)
def test_scaling_by_every_shift_is_that_of_fractions(shift):
    """Biases up to 2^30 and beyond, ties of both roundings, the greatest multiplier."""
    rng = random.Random(shift)
    for multiplier in (1 << 30, 3 << 29, (1 << 31) - 1, rng.randrange(1 << 30, 1 << 31)):
        values = [sign * edge for edge in EDGES for sign in (1, -1)] + [-(1 << 31)]
        values += [rng.randrange(-(1 << 31), 1 << 31) for _ in range(40)]
        if shift < 0 and multiplier == 1 << 30:  # an odd multiple of half of what is kept
            values += [odd << -shift for odd in (1, -1, 3, -3, 7, -9) if -shift < 28]
        told = multiplied(np.array(values), multiplier, shift)
        wanted = [by_fractions(value, multiplier, shift) for value in values]
        assert told.tolist() == wanted


def test_the_first_rounding_sends_ties_up_and_the_second_from_zero():
    half = 1 << 30  # 1/2
    assert multiplied(np.array([1, -1, 3, -3, 5, -5]), half, 0).tolist() == [1, 0, 2, -1, 3, -2]
    assert multiplied(np.array([2, -2, 6, -6]), half, -1).tolist() == [1, -1, 2, -2]
    # -3/4 rounds to -1 first, then -1/2 from zero: -1, where one rounding of -3/8 gives 0
    assert multiplied(np.array([-3]), half, -1).tolist() == [-1]


@pytest.mark.parametrize("shift", range(-31, 8))
def test_wide_scaling_is_that_of_fractions(shift):
    """Of 48 bits, by 15 bits of multiplier, ties up."""
    rng = random.Random(shift)
    for multiplier in (
        1 << 30,
        (1 << 31) - 1,
        0x7FFEFFFF,
        0x7FFF8000,
        rng.randrange(1 << 30, 1 << 31),
    ):
        edges = [
            sign * ((1 << bits) - minus)
            for bits in (1, 30, 47)
            for sign in (1, -1)
            for minus in (1, 2)
        ]
        values = edges + [rng.randrange(-(1 << 47) + 1, 1 << 47) for _ in range(20)]
        kept = min(0x7FFF, (multiplier + (1 << 15)) >> 16)
        wanted = [
            floor(Fraction(value * kept, 1 << 15) * Fraction(2) ** shift + Fraction(1, 2))
            for value in values
        ]
        assert multiplied_wide(np.array(values), multiplier, shift).tolist() == wanted


def test_multipliers_are_within_half_of_the_last_bit():
    rng = random.Random(5)
    for exponent in range(-31, 30):
        real = rng.uniform(0.5, 1) * 2.0**exponent
        multiplier, shift = fixed_multiplier(real)
        assert 1 << 30 <= multiplier < 1 << 31
        error = abs(Fraction(multiplier) * Fraction(2) ** (shift - 31) - Fraction(real))
        assert error <= Fraction(2) ** (shift - 32)


@pytest.mark.parametrize("real", [-1.0, 2.0**30, float("inf"), float("nan")])
def test_factors_that_no_kernel_takes_are_refused(real):
    with pytest.raises(ValueError, match=r"a factor between scales must lie in 0\.\.2\^30, not "):
        fixed_multiplier(real)


@pytest.mark.parametrize(("value", "shift"), [(1 << 47, 0), (-(1 << 47), 0), (1, 8)])
def test_sums_beyond_48_bits_are_refused(value, shift):
    with pytest.raises(ValueError, match=r"at most 48 bits, and a factor below 2\^7"):
        multiplied_wide(np.array([value]), 1 << 30, shift)


@pytest.mark.parametrize("bits", [16, 32])
def test_logistic_and_tanh_are_close(bits):
    one, step = 1 << bits - 1, 1 << bits - 12
    a = np.arange(-(1 << bits - 1), 1 << bits - 1, step)
    real, room = a / (one / 8), 6 if bits == 16 else 300
    assert np.abs(logistic(a, 3, bits) - one / (1 + np.exp(-real))).max() < room
    assert np.abs(tanh(a, 3, bits) - one * np.tanh(real)).max() < 3 * room


def test_inverse_roots_are_close():
    for value in (1, 2, 3, 4, 100, 255, 65536, (1 << 29) - 1, 1 << 29, (1 << 31) - 1):
        multiplier, shift = inverse_root(value)
        assert multiplier * 2.0 ** (shift - 31) == pytest.approx(value**-0.5, rel=3e-6)
    assert inverse_root(0) == inverse_root(1)
