"""Scales and zero points that come at run time, and QONNX's nodes of low bits."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cimforge.compiler.graph.tensor import KINDS
from cimforge.compiler.reference.onnx_scaling import dequantised, quantised

__all__ = ["DYNAMIC", "dynamically_quantised"]


def dynamically_quantised(x: NDArray) -> tuple[NDArray, NDArray, NDArray]:
    """DynamicQuantizeLinear: (uint8, scale, zero point), so that 0 is a value of its own."""
    low = np.minimum(x.min(initial=0), 0).astype(np.float32)
    high = np.maximum(x.max(initial=0), 0).astype(np.float32)
    scale = np.float32(1) if low == high else (high - low) / np.float32(255)
    zero = np.rint(np.clip(np.float32(0) - low / scale, 0, 255))
    values = quantised(x, np.array(scale, np.float32), np.array(int(zero)), (0, 255))
    return values.astype(np.uint8), np.array(scale, np.float32), np.array(zero, np.uint8)


def quantize_linear(
    x: NDArray, scale: NDArray, zero: NDArray | None = None, *, axis: int, kind: str
) -> NDArray:
    """QuantizeLinear whose scale is no constant."""
    shape = _along(scale, axis, x.ndim)
    limits = KINDS[kind]
    assert limits is not None
    zeros = np.zeros((), np.int64) if zero is None else zero.astype(np.int64)
    told = quantised(
        x,
        scale.astype(np.float32).reshape(shape),
        zeros.reshape(shape if zeros.ndim else ()),
        limits,
    )
    return told.astype(kind)


def dequantize_linear(
    x: NDArray, scale: NDArray, zero: NDArray | None = None, *, axis: int
) -> NDArray:
    """DequantizeLinear whose scale is no constant."""
    shape = _along(scale, axis, x.ndim)
    zeros = np.zeros((), np.int64) if zero is None else zero.astype(np.int64)
    zeros = zeros.reshape(shape if zeros.ndim else ())
    return dequantised(x, scale.astype(np.float32).reshape(shape), zeros).astype(scale.dtype)


def _along(scale: NDArray, axis: int, rank: int) -> tuple[int, ...]:
    if scale.size == 1:
        return ()
    if scale.ndim != 1:
        raise ValueError("scales of blocks are not computed here")
    return tuple(-1 if place == axis % rank else 1 for place in range(rank))


def truncated(
    x: NDArray,
    *,
    scales: tuple[float, float],
    zeros: tuple[float, float],
    divisor: float,
    rounding: str,
    limits: tuple[float, float],
) -> NDArray:
    """QONNX's Trunc: bits below ``divisor`` (a power of 2) go, by ``rounding``; scale and zero
    point of what is read and of what is made."""
    whole = np.rint(x / np.float32(scales[0]) + np.float32(zeros[0])) / np.float32(divisor)
    held = ROUNDINGS[rounding](np.clip(whole, *limits))
    return ((held - np.float32(zeros[1])) * np.float32(scales[1])).astype(np.float32)


def rounded_into(
    x: NDArray, scale: NDArray, zero: NDArray, *, axis: int, rounding: str, low: int, high: int
) -> NDArray:
    """QONNX's Quant before it is scaled back: clipped, then rounded."""
    shape = _along(scale, axis, x.ndim)
    ratio = x / scale.reshape(shape) + zero.reshape(shape if zero.ndim else ())
    return ROUNDINGS[rounding](np.clip(ratio, low, high)).astype(np.int64)


def signs(x: NDArray) -> NDArray:
    """QONNX's BipolarQuant before it is scaled: 1 from 0 up, else -1."""
    return np.where(x >= 0, 1, -1)


ROUNDINGS: dict[str, Callable[[NDArray], NDArray]] = {
    "ROUND": np.rint,
    "HALF_EVEN": np.rint,
    "CEIL": np.ceil,
    "FLOOR": np.floor,
    "ROUND_TO_ZERO": np.trunc,
    "UP": lambda x: np.sign(x) * np.ceil(np.abs(x)),
    "DOWN": np.trunc,
    "HALF_UP": lambda x: np.sign(x) * np.floor(np.abs(x) + 0.5),
    "HALF_DOWN": lambda x: np.sign(x) * np.ceil(np.abs(x) - 0.5),
}

DYNAMIC: dict[str, Callable[..., Any]] = {
    "BipolarQuant": signs,
    "DequantizeLinear": dequantize_linear,
    "DynamicQuantizeLinear": dynamically_quantised,
    "Quant": rounded_into,
    "QuantizeLinear": quantize_linear,
    "Trunc": truncated,
}
