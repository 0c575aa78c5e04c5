"""Products of ONNX networks: of integers through whoever multiplies, of floats on the host.

A node reads x, w, a bias and, where these come at run time, the zero points of x and of w. What it
makes tells what becomes of the sums: int32 are the sums themselves, floats are scaled, integers
with a scale requantised.
"""

import numpy as np
from numpy.typing import NDArray

from cimforge.compiler.graph.operator import MatrixProduct
from cimforge.compiler.graph.tensor import KINDS
from cimforge.compiler.reference.call import Call, lowered, sums
from cimforge.compiler.reference.onnx_scaling import activation_limits, requantised, wrapped

__all__ = ["product"]

X_ZERO, W_ZERO = 3, 4  # inputs


def product(call: Call) -> NDArray:
    """A fully connected layer, convolution, transposed convolution or matrix product."""
    x, w, y = call.tensor(0), call.tensor(1), call.made[0]
    if KINDS[x.kind] is None or KINDS[w.kind] is None:
        return _of_floats(call)
    found = sums(call, int(_zeros(call, 0, X_ZERO).ravel()[0]), _zeros(call, 1, W_ZERO).ravel())
    bias = call.bias
    if bias is not None and np.issubdtype(bias.dtype, np.integer):
        found, bias = found + bias.astype(np.int64), None
    found = wrapped(found)
    if y.kind == "int32" and y.quantisation is None:
        return found.reshape(call.shape)
    if w.quantisation is None or x.quantisation is None:
        raise ValueError(f"{call.node}: {x.name!r} and {w.name!r} must be quantised")
    scales = np.float32(x.scale) * np.array(w.quantisation.scales, np.float32)
    if KINDS[y.kind] is None:
        scaled = found.astype(np.float32) * scales
        return (scaled if bias is None else scaled + bias).reshape(call.shape)
    low, high = activation_limits(getattr(call.operator, "activation", "none"), y)
    multipliers = scales / np.float32(y.scale)
    return requantised(found, multipliers, y.zero, low, high, y.limits).reshape(call.shape)


def _zeros(call: Call, operand: int, place: int) -> NDArray:
    """Zero points of an operand: those that come at run time, else its tensor's, else 0."""
    if len(call.arrays) > place and call.arrays[place] is not None:
        return call.array(place).astype(np.int64)
    told = call.tensor(operand).quantisation
    return np.array(told.zeros if told else (0,), np.int64)


def _of_floats(call: Call) -> NDArray:
    """What is not quantised stays on the host, in the precision that it has."""
    x, w = call.array(0), call.array(1)
    if isinstance(call.operator, MatrixProduct):
        x = np.swapaxes(x, -1, -2) if call.operator.turn_a else x
        w = np.swapaxes(w, -1, -2) if call.operator.turn_b else w
        found = x @ w
    else:
        parts, shape = lowered(call, x, w, 0)
        found = np.concatenate([part.x @ part.w for part in parts], axis=1).reshape(shape)
    if call.bias is not None:
        found = found + call.bias
    return found.reshape(call.shape)
