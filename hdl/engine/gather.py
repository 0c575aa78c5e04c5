"""Gather: vectors of a RUN from the activation buffer."""

from amaranth.hdl import Module, Signal
from amaranth.lib.data import StructLayout
from amaranth.lib.wiring import connect, flipped

from cimforge.hdl.engine.activation_buffer import lane_width
from cimforge.hdl.engine.descriptor_fields import command_fields
from cimforge.hdl.engine.patch_walk import WALK_FIELDS, PatchWalk
from cimforge.hdl.engine.vector_register import VectorRegister, manner_fields
from cimforge.hdl.engine.walk_step import piece_layout
from cimforge.hdl.macro.streams import beat_stream, macro_streams
from cimforge.hdl.netlist.block import Block, In, Out
from cimforge.hdl.params.engine_config import EngineConfig

__all__ = ["Gather", "gather_fields"]


def gather_fields(config: EngineConfig) -> dict[str, int]:
    """Width of each field of a RUN that Gather needs."""
    widths = command_fields(config, "run")
    names = (*WALK_FIELDS, *(name for name in manner_fields(config) if name in widths))
    return {name: widths[name] for name in names}


class Gather(Block):
    """Gather unit of an engine: makes the vectors of a RUN, piece by piece, and offers them on
    ``x``.

    Element r of vector v is that of the patch as the descriptor's fields say (golden,
    gather_vectors): activations at ``source`` + image and line offsets modulo act_bytes, ``pad``
    outside of the image, 0 behind the patch or ``length``. A piece is what lies in one segment
    and in one word of gather_bytes of the vector, and takes one cycle, wherever it begins in the
    buffer: a vector of one segment takes ceil(length / gather_bytes) cycles, any other as many as
    the words and segments cut it into. Vectors follow without a gap where the array needs as
    many cycles; a ``command`` is taken with the last piece of the one before (PatchWalk), its first
    vector is offered 4 cycles after that, + 1 for each piece, + PatchCutter's steps in front.

    There is one register for a vector, that of ``x``. The next one's pieces move in from the cycle
    on in which it is taken: the array has registers of its own, so a second would serve only to
    hide the first steps of a command. When x waits, everything stands still. ``read_enable``,
    ``read_address`` and ``word`` are those of ActivationBuffer. ``starved`` says that a command is
    under way and no vector offered; ``released`` is high in the cycle after a command's last vector
    was taken. Reset drops everything.
    """

    role = "gather"
    has_reset = True
    latency = 5

    def __init__(self, config: EngineConfig):
        self._config = config
        super().__init__(
            config.module,
            "gather",
            {
                "command": In(beat_stream(**gather_fields(config))),
                **{"read_enable": Out(1), "read_address": Out(config.act_bits)},
                "word": In(config.gather_bytes * lane_width(config)),
                **{"x": Out(macro_streams(config.macro)["x"])},
                **{"starved": Out(1), "released": Out(1)},
            },
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.walk = walk = PatchWalk(self._config)
        m.submodules.vector = vector = VectorRegister(self._config)
        connect(m, flipped(self.x), vector.x)
        m.d.comb += [
            walk.command.valid.eq(self.command.valid),
            self.command.ready.eq(walk.command.ready),
            *(getattr(walk.command, n).eq(getattr(self.command, n)) for n in WALK_FIELDS),
            *(walk.move.eq(vector.move), self.read_enable.eq(vector.move)),
            *(self.read_address.eq(walk.address), vector.word.eq(self.word)),
            self.released.eq(vector.released),
        ]
        manner = self._build_manner(m, walk)
        waits = []
        valid, piece = walk.valid, walk.piece
        for stage in ("read", "chosen"):  # in the buffer's two registers
            follows = Signal(name=f"{stage}_valid")
            kept = Signal(piece_layout(self._config), reset_less=True, name=f"{stage}_piece")
            told = Signal.like(manner, name=f"{stage}_manner", reset_less=True)
            with m.If(vector.move):
                m.d.sync += [follows.eq(valid), kept.eq(piece), told.eq(manner)]
            valid, piece, manner = follows, kept, told
            waits.append(follows)
        m.d.comb += [
            *(vector.valid.eq(valid), vector.piece.eq(piece), vector.manner.eq(manner)),
            self.starved.eq(~self.x.valid & (walk.busy | waits[0] | waits[1])),
        ]
        return m

    def _build_manner(self, m: Module, walk: PatchWalk) -> Signal:
        """How vectors of the command are taken whose pieces are at hand."""
        layout = StructLayout(manner_fields(self._config))
        told, manner = (Signal(layout, reset_less=True, name=n) for n in ("manner_told", "manner"))
        with m.If(walk.command.valid & walk.command.ready):
            for name, width in manner_fields(self._config).items():
                if width:
                    m.d.sync += told[name].eq(getattr(self.command, name)[:width])
        with m.If(walk.begins):
            m.d.sync += manner.eq(told)
        return manner
