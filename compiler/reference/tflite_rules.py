"""What TensorFlow Lite's reference kernels compute with int8 and int16 tensors, operator by
operator. Sums are scaled with two roundings, as TensorFlow Lite 2 and TFLite Micro do.

Held against networks of others, bit for bit: convolutions, depthwise ones too, fully connected
layers, average pooling, softmax and reshape. The other rules follow the kernels' sources and have
no oracle yet, so no command offers them.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from cimforge.compiler.graph.operator import (
    Concatenate,
    Convolution,
    Elementwise,
    FullyConnected,
    Function,
    MatrixProduct,
    Operator,
    Pad,
    Pool,
    Quantise,
    Reduce,
    Reshape,
    Slice,
    Softmax,
    Transpose,
    TransposedConvolution,
)
from cimforge.compiler.graph.tensor import Tensor
from cimforge.compiler.reference.call import Call, sums
from cimforge.compiler.reference.fixed_point import (
    exp_of_negative,
    fixed_multiplier,
    half_over_one_plus,
    high_product,
    multiplied,
    saturated,
    shifted_right,
)
from cimforge.golden.requantise import requantise

__all__ = ["TFLITE_RULES"]

Ints = NDArray[np.int64]
ROUNDING = "double"  # of sums, see golden's rule E8


def activation_range(activation: str, y: Tensor) -> tuple[int, int]:
    """The least and greatest integer of y behind an activation (CalculateActivationRange)."""
    low, high = y.limits
    if activation == "none":
        return low, high
    least, most = {"relu": (0.0, None), "relu6": (0.0, 6.0), "relu_n1_to_1": (-1.0, 1.0)}[
        activation
    ]
    low = max(low, _quantised(least, y))
    return low, high if most is None else min(high, _quantised(most, y))


def _quantised(real: float, y: Tensor) -> int:
    """zero + round(real / scale), in float32, halves away from zero."""
    ratio = np.float32(real) / np.float32(y.scale)
    return y.zero + int(np.copysign(np.floor(np.abs(ratio) + np.float32(0.5)), ratio))


def _product(call: Call) -> NDArray:
    """Products with weights of one zero point, 0 in int8 models, and scales of their own."""
    x, w, y = call.tensor(0), call.tensor(1), call.made[0]
    operator = call.operator
    told = w.quantisation
    if told is None:
        raise ValueError(f"{call.node}: weights {w.name!r} must be quantised")
    found = sums(call, x.zero, np.array(told.zeros))
    if call.bias is not None:
        found = found + call.bias.astype(np.int64)
    pairs = [fixed_multiplier(_scale(operator, x, scale, y)) for scale in told.scales]
    multiplier, shift = (np.array(column) for column in zip(*pairs, strict=True))
    low, high = activation_range(getattr(operator, "activation", "none"), y)
    results = requantise(
        *(found, 0, multiplier, shift), rounding=ROUNDING, zero=y.zero, lowest=low, highest=high
    )
    return results.reshape(call.shape)


def _scale(operator: Operator, x: Tensor, w_scale: float, y: Tensor) -> float:
    """Of a sum in y: a fully connected layer multiplies its scales in float32 first."""
    if isinstance(operator, FullyConnected | MatrixProduct):
        return float(np.float32(x.scale) * np.float32(w_scale)) / y.scale
    return x.scale * w_scale / y.scale


def _pool(call: Call) -> NDArray:
    operator, x, y = call.operator, call.array(0).astype(np.int64), call.made[0]
    (above, below), (left, right) = operator.padding
    low, high = activation_range(operator.activation, y)
    fill = low if operator.kind == "max" else 0
    edges = ((0, 0), (above, below), (left, right), (0, 0))
    seen = _windows(np.pad(x, edges, constant_values=fill), operator)
    if operator.kind == "max":
        return np.clip(seen.max(axis=(3, 4)), low, high)
    counts = _windows(np.pad(np.ones_like(x), edges), operator).sum(axis=(3, 4))
    total = seen.sum(axis=(3, 4))
    rounded = (np.abs(total) + counts // 2) // counts
    return np.clip(np.sign(total) * rounded, low, high)


def _windows(x: Ints, operator: Pool) -> NDArray:
    """(B, OY, OX, KY, KX, C)."""
    seen = np.lib.stride_tricks.sliding_window_view(x, operator.window, axis=(1, 2))
    return seen[:, :: operator.stride[0], :: operator.stride[1]].transpose(0, 1, 2, 4, 5, 3)


def _softmax(call: Call) -> NDArray:
    """Exponentials of differences to the greatest, in 5 integer bits, and a reciprocal by Newton's
    steps: of int8."""
    operator, x, y = call.operator, call.array(0).astype(np.int64), call.tensor(0)
    scaled = min(operator.beta * y.scale * (1 << 26), (1 << 31) - 1.0)
    multiplier, left = fixed_multiplier(scaled)
    least = -((31 * (1 << 26)) >> left)
    difference = x - x.max(axis=-1, keepdims=True)
    near = difference >= least
    rescaled = high_product(saturated(np.where(near, difference, 0) << left), multiplier)
    exponential = exp_of_negative(rescaled, 5)
    total = np.where(near, shifted_right(exponential, 12), 0).sum(axis=-1, keepdims=True)
    zeros = 31 - np.floor(np.log2(total)).astype(np.int64)  # leading ones of 32 bits
    over = 12 - zeros
    scale = half_over_one_plus((total << zeros) - (1 << 31))
    low, high = call.made[0].limits
    bits = 8 if high == 127 else 16
    result = shifted_right(high_product(scale, exponential), over + 31 - bits) + low
    return np.where(near, np.clip(result, low, high), low)


def _elementwise(call: Call) -> NDArray:
    operator = call.operator
    if operator.kind in ("maximum", "minimum"):
        return getattr(np, operator.kind)(call.array(0), call.array(1))
    if operator.kind in ("add", "subtract"):
        return _added(call, -1 if operator.kind == "subtract" else 1)
    if operator.kind == "multiply":
        return _times(call)
    raise ValueError(f"{call.node}: {operator.kind} of integers is not computed here")


def _added(call: Call, sign: int) -> NDArray:
    """Both scaled to twice the greater scale, 20 bits up (15 of int16), added, and scaled back."""
    a, b, y = call.tensor(0), call.tensor(1), call.made[0]
    left = 15 if y.kind == "int16" else 20
    twice = 2.0 * max(a.scale, b.scale)
    terms = []
    for place, tensor in enumerate((a, b)):
        pair = fixed_multiplier(tensor.scale / twice)
        shifted = (call.array(place).astype(np.int64) - tensor.zero) << left
        terms.append(multiplied(shifted, *pair))
    pair = fixed_multiplier(twice / ((1 << left) * y.scale))
    low, high = activation_range(call.operator.activation, y)
    return np.clip(multiplied(terms[0] + sign * terms[1], *pair) + y.zero, low, high)


def _times(call: Call) -> NDArray:
    a, b, y = call.tensor(0), call.tensor(1), call.made[0]
    pair = fixed_multiplier(float(np.float32(a.scale) * np.float32(b.scale)) / y.scale)
    product = (call.array(0).astype(np.int64) - a.zero) * (call.array(1).astype(np.int64) - b.zero)
    low, high = activation_range(call.operator.activation, y)
    return np.clip(multiplied(product, *pair) + y.zero, low, high)


def _quantise(call: Call) -> NDArray:
    x, y = call.tensor(0), call.made[0]
    values = call.array(0)
    if y.quantisation is None:
        return ((values.astype(np.int64) - x.zero) * np.float32(x.scale)).astype(np.float32)
    low, high = y.limits
    if x.kind == "float32":
        ratio = values.astype(np.float32) / np.float32(y.scale)
        rounded = np.copysign(np.floor(np.abs(ratio) + 0.5), ratio)
        return np.clip(rounded.astype(np.int64) + y.zero, low, high)
    pair = fixed_multiplier(x.scale / y.scale)
    return np.clip(multiplied(values.astype(np.int64) - x.zero, *pair) + y.zero, low, high)


def _function(call: Call) -> NDArray:
    operator, x, y = call.operator, call.tensor(0), call.made[0]
    values = call.array(0).astype(np.int64)
    if operator.kind in ("relu", "relu6", "relu_n1_to_1"):
        pair = fixed_multiplier(x.scale / y.scale)
        low, high = activation_range(operator.kind, y)
        return np.clip(multiplied(values - x.zero, *pair) + y.zero, low, high)
    raise ValueError(f"{call.node}: {operator.kind} of integers is not computed here")


def _reduce(call: Call) -> NDArray:
    operator = call.operator
    if operator.kind != "max":
        raise ValueError(f"{call.node}: {operator.kind} of integers is not computed here")
    return call.array(0).max(axis=operator.axes, keepdims=operator.keep)


def _concatenate(call: Call) -> NDArray:
    """All inputs have the output's scale in int8 models."""
    y, operator = call.made[0], call.operator
    for tensor in call.read:
        if tensor is None or (tensor.scale, tensor.zero) != (y.scale, y.zero):
            raise ValueError(f"{call.node}: inputs must have the output's scale and zero point")
    return np.concatenate([array for array in call.arrays if array is not None], operator.axis)


def _pad(call: Call) -> NDArray:
    operator, x = call.operator, call.tensor(0)
    fill = _quantised(operator.value, x) if x.quantisation else operator.value
    return np.pad(call.array(0), operator.amounts, constant_values=fill)


def _reshape(call: Call) -> NDArray:
    return call.array(0).reshape(call.shape)


def _transpose(call: Call) -> NDArray:
    return call.array(0).transpose(call.operator.order)


def _slice(call: Call) -> NDArray:
    told = call.operator
    spans = list(map(slice, told.begin, told.end, told.step))
    if call.items > 1:
        spans[0] = slice(None)  # each item's own
    return call.array(0)[tuple(spans)].reshape(call.shape)


TFLITE_RULES: dict[type[Operator], Callable[[Call], NDArray]] = {
    Concatenate: _concatenate,
    Convolution: _product,
    Elementwise: _elementwise,
    FullyConnected: _product,
    Function: _function,
    MatrixProduct: _product,
    Pad: _pad,
    Pool: _pool,
    Quantise: _quantise,
    Reduce: _reduce,
    Reshape: _reshape,
    Slice: _slice,
    Softmax: _softmax,
    Transpose: _transpose,
    TransposedConvolution: _product,
}
