"""ONNX's normalisations, sums and softmax of floats."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["NORMAL", "REDUCTIONS", "softmax"]


def softmax(x: NDArray, axis: int, beta: float = 1.0) -> NDArray:
    """``exp(beta (x - max)) / sum``."""
    powers = np.exp((x - x.max(axis=axis, keepdims=True)) * x.dtype.type(beta))
    return powers / powers.sum(axis=axis, keepdims=True)


def log_softmax(x: NDArray, *, axis: int) -> NDArray:
    """Its logarithm, without its underflow."""
    away = x - x.max(axis=axis, keepdims=True)
    return away - np.log(np.exp(away).sum(axis=axis, keepdims=True))


def _centred(x: NDArray, axes: tuple[int, ...], epsilon: float) -> tuple[NDArray, ...]:
    """(x - mean) / deviation, mean, 1 / deviation, in float32 at least."""
    wide = x.astype(np.result_type(x.dtype, np.float32))
    mean = wide.mean(axis=axes, keepdims=True)
    away = wide - mean
    spread = (away * away).mean(axis=axes, keepdims=True)
    inverse = 1 / np.sqrt(spread + wide.dtype.type(epsilon))
    return away * inverse, mean, inverse


def layer_normalization(
    x: NDArray, scale: NDArray, bias: NDArray | None = None, *, axis: int, epsilon: float, made: int
) -> tuple[NDArray, ...]:
    """Over the axes from ``axis`` on; ``made`` outputs of (y, mean, 1 / deviation)."""
    axes = tuple(range(axis % x.ndim, x.ndim))
    held, mean, inverse = _centred(x, axes, epsilon)
    y = held.astype(x.dtype) * scale
    return (y if bias is None else y + bias, mean, inverse)[:made]


def skip_layer_normalization(
    x: NDArray,
    skip: NDArray,
    scale: NDArray,
    beta: NDArray | None = None,
    bias: NDArray | None = None,
    *,
    epsilon: float,
) -> NDArray:
    """LayerNormalization of x + skip (+ bias) over the last axis."""
    total = x + skip if bias is None else x + skip + bias
    (y,) = layer_normalization(total, scale, beta, axis=-1, epsilon=epsilon, made=1)
    return y


def rms_normalization(x: NDArray, scale: NDArray, *, axis: int, epsilon: float) -> NDArray:
    """Without a mean."""
    wide = x.astype(np.result_type(x.dtype, np.float32))
    axes = tuple(range(axis % x.ndim, x.ndim))
    square = (wide * wide).mean(axis=axes, keepdims=True)
    return (wide / np.sqrt(square + wide.dtype.type(epsilon))).astype(x.dtype) * scale


def batch_normalization(
    x: NDArray, scale: NDArray, bias: NDArray, mean: NDArray, variance: NDArray, *, epsilon: float
) -> NDArray:
    """Of channels, axis 1, by constants."""
    shape = (1, -1, *(1,) * (x.ndim - 2)) if x.ndim > 1 else (-1,)
    factor = scale / np.sqrt(variance + variance.dtype.type(epsilon))
    return x * factor.reshape(shape) + (bias - mean * factor).reshape(shape)


def instance_normalization(x: NDArray, scale: NDArray, bias: NDArray, *, epsilon: float) -> NDArray:
    """Of each channel by itself."""
    shape = (1, -1, *(1,) * (x.ndim - 2))
    held, _, _ = _centred(x, tuple(range(2, x.ndim)), epsilon)
    return held.astype(x.dtype) * scale.reshape(shape) + bias.reshape(shape)


def _log_sum_exp(x: NDArray, axis: tuple[int, ...], keepdims: bool) -> NDArray:
    most = x.max(axis=axis, keepdims=True)
    found = np.log(np.exp(x - most).sum(axis=axis, keepdims=True)) + most
    return found if keepdims else np.squeeze(found, axis)


# kind: of (x, axis=, keepdims=)
REDUCTIONS: dict[str, Callable[..., Any]] = {
    "l1": lambda x, **told: np.abs(x).sum(dtype=x.dtype, **told),
    "l2": lambda x, **told: np.sqrt((x * x).sum(dtype=x.dtype, **told)),
    "log_sum": lambda x, **told: np.log(x.sum(dtype=x.dtype, **told)),
    "log_sum_exp": _log_sum_exp,
    "max": lambda x, **told: x.max(**told),
    "mean": lambda x, **told: x.mean(dtype=x.dtype, **told),
    "min": lambda x, **told: x.min(**told),
    "product": lambda x, **told: x.prod(dtype=x.dtype, **told),
    "sum": lambda x, **told: x.sum(dtype=x.dtype, **told),
    "sum_square": lambda x, **told: (x * x).sum(dtype=x.dtype, **told),
}

NORMAL: dict[str, Callable[..., Any]] = {
    "BatchNormalization": batch_normalization,
    "InstanceNormalization": instance_normalization,
    "LayerNormalization": layer_normalization,
    "LogSoftmax": log_softmax,
    "RMSNormalization": rms_normalization,
    "SkipLayerNormalization": skip_layer_normalization,
}
