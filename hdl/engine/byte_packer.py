"""Byte packer: pieces of elements into words of the bus, at any byte."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib.wiring import Component, Signature

from cimforge.hdl.engine.element_slicer import piece_bytes, piece_stream
from cimforge.hdl.macro.arbiter import below
from cimforge.hdl.macro.streams import beat_stream
from cimforge.hdl.netlist.block import In, Out
from cimforge.hdl.params.engine_config import ADDRESS_BITS, EngineConfig
from cimforge.hdl.params.ranges import unsigned_width

__all__ = ["BytePacker", "word_stream"]


def word_stream(config: EngineConfig, final: bool = True) -> Signature:
    """Words of the bus: the number of each (its byte address over bus_bytes), its bytes and which
    of them count; ``last``: a row ends with it; where told ``final``: all do."""
    width = config.bus_bytes
    number = ADDRESS_BITS - unsigned_width(width - 1)
    return beat_stream(number=number, data=8 * width, strobe=width, last=1, final=int(final))


class _Turned:
    """The register between the cycles: a piece whose bytes stand in their places in a word, those
    in ``low`` in the word under way, those in ``high`` in the next; ``full``: the former has its
    last byte, ``more``: the latter has one; ``valid`` stays until ``moves``."""

    def __init__(self, width: int):
        def held(name: str, bits: int = 1) -> Signal:
            return Signal(bits, name=f"turned_{name}", reset_less=True)

        self.valid, self.moves = Signal(name="turned_valid"), Signal(name="turned_moves")
        self.data = held("data", 8 * width)
        self.low, self.high = held("low", width), held("high", width)
        self.full, self.more = held("full"), held("more")
        self.closes, self.final = held("closes"), held("final")


def _rotated(m: Module, name: str, word: Value, unit: int, places: Value) -> Value:
    """A word turned to the left by so many places of ``unit`` bits."""
    for level, bit in enumerate(places):
        moved = Signal(len(word), name=f"{name}_{level}")
        m.d.comb += moved.eq(Mux(bit, word.rotate_left(unit << level), word))
        word = moved
    return word


class BytePacker(Component):
    """Words of rows of bytes: row r at byte target + r * pitch, modulo 2^32.

    ``start`` begins, two cycles or more before the first piece, with ``target`` valid then, and
    from then on ``pitch`` and ``before``, the bytes of a vector's first piece that do not
    count. Each piece goes where the one before it ended; behind one that ``closes`` the next row
    begins. A word is complete where its last byte has come or its row ends; what a row does not
    write is not strobed. A word that two rows share is written by both, each its own bytes.

    Cycle 1: a piece is turned to its place in a word, what reaches into the next told apart. Cycle
    2: it is merged into the word under way. Latency 2 cycles to the word that a piece completes; a
    piece a cycle, but one more where a row's last piece reaches into another word. ``words`` stall
    what comes behind; pieces are taken where the first register is free or moves. Reset empties it.
    """

    def __init__(self, config: EngineConfig):
        self._width = config.bus_bytes
        self._place = unsigned_width(config.bus_bytes - 1)  # bits of a byte's place in a word
        super().__init__(
            {
                **{"start": In(1), "target": In(ADDRESS_BITS), "pitch": In(ADDRESS_BITS)},
                "before": In(unsigned_width(piece_bytes(config) - 1)),
                "pieces": In(piece_stream(config)),
                "words": Out(word_stream(config)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        turned = _Turned(self._width)
        self._build_turn(m, turned)
        self._build_words(m, turned)
        self._build_numbers(m)
        return m

    def _build_turn(self, m: Module, turned: _Turned) -> None:
        """Cycle 1: a piece beside the word that it begins in, and the one behind."""
        piece, width = self.pieces, self._width
        base, reach = self._build_places(m)
        data, strobe = Signal(8 * width, name="piece_data"), Signal(width, name="piece_strobe")
        m.d.comb += [data.eq(piece.data), strobe.eq(piece.strobe)]
        place = base[: self._place]
        data = _rotated(m, "data_at", data, 8, place)
        strobe = _rotated(m, "strobe_at", strobe, 1, place)
        lines = below(m, "wrapped", place, width - 1)
        behind = Cat(lines & (~base[-1]).replicate(width - 1), Const(0, 1))
        m.d.comb += piece.ready.eq(~turned.valid | turned.moves)
        with m.If(piece.ready):
            m.d.sync += turned.valid.eq(piece.valid)
        with m.If(piece.valid & piece.ready):
            m.d.sync += [
                *(turned.data.eq(data), turned.low.eq(strobe & ~behind)),
                *(turned.high.eq(strobe & behind), turned.full.eq(reach[-1])),
                turned.more.eq(reach[-1] & reach[:-1].any()),
                *(turned.closes.eq(piece.closes), turned.final.eq(piece.final)),
            ]

    def _build_places(self, m: Module) -> tuple[Signal, Signal]:
        """``base``, the place of a piece's byte 0 in the word under way, below 0 where bytes that
        do not count lie in front of it; ``reach``, the place behind its last that counts, which
        has a carry where that is in the next word."""
        piece, bits = self.pieces, self._place
        base = Signal(signed(bits + 1), reset_less=True)
        row = Signal(bits, name="next_place", reset_less=True)  # of the next row's first byte
        reach = Signal(bits + 1)
        next_base = Signal(signed(bits + 1))
        before = Mux(piece.tail, self.before, 0)
        m.d.comb += [
            reach.eq(base + piece.end),
            next_base.eq(Mux(piece.closes, row, reach[:bits]) - before),
        ]
        with m.If(self.start):
            m.d.sync += base.eq(self.target[:bits] - self.before)
            m.d.sync += row.eq(self.target + self.pitch)
        with m.Elif(piece.valid & piece.ready):
            m.d.sync += base.eq(next_base)
            with m.If(piece.closes):
                m.d.sync += row.eq(row + self.pitch)
        return base, reach

    def _build_words(self, m: Module, turned: _Turned) -> None:
        """Cycle 2: the word under way, which goes out when it is complete; of a row's last piece
        then comes what reaches into another."""
        word, width = self.words, self._width
        data = Signal(8 * width, name="kept_data", reset_less=True)
        strobe = Signal(width, name="kept_strobe")
        rest, splits, goes, merged = (Signal(name=n) for n in ("rest", "splits", "goes", "moved"))
        fresh = Signal(width, name="fresh")
        m.d.comb += [
            splits.eq(turned.closes & turned.more & ~rest),
            *(word.valid.eq(turned.valid & (turned.full | turned.closes)), merged.eq(~word.valid)),
            *(goes.eq(word.valid & word.ready), turned.moves.eq(merged | (goes & ~splits))),
            *(fresh.eq(turned.low | rest.replicate(width)), word.last.eq(turned.closes & ~splits)),
            word.strobe.eq(Mux(rest, turned.high, turned.low | strobe)),
            word.final.eq(turned.final & ~splits),
        ]
        for byte in range(width):
            own, kept = turned.data.word_select(byte, 8), data.word_select(byte, 8)
            m.d.comb += word.data.word_select(byte, 8).eq(Mux(fresh[byte], own, kept))
            with m.If(turned.valid & (fresh[byte] | goes)):
                m.d.sync += kept.eq(own)
        with m.If(goes):
            m.d.sync += [rest.eq(splits), strobe.eq(Mux(turned.closes, 0, turned.high))]
        with m.Elif(turned.valid & merged):
            m.d.sync += strobe.eq(strobe | turned.low)

    def _build_numbers(self, m: Module) -> None:
        """The number of the word under way: a row's words follow one another. One adder leads to
        the next word and to the next row."""
        word, bits = self.words, self._place
        byte, row = (
            Signal(ADDRESS_BITS, name=name, reset_less=True) for name in ("word_byte", "row_byte")
        )
        after = Signal(ADDRESS_BITS)
        reached = Signal(ADDRESS_BITS)
        m.d.comb += [
            after.eq(Mux(word.last, row, byte) + Mux(word.last, self.pitch, self._width)),
            *(reached.eq(Mux(self.start, self.target, after)), word.number.eq(byte[bits:])),
        ]
        with m.If(self.start | (word.valid & word.ready)):
            m.d.sync += byte.eq(reached)
            with m.If(self.start | word.last):
                m.d.sync += row.eq(reached)
