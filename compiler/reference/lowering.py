"""Products of a network as products of matrices: patches of images, groups of channels."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cimforge.compiler.graph.operator import Convolution, TransposedConvolution

__all__ = ["Part", "convolution_parts", "convolution_shape", "scattered", "spread"]

MOST_PATCHES = 1 << 28  # elements, 2 GB: what a convolution's patches may take at once
Ints = NDArray[np.int64]
Pair = tuple[int, int]


class Part(NamedTuple):
    """``x`` (rows, K) times ``w`` (K, N): outputs ``first`` .. ``first + N - 1``. ``kinds`` are
    those of x and w (of graph.tensor's KINDS) where they are not the node's first two inputs'."""

    x: Ints
    w: Ints
    first: int
    kinds: tuple[str, str] | None = None


def convolution_shape(operator: Convolution, size: Pair, kernel: Pair) -> Pair:
    """Positions of an output of ``size`` under ``kernel``."""
    found = []
    for axis in (0, 1):
        before, behind = operator.padding[axis]
        span = (kernel[axis] - 1) * operator.dilation[axis] + 1
        found.append((size[axis] + before + behind - span) // operator.stride[axis] + 1)
    return max(0, found[0]), max(0, found[1])


def _patches(x: Ints, operator: Convolution, kernel: Pair, pad: int) -> NDArray:
    """(B, OY, OX, KY, KX, C): a view where nothing is padded."""
    (above, below), (left, right) = operator.padding
    if above or below or left or right:
        x = np.pad(x, ((0, 0), (above, below), (left, right), (0, 0)), constant_values=pad)
    (step_y, step_x), (apart_y, apart_x) = operator.stride, operator.dilation
    spans = ((kernel[0] - 1) * apart_y + 1, (kernel[1] - 1) * apart_x + 1)
    seen = np.lib.stride_tricks.sliding_window_view(x, spans, axis=(1, 2))
    seen = seen[:, ::step_y, ::step_x, :, ::apart_y, ::apart_x]
    return seen.transpose(0, 1, 2, 4, 5, 3)


def convolution_parts(x: Ints, w: Ints, operator: Convolution, pad: int) -> Iterator[Part]:
    """Of x (B, H, W, C) and w (N, KY, KX, C / groups): a part a group, rows B OY OX, K = KY KX C /
    groups, in the order (ky, kx, c); what lies outside of x is ``pad``.

    Raises ValueError where the patches leave MOST_PATCHES.
    """
    outputs, tall, wide, depth = w.shape
    seen = _patches(x, operator, (tall, wide), pad)
    rows, each = int(np.prod(seen.shape[:3])), outputs // operator.groups
    if rows * tall * wide * depth * operator.groups > MOST_PATCHES:
        told = f"{rows} positions of {tall * wide * depth * operator.groups} inputs"
        raise ValueError(f"patches must have at most {MOST_PATCHES} elements, not {told}")
    for group in range(operator.groups):
        own = seen[..., group * depth : (group + 1) * depth].reshape(rows, tall * wide * depth)
        weights = w[group * each : (group + 1) * each].reshape(each, -1).T
        yield Part(np.ascontiguousarray(own), weights, group * each)


def spread(x: Ints, operator: TransposedConvolution, kernel: Pair, zero: int) -> NDArray:
    """x (B, OY, OX, C) with ``stride - 1`` elements of ``zero`` between neighbours, and a border,
    so that a convolution of stride 1 with turned weights is the transposed one; of the output's
    size and its padding."""
    batch, rows, cols, channels = x.shape
    (step_y, step_x), (height, width) = operator.stride, operator.output
    (above, _), (left, _) = operator.padding
    tall, wide = kernel
    whole = np.full((batch, height + tall - 1, width + wide - 1, channels), zero, x.dtype)
    top, side = tall - 1 - above, wide - 1 - left
    for row in range(rows):
        y = top + row * step_y
        if not 0 <= y < whole.shape[1]:
            continue
        places = side + np.arange(cols) * step_x
        inside = (places >= 0) & (places < whole.shape[2])
        whole[:, y, places[inside]] = x[:, row, inside]
    return whole


def scattered(x: Ints, w: Ints, operator: TransposedConvolution, zero: int) -> Part:
    """The product of a transposed convolution of x (B, OY, OX, C) and w (N, KY, KX, C): one part of
    rows B H W."""
    whole = spread(x, operator, w.shape[1:3], zero)
    (part,) = convolution_parts(whole, w[:, ::-1, ::-1], Convolution(), zero)
    return part
