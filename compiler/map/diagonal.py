"""Groups of a convolution side by side in one macro: a matrix with their weights on its diagonal.

A depthwise convolution has as many products as channels, each of a few inputs and one output: alone
in a macro each leaves nearly all of it idle. ``packed`` puts as many as fit into one matrix, block
by block; everything beside the blocks is 0, and costs cells, not passes.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cimforge.compiler.reference.lowering import Part

__all__ = ["Pack", "packed", "parts_together", "unpacked"]

Ints = NDArray[np.int64]


class Pack(NamedTuple):
    """``x`` (rows, K) times ``w`` (K, N), of parts ``first`` .. ``first + parts - 1``."""

    x: Ints
    w: Ints
    first: int
    parts: int


def parts_together(rows: int, outputs: int, parts: Sequence[Part]) -> int:
    """How many equal parts one macro of ``rows`` x ``outputs`` takes at once: 1 where one part
    alone fills its rows or its columns by more than half, or parts differ in size."""
    depth, width = parts[0].w.shape
    if any(part.w.shape != (depth, width) or len(part.x) != len(parts[0].x) for part in parts):
        return 1
    return max(1, min(rows // depth, outputs // width, len(parts)))


def packed(rows: int, outputs: int, parts: Sequence[Part]) -> Iterator[Pack]:
    """The parts in order, as many at once as a macro takes."""
    together = parts_together(rows, outputs, parts)
    for first in range(0, len(parts), together):
        some = parts[first : first + together]
        if len(some) == 1:
            yield Pack(some[0].x, some[0].w, first, 1)
            continue
        depth, width = some[0].w.shape
        w = np.zeros((depth * len(some), width * len(some)), some[0].w.dtype)
        for place, part in enumerate(some):
            w[place * depth : (place + 1) * depth, place * width : (place + 1) * width] = part.w
        yield Pack(np.concatenate([part.x for part in some], axis=1), w, first, len(some))


def unpacked(pack: Pack, sums: Ints) -> list[Ints]:
    """The sums (rows, N) of each part of a pack, from those of its matrix."""
    return np.split(sums, pack.parts, axis=1)
