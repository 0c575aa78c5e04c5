"""Softmax over the last axis, as TensorFlow Lite's kernels compute it."""

import math
from functools import cache

import numpy as np
from numpy.typing import NDArray

from cimforge.compiler.reference.call import Call
from cimforge.compiler.reference.fixed_point import (
    exp_of_negative,
    fixed_multiplier,
    half_over_one_plus,
    high_product,
    multiplied,
    saturated,
    shifted_right,
)
from cimforge.compiler.reference.tflite_lookup import interpolated, sparse_table
from cimforge.compiler.reference.tflite_scaling import Ints

__all__ = ["softmax"]


def softmax(call: Call) -> NDArray:
    """Of 8 bits, or of int16."""
    y = call.made[0]
    is_wide = y.kind == "int16"
    one, zero = (1 << 15, 0) if is_wide else (1 << 8, y.limits[0])
    if abs(y.scale * one - 1) > 1e-3 or y.zero != zero:
        told = f"must have a scale of 1/{one} and a zero point of {zero}"
        raise ValueError(f"{call.node}: the output {told}")
    return (_of_int16 if is_wide else _of_bytes)(call)


def _of_bytes(call: Call) -> NDArray:
    """Exponentials of differences to the greatest, in 5 integer bits, and a reciprocal by Newton's
    steps."""
    operator, x, y = call.operator, call.array(0).astype(np.int64), call.tensor(0)
    scaled = min(operator.beta * y.scale * (1 << 26), (1 << 31) - 1.0)
    multiplier, left = fixed_multiplier(scaled)
    if left < 0 or not multiplier:
        raise ValueError(f"{call.node}: beta times the input's scale must be above 2^-26")
    least = -((31 * (1 << 26)) >> left)
    difference = x - x.max(axis=-1, keepdims=True)
    near = difference >= least
    rescaled = high_product(saturated(np.where(near, difference, 0) << left), multiplier)
    exponential = exp_of_negative(rescaled, 5)
    total = np.where(near, shifted_right(exponential, 12), 0).sum(axis=-1, keepdims=True)
    zeros = _leading_zeros(call, total)
    over = 12 - zeros
    scale = half_over_one_plus((total << zeros) - (1 << 31))
    low, high = call.made[0].limits
    result = shifted_right(high_product(scale, exponential), over + 31 - 8) + low
    return np.where(near, np.clip(result, low, high), low)


def _leading_zeros(call: Call, total: Ints) -> Ints:
    """Of sums in 32 bits; ValueError where they have more, which only long rows reach."""
    if total.max(initial=0) >= 1 << 31:
        raise ValueError(f"{call.node}: sums leave 32 bits, where the kernel's wrap")
    return 31 - np.floor(np.log2(total)).astype(np.int64)


@cache
def _tables() -> tuple[Ints, Ints]:
    """exp of [-10, 0], and 1 / (1 + x) of [0, 1]."""
    span = (1 << 16) - 1
    exponential = sparse_table(math.exp, 10.0 / span, (1 << 15) - 1, 2.0 / span, np.float64)
    reciprocal = sparse_table(
        lambda x: 1.0 / (1.0 + x), 1.0 / span, -(1 << 15), 2.0 / span, np.float64
    )
    return exponential, reciprocal


def _of_int16(call: Call) -> NDArray:
    """Both the exponentials and the reciprocal of their sum, moved to [1, 2), by tables."""
    exponentials, reciprocals = _tables()
    x = call.array(0).astype(np.int64)
    pair = fixed_multiplier(call.tensor().scale * call.operator.beta / (10.0 / 65535.0))
    far = multiplied(x - x.max(axis=-1, keepdims=True), *pair) + 32767
    exponential = interpolated(np.clip(far, -32768, 32767), exponentials)
    total = exponential.sum(axis=-1, keepdims=True)
    zeros = _leading_zeros(call, total)
    moved = ((total << zeros - 1) + (1 << 13) >> 14) - (3 << 15)
    scale = interpolated(np.clip(moved, -32768, 32767), reciprocals)
    right = 31 - zeros
    return np.clip(exponential * scale + (1 << right - 1) >> right, 0, 32767)
