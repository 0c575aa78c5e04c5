"""Pooling of images (B, H, W, C): by ONNX's rules, in the precision of the input."""

import numpy as np
from numpy.typing import NDArray

from cimforge.compiler.graph.operator import Pool
from cimforge.compiler.graph.tensor import KINDS
from cimforge.compiler.reference.call import Call
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
    """The greatest, or the mean, of each window; padding takes no part unless it is counted."""
    operator, x = call.operator, stored(call, 0)
    if operator.kind == "max":
        limits = KINDS[call.tensor(0).kind]
        return windows(x, operator, limits[0] if limits else -np.inf).max(axis=(4, 5))
    total = windows(x, operator, 0).sum(axis=(4, 5), dtype=x.dtype)
    return total / counts(x.shape, operator)[..., None].astype(x.dtype)
