"""Directed stimuli: corners of the input and weight ranges, as unsigned patterns."""

from collections.abc import Iterable, Sequence
from random import Random
from typing import TypeVar

import numpy as np

from cimforge.hdl.params.config import MacroConfig

__all__ = [
    "input_corners",
    "needs_every_plane",
    "row_classes",
    "small_vector",
    "some",
    "table_entries",
    "weight_corners",
]

T = TypeVar("T")


def _levels(bits: int) -> list[int]:
    """Patterns worth trying in every place: 0, all ones, most negative, most positive, one,
    alternating."""
    ones = (1 << bits) - 1
    alternating = 0x5555 & ones
    levels = [0, ones, 1 << (bits - 1), ones >> 1, 1, alternating, ones ^ alternating]
    return sorted(set(levels), key=levels.index)


def input_corners(config: MacroConfig) -> list[np.ndarray]:
    """Vectors (rows,): every row at one level, alternating rows, first and last row alone."""
    ones = (1 << config.input_bits) - 1
    vectors = [np.full(config.rows, level, np.int64) for level in _levels(config.input_bits)]
    row = np.arange(config.rows)
    vectors += [np.where(row % 2, ones, 0), np.where(row % 2, 0, ones)]
    vectors += [np.where(row == 0, ones, 0), np.where(row == config.rows - 1, ones, 0)]
    return vectors


def weight_corners(config: MacroConfig, fuse: int = 0) -> list[np.ndarray]:
    """Matrices (rows, outputs of mode ``fuse``): every weight at one level, and a checkerboard of
    the extremes."""
    mode = config.modes[fuse]
    shape = (config.rows, mode.outputs)
    ones, top = (1 << mode.weight_bits) - 1, 1 << (mode.weight_bits - 1)
    row, col = np.indices(shape)
    levels = [0, ones, top, ones >> 1]
    matrices = [np.full(shape, level, np.int64) for level in sorted(set(levels), key=levels.index)]
    return [*matrices, np.where((row + col) % 2, top, ones >> 1)]


def row_classes(rows: int) -> list[int]:
    """Rows that differ in what decodes them: the first, the last, and both sides of each power of
    two."""
    edges = [1 << bit for bit in range(rows.bit_length())]
    chosen = {0, rows - 1, *edges, *(edge - 1 for edge in edges)}
    return sorted(row for row in chosen if row < rows)


def needs_every_plane(bits: int) -> int:
    """An element for whose sake a pass of ``bits``, signed or not, skips nothing: each bit differs
    from the one below, and the top one is set."""
    return sum(1 << bit for bit in range(bits - 1, -1, -2))


def small_vector(patterns: np.ndarray, bits: int, signed: bool, input_bits: int) -> np.ndarray:
    """The low ``bits`` of each row, extended to ``input_bits`` by zeros or the sign."""
    low = patterns & ((1 << bits) - 1)
    sign = int(signed) << (bits - 1)
    return ((low ^ sign) - sign) & ((1 << input_bits) - 1)


def some(items: Iterable[T], most: int, rng: Random) -> list[T]:
    """All of ``items``, or a random choice of ``most`` of them, in order."""
    everything = list(items)
    if len(everything) <= most:
        return everything
    return [everything[place] for place in sorted(rng.sample(range(len(everything)), most))]


def table_entries(config: MacroConfig, choices: Sequence[int], size: int) -> list[np.ndarray]:
    """Vectors whose planes choose rows, place p of each group of ``size`` where bit p of a choice
    is set: a plane for each of ``choices``."""
    vectors = []
    for low in range(0, len(choices), config.input_bits):
        planes = choices[low : low + config.input_bits]
        row = [
            sum((choice >> place % size & 1) << bit for bit, choice in enumerate(planes))
            for place in range(config.rows)
        ]
        vectors.append(np.array(row, np.int64))
    return vectors
