"""Lines of bytes into the activation buffer."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib.wiring import Component

from cimforge.hdl.macro.streams import beat_stream
from cimforge.hdl.netlist.block import In, Out
from cimforge.hdl.params.engine_config import EngineConfig
from cimforge.hdl.params.ranges import unsigned_width

__all__ = ["LineWriter"]


class LineWriter(Component):
    """Writes of a word each into a ring of ``act_bytes``: line l's word i at byte target +
    l * target_pitch + i * bus_bytes, modulo act_bytes.

    ``start`` begins; valid with it are ``target`` and ``target_pitch`` (bytes, multiples of
    bus_bytes, modulo act_bytes), ``more`` (words of a line, less one, fewer than ``most``) and
    ``tail`` (bytes of a line's last word, less one). Words come with every byte strobed, a line's
    last one with its lowest tail + 1.

    Latency 0: a word is written in the cycle in which it comes, one a cycle, and never stalls; its
    address is a register's. Reset changes nothing.
    """

    def __init__(self, config: EngineConfig, most: int):
        self._config = config
        lengths = {"more": In(unsigned_width(most - 1)), "tail": In(range(config.bus_bytes))}
        super().__init__(
            {
                **{"start": In(1), "target": In(config.act_bits)},
                **{"target_pitch": In(config.act_bits), **lengths},
                "words": In(beat_stream(data=config.bus_bits)),
                **{"write": Out(1), "address": Out(config.act_bits)},
                **{"data": Out(config.bus_bits), "strobe": Out(config.bus_bytes)},
            }
        )

    def elaborate(self, platform):
        m = Module()
        words, low = self.words, unsigned_width(self._config.bus_bytes - 1)
        more = Signal(len(self.more), name="line_more", reset_less=True)
        tail = Signal(len(self.tail), name="line_tail", reset_less=True)
        number = Signal(len(more), name="line_word", reset_less=True)
        place = Signal(self._config.act_bits - low, reset_less=True)
        skip = Signal(len(place), reset_less=True)  # from a line's last word to the next's first
        last = Signal()
        m.d.comb += [
            *(words.ready.eq(1), self.write.eq(words.valid), self.data.eq(words.data)),
            self.address.eq(Cat(Const(0, low), place)),
            last.eq(number == more),
            self.strobe.eq(Cat(1, (~last | (tail >= byte) for byte in range(1, len(self.strobe))))),
        ]
        with m.If(self.start):
            m.d.sync += [place.eq(self.target[low:]), more.eq(self.more), tail.eq(self.tail)]
            m.d.sync += [skip.eq(self.target_pitch[low:] - self.more), number.eq(0)]
        with m.Elif(words.valid):
            m.d.sync += place.eq(place + Mux(last, skip, 1))
            m.d.sync += number.eq(Mux(last, 0, number + 1))
        return m
