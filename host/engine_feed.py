"""How many vectors keep an engine's array busy: a closed formula."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from math import ceil
from typing import NamedTuple

from cimforge.hdl.params.descriptors import DESCRIPTOR_BYTES
from cimforge.hdl.params.engine_config import EngineConfig
from cimforge.host.engine_cost import CHANNEL_BITS
from cimforge.host.engine_schedule import LEAST_PIECE
from cimforge.host.engine_shape import Shape, Tiling

__all__ = ["Feed", "feed_of"]

MOST_PARTS = 8
ASKED = 6  # cycles of a LOAD or COPY beside its words, from one command to the next
QUEUED = 6  # of a descriptor beside its words, until its unit has it
STORED = 23  # of a STORE beside its vectors
GATHERED = 8  # from a RUN to its first vector


class _Line(NamedTuple):
    """Cycles: ``each`` of a vector, and ``fixed``."""

    each: float
    fixed: float


@dataclass(frozen=True)
class Feed:
    """What decides how well a fully connected layer of ``rows`` x ``columns`` tiles is fed, in
    cycles (words of the bus are cycles, too): ``planes`` of a vector's pass and its ``interval``;
    ``load`` of a tile's weights, and ``slots`` that it takes of the array; ``copy`` of a vector's
    elements of a tile, ``store`` of its results of one; ``channels`` of a tile of columns;
    ``words`` of a descriptor; ``latency`` of the macro; ``most`` vectors of a part, of which all
    sums are kept.

    A batch of N vectors in M parts of V = N / M, whose sums are all kept, takes

    ``cycles = start + M ((rows - 1) (pieces max(run, carry) + (columns - pieces) max(run, fetch))
    + columns max(run, last, sent)) + tail`` where

    - ``run = V interval + slots``
    - ``fetch = load + ASKED + 2 words``; the next tile's elements come in ``pieces`` of whole
      vectors, each behind one of so many LOADs: ``carry = fetch + (V + pieces - 1) copy / pieces +
      ASKED + words`` at most, with pieces = min(columns, V copy / LEAST_PIECE), one at least
    - ``last = fetch + channels + ASKED + 2 words``, and (M - 1) / M of what carry is above fetch
    - ``sent = V (store + 1 / (interval + 1)) + STORED``, for the array reads sums by the same port
    - ``start = V copy + load + 2 ASKED + 3 words + 2 QUEUED + GATHERED``
    - ``tail = latency + V store + STORED + words + QUEUED``

    and of these the array computes ``N rows columns planes``.
    """

    rows: int
    columns: int
    planes: int
    interval: int
    load: int
    slots: int
    copy: float
    store: float
    channels: float
    words: int
    latency: int
    most: int

    def cycles(self, vectors: int) -> float:
        """Cycles from start to interrupt, of as many parts as take least."""
        return min(
            max(
                line.each * vectors + line.fixed
                for line in self._lines(parts, self._pieces(vectors, parts))
            )
            for parts in range(1, min(MOST_PARTS, vectors) + 1)
        )

    @property
    def alone(self) -> float:
        """Cycles that one vector takes at least: all weights come for it, one tile after the other,
        and its elements, and the last tile's pass goes on behind them."""
        tiles = self.rows * self.columns
        return tiles * self.load + self.rows * self.copy + self.latency

    def least_batch(self, share: float = 0.9) -> int | None:
        """The least N of whose cycles the array computes ``share``; None where ``limit`` tells
        what keeps any batch below.

        Of M parts and so many pieces every way through the maxima of ``cycles`` is a line ``each N
        + fixed``, so ``N = max of share fixed / (rows columns planes - share each)`` over them; it
        is the least of these over M and the pieces that N has.
        """
        found = [
            least
            for parts in range(1, MOST_PARTS + 1)
            for pieces in range(1, self.columns + 1)
            if (least := self._least(share, parts, pieces))
        ]
        return min(found, default=None)

    def limit(self, share: float = 0.9) -> str:
        """What keeps any batch below ``share``: ``passes``, ``copies`` or ``stores``, or several;
        ``sums`` where too few are kept; empty where nothing does."""
        tiles, ahead = self.rows * self.columns, (self.rows - 1) * self.columns
        each = {
            "passes": tiles * self.interval,
            "copies": ahead * self.copy / self.columns + self.columns * self.interval,
            "stores": ahead * self.interval + self.columns * (self.store + 1 / (self.interval + 1)),
        }
        computes = self.rows * self.columns * self.planes
        over = [name for name, cycles in each.items() if share * cycles >= computes]
        if not over and self.least_batch(share) is None:
            over = ["sums"]
        return ", ".join(over)

    def _pieces(self, vectors: int, parts: int) -> int:
        return max(1, min(self.columns, int(vectors / parts * self.copy // LEAST_PIECE)))

    def _least(self, share: float, parts: int, pieces: int) -> int | None:
        least = 1 if pieces == 1 else ceil(pieces * LEAST_PIECE * parts / self.copy)
        for line in self._lines(parts, pieces):
            spare = self.rows * self.columns * self.planes - share * line.each
            if spare <= 0:
                return None
            least = max(least, ceil(share * line.fixed / spare))
        held = ceil(least / parts) <= self.most
        return least if held and self._pieces(least, parts) == pieces else None

    def _lines(self, parts: int, pieces: int) -> Iterator[_Line]:
        """Each way through the maxima."""
        run = _Line(self.interval, self.slots)
        fetch = _Line(0, self.load + ASKED + 2 * self.words)
        whole = self.copy * (pieces - 1) / pieces
        carry = _Line(self.copy / pieces, fetch.fixed + whole + ASKED + self.words)
        last = _Line(0, fetch.fixed + self.channels + ASKED + 2 * self.words)
        if parts > 1:  # the first copy of the next part comes meanwhile
            later = (parts - 1) / parts
            last = _Line(later * carry.each, last.fixed + later * (carry.fixed - fetch.fixed))
        sent = _Line(self.store + 1 / (self.interval + 1), STORED)
        ends = 2 * ASKED + 4 * self.words + 3 * QUEUED + GATHERED + STORED
        ends += self.load + self.latency
        tiles = (self.rows - 1) * pieces, (self.rows - 1) * (self.columns - pieces), self.columns
        for way in product((run, carry), (run, fetch), (run, last, sent)):
            each = sum(n * line.each for n, line in zip(tiles, way, strict=True))
            fixed = sum(n * line.fixed for n, line in zip(tiles, way, strict=True))
            yield _Line(each + (self.copy + self.store) / parts, parts * fixed + ends)


def feed_of(config: EngineConfig, inputs: int, outputs: int) -> Feed:
    """Of a layer of K ``inputs`` and N ``outputs``, requantised to bytes, on an engine whose sums
    and activation buffer hold a part and the copy of the next tile beside it."""
    tiling, macro = Tiling(config, Shape(inputs, outputs)), config.macro
    pieces = ceil(max(tiling.slices) / config.gather_bytes)
    groups = ceil(len(tiling.results(0)) / config.lanes)
    held = 2 if macro.keeps_results else 1  # cycles that a slot takes between passes
    return Feed(
        rows=tiling.row_tiles,
        columns=tiling.column_tiles,
        planes=macro.cycles_per_pass(0, True),
        interval=max(macro.pass_interval(0, True), pieces),
        load=max(tiling.load_cycles),
        slots=round(tiling.slots * held) if macro.tables else 0,
        copy=max(tiling.slices) / config.bus_bytes,
        store=groups * max(1.0, config.lanes / config.bus_bytes) + 1 + config.weight_zeros,
        channels=tiling.width * CHANNEL_BITS / config.bus_bits,
        words=max(1, DESCRIPTOR_BYTES // config.bus_bytes),
        latency=macro.latency(0, True),
        most=config.acc_vectors // tiling.column_tiles,
    )
