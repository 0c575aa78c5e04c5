"""How long a STORE takes, by cycles."""

from collections import deque
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

from cimforge.hdl.engine.element_slicer import piece_bytes, raw_size
from cimforge.hdl.engine.requantiser import requantiser_latency
from cimforge.hdl.params.engine_config import EngineConfig

__all__ = ["store_cycles"]

FIRST = 5  # cycles from a command to its first group
ASKED = 2  # from a burst's last word to its request
ANSWERED = 3  # from the last word that memory takes to the end
MOST = 256  # vectors that are looked at one by one: those behind them take as long as the last


class _Rows(NamedTuple):
    """What of a STORE decides its cycles: bytes of a row of results, of an element and from row to
    row, the first one's place in a burst, the lane of its first output."""

    vectors: int
    row: int
    size: int
    pitch: int
    place: int
    lane: int
    raw: bool


class _Piece(NamedTuple):
    """Bytes of a vector that go to memory at once; with ``closes`` a gap or nothing follows."""

    bytes: int
    closes: bool


class _Group(NamedTuple):
    """What the lanes take in a cycle; the ``tail`` of a vector asks for the next one's sums."""

    pieces: tuple[_Piece, ...]
    tail: bool


def store_cycles(config: EngineConfig, fields: Mapping[str, int]) -> int:
    """Cycles from a STORE's acceptance to its end, of memory that takes what it is given, and of
    sums that are read when they are asked for."""
    raw = bool(fields.get("raw", 0))
    size = 1 << raw_size(config) if raw else 1 + fields.get("wide", 0)
    whole, vectors = config.burst * config.bus_bytes, fields["vectors"]
    place, lane = fields["target"] % whole, fields.get("channel", 0) % config.lanes
    row, pitch = fields["outputs"] * size, fields["target_pitch"]
    rows = _Rows(min(vectors, MOST), row, size, pitch, place, lane, raw)
    cycles = _cycles(config, rows)
    if vectors > MOST:
        half = _cycles(config, rows._replace(vectors=MOST // 2))
        cycles += (cycles - half) * (vectors - MOST) // (MOST - MOST // 2)
    return cycles


@lru_cache(maxsize=4096)
def _cycles(config: EngineConfig, rows: _Rows) -> int:
    lanes, packer, cycle = _Lanes(config, rows), _Packer(config, rows), FIRST
    while packer.left:
        cycle += 1
        moves = packer.step(cycle)
        piece = lanes.step(moves)
        if moves:
            packer.take(piece)
    return packer.written + ANSWERED


class _Lanes:
    """Groups on their way through the lanes, which move together where the last of them holds none
    or its last piece goes (StoreSequencer, StoreLanes, ElementSlicer)."""

    def __init__(self, config: EngineConfig, rows: _Rows):
        depth = 1 if rows.raw else 1 + requantiser_latency(config)
        self._way: deque[_Group | None] = deque([None] * depth, depth)
        self._slots = _slots(config, rows)
        self._slot = next(self._slots, None)
        self._way.appendleft(self._slot)
        self._asks = bool(self._slot and self._slot.tail)
        self._part = 0

    def step(self, moves: bool) -> _Piece | None:
        """A cycle; returns the piece that is offered, which goes if the packer ``moves``."""
        group = self._way[-1]
        piece = group.pieces[self._part] if group and group.pieces else None
        if piece and not moves:
            self._asks = False
            return piece
        if piece and group and self._part + 1 < len(group.pieces):
            self._part += 1
            self._asks = False
            return piece
        self._part = 0
        slot = None
        if not self._asks:  # else the next vector's sums are read
            slot = self._slot = next(self._slots, None)
        self._asks = bool(slot and slot.tail)
        self._way.appendleft(slot)
        return piece


def _slots(config: EngineConfig, rows: _Rows) -> Iterator[_Group]:
    """What goes into the lanes: a vector's sum of ones, and its groups."""
    usual, final = (_groups(config, rows, last) for last in (False, True))
    for vector in range(rows.vectors):
        if config.weight_zeros and not rows.raw:
            yield _Group((), False)
        yield from final if vector + 1 == rows.vectors else usual


def _groups(config: EngineConfig, rows: _Rows, last: bool) -> list[_Group]:
    """The groups of a vector's outputs, cut into pieces; those with no output are left out."""
    step = config.lanes * rows.size
    width, low = min(piece_bytes(config), step), rows.lane * rows.size
    end, groups = low + rows.row, []
    closes = last or rows.row != rows.pitch
    for group in range(0, end, step):
        pieces = []
        for place in range(group, min(end, group + step), width):
            size = min(end, place + width) - max(low, place)
            if size > 0:
                ends = place + width >= end
                pieces.append(_Piece(size, ends and closes))
        groups.append(_Group(tuple(pieces), group + step >= end))
    return groups


class _Packer:
    """Words from pieces, and bursts of words (BytePacker, BurstWriter)."""

    def __init__(self, config: EngineConfig, rows: _Rows):
        self._width, self._burst, self._pitch = config.bus_bytes, config.burst, rows.pitch
        self._row = self._place = rows.place
        self._closes = self._full = self._more = self._held = False
        self._words = 0  # of the burst under way
        self.left = rows.vectors if rows.row != rows.pitch else 1  # rows that have not gone
        self.written = 0  # when the last word is taken

    def step(self, cycle: int) -> bool:
        """A cycle; returns whether the piece that is held, if any, goes."""
        if not self._held or not (self._full or self._closes):
            return True
        splits = self._closes and self._more
        self._words += 1
        ends = self._closes and not splits
        if ends or self._number % self._burst == self._burst - 1:
            self.written = max(self.written, cycle + ASKED) + self._words
            self._words = 0
        self._number += 1
        if splits:
            self._more = False
            return False
        if ends:
            self.left -= 1
        return True

    def take(self, piece: _Piece | None) -> None:
        """The piece that comes, or none."""
        self._held = piece is not None
        if piece is None:
            return
        if self._closes:
            self._row += self._pitch
            self._place = self._row
        self._number = self._place // self._width
        reach = self._place % self._width + piece.bytes
        self._full, self._more = reach >= self._width, reach > self._width
        self._place += piece.bytes
        self._closes = piece.closes
