"""What TensorFlow Lite's reference kernels compute with integers, operator by operator: a rule for
each, by kind in the files tflite_*.py beside this one.

TFLITE_RULES scale every sum with two roundings, as TensorFlow Lite 2 and TFLite Micro do.
LITERT_RULES are those of LiteRT's reference kernels, whose fully connected layers round once.
Both are held against others' networks and kernels bit for bit (importers/tests).
"""

from collections.abc import Mapping

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
from cimforge.compiler.reference.call import Call, Rule
from cimforge.compiler.reference.tflite_elementwise import elementwise
from cimforge.compiler.reference.tflite_functions import function
from cimforge.compiler.reference.tflite_lstm import lstm
from cimforge.compiler.reference.tflite_moves import (
    concatenate,
    gather,
    pad,
    quantise,
    reshape,
    resize_nearest,
    slices,
    stack,
    transpose,
)
from cimforge.compiler.reference.tflite_products import real_product, scaled_product
from cimforge.compiler.reference.tflite_softmax import softmax
from cimforge.compiler.reference.tflite_windows import pooled, reduced

__all__ = ["LITERT_RULES", "TFLITE_EACH_ITEM", "TFLITE_HOST", "TFLITE_RULES"]

# Operators that only TensorFlow Lite has, by their kind.
TFLITE_HOST: dict[str, Rule] = {
    "Gather": gather,
    "Pack": stack,
    "ResizeNearestNeighbor": resize_nearest,
    "UnidirectionalSequenceLstm": lstm,
}
# those that work on each item of axis 0 by itself
TFLITE_EACH_ITEM = frozenset({"ResizeNearestNeighbor"})


def _host(call: Call) -> NDArray | tuple[NDArray, ...]:
    return TFLITE_HOST[call.operator.kind](call)


def _quiet(rule: Rule) -> Rule:
    """A rule whose infinities are refused by name, and not warned of before."""

    def quiet(call: Call) -> NDArray | tuple[NDArray, ...]:
        with np.errstate(all="ignore"):
            return rule(call)

    return quiet


RULES: dict[type[Operator], Rule] = {
    Concatenate: concatenate,
    Convolution: scaled_product,
    Elementwise: elementwise,
    FullyConnected: scaled_product,
    Function: function,
    HostOperator: _host,
    MatrixProduct: scaled_product,
    Pad: pad,
    Pool: pooled,
    Quantise: quantise,
    Reduce: reduced,
    Reshape: reshape,
    Slice: slices,
    Softmax: softmax,
    Transpose: transpose,
    TransposedConvolution: scaled_product,
}
TFLITE_RULES: Mapping[type[Operator], Rule] = {kind: _quiet(rule) for kind, rule in RULES.items()}
LITERT_RULES: Mapping[type[Operator], Rule] = {
    **TFLITE_RULES,
    FullyConnected: _quiet(real_product),
}
