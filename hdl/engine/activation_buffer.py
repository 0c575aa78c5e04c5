"""Activation buffer: inputs of vectors, read at any byte."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value

from cimforge.hdl.engine.ram import Ram
from cimforge.hdl.engine.walk_step import lane_bits
from cimforge.hdl.netlist.block import Block, In, Out
from cimforge.hdl.params.engine_config import EngineConfig

__all__ = ["ActivationBuffer", "lane_width"]


def lane_width(config: EngineConfig) -> int:
    """Bits that are kept of a byte: those of an element that count, where it has but one byte."""
    return min(config.macro.input_bits, 8) if config.element_bytes == 1 else 8


class ActivationBuffer(Block):
    """Activation buffer of an engine: a ring of bytes, of which gather_bytes are read from any one.

    ``write`` puts the bytes of ``data`` that ``strobe`` selects at ``address``, a multiple of
    bus_bytes, in each cycle. ``word`` is bytes ``read_address`` .. + gather_bytes - 1, the first
    lowest, of each the lane_width bits that count; addresses wrap.

    Even and odd words are in two memories, so that a read finds in them the two words that it
    lies across: bytes from the place in the first word on are of that word, those below it of the
    next, and a rotation puts them in order. ``enable`` moves reads on: latency is 2 cycles with it
    (the memories, the choice between them), rate one read a cycle. A byte that is written in the
    cycle of its read is old or new. Contents are undefined until written; no reset is needed.
    """

    role = "buffer"
    latency = 2

    def __init__(self, config: EngineConfig):
        self._config = config
        words = config.act_bytes // (2 * config.gather_bytes)
        lanes, bits = config.gather_bytes, lane_width(config)
        half = Ram(config.module, "activation_ram", self.role, words, lanes, bits)
        super().__init__(
            config.module,
            "activation_buffer",
            {
                **{"write": In(1), "address": In(config.act_bits)},
                **{"data": In(config.bus_bits), "strobe": In(config.bus_bytes)},
                **{"enable": In(1), "read_address": In(config.act_bits)},
                "word": Out(config.gather_bytes * lane_width(config)),
            },
            {"even": half, "odd": half},
        )

    def elaborate(self, platform):
        m = Module()
        lane = lane_bits(self._config)
        number = Signal(self._config.act_bits - lane, name="word_number")
        m.d.comb += number.eq(self.read_address[lane:])
        row = {"even": (number + 1)[1 : len(number)], "odd": number[1:]}
        words = []
        for half, name in enumerate(row):
            pins = self._build_write(m, half, name)
            words.append(Signal(len(self.word), name=f"{name}_word"))
            pins |= {"read_address": row[name], "read": self.enable, "read_data": words[-1]}
            m.submodules[name] = self.instance(name, **pins)
        self._build_read(m, number, *words)
        return m

    def _build_write(self, m: Module, half: int, name: str) -> dict[str, Value]:
        """A word of the bus to its place in the word of the half that its address names."""
        config, lane = self._config, lane_bits(self._config)
        lowest = (config.bus_bytes - 1).bit_length()
        parts = config.gather_bytes // config.bus_bytes
        lanes = Signal(config.gather_bytes, name=f"{name}_lanes")
        here = self.write & (self.address[lane] == half)
        for part in range(parts):
            chosen = here & (self.address[lowest:lane] == part)
            of_part = lanes.word_select(part, config.bus_bytes)
            m.d.comb += of_part.eq(self.strobe & chosen.replicate(config.bus_bytes))
        bits = lane_width(config)
        kept = Cat(self.data.word_select(byte, 8)[:bits] for byte in range(config.bus_bytes))
        pins: dict[str, Value] = {"write_data": kept.replicate(parts), "write": lanes}
        return pins | {"write_address": self.address[lane + 1 :]}

    def _build_read(self, m: Module, number: Signal, even: Signal, odd: Signal) -> None:
        """The two words, then of each byte the one that has it, then their rotation."""
        lane, bits = lane_bits(self._config), lane_width(self._config)
        place, odd_first = Signal(lane, reset_less=True), Signal(reset_less=True)
        chosen, shift = Signal.like(self.word, reset_less=True), Signal(lane, reset_less=True)
        with m.If(self.enable):
            m.d.sync += [place.eq(self.read_address[:lane]), odd_first.eq(number[0])]
            m.d.sync += shift.eq(place)
            for byte in range(self._config.gather_bytes):
                of_odd = Signal(name=f"of_odd{byte}")
                last = byte == self._config.gather_bytes - 1  # is always of the first word
                m.d.comb += of_odd.eq(odd_first if last else (byte < place) ^ odd_first)
                of_each = [word.word_select(byte, bits) for word in (even, odd)]
                value = Mux(of_odd, of_each[1], of_each[0])
                m.d.sync += chosen.word_select(byte, bits).eq(value)
        m.d.comb += self.word.eq(self._rotated(m, chosen, shift, bits))

    def _rotated(self, m: Module, word: Signal, shift: Signal, bits: int) -> Value:
        """``word`` with byte ``shift`` lowest, a bit of ``shift`` after the other."""
        for place in range(len(shift)):
            turned = Signal.like(word, name=f"turned{place}")
            m.d.comb += turned.eq(Mux(shift[place], word.rotate_right(bits << place), word))
            word = turned
        return word
