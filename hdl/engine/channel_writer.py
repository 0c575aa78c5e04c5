"""Channels of requantisation from words of the bus."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib.wiring import Component

from cimforge.hdl.macro.streams import beat_stream
from cimforge.hdl.netlist.block import In, Out
from cimforge.hdl.params.engine_config import CHANNEL_WORDS, EngineConfig

__all__ = ["CHANNEL_BITS", "CHANNEL_FIELDS", "ChannelWriter"]

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
        whole = Signal()
        wrong = Signal()
        build = self._build_beside if self._beside > 1 else self._build_parts
        values = build(m, whole)
        multiplier, shift = values["multiplier"], values["shift"]
        m.d.comb += [
            wrong.eq(multiplier[-1] | shift[-1]),
            self.write.eq(whole & ~wrong),
            *(getattr(self, name).eq(values[name]) for name in CHANNEL_FIELDS),
        ]
        number = Signal(self._config.channel_bits, name="channel", reset_less=True)
        if self._config.channel_bits:
            m.d.comb += self.number.eq(number)
        with m.If(self.start):
            m.d.sync += [number.eq(self.first), self.bad.eq(0)]
        with m.Elif(whole):
            m.d.sync += [number.eq(number + 1), self.bad.eq(self.bad | wrong)]
        return m

    def _build_parts(self, m: Module, whole: Signal) -> dict[str, Value]:
        """Fields of a channel whose last word is here: those of earlier words are kept."""
        words, bus_bits = self.words, self._config.bus_bits
        part = Signal(range(self._parts))  # number of the word in its channel
        m.d.comb += [words.ready.eq(1), whole.eq(words.valid & (part == self._parts - 1))]
        with m.If(self.start):
            m.d.sync += part.eq(0)
        with m.Elif(words.valid):
            m.d.sync += part.eq(part + 1)
        values = {}
        for place, (name, value) in enumerate(_checked(words.data, bus_bits).items()):
            values[name], brought = value, 32 * place // bus_bits
            if brought < self._parts - 1:
                values[name] = kept = Signal(len(value), name=f"kept_{name}", reset_less=True)
                with m.If(words.valid & (part == brought)):
                    m.d.sync += kept.eq(value)
        return values

    def _build_beside(self, m: Module, whole: Signal) -> dict[str, Value]:
        """Fields of the next channel of a word; the word goes with its last."""
        words = self.words
        part = Signal(range(self._beside))  # number of the channel in its word
        left = Signal(len(self.count), name="channels_left", reset_less=True)
        ends = Signal(name="word_ends")
        m.d.comb += [
            *(whole.eq(words.valid), words.ready.eq(ends)),
            ends.eq((part == self._beside - 1) | (left == 1)),
        ]
        with m.If(self.start):
            m.d.sync += [part.eq(0), left.eq(self.count)]
        with m.Elif(words.valid):
            m.d.sync += [part.eq(Mux(ends, 0, part + 1)), left.eq(left - 1)]
        channel = Signal(CHANNEL_BITS - 32 + CHANNEL_FIELDS["zero"], name="channel_word")
        with m.Switch(part):
            for number in range(self._beside):
                with m.Case(number):
                    m.d.comb += channel.eq(words.data[number * CHANNEL_BITS :])
        return _checked(channel, CHANNEL_BITS)


def _checked(word: Value, bits: int) -> dict[str, Value]:
    """Each field where it stands in a word of ``bits`` that brings it; above the multiplier and the
    shift a bit that says whether it is illegal."""
    places = (32 * place % bits for place in range(CHANNEL_WORDS))
    bias, multiplier, shift, zero = (word[place : place + 32] for place in places)
    short = CHANNEL_FIELDS["shift"]
    sign, least = shift[short - 1], 1 << short - 1
    outside = (shift[short:] != sign.replicate(32 - short)) | (shift[:short] == least)
    return {
        **{"bias": bias, "multiplier": multiplier},
        **{"shift": Cat(shift[:short], outside), "zero": zero[: CHANNEL_FIELDS["zero"]]},
    }
