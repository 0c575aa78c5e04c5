"""Fixed-point arithmetic of TensorFlow Lite and of gemmlowp, in int64 arrays.

Sources: TensorFlow Lite's quantization_util and the reference kernels; gemmlowp's fixedpoint.h.
Values are int32 in Qm.(31-m), ``raw / 2^(31-m)``; where ``bits`` is 16, int16 in Qm.(15-m).
"""

import math

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "exp_of_negative",
    "fixed_multiplier",
    "half_over_one_plus",
    "high_product",
    "inverse_root",
    "logistic",
    "multiplied",
    "multiplied_wide",
    "saturated",
    "shifted_right",
    "tanh",
]

Ints = NDArray[np.int64]
LEAST, MOST = -(1 << 31), (1 << 31) - 1


def fixed_multiplier(real: float) -> tuple[int, int]:
    """(multiplier, shift) of a real number from 0 up: about ``multiplier 2^(shift - 31)``, as
    QuantizeMultiplier has it; what is below 2^-32 becomes 0.

    Raises ValueError from 2^30 on, where the kernels shift bits out.
    """
    if not 0 <= real < 1 << 30:
        raise ValueError(f"a factor between scales must lie in 0..2^30, not {real:g}")
    if real == 0:
        return 0, 0
    fraction, shift = math.frexp(real)
    multiplier = math.floor(fraction * (1 << 31) + 0.5)
    if multiplier == 1 << 31:
        multiplier, shift = multiplier // 2, shift + 1
    return (0, 0) if shift < -31 else (multiplier, shift)


def saturated(values: Ints, bits: int = 32) -> Ints:
    """In int32, or another width."""
    most = (1 << bits - 1) - 1
    return np.clip(values, -most - 1, most)


def high_product(a: Ints, b: Ints | int, bits: int = 32) -> Ints:
    """SaturatingRoundingDoublingHighMul: a b / 2^(bits - 1), to nearest, ties up."""
    return saturated((np.asarray(a, np.int64) * b + (1 << bits - 2)) >> bits - 1, bits)


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


def multiplied_wide(values: Ints, multiplier: int | Ints, shift: int | Ints) -> Ints:
    """MultiplyByQuantizedMultiplier of sums of 48 bits: by the multiplier's upper 15 bits, rounded
    once, ties up. Raises ValueError where the kernels shift bits out: for sums of more bits, and
    for a shift from 8 on."""
    if np.max(shift, initial=0) > 7 or np.abs(values).max(initial=0) >= 1 << 47:
        raise ValueError("sums of int16 must have at most 48 bits, and a factor below 2^7")
    multiplier = np.asarray(multiplier, np.int64)
    reduced = np.where(multiplier < 0x7FFF0000, (multiplier + (1 << 15)) >> 16, 0x7FFF)
    places = 15 - np.asarray(shift, np.int64)
    half = np.int64(1) << places - 1
    return (np.asarray(values, np.int64) * reduced + half) >> places


def _times_power(values: Ints, exponent: int, bits: int = 32) -> Ints:
    """SaturatingRoundingMultiplyByPOT."""
    if exponent >= 0:
        return saturated(values << exponent, bits)
    return shifted_right(values, -exponent)


def _constant(value: int, bits: int) -> int:
    """A constant of 32 bits in ``bits``."""
    return int(shifted_right(np.array(value), 32 - bits))


def _exp_of_last_quarter(a: Ints, bits: int) -> Ints:
    """exp of a in [-1/4, 0), both Q0."""
    constant, third = _constant(1895147668, bits), _constant(715827883, bits)  # exp(-1/8), 1/3
    x = a + (1 << bits - 4)
    x2 = high_product(x, x, bits)
    x3 = high_product(x2, x, bits)
    x4 = high_product(x2, x2, bits)
    rest = high_product(_times_power(x4, -2, bits) + x3, third, bits) + x2
    inner = x + _times_power(rest, -1, bits)
    return saturated(constant + high_product(inner, constant, bits), bits)


def exp_of_negative(a: Ints, integer_bits: int, bits: int = 32) -> Ints:
    """exp(a) in Q0 for a up to 0 in Q(integer_bits)."""
    fraction = bits - 1 - integer_bits
    quarter = 1 << (fraction - 2)
    a_mod = (a & (quarter - 1)) - quarter
    result = _exp_of_last_quarter(_times_power(a_mod, integer_bits, bits), bits)
    remainder = a_mod - a
    factors = (1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242)
    for exponent, factor in zip(range(-2, 5), factors, strict=True):
        if integer_bits > exponent:
            bit = remainder >> (fraction + exponent) & 1
            result = np.where(bit == 1, high_product(result, _constant(factor, bits), bits), result)
    if integer_bits > 5:
        result = np.where(a < -(32 << fraction), 0, result)
    return np.where(a == 0, (1 << bits - 1) - 1, result)


def _reciprocal(a: Ints, bits: int) -> Ints:
    """2 / (1 + a) in Q2 for a in [0, 1] of Q0: three Newton steps."""
    one = (1 << bits - 1) - 1
    half = (a + one + 1) >> 1  # RoundingHalfSum
    x = _constant(1515870810, bits) + high_product(half, _constant(-1010580540, bits), bits)
    for _ in range(3):  # from 48/17 - 32/17 d
        rest = (1 << bits - 3) - high_product(half, x, bits)
        x = x + _times_power(high_product(x, rest, bits), 2, bits)
    return x


def half_over_one_plus(a: Ints, bits: int = 32) -> Ints:
    """1 / (1 + a) in Q0 for a in [0, 1] of Q0."""
    return _times_power(_reciprocal(a, bits), 1, bits)


def logistic(a: Ints, integer_bits: int, bits: int) -> Ints:
    """1 / (1 + exp(-a)) in Q0 of a in Q(integer_bits)."""
    one = (1 << bits - 1) - 1
    above = half_over_one_plus(exp_of_negative(-np.abs(a), integer_bits, bits), bits)
    half = 1 << bits - 2
    return np.where(a == 0, half, np.where(a > 0, above, one - above))


def tanh(a: Ints, integer_bits: int, bits: int) -> Ints:
    """tanh(a) in Q0 of a in Q(integer_bits): (1 - e) / (1 + e) of e = exp(-2 |a|)."""
    exponential = exp_of_negative(-np.abs(a), integer_bits + 1, bits)
    size = _times_power(_reciprocal(exponential, bits) - (1 << bits - 3), 2, bits)
    return np.where(a == 0, 0, np.where(a < 0, -size, size))


def inverse_root(value: int) -> tuple[int, int]:
    """(multiplier, shift) of 1 / sqrt(value) for a value from 0 up (0 counts as 1), as
    GetInvSqrtQuantizedMultiplierExp has it: five Newton steps in Q3."""
    if value <= 1:
        return MOST, 0
    shift = 11
    while value >= 1 << 29:
        value //= 4
        shift += 1
    pairs = (31 - value.bit_length()) // 2 - 1
    shift -= pairs
    given = np.array(value << 2 * pairs) >> 1
    half = _times_power(given, -1)
    x = np.array(1 << 28)
    for _ in range(5):
        cube = _times_power(high_product(high_product(x, x), x), 6)
        x = _times_power(high_product(np.array(3 << 27), x) - high_product(half, cube), 3)
    x = high_product(x, 1518500250)  # sqrt(1/2)
    return (int(x) << max(0, -shift), -max(0, shift))
