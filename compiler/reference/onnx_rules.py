"""What ONNX's operators compute, and onnxruntime's own with integers: operator by operator.

Integer sums are exact, and scaled as onnxruntime's QLinear operators do (onnx_scaling). Where
onnxruntime computes a group of DequantizeLinear, operator, QuantizeLinear as one QLinear operator,
so does this.
"""

from collections.abc import Mapping
from functools import wraps

import numpy as np
from numpy.typing import NDArray

from cimforge.compiler.graph.operator import (
    Concatenate,
    Convolution,
    Elementwise,
    FullyConnected,
    Function,
    HostOperator,
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
from cimforge.compiler.graph.tensor import KINDS, Tensor
from cimforge.compiler.reference.call import Call, Rule
from cimforge.compiler.reference.onnx_functions import ELEMENTWISE, FUNCTIONS
from cimforge.compiler.reference.onnx_hosts import EACH_ITEM, HOSTS
from cimforge.compiler.reference.onnx_normal import REDUCTIONS, softmax
from cimforge.compiler.reference.onnx_pooling import pool
from cimforge.compiler.reference.onnx_products import product
from cimforge.compiler.reference.onnx_qlinear import (
    qlinear_mean,
    qlinear_pair,
    qlinear_softmax,
)
from cimforge.compiler.reference.onnx_scaling import along, dequantised, quantised
from cimforge.compiler.reference.stored import stored

__all__ = ["EACH_ITEM", "ONNX_RULES"]


def _function(call: Call) -> NDArray:
    told = call.operator
    return FUNCTIONS[told.kind](stored(call, 0), told.alpha, told.beta)


def _elementwise(call: Call) -> NDArray:
    if call.made[0].quantisation:
        return qlinear_pair(call)
    return ELEMENTWISE[call.operator.kind](stored(call, 0), stored(call, 1))


def _softmax(call: Call) -> NDArray:
    if call.made[0].quantisation:
        return qlinear_softmax(call)
    return softmax(stored(call, 0), call.operator.axis, call.operator.beta)


def _reduce(call: Call) -> NDArray:
    if call.made[0].quantisation:
        return qlinear_mean(call)
    told = call.operator
    return REDUCTIONS[told.kind](stored(call, 0), axis=told.axes, keepdims=told.keep)


def _concatenate(call: Call) -> NDArray:
    arrays = [stored(call, place) for place in range(len(call.arrays))]
    return np.concatenate(arrays, call.operator.axis)


def _reshape(call: Call) -> NDArray:
    return stored(call, 0).reshape(call.shape)


def _transpose(call: Call) -> NDArray:
    return stored(call, 0).transpose(call.operator.order)


def _pad(call: Call) -> NDArray:
    x = stored(call, 0)
    return np.pad(x, call.operator.amounts, constant_values=x.dtype.type(call.operator.value))


def _slice(call: Call) -> NDArray:
    told = call.operator
    spans = list(map(slice, told.begin, told.end, told.step))
    if call.items > 1:
        spans[0] = slice(None)  # each item's own
    return stored(call, 0)[tuple(spans)].reshape(call.shape)


def _quantise(call: Call) -> NDArray:
    """To integers where the output has a scale, else from them."""
    x, y, values = call.tensor(0), call.made[0], call.array(0)
    if KINDS[y.kind] is None:
        return dequantised(values, *_scaling(x, values.ndim)).astype(y.kind)
    return quantised(values, *_scaling(y, values.ndim), y.limits)


def _scaling(tensor: Tensor, rank: int) -> tuple[NDArray, NDArray]:
    if tensor.quantisation is None:
        raise ValueError(f"tensor {tensor.name!r}: must be quantised, and has no scale")
    return along(tensor.quantisation, rank)


def _host(call: Call) -> NDArray | tuple[NDArray, ...]:
    told = call.operator
    return HOSTS[told.kind](call, **dict(told.attributes))


def _quiet(rule: Rule) -> Rule:
    """Floats that overflow, and what is no number, are the network's own."""

    @wraps(rule)
    def quiet(call: Call) -> NDArray | tuple[NDArray, ...]:
        with np.errstate(all="ignore"):
            return rule(call)

    return quiet


RULES: Mapping[type[Operator], Rule] = {
    Concatenate: _concatenate,
    Convolution: product,
    Elementwise: _elementwise,
    FullyConnected: product,
    Function: _function,
    HostOperator: _host,
    MatrixProduct: product,
    Pad: _pad,
    Pool: pool,
    Quantise: _quantise,
    Reduce: _reduce,
    Reshape: _reshape,
    Slice: _slice,
    Softmax: _softmax,
    Transpose: _transpose,
    TransposedConvolution: product,
}
ONNX_RULES: Mapping[type[Operator], Rule] = {kind: _quiet(rule) for kind, rule in RULES.items()}
