"""Stream writer: words of the bus to a stream in place of memory."""

from amaranth.hdl import Module, Signal
from amaranth.lib.wiring import Component

from cimforge.hdl.macro.streams import beat_stream
from cimforge.hdl.netlist.block import In, Out
from cimforge.hdl.params.engine_config import EngineConfig

__all__ = ["StreamWriter"]


class StreamWriter(Component):
    """Beats of ``words`` on ``out``, through a register.

    Latency 1 cycle, a beat a cycle where it is taken. ``idle`` where no beat waits. ``flush``: no
    more words are taken; a beat that is offered stays until it is taken, and where beats without
    ``last`` went before, one with no strobe and ``last`` ends them, so that whoever takes them
    finds the next beginning; ``idle`` is high when that is done. Reset empties it.
    """

    def __init__(self, config: EngineConfig):
        beat = beat_stream(data=config.bus_bits, strobe=config.bus_bytes, last=1)
        super().__init__(
            {
                **{"words": In(beat), "out": Out(beat)},
                **{"flush": In(1), "idle": Out(1)},
            }
        )

    def elaborate(self, platform):
        m = Module()
        word, out = self.words, self.out
        free = Signal()
        begun = Signal()  # begun: the last beat taken was not a last one
        m.d.comb += [
            free.eq(~out.valid | out.ready),
            word.ready.eq(free & ~self.flush),
            self.idle.eq(~out.valid & ~(self.flush & begun)),
        ]
        with m.If(out.valid & out.ready):
            m.d.sync += [out.valid.eq(0), begun.eq(~out.last)]
        with m.If(word.valid & word.ready):
            m.d.sync += [out.valid.eq(1), out.last.eq(word.last)]
            m.d.sync += [out.data.eq(word.data), out.strobe.eq(word.strobe)]
        with m.Elif(self.flush & ~out.valid & begun):
            m.d.sync += [out.valid.eq(1), out.last.eq(1), out.strobe.eq(0)]
        return m
