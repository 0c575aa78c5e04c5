"""onnxruntime's arithmetic of integers with a scale that is no product: QLinearAdd, QLinearMul,
QLinearGlobalAveragePool and QLinearSoftmax, as its kernels for x86 with AVX2 have it."""

import math

import numpy as np
from numpy.typing import NDArray

from cimforge.compiler.graph.tensor import Tensor
from cimforge.compiler.reference.call import Call
from cimforge.compiler.reference.onnx_scaling import activation_limits

__all__ = ["qlinear_mean", "qlinear_pair", "qlinear_softmax"]

Ints = NDArray[np.int64]
Floats = NDArray[np.floating]
FLOAT = np.float32


def qlinear_pair(call: Call) -> Ints:
    """``round(a a_scale / y_scale + b b_scale / y_scale + rest) + ...``, or the product's."""
    kind = call.operator.kind
    if kind not in PAIRS:
        raise ValueError(f"{call.node}: {kind} of integers with a scale is not computed here")
    y = call.made[0]
    found = PAIRS[kind](call, call.tensor(0), call.tensor(1), y)
    low, high = activation_limits(call.operator.activation, y)
    return np.clip(np.rint(np.clip(found, -(1 << 30), 1 << 30)).astype(np.int64), low, high)


def _fused(a: Floats | FLOAT, b: FLOAT, c: Floats | FLOAT) -> Floats:
    """``a b + c`` with one rounding, as float32 numbers: their products are exact in float64."""
    return (np.asarray(a, np.float64) * np.float64(b) + np.asarray(c, np.float64)).astype(FLOAT)


def _added(call: Call, a: Tensor, b: Tensor, y: Tensor) -> Floats:
    """The zero points are one constant, to which b is added, then a; but a first, in the constant
    too, where the innermost loop finds it to be one number. Each step rounds once."""
    of_a, of_b = FLOAT(a.scale) / FLOAT(y.scale), FLOAT(b.scale) / FLOAT(y.scale)
    one, other = call.array(0).astype(FLOAT), call.array(1).astype(FLOAT)
    if _is_alone(one.shape, other.shape):
        rest = FLOAT(y.zero) - _fused(of_b, FLOAT(b.zero), of_a * FLOAT(a.zero))
        return _fused(other, of_b, _fused(one, of_a, rest))
    rest = FLOAT(y.zero) - _fused(of_a, FLOAT(a.zero), of_b * FLOAT(b.zero))
    return _fused(one, of_a, _fused(other, of_b, rest))


def _is_alone(a: tuple[int, ...], b: tuple[int, ...]) -> bool:
    """Whether a has size 1 where the innermost axis of both has more."""
    rank = max(len(a), len(b))
    sizes = zip((1,) * (rank - len(a)) + a, (1,) * (rank - len(b)) + b, strict=True)
    for one, other in reversed(list(sizes)):
        if max(one, other) > 1:
            return one == 1
    return False


def _multiplied(call: Call, a: Tensor, b: Tensor, y: Tensor) -> Floats:
    scale = FLOAT(a.scale) * FLOAT(b.scale) / FLOAT(y.scale)
    one, other = (call.array(place).astype(np.int64) for place in (0, 1))
    product = (one - a.zero) * (other - b.zero)
    return product.astype(FLOAT) * scale + FLOAT(y.zero)


PAIRS = {"add": _added, "multiply": _multiplied}


def qlinear_mean(call: Call) -> Ints:
    """The mean over all of an image: ``round((sum - size zero) scale / (size y_scale))``."""
    x, y, axes = call.tensor(0), call.made[0], call.operator.axes
    size = math.prod(x.shape[axis] for axis in axes)
    values = call.array(0).astype(np.int64)
    total = values.sum(axis=axes, keepdims=call.operator.keep) - size * x.zero
    scale = FLOAT(x.scale) / (FLOAT(y.scale) * FLOAT(size))
    low, high = y.limits
    return np.clip(np.rint(total.astype(FLOAT) * scale).astype(np.int64) + y.zero, low, high)


def qlinear_softmax(call: Call) -> Ints:
    """By a table of exponentials of the distance to the greatest, as large as their sum allows; the
    output's scale counts as one over a whole number."""
    x, y, axis = call.tensor(0), call.made[0], call.operator.axis
    values = np.moveaxis(call.array(0), axis, -1).astype(np.int64)
    length = values.shape[-1]
    scale = float(FLOAT(x.scale))
    most = FLOAT(np.finfo(FLOAT).max) / FLOAT(length)
    shift = max(0.0, float(np.log(most)) - 5) / scale
    table = np.exp((np.arange(256) - 255 + shift) * scale).astype(FLOAT)
    powers = table[values - values.max(axis=-1, keepdims=True) + 255]
    total = np.cumsum(powers, axis=-1, dtype=FLOAT)[..., -1:]
    levels = np.floor(FLOAT(1) / FLOAT(y.scale))
    found = np.rint(powers * levels / total).astype(np.int64) + y.zero
    return np.moveaxis(np.clip(found, *y.limits), -1, axis)
