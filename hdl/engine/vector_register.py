"""A vector from its pieces."""

from amaranth.hdl import Const, Module, Mux, Signal, Value
from amaranth.lib.data import StructLayout
from amaranth.lib.wiring import Component

from cimforge.hdl.engine.activation_buffer import lane_width
from cimforge.hdl.engine.walk_step import piece_layout
from cimforge.hdl.macro.streams import macro_streams
from cimforge.hdl.netlist.block import In, Out
from cimforge.hdl.params.engine_config import EngineConfig

__all__ = ["VectorRegister", "manner_fields"]

TOLD = ("bits", "signed", "bank", "rows")  # what x carries beside its data


def manner_fields(config: EngineConfig) -> dict[str, int]:
    """What goes with each piece of a command: how its vectors are taken, and what pads them."""
    macro = config.macro
    told = {"bits": macro.x_bits_width, "signed": 1, "bank": macro.bank_bits}
    return told | {"rows": macro.x_rows_width, "pad": macro.input_bits}


class VectorRegister(Component):
    """Stream ``x`` of the vectors that the pieces with ``valid`` make.

    A piece's bytes are those of ``word`` where they lie in the image, else those of the element
    ``pad`` (of two bytes the low one in even lanes); bytes above its end are 0, as are all words
    that no piece of the vector reaches. A piece is taken in each cycle with ``move``, which is low
    only while a vector is offered and not taken: so pieces of the next vector come without a gap,
    into the same register, in the cycle in which the present one is taken.

    ``released`` is high in the cycle after the last vector of a command was taken. Latency 1 cycle
    from a vector's last piece. Reset drops the vector.
    """

    latency = 1

    def __init__(self, config: EngineConfig):
        self._config = config
        super().__init__(
            {
                **{"valid": In(1), "piece": In(piece_layout(config))},
                "manner": In(StructLayout(manner_fields(config))),
                "word": In(config.gather_bytes * lane_width(config)),
                **{"x": Out(macro_streams(config.macro)["x"])},
                **{"move": Out(1), "released": Out(1)},
            }
        )

    def elaborate(self, platform):
        m = Module()
        x, piece, written = self.x, self.piece, Signal(name="written")
        final = Signal(reset_less=True, name="final_vector")
        data = Signal.like(x.data, reset_less=True, name="vector_data")
        manner = Signal(self.manner.shape(), reset_less=True, name="vector_manner")
        m.d.comb += [self.move.eq(~x.valid | x.ready), written.eq(self.valid & self.move)]
        m.d.sync += self.released.eq(x.valid & x.ready & final)
        with m.If(self.move):
            m.d.sync += x.valid.eq(self.valid & piece.closing)
        with m.If(written):
            m.d.sync += [manner.eq(self.manner), final.eq(piece.final)]
        told = [name for name in TOLD if name in x.signature.members]
        m.d.comb += [x.data.eq(data), *(getattr(x, name).eq(manner[name]) for name in told)]
        self._build_bytes(m, data, written, *self._build_lanes(m))
        return m

    def _build_lanes(self, m: Module) -> tuple[list[Signal], list[Value]]:
        """Byte of each lane, and whether it is written."""
        piece, bits, size = self.piece, lane_width(self._config), self._config.element_bytes
        pad = self.manner.pad
        lanes = self._config.gather_bytes
        values, taken = [], []
        for lane in range(lanes):
            inside = Signal(name=f"inside{lane}")
            part = self._config.macro.input_bits - 8 * (lane % size)
            value = Signal(min(8, part), name=f"byte{lane}")
            above = lane > piece.low if lane else Const(0)
            below = lane < piece.high if lane < lanes - 1 else Const(0)
            cut = (piece.cut_low & ~above) | (piece.cut_high & ~below)
            m.d.comb += inside.eq(~piece.outside & ~cut)
            of_pad = pad[8 * (lane % size) :][:8]
            used = lane <= piece.end if lane else Const(1)
            with m.If(used):
                m.d.comb += value.eq(Mux(inside, self.word[lane * bits :][:bits], of_pad))
            values.append(value)
            taken.append(lane >= piece.first if lane < lanes - 1 else Const(1))
        return values, taken

    def _build_bytes(
        self, m: Module, data: Signal, written: Signal, values: list[Signal], taken: list[Value]
    ) -> None:
        """The vector's bytes: those of the piece's word from its first one on; the first piece of
        a vector empties all other words."""
        config, piece = self._config, self.piece
        for word in range(config.gather_words):
            here, empties = Signal(name=f"in_word{word}"), Signal(name=f"empties{word}")
            m.d.comb += here.eq(written & (piece.word == word))
            m.d.comb += empties.eq(written & piece.fresh if word else 0)
            for lane in range(config.gather_bytes):
                target = self._bits_of(data, word * config.gather_bytes + lane)
                if target is None:
                    continue
                with m.If(empties):
                    m.d.sync += target.eq(0)
                with m.Elif(here & taken[lane]):
                    m.d.sync += target.eq(values[lane])

    def _bits_of(self, data: Signal, byte: int) -> Value | None:
        """The part of ``data`` that a byte of the vector is; none behind the last row."""
        config, width = self._config, self._config.macro.input_bits
        row, part = divmod(byte, config.element_bytes)
        low = row * width + 8 * part
        bits = min(8, width - 8 * part)
        return data[low : low + bits] if row < config.macro.rows else None
