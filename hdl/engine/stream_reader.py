"""Words from a stream, in place of memory."""

from amaranth.hdl import Module, Signal
from amaranth.lib.wiring import Component

from cimforge.hdl.engine.burst_reader import run_stream
from cimforge.hdl.macro.streams import beat_stream
from cimforge.hdl.netlist.block import In, Out
from cimforge.hdl.params.engine_config import EngineConfig

__all__ = ["StreamReader", "data_stream"]


def data_stream(config: EngineConfig):
    """Words of the bus with a ``strobe`` bit for each byte, and ``last``."""
    return beat_stream(data=config.bus_bits, strobe=config.bus_bytes, last=1)


class StreamReader(Component):
    """As many words of the stream ``into`` as each ``run`` has, for a BurstReader's place: where a
    run begins says nothing, nor do the stream's ``strobe`` and ``last``.

    No word is taken but for a run. Latency: in the cycle after a run's acceptance words go through
    as they come. Rate: a word a cycle, runs without a gap. ``drain`` ends the run under way; words
    that are not yet taken stay in the stream. Reset likewise.
    """

    def __init__(self, config: EngineConfig, most: int):
        super().__init__(
            {
                **{"run": In(run_stream(config, most)), "drain": In(1), "idle": Out(1)},
                **{"into": In(data_stream(config))},
                "words": Out(beat_stream(data=config.bus_bits)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        run, into, words = self.run, self.into, self.words
        active = Signal()
        ends = Signal()
        further = Signal(len(run.more), reset_less=True)
        wanted = active & ~self.drain
        m.d.comb += [
            *(words.valid.eq(into.valid & wanted), words.data.eq(into.data)),
            *(into.ready.eq(words.ready & wanted), self.idle.eq(~active)),
            ends.eq(into.valid & into.ready & (further == 0)),
            run.ready.eq(~self.drain & (~active | ends)),
        ]
        with m.If(run.valid & run.ready):
            m.d.sync += [active.eq(1), further.eq(run.more)]
        with m.Elif(ends | self.drain):
            m.d.sync += active.eq(0)
        with m.Elif(into.valid & into.ready):
            m.d.sync += further.eq(further - 1)
        return m
