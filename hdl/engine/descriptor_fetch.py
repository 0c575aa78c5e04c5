"""Descriptors from memory, ahead of their use."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib.fifo import SyncFIFOBuffered
from amaranth.lib.wiring import Component

from cimforge.hdl.engine.seams import memory_port
from cimforge.hdl.netlist.block import In, Out
from cimforge.hdl.params.descriptors import DESCRIPTOR_BYTES, DESCRIPTOR_WORDS
from cimforge.hdl.params.engine_config import ADDRESS_BITS, EngineConfig

__all__ = ["DescriptorFetch"]

AHEAD = 2  # descriptors that are read before they are used


class DescriptorFetch(Component):
    """Descriptors ``base``, ``base`` + DESCRIPTOR_BYTES, ... of a queue of ``count``, one after the
    other in ``words``.

    ``start`` begins a queue, with ``base`` and ``count`` valid then. ``valid`` says that ``words``
    holds the next descriptor, which stands until ``taken``; ``failed``, with it, that memory
    answered with an error. Up to AHEAD more are read meanwhile. While ``stop`` is high nothing is
    asked for and what comes is dropped; ``quiet`` says that nothing is outstanding: a queue that
    ends early is stopped until then. Latency from an answer's last word to ``valid``: 2 cycles
    where nothing waits; a descriptor takes max(1, DESCRIPTOR_BYTES / bus_bytes) + 1 cycles.
    """

    def __init__(self, config: EngineConfig):
        self._config = config
        port = memory_port(ADDRESS_BITS, config.bus_bits).members
        super().__init__(
            {
                **{"start": In(1), "base": In(ADDRESS_BITS), "count": In(16), "stop": In(1)},
                **{"read": port["read"], "read_data": port["read_data"]},
                **{"valid": Out(1), "taken": In(1), "failed": Out(1), "quiet": Out(1)},
                "words": Out(32 * DESCRIPTOR_WORDS),
            }
        )

    def elaborate(self, platform):
        m = Module()
        config = self._config
        words = max(1, DESCRIPTOR_BYTES // config.bus_bytes)
        depth = AHEAD * words + 1  # one is free for what comes while another moves to its output
        m.submodules.ahead = ahead = SyncFIFOBuffered(width=config.bus_bits + 1, depth=depth)
        beats = min(config.burst, words)
        owed = self._build_requests(m, beats, words)

        data = self.read_data
        m.d.comb += [
            data.ready.eq(1),  # there was room when it was asked for
            ahead.w_en.eq(data.valid & ~self.stop),
            ahead.w_data.eq(Cat(data.data, data.error)),
            self.quiet.eq((owed == 0) & ~self.read.valid & ~ahead.r_rdy),
        ]
        self._build_words(m, ahead, words)
        return m

    def _build_requests(self, m: Module, beats: int, words: int) -> Signal:
        """Requests of ``beats`` words as there is room; returns how many are unanswered."""
        room = Signal(range(AHEAD * words + 1), init=AHEAD * words)  # in words, not asked for
        left = Signal(16 + (words // beats - 1).bit_length())
        owed = Signal(range(AHEAD * words // beats + 1))
        asked, answered = Signal(), Signal()
        read = self.read
        m.d.comb += [
            read.beats.eq(beats - 1),
            asked.eq(read.valid & read.ready),
            answered.eq(self.read_data.valid & self.read_data.last),
        ]
        more = Signal()
        m.d.comb += more.eq((left != 0) & (room >= beats) & ~self.stop)
        with m.If(asked):
            m.d.sync += [read.valid.eq(0), read.address.eq(read.address + beats * self._bytes)]
        with m.If(~read.valid & more):
            m.d.sync += [read.valid.eq(1), left.eq(left - 1)]
        m.d.sync += owed.eq(owed + asked - answered)
        begun = ~read.valid & more
        m.d.sync += room.eq(room - Mux(begun, beats, 0) + Mux(self.taken, words, 0))
        with m.If(self.stop):  # or the rest would come once stop falls, in front of the next queue
            m.d.sync += left.eq(0)
        with m.If(self.start):
            per_descriptor = words // beats
            m.d.sync += [read.address.eq(self.base), left.eq(self.count * per_descriptor)]
            m.d.sync += room.eq(AHEAD * words)
        return owed

    @property
    def _bytes(self) -> int:
        return self._config.bus_bytes

    def _build_words(self, m: Module, ahead: SyncFIFOBuffered, words: int) -> None:
        """The words of one descriptor, shifted in lowest first; of a bus that is wider than it the
        lowest."""
        bits = self._config.bus_bits
        place = Signal(range(words + 1))
        shifts = Signal()
        m.d.comb += [
            shifts.eq(ahead.r_rdy & ~self.valid),
            ahead.r_en.eq(shifts | (self.stop & ahead.r_rdy)),
            self.valid.eq(place == words),
        ]
        with m.If(shifts):
            fresh = ahead.r_data[:bits]
            m.d.sync += self.words.eq(Cat(self.words[bits:], fresh) if words > 1 else fresh)
            m.d.sync += [place.eq(place + 1), self.failed.eq(self.failed | ahead.r_data[bits])]
        with m.If(self.taken | self.start | self.stop):
            m.d.sync += [place.eq(0), self.failed.eq(0)]
