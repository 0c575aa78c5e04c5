"""How long a STORE takes, by cycles."""

from collections import deque
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

from cimforge.hdl.params.engine_config import EngineConfig
from cimforge.host.engine_pace import piece_bytes, requantise_cycles, sum_bytes

__all__ = ["Reads", "store_cycles"]

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


class Reads(NamedTuple):
    """Sums that a RUN reads: every ``step`` cycles from ``first`` to ``last``, counted from a
    STORE's acceptance."""

    first: int
    last: int
    step: int

    def __contains__(self, cycle: object) -> bool:
        assert isinstance(cycle, int)
        return self.first <= cycle <= self.last and not (cycle - self.first) % self.step


def store_cycles(
    config: EngineConfig, fields: Mapping[str, int], reads: tuple[Reads, ...] = ()
) -> tuple[int, int]:
    """Cycles from a STORE's acceptance to its end, of memory that takes what it is given, beside
    RUNs that read sums, too; and those in which it keeps their results waiting."""
    raw = bool(fields.get("raw", 0))
    size = sum_bytes(config) if raw else 1 + fields.get("wide", 0)
    whole, vectors = config.burst * config.bus_bytes, fields["vectors"]
    place, lane = fields["target"] % whole, fields.get("channel", 0) % config.lanes
    row, pitch = fields["outputs"] * size, fields["target_pitch"]
    rows = _Rows(min(vectors, MOST), row, size, pitch, place, lane, raw)
    cycles, stood = _cycles(config, rows, reads)
    if vectors > MOST:
        half, _ = _cycles(config, rows._replace(vectors=MOST // 2), reads)
        cycles += (cycles - half) * (vectors - MOST) // (MOST - MOST // 2)
    return cycles, stood


@lru_cache(maxsize=4096)
def _cycles(config: EngineConfig, rows: _Rows, reads: tuple[Reads, ...]) -> tuple[int, int]:
    lanes, packer, cycle = _Lanes(config, rows, reads), _Packer(config, rows), FIRST
    while packer.left:
        cycle += 1
        moves = packer.step(cycle)
        piece = lanes.step(cycle, moves)
        if moves:
            packer.take(piece)
    return packer.written + ANSWERED, lanes.port.stood


class _Port:
    """The kept sums' one port to read, which a STORE and the array share (KeptReader): of the array
    a token is offered and one is held by the RAM, which a STORE's read takes from it."""

    def __init__(self, reads: tuple[Reads, ...]):
        self._reads = reads
        self._offered = self._held = True
        self._lost = self._store_next = False
        self.stood = 0  # cycles in which the array has stood still
        self.ready = False  # a STORE's sums, in the cycle behind its read

    def step(self, cycle: int, asked: bool) -> None:
        """A cycle in which a STORE ``asked`` for sums or not."""
        now = cycle - self.stood
        comes = any(now in reads for reads in self._reads)
        left = any(reads.first <= now <= reads.last - 2 * reads.step for reads in self._reads)
        taken = comes and self._offered
        self.stood += comes and not taken
        moves = self._held and not self._lost and (taken or not self._offered)
        wants = left and (moves or not self._held)
        asks, other = wants or (self._held and self._lost), asked and not self.ready
        for_store = other and (self._store_next or not asks)
        for_array = asks and not for_store
        if asks and other:
            self._store_next = for_array
        if wants and for_array:
            self._lost = False
        elif for_store and self._held and not moves:
            self._lost = bool(self._reads)
        elif for_array:
            self._lost = False
        self._held = (wants and for_array) or (self._held and not moves)
        self._offered = moves or (self._offered and not taken)
        self.ready = for_store


class _Lanes:
    """Groups on their way through the lanes, which move together where the last of them holds none
    or its last piece goes (StoreSequencer, StoreLanes, ElementSlicer)."""

    def __init__(self, config: EngineConfig, rows: _Rows, reads: tuple[Reads, ...]):
        depth = 1 if rows.raw else 1 + requantise_cycles(config)
        self._way: deque[_Group | None] = deque([None] * depth, depth)
        self._slots, self.port = _slots(config, rows), _Port(reads)
        self._part, self._asks = 0, False
        self._enter(FIRST)

    def _enter(self, cycle: int) -> None:
        """The next slot, where a vector's sums are there, moves in."""
        slot = None if self._asks else next(self._slots, None)
        self._way.appendleft(slot)
        self._look(cycle, bool(slot and slot.tail))

    def _look(self, cycle: int, tail: bool = False) -> None:
        """A cycle of the port: behind a vector's last slot the next one's sums are asked for."""
        asks = self._asks or tail
        self._asks = asks and not (self.port.ready and not tail)
        self.port.step(cycle, asks)

    def step(self, cycle: int, moves: bool) -> _Piece | None:
        """A cycle; returns the piece that is offered, which goes if the packer ``moves``."""
        group = self._way[-1]
        piece = group.pieces[self._part] if group and group.pieces else None
        if piece and group and (not moves or self._part + 1 < len(group.pieces)):
            self._part += moves
            self._look(cycle)
            return piece
        self._part = 0
        self._enter(cycle)
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
