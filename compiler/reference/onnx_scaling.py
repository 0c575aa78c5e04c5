"""Between floats and integers as ONNX and onnxruntime have it: float32, halves to even, saturated.

``q = saturate(round(x / scale) + zero)`` and ``x = (q - zero) * scale``. A sum becomes
``saturate(round(float32(sum) * multiplier) + zero)`` with ``multiplier = x_scale * w_scale /
y_scale``, multiplied in this order: MlasRequantizeOutput, QLinearConv, QLinearMatMul, QGemm.
"""

import numpy as np
from numpy.typing import NDArray

from cimforge.compiler.graph.tensor import Quantisation, Tensor

__all__ = ["activation_limits", "along", "dequantised", "quantised", "requantised", "wrapped"]

Ints = NDArray[np.int64]
Floats = NDArray[np.floating]
ACTIVATIONS = {
    "none": (None, None),
    "relu": (0.0, None),
    "relu6": (0.0, 6.0),
    "relu_n1_to_1": (-1.0, 1.0),
}


def wrapped(sums: Ints) -> Ints:
    """Modulo 2^32, as an int32 accumulator holds them."""
    return sums.astype(np.int32).astype(np.int64)


def along(told: Quantisation, rank: int) -> tuple[Floats, Ints]:
    """Scales (float32) and zero points in a shape that broadcasts against ``rank`` axes."""
    shape = [1] * rank
    if told.channels > 1:
        shape[told.axis] = told.channels
    scales = np.array(told.scales, np.float32)
    zeros = np.array(told.zeros, np.int64)
    if not rank:
        return scales.reshape(()), zeros.reshape(())
    return scales.reshape(shape), zeros.reshape(shape)


def quantised(x: Floats, scales: Floats, zeros: Ints, limits: tuple[int, int]) -> Ints:
    """QuantizeLinear. Saturated before the rounding, as a float beyond int64 is no integer; what is
    no number becomes the least."""
    low, high = limits
    ratio = x.astype(np.float32) / scales
    held = np.rint(np.clip(np.nan_to_num(ratio, nan=-np.inf), low - zeros, high - zeros))
    return held.astype(np.int64) + zeros


def dequantised(q: Ints, scales: Floats, zeros: Ints) -> Floats:
    """DequantizeLinear."""
    return (q.astype(np.int64) - zeros).astype(np.float32) * scales


def requantised(
    sums: Ints, multipliers: Floats, zero: int, low: int, high: int, limits: tuple[int, int]
) -> Ints:
    """Sums (..., N) of int32 into integers of ``limits``, held in ``low`` .. ``high``."""
    scaled = sums.astype(np.float32) * multipliers
    held = np.clip(scaled, np.float32(limits[0] - zero), np.float32(limits[1] - zero))
    return np.clip(np.rint(held).astype(np.int64) + zero, low, high)


def activation_limits(activation: str, y: Tensor) -> tuple[int, int]:
    """The least and greatest integer of y behind an activation."""
    low, high = y.limits
    least, most = ACTIVATIONS[activation]
    scales, zeros = np.array(y.scale, np.float32), np.array(y.zero)
    if least is not None:
        low = max(low, int(quantised(np.array(least, np.float32), scales, zeros, y.limits)))
    if most is not None:
        high = min(high, int(quantised(np.array(most, np.float32), scales, zeros, y.limits)))
    return low, high
