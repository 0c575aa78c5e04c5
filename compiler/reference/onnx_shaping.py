"""ONNX's operators that move, choose or join elements."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["SHAPING"]


def gather(data: NDArray, indices: NDArray, *, axis: int) -> NDArray:
    """Slices of ``axis``; an index below 0 counts from its end."""
    _check_indices(indices, data.shape[axis])
    return np.take(data, indices, axis=axis)


def gather_elements(data: NDArray, indices: NDArray, *, axis: int) -> NDArray:
    """``out[i, j] = data[indices[i, j], j]`` for axis 0, and so on."""
    size = data.shape[axis]
    _check_indices(indices, size)
    return np.take_along_axis(data, np.where(indices < 0, indices + size, indices), axis)


def _check_indices(indices: NDArray, size: int) -> None:
    if indices.size and not -size <= indices.min() <= indices.max() < size:
        rule = f"indices must lie in {-size}..{size - 1}"
        raise ValueError(f"{rule}, not {indices.min()}..{indices.max()}")


def split(data: NDArray, *, axis: int, sizes: tuple[int, ...]) -> tuple[NDArray, ...]:
    """Pieces of ``sizes``, one behind the other."""
    return tuple(np.split(data, np.cumsum(sizes)[:-1], axis))


def strided(data: NDArray, *, spans: tuple[tuple[int | None, int | None, int], ...]) -> NDArray:
    """Python's slices of each axis, backwards too."""
    return data[tuple(slice(*span) for span in spans)]


def expand(data: NDArray, *, shape: tuple[int, ...]) -> NDArray:
    """Broadcast with ``shape``."""
    return np.broadcast_to(data, np.broadcast_shapes(data.shape, shape))


def tile(data: NDArray, *, repeats: tuple[int, ...]) -> NDArray:
    """Side by side."""
    return np.tile(data, repeats)


def pad(data: NDArray, *, amounts: tuple[tuple[int, int], ...], mode: str) -> NDArray:
    """With what is at the edges, or mirrored."""
    return np.pad(data, amounts, mode=mode)  # type: ignore[call-overload]


def choose(condition: NDArray, a: NDArray, b: NDArray) -> NDArray:
    """Where."""
    return np.where(condition, a, b)


def clip(x: NDArray, low: NDArray | None = None, high: NDArray | None = None) -> NDArray:
    """Clip: the upper bound wins where they cross."""
    x = x if low is None else np.maximum(x, low)
    return x if high is None else np.minimum(x, high)


def cast(x: NDArray, *, to: str) -> NDArray:
    """Floats towards zero; integers lose bits above."""
    if to == "bool" or not np.issubdtype(x.dtype, np.floating) or to.startswith("float"):
        return x.astype(to)
    with np.errstate(all="ignore"):
        return np.trunc(x).astype(np.int64).astype(to)


def depth_to_space(x: NDArray, *, size: int, mode: str) -> NDArray:
    """Channels into blocks of an image (B, C, H, W)."""
    batch, channels, height, width = x.shape
    less = channels // size**2
    if mode == "DCR":
        blocks = x.reshape(batch, size, size, less, height, width).transpose(0, 3, 4, 1, 5, 2)
    else:
        blocks = x.reshape(batch, less, size, size, height, width).transpose(0, 1, 4, 2, 5, 3)
    return blocks.reshape(batch, less, height * size, width * size)


def space_to_depth(x: NDArray, *, size: int, mode: str) -> NDArray:
    """Blocks of an image into channels."""
    batch, channels, height, width = x.shape
    blocks = x.reshape(batch, channels, height // size, size, width // size, size)
    moved = blocks.transpose((0, 3, 5, 1, 2, 4) if mode == "DCR" else (0, 1, 3, 5, 2, 4))
    return moved.reshape(batch, channels * size**2, height // size, width // size)


def nearest(x: NDArray, *, factors: tuple[int, ...]) -> NDArray:
    """Resize by whole factors: each element again."""
    for axis, factor in enumerate(factors):
        x = np.repeat(x, factor, axis)
    return x


def lower_triangle(x: NDArray, *, upper: int, diagonal: int) -> NDArray:
    """Trilu."""
    return np.triu(x, diagonal) if upper else np.tril(x, diagonal)


def greatest_place(x: NDArray, *, axis: int, keep: int, last: int) -> NDArray:
    """ArgMax."""
    found = np.argmax(np.flip(x, axis) if last else x, axis)
    found = x.shape[axis] - 1 - found if last else found
    return np.expand_dims(found, axis) if keep else found


SHAPING: dict[str, Callable[..., Any]] = {
    "ArgMax": greatest_place,
    "Cast": cast,
    "Clip": clip,
    "DepthToSpace": depth_to_space,
    "Expand": expand,
    "Gather": gather,
    "GatherElements": gather_elements,
    "Pad": pad,
    "Resize": nearest,
    "Slice": strided,
    "SpaceToDepth": space_to_depth,
    "Split": split,
    "Tile": tile,
    "Trilu": lower_triangle,
    "Where": choose,
}
