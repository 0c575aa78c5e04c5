"""Channels of requantisation from words of the bus."""

from collections.abc import Mapping

from amaranth.hdl import Module, Signal, Value
from amaranth.lib.wiring import Component

from cimforge.hdl.macro.streams import beat_stream
from cimforge.hdl.netlist.block import In, Out
from cimforge.hdl.params.engine_config import CHANNEL_WORDS, EngineConfig

__all__ = ["CHANNEL_FIELDS", "ChannelWriter"]

CHANNEL_FIELDS = {"bias": 32, "multiplier": 31, "shift": 6, "zero": 16}  # bits, in memory's order
CHANNEL_BITS = 32 * CHANNEL_WORDS


class ChannelWriter(Component):
    """Writes of a channel each, numbered from ``first``, from its CHANNEL_WORDS 32-bit words: bias
    (two's complement), multiplier (Q31), shift (two's complement), weight zero point (two's
    complement, its lowest 16 bits).

    ``start`` begins, with ``first`` and ``count``, the channels to come, valid then. A narrow bus
    brings a channel in several words, a wide one several channels in a word, of which those beyond
    ``count`` are padding. A multiplier with bit 31 set or a shift outside -31..31 makes a channel
    bad: it is left out, and ``bad`` is high from the cycle after until the next start.

    Latency 0: a channel is written in the cycle in which its last word comes. Rate: a channel in
    max(1, 128 / bus_bits) cycles; a word with several waits until the last of them. Reset keeps
    nothing under way.
    """

    def __init__(self, config: EngineConfig):
        self._config = config
        self._parts = max(1, CHANNEL_BITS // config.bus_bits)  # words of a channel
        self._beside = max(1, config.bus_bits // CHANNEL_BITS)  # channels of a word
        number = {"number": Out(config.channel_bits)} if config.channel_bits else {}
        super().__init__(
            {
                **{"start": In(1), "first": In(config.channel_bits), "bad": Out(1)},
                "count": In(range(config.channels + 1)),
                "words": In(beat_stream(data=config.bus_bits)),
                **{"write": Out(1), **number},
                **{name: Out(width) for name, width in CHANNEL_FIELDS.items()},
            }
        )

    def elaborate(self, platform):
        m = Module()
        words, whole, wrong = self.words, Signal(), Signal(name="wrong_channel")
        word = self._build_several(m, whole) if self._beside > 1 else words.data
        if self._beside == 1:
            m.d.comb += words.ready.eq(1)
        field = self._build_parts(m, word, whole)
        shift = field["shift"]
        outside = (shift[5:] != shift[5].replicate(27)) | (shift[:6] == 0b100000)
        m.d.comb += [
            wrong.eq(field["multiplier"][31] | outside),
            self.write.eq(whole & ~wrong),
            *(getattr(self, name).eq(field[name]) for name in CHANNEL_FIELDS),
        ]
        number = Signal(self._config.channel_bits, name="channel", reset_less=True)
        if self._config.channel_bits:
            m.d.comb += self.number.eq(number)
        with m.If(self.start):
            m.d.sync += [number.eq(self.first), self.bad.eq(0)]
        with m.Elif(whole):
            m.d.sync += [number.eq(number + 1), self.bad.eq(self.bad | wrong)]
        return m
