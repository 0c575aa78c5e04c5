"""Walk through the patches of a RUN, piece by piece."""

from amaranth.hdl import Module, Signal
from amaranth.lib.wiring import Component

from cimforge.hdl.engine.column_walk import ColumnWalk
from cimforge.hdl.engine.descriptor_fields import command_fields
from cimforge.hdl.engine.line_walk import LineWalk
from cimforge.hdl.engine.patch_cutter import CUT_FIELDS, PatchCutter
from cimforge.hdl.engine.walk_step import STEP, cut_layout, piece_layout, span_fields
from cimforge.hdl.macro.streams import beat_stream
from cimforge.hdl.netlist.block import In, Out
from cimforge.hdl.params.engine_config import EngineConfig

__all__ = ["WALK_FIELDS", "PatchWalk"]

WALK_FIELDS = (
    *CUT_FIELDS,
    *("source", "image_pitch", "line_bytes", "lines", "step_x", "stride_x", "origin_x"),
)


class PatchWalk(Component):
    """The pieces of all vectors of a RUN in order, one in each cycle with ``valid`` and ``move``.

    A piece is a run of bytes within one segment and one word of the vector, so that one read of
    any alignment brings it: ``address`` is that of the buffer's byte that belongs at byte 0 of the
    word, ``piece`` (piece_layout) says which bytes of the word it fills and which of them lie in
    the image. A vector is complete with the last byte of ``length``, or of the patch.

    Pieces are cut (PatchCutter) one ahead of where they lie: what comes after a piece is kept
    beside it, so that neither waits for the other. ``command`` is taken as PatchCutter takes it;
    fields are those of the descriptor. Latency is 2 cycles from a command to its first piece, and
    as many more as PatchCutter says; ``begins`` comes in between, when no piece of an
    earlier command is offered from the next cycle on. ``busy``: pieces are to come. Reset drops
    them.
    """

    latency = 2

    def __init__(self, config: EngineConfig):
        self._config = config
        widths = command_fields(config, "run")
        super().__init__(
            {
                "command": In(beat_stream(**{name: widths[name] for name in WALK_FIELDS})),
                **{"move": In(1), "valid": Out(1), "piece": Out(piece_layout(config))},
                **{"address": Out(config.act_bits), "busy": Out(1), "begins": Out(1)},
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.columns = columns = ColumnWalk(self._config)
        m.submodules.lines = lines = LineWalk(self._config)
        m.submodules.cutter = cutter = PatchCutter(self._config)
        command, moves = self.command, Signal(name="moves_on")
        for name in CUT_FIELDS:
            m.d.comb += getattr(cutter.command, name).eq(getattr(command, name))
        for part in (columns, lines):
            m.d.comb += [part.takes.eq(cutter.takes), part.moves.eq(moves)]
            for name in part.signature.members:
                if name in WALK_FIELDS:
                    m.d.comb += getattr(part, name).eq(getattr(command, name))
        m.d.comb += [
            moves.eq(self.move | ~self.valid),  # a gap closes here
            *(cutter.command.valid.eq(command.valid), command.ready.eq(cutter.command.ready)),
            *(cutter.moves.eq(moves), self.busy.eq(cutter.busy | self.valid)),
            self.address.eq(lines.address + columns.place),
        ]
        self._build_step(m, cutter, columns, lines, moves)
        self._build_piece(m, cutter, columns, lines, moves)
        return m

    def _build_step(
        self, m: Module, cutter: PatchCutter, columns: ColumnWalk, lines: LineWalk, moves: Signal
    ) -> None:
        """What comes after the piece at hand: a command, if one is taken before the piece goes."""
        step, begin = Signal(STEP, reset_less=True, name="step_q"), Signal(name="begin_q")
        factors = Signal.like(cutter.factors, reset_less=True, name="factors_q")
        lane = Signal.like(cutter.lane, reset_less=True, name="lane_q")
        m.d.sync += begin.eq(cutter.takes | (begin & ~moves))
        with m.If(moves):
            m.d.sync += [step.eq(cutter.step), factors.eq(cutter.factors), lane.eq(cutter.lane)]
        for part in (columns, lines):
            m.d.comb += [part.step.eq(step), part.step.begin.eq(begin)]
        m.d.comb += [lines.factors.eq(factors), columns.lane.eq(lane)]
        m.d.comb += self.begins.eq(begin & moves)

    def _build_piece(
        self, m: Module, cutter: PatchCutter, columns: ColumnWalk, lines: LineWalk, moves: Signal
    ) -> None:
        """The piece at hand: how it was cut, and what of it lies in the image."""
        cut = Signal(cut_layout(self._config), reset_less=True, name="cut_q")
        with m.If(moves):
            m.d.sync += [self.valid.eq(cutter.cuts), cut.eq(cutter.piece)]
        piece = self.piece
        m.d.comb += [
            *(piece[name].eq(cut[name]) for name in cut_layout(self._config).members),
            *(piece[name].eq(columns.span[name]) for name in span_fields(self._config)),
        ]
        with m.If(lines.outside):
            m.d.comb += piece.outside.eq(1)
