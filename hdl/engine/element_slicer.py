"""Element slicer: what the lanes deliver in a cycle, in pieces of at most a word of the bus."""

from typing import NamedTuple

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib.wiring import Component, Signature

from cimforge.hdl.engine.lane_sums import selected
from cimforge.hdl.macro.arbiter import below
from cimforge.hdl.macro.streams import beat_stream
from cimforge.hdl.netlist.block import In, Out
from cimforge.hdl.params.engine_config import EngineConfig
from cimforge.hdl.params.ranges import unsigned_width

__all__ = ["ElementSlicer", "group_stream", "piece_bytes", "piece_stream", "raw_size"]

ELEMENT_SIZES = (0, 1)  # log2 of the bytes of a requantised element
FLAGS = dict.fromkeys(("tail", "closes", "final"), 1)


def raw_size(config: EngineConfig) -> int:
    """Log2 of the bytes of a sum in memory: of 32 bits 4, of 48 bits 8."""
    return 2 if config.acc_bits <= 32 else 3


def piece_bytes(config: EngineConfig) -> int:
    """Bytes of the widest piece: all lanes' sums, or a word of the bus."""
    return min(config.lanes << raw_size(config), config.bus_bytes)


def group_stream(config: EngineConfig) -> Signature:
    """Groups: an element of every lane, lane 0 lowest, each in the bits of a sum in memory.
    ``head``: it is the first of a vector; ``tail``, ``closes``, ``final``: it is the last of a
    vector, of a row (vectors without a gap in memory), of all."""
    return beat_stream(elements=config.lanes * 8 << raw_size(config), head=1, **FLAGS)


def piece_stream(config: EngineConfig) -> Signature:
    """Pieces: ``data``, of whose bytes those with a ``strobe`` count, without a gap, the last in
    front of byte ``end``; and whether a piece is the last of a vector, a row, all."""
    width = piece_bytes(config)
    return beat_stream(data=8 * width, strobe=width, end=unsigned_width(width), **FLAGS)


class _Edge(NamedTuple):
    """Where elements begin or end in a group: in piece ``part``, ``bytes`` of which are in front,
    those with a bit in ``mask``."""

    part: Value
    bytes: Value
    mask: Value


class ElementSlicer(Component):
    """Pieces of groups of ``lanes`` elements of 2^size bytes each: max(1, lanes * 2^size /
    bus_bytes) pieces, lowest lanes first.

    Of a vector's first group only lane ``first`` and those above count, of its last those up to
    lane ``last``; pieces in which none counts are left out. ``size``, ``first`` and ``last`` stand
    still from the cycle before the first group until the last is taken; ``before``, the bytes of a
    vector's first piece that do not count, follows them a cycle later.

    Latency 0, a piece a cycle; a group is taken with its last piece. Reset begins with a group.
    """

    def __init__(self, config: EngineConfig):
        self._config = config
        lane, place = unsigned_width(config.lanes - 1), unsigned_width(piece_bytes(config) - 1)
        super().__init__(
            {
                **{"size": In(2), "first": In(lane), "last": In(lane), "before": Out(place)},
                **{"groups": In(group_stream(config)), "pieces": Out(piece_stream(config))},
            }
        )

    def elaborate(self, platform):
        m = Module()
        group, piece, size = self.groups, self.pieces, self.size
        rest = (1 << size) - 1  # bytes of an element but one
        head = self._build_edge(m, "head", self.first << size, 0)
        tail = self._build_edge(m, "tail", (self.last << size) | rest, 1)
        whole = self._build_edge(m, "whole", ((self._config.lanes - 1) << size) | rest, 1)
        part = Signal(len(head.part))
        begins = Signal(name="vector_begins")
        ends, ending = Signal(name="group_ends"), Signal(name="vector_ends")
        m.d.comb += [
            *(self.before.eq(head.bytes), begins.eq(group.head & (part == head.part))),
            *(ending.eq(group.tail & (part == tail.part)), ends.eq(ending | (part == whole.part))),
            *(piece.valid.eq(group.valid), group.ready.eq(piece.ready & ends)),
            *(getattr(piece, name).eq(getattr(group, name) & ending) for name in FLAGS),
            piece.end.eq(Mux(ending, tail.bytes, whole.bytes)),
            piece.strobe.eq(
                Mux(ending, tail.mask, whole.mask) & ~(head.mask & begins.replicate(len(head.mask)))
            ),
        ]
        if len(part):
            self._build_part(m, part, ends, head.part)
        self._build_data(m, part)
        return m

    def _build_edge(self, m: Module, name: str, byte: Value, more: int) -> _Edge:
        """The edge behind ``byte`` of a group, or with ``more`` 0 in front of it, a cycle later;
        nothing but a command changes it."""
        width, low = piece_bytes(self._config), len(self.before)
        bits = unsigned_width((self._config.lanes << raw_size(self._config)) - 1)
        place = Signal(bits, name=f"{name}_byte")
        count = Signal(unsigned_width(width - 1 + more), name=f"{name}_count")
        m.d.comb += [place.eq(byte), count.eq(place[:low] + more)]
        inside = below(m, f"{name}_inside", count, width - 1 + more)
        mask = Cat(inside, Const(0, 1 - more))  # a head always leaves the last byte
        edge = _Edge(place[low:], count, mask)
        kept = [
            Signal(len(v), name=f"{name}_{n}", reset_less=True) for n, v in edge._asdict().items()
        ]
        m.d.sync += [register.eq(value) for register, value in zip(kept, edge, strict=True)]
        return _Edge(*kept)

    def _build_part(self, m: Module, part: Signal, ends: Signal, first: Value) -> None:
        """The number of a piece in its group: that of a vector's first begins where elements do."""
        inside = Signal(name="inside_group")
        following = Signal.like(part, name="following", reset_less=True)
        m.d.comb += part.eq(Mux(inside, following, Mux(self.groups.head, first, 0)))
        with m.If(self.pieces.valid & self.pieces.ready):
            m.d.sync += [inside.eq(~ends), following.eq(part + 1)]

    def _build_data(self, m: Module, part: Signal) -> None:
        """The bytes of a piece: elements side by side, as wide as ``size`` says."""
        config, piece = self._config, self.pieces
        width = len(piece.data)
        elements = self.groups.elements
        each = len(elements) // config.lanes
        with m.Switch(self.size):
            for size in sorted({*ELEMENT_SIZES, raw_size(config)}):
                lanes = [elements[low:][: 8 << size] for low in range(0, len(elements), each)]
                row = Signal(config.lanes * 8 << size, name=f"elements_{size}")
                m.d.comb += row.eq(Cat(lanes))
                words = [row[low : low + width] for low in range(0, len(row), width)]
                index = part[: unsigned_width(len(words) - 1)]
                with m.Case(size):
                    m.d.comb += piece.data.eq(selected(m, f"piece_{size}", words, index))
