"""Pooling and means as TensorFlow Lite's kernels compute them: what is divided by a count."""

import numpy as np
from numpy.typing import NDArray

from cimforge.compiler.graph.operator import Pool
from cimforge.compiler.reference.call import Call
from cimforge.compiler.reference.fixed_point import fixed_multiplier, multiplied
from cimforge.compiler.reference.tflite_scaling import Ints, activation_range, clamped, offset

__all__ = ["pooled", "reduced"]


def pooled(call: Call) -> NDArray:
    """The greatest, or the mean, of what lies in the image: sums are divided by what was added,
    halves away from zero. Zero points stay in."""
    operator, x, y = call.operator, call.array(0).astype(np.int64), call.made[0]
    _same_scale(call)
    (above, below), (left, right) = operator.padding
    low, high = activation_range(operator.activation, y)
    edges = ((0, 0), (above, below), (left, right), (0, 0))
    if operator.kind == "max":
        filled = np.pad(x, edges, constant_values=y.limits[0])
        return np.clip(_windows(filled, operator).max(axis=(3, 4)), low, high)
    counts = _windows(np.pad(np.ones_like(x), edges), operator).sum(axis=(3, 4))
    total = _windows(np.pad(x, edges), operator).sum(axis=(3, 4))
    rounded = (np.abs(total) + counts // 2) // counts
    return np.clip(np.sign(total) * rounded, low, high)


def _windows(x: Ints, operator: Pool) -> NDArray:
    """(B, OY, OX, KY, KX, C)."""
    seen = np.lib.stride_tricks.sliding_window_view(x, operator.window, axis=(1, 2))
    return seen[:, :: operator.stride[0], :: operator.stride[1]].transpose(0, 1, 2, 4, 5, 3)


def reduced(call: Call) -> NDArray:
    """The greatest and the least as they are. A mean's sum is scaled once, by a multiplier that is
    divided by the count, after it was moved left as far as a count of that many bits leaves
    room."""
    operator, x, y = call.operator, call.tensor(), call.made[0]
    if operator.kind in ("max", "min"):
        _same_scale(call)
        return getattr(call.array(0), operator.kind)(axis=operator.axes, keepdims=operator.keep)
    if operator.kind != "mean":
        raise ValueError(f"{call.node}: {operator.kind} of integers is not computed here")
    values = offset(call)
    total = values.sum(axis=operator.axes, keepdims=operator.keep)
    if np.abs(total).max(initial=0) >= 1 << 31:
        raise ValueError(f"{call.node}: sums leave 32 bits, where the kernel's wrap")
    multiplier, shift = fixed_multiplier(x.scale / y.scale)
    count = max(1, values.size // max(1, total.size))
    left = min(count.bit_length() - 1, 32, 31 + shift)
    return clamped(multiplied(total, (multiplier << left) // count, shift - left), y)


def _same_scale(call: Call) -> None:
    x, y = call.tensor(), call.made[0]
    if x.quantisation != y.quantisation:
        raise ValueError(f"{call.node}: input must have the output's scale and zero point")
