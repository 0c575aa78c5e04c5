"""Walk through the patches of a RUN, piece by piece."""

from amaranth.hdl import Module, Signal
from amaranth.lib.data import View
from amaranth.lib.wiring import Component

from cimforge.hdl.engine.column_walk import ColumnWalk
from cimforge.hdl.engine.descriptor_fields import command_fields
from cimforge.hdl.engine.line_walk import LineWalk
from cimforge.hdl.engine.piece_cutter import PieceCutter
from cimforge.hdl.engine.walk_step import STEP, piece_layout, span_fields
from cimforge.hdl.macro.streams import beat_stream
from cimforge.hdl.netlist.block import In, Out
from cimforge.hdl.params.engine_config import EngineConfig

__all__ = ["WALK_FIELDS", "PatchWalk"]

WALK_FIELDS = (
    *("source", "image_pitch", "line_bytes", "lines", "segment", "length", "vectors"),
    *("segments_x", "segments_y", "step_x", "step_y", "stride_x", "stride_y"),
    *("count_x", "count_y", "origin_x", "origin_y", "skip_x", "skip_y", "skip"),
)


class PatchWalk(Component):
    """The pieces of all vectors of a RUN in order, one in each cycle with ``valid`` and ``move``.

    A piece is a run of bytes within one segment and one word of the vector, so that one read of
    any alignment brings it: ``address`` is that of the buffer's byte that belongs at byte 0 of the
    word, ``piece`` (piece_layout) says which bytes of the word it fills and which of them lie in
    the image. A vector is complete with the last byte of ``length``, or of the patch.

    ``command`` is taken when nothing is under way (``busy`` low) or in the cycle of the last piece;
    its fields are those of the descriptor. The first piece follows in the next cycle; where
    origin_y or skip_x is not 0, or there are several lines of segments or rows of vectors, it
    comes n cycles later: n is the larger of skip_x + 1 and B + skip_y, one more where skip_y is not
    0, with B the bits of the largest of step_y, stride_y and origin_y (below 0: of ~origin_y), 1 at
    least. Reset drops the command.
    """

    latency = 1

    def __init__(self, config: EngineConfig):
        self._config = config
        widths = command_fields(config, "run")
        super().__init__(
            {
                "command": In(beat_stream(**{name: widths[name] for name in WALK_FIELDS})),
                **{"move": In(1), "valid": Out(1), "piece": Out(piece_layout(config))},
                **{"address": Out(config.act_bits), "busy": Out(1)},
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.columns = columns = ColumnWalk(self._config)
        m.submodules.lines = lines = LineWalk(self._config)
        m.submodules.cutter = cutter = PieceCutter(self._config)
        step, piece = Signal(STEP), self.piece
        for part in (columns, lines, cutter):
            m.d.comb += part.step.eq(step)
            for name in part.signature.members:
                if name in WALK_FIELDS:
                    m.d.comb += getattr(part, name).eq(getattr(self.command, name))
        m.d.comb += [
            *(piece[name].eq(columns.span[name]) for name in span_fields(self._config)),
            *(piece[name].eq(getattr(cutter, name)) for name in ("word", "first", "end")),
            piece.fresh.eq((cutter.word == 0) & (cutter.first == 0)),
            columns.lane.eq(cutter.lane),
            self.address.eq(lines.address + columns.place),
        ]
        with m.If(lines.outside):
            m.d.comb += piece.outside.eq(1)
        last = self._build_vectors(m, step)
        self._build_segments(m, step, cutter)
        self._build_state(m, step, lines.more, last)
        m.d.comb += piece.final.eq(last)
        return m

    def _build_state(self, m: Module, step: View, more: Signal, last: Signal) -> None:
        """Whether a command is under way, and its first position is made."""
        command, valid = self.command, self.valid
        ends, prepared = Signal(name="command_ends"), Signal(name="prepared")
        preparing, multiplying = Signal(name="preparing"), Signal(name="multiplying")
        simple = (command.origin_y == 0) & (command.skip_x == 0)
        simple &= (command.segments_y == 1) & (command.count_y == 1)
        m.d.comb += [
            *(ends.eq(step.vector & last), self.busy.eq(preparing | valid)),
            command.ready.eq(~preparing & (~valid | ends)),
            step.begin.eq(command.valid & command.ready),
            step.multiply.eq(preparing & multiplying),
            step.skip_x.eq(preparing & self._skips_x),
            step.skip_y.eq(preparing & self._skips_y & ~multiplying),
            prepared.eq(preparing & ~self._skips_x & ~self._skips_y & ~(multiplying & more)),
        ]
        with m.If(step.begin):
            m.d.sync += [preparing.eq(~simple), multiplying.eq(~simple), valid.eq(simple)]
        with m.Elif(prepared):
            m.d.sync += [preparing.eq(0), multiplying.eq(0), valid.eq(1)]
        with m.Elif(ends):
            m.d.sync += valid.eq(0)
        with m.Elif(preparing & ~more):
            m.d.sync += multiplying.eq(0)

    def _build_segments(self, m: Module, step: View, cutter: PieceCutter) -> None:
        """What comes after the piece, and the segment's number in the patch."""
        command, issue = self.command, Signal(name="issue")
        most_x, most_y = (Signal(8, reset_less=True, name=f"most_{axis}") for axis in "xy")
        skip_x, skip_y = (Signal(8, reset_less=True, name=f"skip_{axis}_q") for axis in "xy")
        x, y = (Signal(8, reset_less=True, name=f"segment_{axis}") for axis in "xy")
        ends, right = cutter.segment_ends, x == most_x
        completes = Signal(name="vector_completes")
        self._skips_x, self._skips_y = x != skip_x, y != skip_y
        m.d.comb += [
            *(issue.eq(self.valid & self.move), self.piece.closing.eq(completes)),
            completes.eq(cutter.length_ends | (ends & right & (y == most_y))),
            step.vector.eq(issue & completes),
            step.line.eq(issue & ~completes & ends & right),
            step.segment.eq(issue & ~completes & ends & ~right),
            step.word.eq(issue & ~completes & ~ends),
        ]
        with m.If(step.begin):
            m.d.sync += [most_x.eq(command.segments_x - 1), most_y.eq(command.segments_y - 1)]
            m.d.sync += [skip_x.eq(command.skip_x), skip_y.eq(command.skip_y), x.eq(0), y.eq(0)]
        with m.Elif(step.vector):
            m.d.sync += [x.eq(skip_x), y.eq(skip_y)]
        with m.Else():
            with m.If(step.segment | step.skip_x):
                m.d.sync += x.eq(x + 1)
            with m.If(step.line | step.skip_y):
                m.d.sync += y.eq(y + 1)
            with m.If(step.line):
                m.d.sync += x.eq(0)

    def _build_vectors(self, m: Module, step: View) -> Signal:
        """The vector's number in its row and image; returns whether it is the last.

        There are never more vectors than kept sums: of a longer row or image the end is not
        reached.
        """
        width = self._config.acc_address_bits
        left = Signal(width, reset_less=True, name="vectors_left")
        most, number, ends = [], [], []
        for name in ("count_x", "count_y"):
            count = getattr(self.command, name)
            less = Signal(16, name=f"{name}_less_one")
            most.append(Signal(width, reset_less=True, name=f"{name}_q"))
            number.append(Signal(width, reset_less=True, name=f"{name}_done"))
            ends.append(number[-1] == most[-1])
            m.d.comb += less.eq(count - 1)
            with m.If(step.begin):
                m.d.sync += most[-1].eq(less[:width] | less[width:].any().replicate(width))
        m.d.comb += [step.row.eq(step.vector & ends[0]), step.image.eq(step.row & ends[1])]
        with m.If(step.begin):
            m.d.sync += [number[0].eq(0), number[1].eq(0), left.eq(self.command.vectors - 1)]
        with m.Elif(step.vector):
            m.d.sync += [number[0].eq(number[0] + 1), left.eq(left - 1)]
            with m.If(step.row):
                m.d.sync += [number[0].eq(0), number[1].eq(number[1] + 1)]
            with m.If(step.image):
                m.d.sync += number[1].eq(0)
        last = Signal(name="last_vector")
        m.d.comb += last.eq(left == 0)
        return last
