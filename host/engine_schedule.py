"""The order of a layer's tiles: what the activation buffer holds when, and where sums are kept."""

from collections.abc import Iterator
from itertools import groupby
from math import ceil
from typing import NamedTuple

from cimforge.host.engine_shape import Choice, Part, Tiling

__all__ = ["Block", "Copy", "Step", "blocks", "pieces"]

LEAST_PIECE = 32  # words of the bus: of fewer a COPY of their own costs more than it hides


class Copy(NamedTuple):
    """``lines`` of ``length`` bytes from byte ``source`` of the input on, ``pitch`` apart there and
    one behind the other from byte ``target`` of the activation buffer on; all whole words."""

    source: int
    pitch: int
    length: int
    lines: int
    target: int

    @property
    def size(self) -> int:
        """Bytes in the buffer."""
        return self.length * self.lines


class Step(NamedTuple):
    """The vectors of a part through a tile, into kept sums from ``sums`` on."""

    part: Part
    row: int
    column: int
    sums: int


class Block(NamedTuple):
    """Steps that take their vectors from one copy."""

    copy: Copy
    steps: tuple[Step, ...]


def blocks(tiling: Tiling, choice: Choice, batch: int) -> Iterator[Block]:
    """All of a layer. Parts of the batch outermost, then groups of columns, tiles of rows, columns.

    Copies lie one behind the other in the ring that the activation buffer is, and sums of a part
    and column likewise in the kept ones, so that a STORE has as long as there is room.
    """
    head, places = 0, _places(tiling, choice, batch)
    for copy, steps in _uncounted(tiling, choice, batch, places):
        yield Block(copy._replace(target=head), tuple(steps))
        head = (head + copy.size) % tiling.config.act_bytes


def _places(tiling: Tiling, choice: Choice, batch: int) -> Iterator[int]:
    """First kept vectors for one part and column after the other."""
    most = max((part.vectors for part in tiling.parts(choice, batch)), default=1)
    while True:
        for place in range(tiling.config.acc_vectors // most):
            yield place * most


def _uncounted(
    tiling: Tiling, choice: Choice, batch: int, places: Iterator[int]
) -> Iterator[tuple[Copy, list[Step]]]:
    parts = tiling.parts(choice, batch)
    if choice.kind == "window":
        for (low, size), together in groupby(parts, tiling.stretch):
            steps = [step for part in together for step in _steps(tiling, choice, part, places)]
            yield Copy(low, size, size, 1, 0), steps
        return
    pitch = tiling.pitch
    for part in parts:
        steps = list(_steps(tiling, choice, part, places))
        if choice.kind == "whole":
            size = part.vectors * pitch
            yield Copy(part.first * pitch, size, size, 1, 0), steps
            continue
        for (_, row), same in groupby(steps, lambda s: (s.column // choice.columns, s.row)):
            low, size = tiling.slice(row)
            copy = Copy(part.first * pitch + low, pitch, size, part.vectors, 0)
            if size == pitch:
                copy = copy._replace(pitch=copy.size, length=copy.size, lines=1)
            yield copy, list(same)


def _steps(tiling: Tiling, choice: Choice, part: Part, places: Iterator[int]) -> Iterator[Step]:
    for first in range(0, tiling.column_tiles, choice.columns):
        columns = range(first, min(first + choice.columns, tiling.column_tiles))
        sums = {column: next(places) for column in columns}
        for row in range(tiling.row_tiles):
            for column in columns:
                yield Step(part, row, column, sums[column])


def pieces(tiling: Tiling, copy: Copy, most: int) -> list[Copy]:
    """A copy in at most so many of equal size, none of them too small."""
    config = tiling.config
    count = max(1, min(most, copy.size // config.bus_bytes // LEAST_PIECE))
    if copy.lines > 1:
        cuts = _cuts(copy.lines, count)
        return [
            copy._replace(
                source=copy.source + low * copy.pitch,
                lines=high - low,
                target=(copy.target + low * copy.length) % config.act_bytes,
            )
            for low, high in cuts
        ]
    words = _cuts(copy.size // config.bus_bytes, count)
    return [
        Copy(
            source=copy.source + low * config.bus_bytes,
            pitch=(high - low) * config.bus_bytes,
            length=(high - low) * config.bus_bytes,
            lines=1,
            target=(copy.target + low * config.bus_bytes) % config.act_bytes,
        )
        for low, high in words
    ]


def _cuts(whole: int, count: int) -> list[tuple[int, int]]:
    step = ceil(whole / count)
    return [(low, min(low + step, whole)) for low in range(0, whole, step)]
