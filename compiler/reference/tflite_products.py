"""Products as TensorFlow Lite's kernels scale them: convolutions, fully connected layers, products
of two matrices at run time."""

import numpy as np
from numpy.typing import NDArray

from cimforge.compiler.graph.operator import FullyConnected, MatrixProduct, Operator
from cimforge.compiler.graph.tensor import Tensor
from cimforge.compiler.reference.call import Call, sums
from cimforge.compiler.reference.fixed_point import fixed_multiplier, multiplied_wide
from cimforge.compiler.reference.tflite_scaling import Ints, activation_range, clamped, half_away
from cimforge.golden.requantise import requantise

__all__ = ["real_product", "scaled_product"]

MOST_SUM = (1 << 31) - 1  # kernels add up in int32 and wrap


def scaled_product(call: Call) -> NDArray:
    """Sums times a multiplier a channel, with two roundings; with one where they have 64 bits, as
    those of int16 with a bias of int64, or without one, have."""
    x, w, y = call.tensor(0), call.tensor(1), call.made[0]
    found = _sums(call)
    pairs = [fixed_multiplier(_factor(call.operator, x, scale, y)) for scale in _scales(w)]
    multiplier, shift = (np.array(column) for column in zip(*pairs, strict=True))
    activation = getattr(call.operator, "activation", "none")
    if _is_wide(call):
        results = clamped(multiplied_wide(found, multiplier, shift), y, activation)
    else:
        low, high = activation_range(activation, y)
        results = requantise(
            *(found, 0, multiplier, shift), rounding="double", zero=y.zero, lowest=low, highest=high
        )
    return results.reshape(call.shape)


def real_product(call: Call) -> NDArray:
    """Sums times a real number of float64 a channel, rounded once, halves away from zero: LiteRT's
    reference kernel of fully connected layers."""
    x, w, y = call.tensor(0), call.tensor(1), call.made[0]
    factors = x.scale * np.array(_scales(w)) / y.scale
    results = half_away(_sums(call).astype(np.float64) * factors).astype(np.int64)
    return clamped(results, y, call.operator.activation).reshape(call.shape)


def _is_wide(call: Call) -> bool:
    """Whether the kernel's sums have 64 bits."""
    if call.tensor().kind != "int16":
        return False
    bias = call.read[2] if len(call.read) > 2 else None
    return bias is None or bias.kind == "int64"


def _scales(w: Tensor) -> tuple[float, ...]:
    if w.quantisation is None:
        raise ValueError(f"tensor {w.name!r}: must be quantised, and has no scale")
    return w.quantisation.scales


def _sums(call: Call) -> Ints:
    """Sums with the bias."""
    told = call.tensor(1).quantisation
    zeros = (0,) if told is None else told.zeros
    found = sums(call, call.tensor().zero, np.array(zeros))
    if call.bias is not None:
        found = found + call.bias.astype(np.int64)
    if not _is_wide(call) and np.abs(found).max(initial=0) > MOST_SUM:
        raise ValueError(f"{call.node}: sums leave 32 bits, where the kernel's wrap")
    return found


def _factor(operator: Operator, x: Tensor, w_scale: float, y: Tensor) -> float:
    """Of a sum in y; scales of one number each are multiplied in float32 first but for
    convolutions."""
    if isinstance(operator, FullyConnected | MatrixProduct):
        return float(np.float32(x.scale) * np.float32(w_scale)) / y.scale
    return x.scale * w_scale / y.scale
