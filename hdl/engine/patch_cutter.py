"""How the patches of a RUN are cut into pieces, wherever they lie."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib.wiring import Component

from cimforge.hdl.engine.descriptor_fields import command_fields
from cimforge.hdl.engine.line_factors import LineFactors
from cimforge.hdl.engine.piece_cutter import PieceCutter
from cimforge.hdl.engine.walk_step import FACTORS, STEP, cut_layout, lane_bits
from cimforge.hdl.macro.streams import beat_stream
from cimforge.hdl.netlist.block import In, Out
from cimforge.hdl.params.engine_config import EngineConfig

__all__ = ["CUT_FIELDS", "PatchCutter"]

CUT_FIELDS = (
    *("segment", "length", "skip", "vectors", "count_x", "count_y", "skip_x", "skip_y"),
    *("segments_x", "segments_y", "origin_y", "step_y", "stride_y"),
)


class PatchCutter(Component):
    """The pieces of all vectors of a RUN in order: one, ``piece`` (cut_layout), in each cycle with
    ``cuts`` and ``moves``; ``step`` says what comes after it, ``lane`` the byte of its word to
    which that goes. In front of them are the steps that make a command's first position, one in
    each cycle with ``moves``; with ``step.multiply`` the bits of LineFactors go.

    ``command`` is taken (``takes``) when no piece is left, or with the last one; ``busy``: steps or
    pieces are left. Pieces begin in the next cycle; where origin_y or skip_x is not 0, or there are
    several lines of segments or rows of vectors, n later: n is the larger of skip_x + 1 and B +
    skip_y, one more where skip_y is not 0, with B the bits of the largest of step_y, stride_y and
    origin_y (below 0: of ~origin_y), 1 at least. Reset drops the command.
    """

    latency = 1

    def __init__(self, config: EngineConfig):
        self._config = config
        widths = command_fields(config, "run")
        super().__init__(
            {
                "command": In(beat_stream(**{name: widths[name] for name in CUT_FIELDS})),
                **{"takes": Out(1), "moves": In(1), "cuts": Out(1), "busy": Out(1)},
                **{"step": Out(STEP), "piece": Out(cut_layout(config))},
                **{"lane": Out(lane_bits(config)), "factors": Out(FACTORS)},
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.cutter = cutter = PieceCutter(self._config)
        m.submodules.factors = factors = LineFactors()
        step, piece, last = self.step, self.piece, Signal(name="last_vector")
        for part in (cutter, factors):
            m.d.comb += part.takes.eq(self.takes)
            for name in part.signature.members:
                if name in CUT_FIELDS:
                    m.d.comb += getattr(part, name).eq(getattr(self.command, name))
        m.d.comb += [
            *(cutter.step.eq(step), cutter.moves.eq(self.moves), self.lane.eq(cutter.lane)),
            *(factors.shifts.eq(self.moves & step.multiply), self.factors.eq(factors.bits)),
            *(piece[name].eq(getattr(cutter, name)) for name in ("word", "first", "end")),
            piece.fresh.eq((cutter.word == 0) & (cutter.first == 0)),
            *(piece.closing.eq(step.vector), piece.final.eq(last)),
        ]
        skips = self._build_segments(m, cutter)
        self._build_vectors(m, last)
        self._build_state(m, skips, factors.more, last)
        return m

    def _build_state(self, m: Module, skips: Signal, more: Signal, last: Signal) -> None:
        """Whether a command is under way, and whether its first position is made."""
        command, step, cuts = self.command, self.step, self.cuts
        ends, prepared = Signal(name="command_ends"), Signal(name="prepared")
        preparing, multiplying = Signal(name="preparing"), Signal(name="multiplying")
        simple = (command.origin_y == 0) & (command.skip_x == 0)
        simple &= (command.segments_y == 1) & (command.count_y == 1)
        m.d.comb += [
            *(ends.eq(step.vector & last & self.moves), self.busy.eq(preparing | cuts)),
            command.ready.eq(~preparing & (~cuts | ends)),
            self.takes.eq(command.valid & command.ready),
            step.multiply.eq(preparing & multiplying),
            step.skip_x.eq(preparing & skips[0]),
            step.skip_y.eq(preparing & skips[1] & ~multiplying),
            prepared.eq(preparing & ~skips.any() & ~(multiplying & more)),
        ]
        with m.If(self.takes):
            m.d.sync += [preparing.eq(~simple), multiplying.eq(~simple), cuts.eq(simple)]
        with m.Elif(self.moves):
            with m.If(prepared):
                m.d.sync += [preparing.eq(0), cuts.eq(1)]
            with m.If(ends):
                m.d.sync += cuts.eq(0)
            with m.If(~more):
                m.d.sync += multiplying.eq(0)

    def _build_segments(self, m: Module, cutter: PieceCutter) -> Signal:
        """What comes after the piece, and its segment's number in the patch; returns whether, along
        x and y, segments are still to be skipped."""
        command, step, skips = self.command, self.step, Signal(2)
        most_x, most_y = (Signal(8, reset_less=True, name=f"most_{axis}") for axis in "xy")
        skip_x, skip_y = (Signal(8, reset_less=True, name=f"skip_{axis}_q") for axis in "xy")
        x, y = (Signal(8, reset_less=True, name=f"segment_{axis}") for axis in "xy")
        ends, completes = cutter.segment_ends, Signal(name="vector_completes")
        right = Signal(name="segment_right")
        m.d.comb += [
            *(skips.eq(Cat(x != skip_x, y != skip_y)), right.eq(x == most_x)),
            completes.eq(cutter.length_ends | (ends & right & (y == most_y))),
            step.vector.eq(self.cuts & completes),
            step.line.eq(self.cuts & ~completes & ends & right),
            step.segment.eq(self.cuts & ~completes & ends & ~right),
            step.word.eq(self.cuts & ~completes & ~ends),
        ]
        with m.If(self.takes):
            m.d.sync += [most_x.eq(command.segments_x - 1), most_y.eq(command.segments_y - 1)]
            m.d.sync += [skip_x.eq(command.skip_x), skip_y.eq(command.skip_y), x.eq(0), y.eq(0)]
        with m.Elif(self.moves):
            with m.If(step.segment | step.skip_x):
                m.d.sync += x.eq(x + 1)
            with m.If(step.line | step.skip_y):
                m.d.sync += y.eq(y + 1)
            with m.If(step.line):
                m.d.sync += x.eq(0)
            with m.If(step.vector):
                m.d.sync += [x.eq(skip_x), y.eq(skip_y)]
        return skips

    def _build_vectors(self, m: Module, last: Signal) -> None:
        """The vector's number in its row and image, and whether it is the ``last``.

        There are never more vectors than kept sums: of a longer row or image the end is not
        reached.
        """
        step, width = self.step, self._config.acc_address_bits
        left = Signal(width, reset_less=True, name="vectors_left")
        most, number, ends = [], [], []
        for name in ("count_x", "count_y"):
            less = Signal(16, name=f"{name}_less_one")
            most.append(Signal(width, reset_less=True, name=f"{name}_q"))
            number.append(Signal(width, reset_less=True, name=f"{name}_done"))
            ends.append(number[-1] == most[-1])
            m.d.comb += less.eq(getattr(self.command, name) - 1)
            with m.If(self.takes):
                m.d.sync += most[-1].eq(less[:width] | less[width:].any().replicate(width))
        m.d.comb += [step.row.eq(step.vector & ends[0]), step.image.eq(step.row & ends[1])]
        m.d.comb += last.eq(left == 0)
        with m.If(self.takes):
            m.d.sync += [number[0].eq(0), number[1].eq(0), left.eq(self.command.vectors - 1)]
        with m.Elif(self.moves & step.vector):
            m.d.sync += [number[0].eq(number[0] + 1), left.eq(left - 1)]
            with m.If(step.row):
                m.d.sync += [number[0].eq(0), number[1].eq(number[1] + 1)]
            with m.If(step.image):
                m.d.sync += number[1].eq(0)
