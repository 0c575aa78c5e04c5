"""Tables in which TensorFlow Lite's kernels look functions up."""

import math
from collections.abc import Callable
from functools import cache

import numpy as np
from numpy.typing import NDArray

from cimforge.compiler.graph.tensor import Tensor
from cimforge.compiler.reference.tflite_scaling import Ints, half_away

__all__ = ["each_element", "interpolated", "sigmoid_table", "sparse_table"]

Real = Callable[[float], float]
STEPS = 512  # of a table of int16: 128 elements lie between two of them


def each_element(values: Ints, function: Real, x: Tensor, y: Tensor) -> Ints:
    """``function`` of elements of 8 bits, in float32, of each of the 256 beforehand. Raises
    ValueError where one of these has no 32 bits, for the kernel's table has no number there."""
    low, high = x.limits
    places = np.arange(low, high + 1) - x.zero
    reals = np.float32(x.scale) * places.astype(np.float32)
    found = np.array([function(float(real)) for real in reals]).astype(np.float32)
    whole = half_away(found * (np.float32(1) / np.float32(y.scale)))
    if not (np.abs(whole) < 1 << 31).all():
        raise ValueError(f"tensor {y.name!r}: results leave 32 bits at a scale of {y.scale:g}")
    least, most = y.limits
    table = np.clip((whole + np.float32(y.zero)).astype(np.int64), least, most)
    return table[values.astype(np.int64) - low]


def sparse_table(
    function: Real, x_scale: float, x_zero: int, y_scale: float, kind: type[np.floating]
) -> Ints:
    """``function`` at 513 places of an int16's range, for ``interpolated``: each moved by half of
    what a straight line misses in the middle of its step. Computed in floats of ``kind``. Raises
    ValueError where one of these is none."""
    least, most, real = -(1 << 15), (1 << 15) - 1, kind(x_scale)
    first, last = real * kind(least - x_zero), real * kind(most - x_zero)
    step = (last - first) / kind(STEPS)
    inverse = kind(1 << 16) / (kind(y_scale) * kind(most) - kind(y_scale) * kind(least))
    starts = first + np.arange(STEPS + 1).astype(kind) * step
    middles = starts[:-1] + step / kind(2)

    def units(places: NDArray) -> NDArray:
        return np.array([kind(function(float(place))) for place in places], kind) * inverse

    at, between = units(starts), half_away(units(middles))
    whole = half_away(at[:-1])
    line = half_away((at[1:] + whole) / kind(2))
    told = np.append(
        whole - half_away((line - between) / kind(2)), half_away(units(np.array([last])))
    )
    if not np.isfinite(told).all():
        raise ValueError(f"a table from scale {x_scale:g} to {y_scale:g} leaves the floats")
    return np.clip(told, least, most).astype(np.int64)


def interpolated(values: Ints, table: Ints) -> Ints:
    """Int16 between two places of a table of 513."""
    place, rest = (values >> 7) + STEPS // 2, values & 127
    return table[place] + ((table[place + 1] - table[place]) * rest + 64 >> 7)


# Where the kernels' table of sigmoid(i / 24), in 16 fraction bits, is one above the nearest.
ABOVE = (
    *(4, 8, 12, 14, 15, 16, 17, 19, 20, 21, 22, 25, 27, 28, 29, 30, 31, 33, 34, 35, 37, 39, 40),
    *(41, 43, 44, 45, 46, 49, 50, 54, 62, 63, 64, 66, 82, 86, 93, 100, 103, 112, 116, 135, 255),
)


@cache
def sigmoid_table() -> Ints:
    """sigmoid(i / 24) for i of 0..255, in 16 fraction bits, as the kernels list it."""
    nearest = np.array([round(65536 / (1 + math.exp(-place / 24))) for place in range(256)])
    nearest[list(ABOVE)] += 1
    return nearest
