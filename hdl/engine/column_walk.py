"""Where in its line a piece begins."""

from amaranth.hdl import Module, Mux, Signal, Value
from amaranth.lib.data import StructLayout
from amaranth.lib.wiring import Component

from cimforge.hdl.engine.positions import POSITION, far_sum
from cimforge.hdl.engine.walk_step import STEP, lane_bits, span_fields
from cimforge.hdl.netlist.block import In, Out
from cimforge.hdl.params.engine_config import EngineConfig

__all__ = ["ColumnWalk"]

FIELDS = ("origin_x", "skip", "step_x", "stride_x", "line_bytes")


class ColumnWalk(Component):
    """Position ``place`` in the line, in bytes, of what would be byte 0 of a word of the vector:
    X - lane for a piece that begins at X and goes to byte ``lane`` of its word; and which bytes of
    the word that makes lie in the line (``span``, of span_fields).

    Fields are taken over with ``takes``; where ``moves`` is high, what ``step`` says is done,
    ``begin`` not before the last piece of the command before has gone. ``lane`` is that of the next
    piece, on a step to another segment. For each vector and each row of vectors the position is
    kept at which the next one begins, so a step is one addition. Latency 1 cycle from a step;
    positions are exact as far as they matter (far_sum).
    """

    latency = 1

    def __init__(self, config: EngineConfig):
        self._config = config
        super().__init__(
            {
                **dict.fromkeys(FIELDS, In(16)),
                **{"takes": In(1), "moves": In(1), "step": In(STEP)},
                **{"lane": In(lane_bits(config)), "place": Out(POSITION)},
                "span": Out(StructLayout(span_fields(config))),
            }
        )

    def elaborate(self, platform):
        m = Module()
        field = {name: Signal(16, reset_less=True, name=f"{name}_q") for name in FIELDS}
        with m.If(self.takes):
            m.d.sync += [value.eq(getattr(self, name)) for name, value in field.items()]
        origin = field["origin_x"].as_signed()
        left = self._build_left(m, origin, field["stride_x"])
        beside = self._build_beside(m, origin, left, field)
        self._build_place(m, origin, left, beside, field)
        self._build_span(m, field["line_bytes"])
        return m

    def _build_left(self, m: Module, origin: Value, stride: Signal) -> Signal:
        """Where each line of segments of the vector begins."""
        step, left = self.step, Signal(POSITION, reset_less=True)
        following = far_sum(m, left, stride, "left_following")
        with m.If(self.moves & (step.begin | step.vector)):
            m.d.sync += left.eq(Mux(step.begin | step.row, origin, following))
        return left

    def _build_beside(self, m: Module, origin: Value, left: Signal, field: dict) -> Signal:
        """Where the segment beside that of the piece begins; kept for the first piece of the
        vector, and of the row."""
        step = self.step
        base, more = Signal(POSITION, name="beside_base"), Signal(16, name="beside_more")
        following = far_sum(m, base, more, "beside_following")
        beside, of_vector, of_row = self._build_kept(m, "beside", following, step.segment)
        m.d.comb += [base.eq(beside), more.eq(field["step_x"])]
        with m.If(step.begin):
            m.d.comb += base.eq(origin)
        with m.Elif(step.vector):
            m.d.comb += base.eq(Mux(step.row, of_row, of_vector))
            m.d.comb += more.eq(Mux(step.row, 0, field["stride_x"]))
        with m.Elif(step.line):
            m.d.comb += base.eq(left)
        return beside

    def _build_place(
        self, m: Module, origin: Value, left: Signal, beside: Signal, field: dict
    ) -> None:
        """The piece's own position; kept for the first one of the vector, and of the row."""
        step = self.step
        base, more = Signal(POSITION, name="place_base"), Signal(POSITION, name="place_more")
        following = far_sum(m, base, more, "place_following")
        within = step.segment | step.word
        place, of_vector, of_row = self._build_kept(m, "place", following, within)
        m.d.comb += [base.eq(place), more.eq(self._config.gather_bytes), self.place.eq(place)]
        with m.If(step.begin):
            m.d.comb += [base.eq(origin), more.eq(field["skip"])]
        with m.Elif(step.skip_x):
            m.d.comb += more.eq(field["step_x"])
        with m.Elif(step.vector):
            m.d.comb += base.eq(Mux(step.row, of_row, of_vector))
            m.d.comb += more.eq(Mux(step.row, 0, field["stride_x"]))
        with m.Elif(step.line | step.segment):
            m.d.comb += [base.eq(Mux(step.line, left, beside)), more.eq(-self.lane)]

    def _build_kept(
        self, m: Module, name: str, following: Signal, within: Value
    ) -> tuple[Signal, Signal, Signal]:
        """A position, and those with which the vector and the row of vectors began; ``within``
        steps change it alone, as step.line does."""
        step = self.step
        now, of_vector, of_row = (
            Signal(POSITION, reset_less=True, name=f"{name}_of_{whole}")
            for whole in ("piece", "vector", "row")
        )
        prepares = step.begin | step.skip_x
        with m.If(self.moves):
            with m.If(prepares | step.vector | step.line | within):
                m.d.sync += now.eq(following)
            with m.If(prepares | step.vector):
                m.d.sync += of_vector.eq(following)
            with m.If(prepares):
                m.d.sync += of_row.eq(following)
        return now, of_vector, of_row

    def _build_span(self, m: Module, taken: Signal) -> None:
        """Bytes of the word that are in the line: ``place`` + byte in 0..line_bytes-1."""
        bits, place, span = lane_bits(self._config), self.place, self.span
        line_bytes = Signal(16, reset_less=True)
        with m.If(self.moves & self.step.begin):
            m.d.sync += line_bytes.eq(taken)
        left = Signal(POSITION.width + 1, name="bytes_left")  # two's complement
        m.d.comb += left.eq(line_bytes - place)
        before, behind = place[-1] & ~place[bits:].all(), left[-1]
        m.d.comb += [
            *(span.cut_low.eq(place[-1]), span.low.eq(~place[:bits])),
            *(span.cut_high.eq(left[bits:] == 0), span.high.eq(left[:bits])),
            span.outside.eq(before | behind),
        ]
