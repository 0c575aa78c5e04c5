"""Pooling of images (B, H, W, C): by ONNX's rules, in the precision of the input."""

import numpy as np
from numpy.typing import NDArray

from cimforge.compiler.graph.operator import Pool
from cimforge.compiler.graph.tensor import KINDS
from cimforge.compiler.reference.call import Call
from cimforge.compiler.reference.onnx_scaling import dequantised
from cimforge.compiler.reference.stored import stored

__all__ = ["pool", "windows"]


def windows(x: NDArray, operator: Pool, fill: float) -> NDArray:
    """(B, OY, OX, C, KY, KX) of x with ``fill`` around it."""
    (above, below), (left, right) = operator.padding
    x = np.pad(x, ((0, 0), (above, below), (left, right), (0, 0)), constant_values=fill)
    (apart_y, apart_x), (step_y, step_x) = operator.dilation, operator.stride
    spans = (
        (operator.window[0] - 1) * apart_y + 1,
        (operator.window[1] - 1) * apart_x + 1,
    )
    seen = np.lib.stride_tricks.sliding_window_view(x, spans, axis=(1, 2))
    return seen[:, ::step_y, ::step_x, :, ::apart_y, ::apart_x]


def counts(shape: tuple[int, ...], operator: Pool) -> NDArray:
    """(OY, OX): elements of x in each window, the first ``counted`` of its padding too."""
    ones = np.ones((1, *shape[1:3], 1))
    (above, below), (left, right) = operator.padding
    if not operator.counted:
        return windows(ones, operator, 0).sum(axis=(4, 5))[0, :, :, 0]
    below, right = min(below, operator.counted[0]), min(right, operator.counted[1])
    ones = np.pad(ones, ((0, 0), (above, below), (left, right), (0, 0)), constant_values=1)
    (_, more_below), (_, more_right) = operator.padding
    rest = Pool(
        operator.kind,
        operator.window,
        operator.stride,
        ((0, more_below - below), (0, more_right - right)),
        dilation=operator.dilation,
    )
    return windows(ones, rest, 0).sum(axis=(4, 5))[0, :, :, 0]


def pool(call: Call) -> NDArray:
    """The greatest, or the mean, of each window; padding takes no part unless it is counted.

    A mean of integers with a scale is QLinearAveragePool's: of their floats, and ``round(mean /
    y_scale + zero)``; padding that is counted counts as far as the window reaches.
    """
    operator, x, y = call.operator, stored(call, 0), call.made[0]
    if operator.kind == "max":
        limits = KINDS[call.tensor(0).kind]
        return windows(x, operator, limits[0] if limits else -np.inf).max(axis=(4, 5))
    if y.quantisation is None:
        return _sums(x, operator) / counts(x.shape, operator)[..., None].astype(x.dtype)
    of_x = call.tensor(0)
    floats = dequantised(x, np.array(of_x.scale, np.float32), np.array(of_x.zero))
    whole = np.full((1, 1), operator.window[0] * operator.window[1])
    count = whole if operator.counted else counts(x.shape, operator)
    mean = _sums(floats, operator) / count[..., None].astype(np.float32)
    found = np.rint(mean / np.float32(y.scale) + np.float32(y.zero))
    return np.clip(found, *y.limits).astype(np.int64)


def _sums(x: NDArray, operator: Pool) -> NDArray:
    """Of each window's elements, one after the other: a float's last bit depends on it."""
    seen = windows(x, operator, 0)
    total = np.zeros(seen.shape[:4], x.dtype)
    for row, col in np.ndindex(operator.window):
        total = total + seen[..., row, col]
    return total
