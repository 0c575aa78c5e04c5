"""Where in its line a piece begins."""

from amaranth.hdl import Module, Mux, Signal
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

    With ``step.begin`` fields are those of a new command, else they say nothing. ``lane`` is that
    of the next piece. For ``step.segment`` and ``step.line``, for each vector and each row of
    vectors the position is kept at which the next one begins, so a step is one addition. Latency 1
    cycle; positions are exact as far as they matter (far_sum).
    """

    latency = 1

    def __init__(self, config: EngineConfig):
        self._config = config
        super().__init__(
            {
                **dict.fromkeys(FIELDS, In(16)),
                **{"step": In(STEP), "lane": In(lane_bits(config))},
                **{"place": Out(POSITION), "span": Out(StructLayout(span_fields(config)))},
            }
        )

    def elaborate(self, platform):
        m = Module()
        step, origin = self.step, Signal(16, reset_less=True)
        step_x, stride_x = Signal(16, reset_less=True), Signal(16, reset_less=True)
        with m.If(step.begin):
            m.d.sync += [
                origin.eq(self.origin_x),
                step_x.eq(self.step_x),
                stride_x.eq(self.stride_x),
            ]
        left = self._build_left(m, origin, stride_x)
        beside = self._build_beside(m, left, step_x, stride_x)
        self._build_place(m, left, beside, step_x, stride_x)
        self._build_span(m)
        return m

    def _build_left(self, m: Module, origin: Signal, stride: Signal) -> Signal:
        """Where each line of segments of the vector begins."""
        left = Signal(POSITION, reset_less=True)
        following = far_sum(m, left, stride, "left_following")
        with m.If(self.step.begin):
            m.d.sync += left.eq(self.origin_x.as_signed())
        with m.Elif(self.step.row):
            m.d.sync += left.eq(origin.as_signed())
        with m.Elif(self.step.vector):
            m.d.sync += left.eq(following)
        return left

    def _build_beside(self, m: Module, left: Signal, step_x: Signal, stride: Signal) -> Signal:
        """Where the segment beside that of the piece begins; kept for the first piece of the
        vector, and of the row."""
        step, beside = self.step, Signal(POSITION, reset_less=True)
        of_vector = Signal(POSITION, reset_less=True, name="beside_of_vector")
        of_row = Signal(POSITION, reset_less=True, name="beside_of_row")
        base, more = Signal(POSITION, name="beside_base"), Signal(16, name="beside_more")
        following = far_sum(m, base, more, "beside_following")
        m.d.comb += [base.eq(beside), more.eq(step_x)]
        with m.If(step.begin):
            m.d.comb += [base.eq(self.origin_x.as_signed()), more.eq(self.step_x)]
        with m.Elif(step.vector):
            m.d.comb += base.eq(Mux(step.row, of_row, of_vector))
            m.d.comb += more.eq(Mux(step.row, 0, stride))
        with m.Elif(step.line):
            m.d.comb += base.eq(left)
        prepares = step.begin | step.skip_x
        with m.If(prepares | step.vector | step.line | step.segment):
            m.d.sync += beside.eq(following)
        with m.If(prepares | step.vector):
            m.d.sync += of_vector.eq(following)
        with m.If(prepares):
            m.d.sync += of_row.eq(following)
        return beside

    def _build_place(
        self, m: Module, left: Signal, beside: Signal, step_x: Signal, stride: Signal
    ) -> None:
        """The piece's own position; kept for the first one of the vector, and of the row."""
        step, place = self.step, Signal(POSITION, reset_less=True, name="place_q")
        of_vector = Signal(POSITION, reset_less=True, name="place_of_vector")
        of_row = Signal(POSITION, reset_less=True, name="place_of_row")
        base, more = Signal(POSITION, name="place_base"), Signal(POSITION, name="place_more")
        following = far_sum(m, base, more, "place_following")
        m.d.comb += [base.eq(place), more.eq(self._config.gather_bytes), self.place.eq(place)]
        with m.If(step.begin):
            m.d.comb += [base.eq(self.origin_x.as_signed()), more.eq(self.skip)]
        with m.Elif(step.skip_x):
            m.d.comb += more.eq(step_x)
        with m.Elif(step.vector):
            m.d.comb += base.eq(Mux(step.row, of_row, of_vector))
            m.d.comb += more.eq(Mux(step.row, 0, stride))
        with m.Elif(step.line | step.segment):
            m.d.comb += [base.eq(Mux(step.line, left, beside)), more.eq(-self.lane)]
        prepares = step.begin | step.skip_x
        with m.If(prepares | step.vector | step.line | step.segment | step.word):
            m.d.sync += place.eq(following)
        with m.If(prepares | step.vector):
            m.d.sync += of_vector.eq(following)
        with m.If(prepares):
            m.d.sync += of_row.eq(following)

    def _build_span(self, m: Module) -> None:
        """Bytes of the word that are in the line: ``place`` + byte in 0..line_bytes-1."""
        bits, place, span = lane_bits(self._config), self.place, self.span
        line_bytes = Signal(16, reset_less=True, name="line_bytes_q")
        with m.If(self.step.begin):
            m.d.sync += line_bytes.eq(self.line_bytes)
        left = Signal(POSITION.width + 1, name="bytes_left")  # two's complement
        m.d.comb += left.eq(line_bytes - place)
        before, behind = place[-1] & ~place[bits:].all(), left[-1]
        m.d.comb += [
            *(span.cut_low.eq(place[-1]), span.low.eq(~place[:bits])),
            *(span.cut_high.eq(left[bits:] == 0), span.high.eq(left[:bits])),
            span.outside.eq(before | behind),
        ]
