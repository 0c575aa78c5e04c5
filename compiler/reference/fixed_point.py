"""Fixed-point arithmetic of TensorFlow Lite and of gemmlowp, in int64 arrays.

Sources: TensorFlow Lite's quantization_util and the reference kernels; gemmlowp's fixedpoint.h.
Values are int32 in Qm.(31-m): ``raw / 2^(31-m)``.
"""

import math

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "exp_of_negative",
    "fixed_multiplier",
    "half_over_one_plus",
    "high_product",
    "multiplied",
    "saturated",
    "shifted_right",
]

Ints = NDArray[np.int64]
LEAST, MOST = -(1 << 31), (1 << 31) - 1


def fixed_multiplier(real: float) -> tuple[int, int]:
    """(multiplier, shift) of a real number from 0 up: about ``multiplier 2^(shift - 31)``, as
    QuantizeMultiplier has it; what is below 2^-32 becomes 0, what is above 2^30 the greatest."""
    if real == 0:
        return 0, 0
    fraction, shift = math.frexp(real)
    multiplier = math.floor(fraction * (1 << 31) + 0.5)
    if multiplier == 1 << 31:
        multiplier, shift = multiplier // 2, shift + 1
    if shift < -31:
        return 0, 0
    return (MOST, 30) if shift > 30 else (multiplier, shift)


def saturated(values: Ints) -> Ints:
    """In int32."""
    return np.clip(values, LEAST, MOST)


def high_product(a: Ints, b: Ints | int) -> Ints:
    """SaturatingRoundingDoublingHighMul: a b / 2^31, to nearest, ties up."""
    return saturated((np.asarray(a, np.int64) * b + (1 << 30)) >> 31)


def shifted_right(values: Ints, shift: int | Ints) -> Ints:
    """RoundingDivideByPOT: values / 2^shift, to nearest, ties away from zero."""
    values, shift = np.asarray(values, np.int64), np.asarray(shift, np.int64)
    mask = (np.int64(1) << shift) - 1
    threshold = (mask >> 1) + (values < 0)
    return (values >> shift) + ((values & mask) > threshold)


def multiplied(values: Ints, multiplier: int | Ints, shift: int | Ints) -> Ints:
    """MultiplyByQuantizedMultiplier with two roundings: shift > 0 is to the left, before."""
    left, right = np.maximum(shift, 0), np.maximum(-np.asarray(shift), 0)
    before = saturated(np.asarray(values, np.int64) << np.asarray(left, np.int64))
    return shifted_right(high_product(before, np.asarray(multiplier, np.int64)), right)


def _times_power(values: Ints, exponent: int) -> Ints:
    """SaturatingRoundingMultiplyByPOT."""
    if exponent >= 0:
        return saturated(values << exponent)
    return shifted_right(values, -exponent)


def _exp_of_last_quarter(a: Ints) -> Ints:
    """exp of a in [-1/4, 0), both Q0.31."""
    constant, third = 1895147668, 715827883  # exp(-1/8), 1/3
    x = a + (1 << 28)
    x2 = high_product(x, x)
    x3 = high_product(x2, x)
    x4 = high_product(x2, x2)
    x4_over_4 = _times_power(x4, -2)
    inner = _times_power(saturated(high_product(saturated(x4_over_4 + x3), third) + x2), -1)
    return saturated(constant + high_product(np.full_like(x, constant), saturated(x + inner)))


def exp_of_negative(a: Ints, integer_bits: int) -> Ints:
    """exp(a) in Q0.31 for a up to 0 in Q(integer_bits)."""
    fraction = 31 - integer_bits
    quarter = 1 << (fraction - 2)
    a_mod = (a & (quarter - 1)) - quarter
    result = _exp_of_last_quarter(_times_power(a_mod, integer_bits))
    remainder = a_mod - a
    factors = (1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242)
    for exponent, factor in zip(range(-2, 5), factors, strict=True):
        if integer_bits > exponent:
            bit = remainder >> (fraction + exponent) & 1
            result = np.where(bit == 1, high_product(result, factor), result)
    if integer_bits > 5:
        result = np.where(a < -(1 << (36 - integer_bits)), 0, result)
    return np.where(a == 0, MOST, result)


def half_over_one_plus(a: Ints) -> Ints:
    """1 / (1 + a) in Q0.31 for a in [0, 1] of Q0.31: three Newton steps in Q2.29."""
    half = (a + MOST + (np.where(a + MOST >= 0, 1, -1))) // 2  # RoundingHalfSum with one
    x = saturated(1515870810 + high_product(half, -1010580540))  # 48/17 - 32/17 d, Q2
    for _ in range(3):
        product = high_product(half, x)  # Q2
        rest = saturated((1 << 29) - product)
        x = saturated(x + _times_power(high_product(x, rest), 2))
    return _times_power(x, 1)
