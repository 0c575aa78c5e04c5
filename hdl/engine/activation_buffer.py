"""Activation buffer: inputs of vectors, read at any byte."""

from amaranth.hdl import Module, Mux, Signal, Value
from amaranth.lib.memory import Memory

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
        super().__init__(
            config.module,
            "activation_buffer",
            {
                **{"write": In(1), "address": In(config.act_bits)},
                **{"data": In(config.bus_bits), "strobe": In(config.bus_bytes)},
                **{"enable": In(1), "read_address": In(config.act_bits)},
                "word": Out(config.gather_bytes * lane_width(config)),
            },
        )

    def elaborate(self, platform):
        m = Module()
        config, bits = self._config, lane_width(self._config)
        depth = config.act_bytes // (2 * config.gather_bytes)
        halves = []
        for name in ("even", "odd"):
            m.submodules[name] = memory = Memory(
                shape=config.gather_bytes * bits, depth=depth, init=[]
            )
            halves.append(memory)
        self._build_write(m, [memory.write_port(granularity=bits) for memory in halves])
        ports = [memory.read_port() for memory in halves]
        self._build_read(m, ports)
        return m

    def _build_write(self, m: Module, ports: list) -> None:
        """A word of the bus to its place in the word of the half that its address names."""
        config, bits, lane = self._config, lane_width(self._config), lane_bits(self._config)
        lowest = (config.bus_bytes - 1).bit_length()
        parts = config.gather_bytes // config.bus_bytes
        kept = [self.data[8 * byte : 8 * byte + bits] for byte in range(config.bus_bytes)]
        for number, port in enumerate(ports):
            m.d.comb += port.addr.eq(self.address[lane + 1 :])
            here = self.write & (self.address[lane] == number)
            for part in range(parts):
                low = part * config.bus_bytes
                chosen = here & (self.address[lowest:lane] == part)
                m.d.comb += [
                    port.en[low : low + config.bus_bytes].eq(
                        self.strobe & chosen.replicate(config.bus_bytes)
                    ),
                    *(
                        port.data[(low + byte) * bits :][:bits].eq(value)
                        for byte, value in enumerate(kept)
                    ),
                ]

    def _build_read(self, m: Module, ports: list) -> None:
        """The two words, then of each byte the one that has it, then their rotation."""
        config, lane = self._config, lane_bits(self._config)
        number = Signal(config.act_bits - lane, name="word_number")
        place, odd_first = Signal(lane, reset_less=True), Signal(reset_less=True)
        m.d.comb += [
            number.eq(self.read_address[lane:]),
            ports[0].addr.eq((number + 1)[1 : len(number)]),
            ports[1].addr.eq(number[1:]),
            *(port.en.eq(self.enable) for port in ports),
        ]
        with m.If(self.enable):
            m.d.sync += [place.eq(self.read_address[:lane]), odd_first.eq(number[0])]

        bits = lane_width(config)
        chosen = Signal(config.gather_bytes * bits, reset_less=True)
        shift = Signal(lane, reset_less=True)
        with m.If(self.enable):
            m.d.sync += shift.eq(place)
            for byte in range(config.gather_bytes):
                of_first = Signal(name=f"of_first{byte}")
                m.d.comb += of_first.eq(byte >= place)
                even, odd = (port.data[byte * bits :][:bits] for port in ports)
                value = Mux(of_first == odd_first, odd, even)
                m.d.sync += chosen[byte * bits :][:bits].eq(value)
        m.d.comb += self.word.eq(self._rotated(m, chosen, shift, bits))

    def _rotated(self, m: Module, word: Signal, shift: Signal, bits: int) -> Value:
        """``word`` with byte ``shift`` lowest, a bit of ``shift`` after the other."""
        for place in range(len(shift)):
            turned = Signal.like(word, name=f"turned{place}")
            m.d.comb += turned.eq(Mux(shift[place], word.rotate_right(bits << place), word))
            word = turned
        return word
