"""Scales as TensorFlow Lite's kernels use them: real numbers in integers, factors between two
tensors, ranges behind activations."""

import numpy as np
from numpy.typing import NDArray

from cimforge.compiler.graph.tensor import Tensor
from cimforge.compiler.reference.call import Call
from cimforge.compiler.reference.fixed_point import fixed_multiplier, multiplied

__all__ = [
    "Ints",
    "activation_range",
    "clamped",
    "half_away",
    "offset",
    "quantised",
    "quotient",
    "scaled",
]

Ints = NDArray[np.int64]
RANGES = {
    **{"relu": (0.0, None), "relu6": (0.0, 6.0)},
    **{"relu_0_to_1": (0.0, 1.0), "relu_n1_to_1": (-1.0, 1.0)},
}


def half_away(real: NDArray | np.floating) -> NDArray:
    """To the nearest integer, halves away from zero, of the same kind."""
    whole = np.trunc(real)
    return whole + np.where(np.abs(real - whole) >= 0.5, np.copysign(1, real), 0).astype(real.dtype)


def quantised(real: float, y: Tensor) -> int:
    """zero + round(real / scale), in float32, halves away from zero. Raises ValueError where that
    has no 32 bits."""
    ratio = half_away(np.float32(real) / np.float32(y.scale))
    if not np.abs(ratio) < 1 << 31:
        raise ValueError(f"tensor {y.name!r}: {real:g} leaves 32 bits at a scale of {y.scale:g}")
    return y.zero + int(ratio)


def activation_range(activation: str, y: Tensor) -> tuple[int, int]:
    """The least and greatest integer of y behind an activation (CalculateActivationRange)."""
    low, high = y.limits
    if activation == "none":
        return low, high
    least, most = RANGES[activation]
    low = max(low, quantised(least, y))
    return low, high if most is None else min(high, quantised(most, y))


def quotient(y: Tensor, *factors: float) -> float:
    """Factors over y's scale, in float32 as most kernels have it; infinite where that has no such
    number, which ``scaled`` refuses."""
    product = np.prod(np.array(factors, np.float32), dtype=np.float32)
    return float(product / np.float32(y.scale))


def offset(call: Call, place: int = 0) -> Ints:
    """An input without its zero point."""
    return call.array(place).astype(np.int64) - call.tensor(place).zero


def scaled(values: Ints, real: float) -> Ints:
    """Integers times a real number, by a multiplier and two roundings."""
    return multiplied(values, *fixed_multiplier(real))


def clamped(values: Ints, y: Tensor, activation: str = "none") -> Ints:
    """Integers of y's scale as y: its zero point added, in its range."""
    return np.clip(values + y.zero, *activation_range(activation, y))
