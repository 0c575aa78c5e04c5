"""Requantisation: sums with bias to elements, in three roundings (README.md, E7..E10).

``r = v * multiplier * 2^(shift - 31)`` for ``v = sum + bias``, rounded to an integer in a named
way, then plus a zero point and clamped. Everything is exact until that rounding: 48 bits of sum
times 31 bits of multiplier are no int64, and then Python's integers take over.
"""

from collections.abc import Callable
from typing import Any, SupportsIndex

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cimforge.golden.numerics import Ints, check_array, check_number
from cimforge.hdl.params.descriptors import ROUNDINGS

__all__ = ["requantise"]

Exact = NDArray[Any]  # int64, or object: Python's integers, where int64 would not hold a product

INT16 = -(1 << 15), (1 << 15) - 1
INT32 = -(1 << 31), (1 << 31) - 1
INT64 = -(1 << 63), (1 << 63) - 1
POINT = 31  # fraction bits of a multiplier, Q31
ROOM = 1 << 62  # products below it leave an int64 a bit for what rounding adds


def requantise(
    sums: ArrayLike,
    bias: ArrayLike,
    multiplier: ArrayLike,
    shift: ArrayLike,
    *,
    rounding: str,
    zero: SupportsIndex = 0,
    lowest: SupportsIndex = INT16[0],
    highest: SupportsIndex = INT16[1],
) -> Ints:
    """``clamp(round((sums + bias) * multiplier * 2^(shift - 31)) + zero, lowest, highest)``.

    ``sums`` (..., channels) are integers, in arrays of objects of any size. ``bias`` int32,
    ``multiplier`` 0..2^31-1 and ``shift`` -31..31, positive to the left, have one value a channel
    or one for all; ``zero``, ``lowest`` and ``highest`` are int16. ``rounding`` is one of
    ROUNDINGS:

    ``double``
        twice, in 32 bits: TensorFlow Lite's MultiplyByQuantizedMultiplier, made of gemmlowp's
        SaturatingRoundingDoublingHighMul and RoundingDivideByPOT.
    ``single``
        once, the exact product, ties up: TensorFlow Lite's, built for single rounding.
    ``half_even``
        once, the exact product, ties to even: IEEE 754's, and that of ONNX's QuantizeLinear.

    Returns int64 of the shape of ``sums``. Raises ValueError, one line, for a parameter out of its
    range, ``lowest`` above ``highest``, and sums that are no integers.
    """
    least = check_number("lowest", lowest, *INT16)
    most = check_number("highest", highest, least, INT16[1])
    origin = check_number("zero", zero, *INT16)
    if rounding not in ROUNDINGS:
        rule = f"must be one of {', '.join(ROUNDINGS)}, not {rounding!r}"
        raise ValueError(f"rounding {rule} (nearest legal value: {ROUNDINGS[0]!r})")
    factors = check_array("multiplier", multiplier, 0, INT32[1])
    left = check_array("shift", shift, -POINT, POINT)
    values = _exact(sums, check_array("bias", bias, *INT32), int(factors.max(initial=1)))
    rounded = ROUND[rounding](values, factors, left) + origin
    return np.clip(rounded, least, most).astype(np.int64)


def _exact(sums: ArrayLike, bias: Ints, factor: int) -> Exact:
    """``sums + bias``, of a type that holds their products with up to ``factor`` exactly."""
    wide = np.atleast_1d(sums)
    if wide.dtype != object:
        wide = check_array("sums", wide, *INT64)
    elif not all(isinstance(each, int | np.integer) for each in wide.flat):
        raise ValueError("sums must be integers, not object (nearest legal value: int64)")
    most = max(-int(wide.min()), int(wide.max())) if wide.size else 0
    if (most - INT32[0]) * factor >= ROOM:
        wide = wide.astype(object)
    return wide + bias


def _double(values: Exact, factors: Ints, left: Ints) -> Exact:
    """``d = round(u * multiplier / 2^31)`` of ``u``, the values shifted left and saturated to
    int32, ties up; then ``round(d / 2^-shift)`` where the shift is to the right, ties away from
    zero.

    Both to nearest; that their ties differ is gemmlowp's: its first step is the instruction
    VQRDMULH of ARM, which adds one half and drops the fraction. ``d`` fits an int32, for the
    multiplier is below 2^31 and not negative.
    """
    # What saturates before the shift does so behind it: shifting keeps the order.
    narrow = np.clip(values, *INT32).astype(np.int64)
    shifted = np.clip(narrow << np.maximum(left, 0), *INT32)
    return _half_away(_half_up(shifted * factors, np.array(POINT)), np.maximum(-left, 0))


def _single(values: Exact, factors: Ints, left: Ints) -> Exact:
    """``floor(values * multiplier / 2^t + 1/2)`` for t = 31 - shift."""
    return _half_up(values * factors, POINT - left)


def _half_even(values: Exact, factors: Ints, left: Ints) -> Exact:
    """``values * multiplier / 2^t`` for t = 31 - shift to nearest, a tie to the even one."""
    places = POINT - left
    product = values * factors
    below = product >> places
    rest = product - (below << places)
    half = _half(places)
    # Without a fraction (t = 0) half is 0, and so is the rest: no tie.
    up = (rest > half) | ((rest == half) & (half > 0) & (below % 2 == 1))
    return below + up


def _half_up(values: Exact, places: Ints) -> Exact:
    """``values / 2^places`` to nearest, ties towards more."""
    return (values + _half(places)) >> places


def _half_away(values: Exact, places: Ints) -> Exact:
    """``values / 2^places`` to nearest, ties away from zero."""
    size = (np.abs(values) + _half(places)) >> places
    return np.where(values < 0, -size, size)


def _half(places: Ints) -> Ints:
    """One half in units of 2^-places: 2^(places - 1), of no places 0."""
    return (1 << places) >> 1


ROUND: dict[str, Callable[[Exact, Ints, Ints], Exact]] = {
    "double": _double,
    "single": _single,
    "half_even": _half_even,
}
