"""Fixed-point arithmetic by hand, against golden's roundings, and against floats."""

import numpy as np
import pytest

from cimforge.compiler.reference.fixed_point import (
    exp_of_negative,
    fixed_multiplier,
    half_over_one_plus,
    multiplied,
    shifted_right,
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
