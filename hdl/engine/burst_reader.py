"""Words from memory: runs of them, asked for in bursts."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib.wiring import Component

from cimforge.hdl.engine.seams import BURST_BITS, memory_port
from cimforge.hdl.macro.streams import beat_stream
from cimforge.hdl.netlist.block import In, Out
from cimforge.hdl.params.engine_config import ADDRESS_BITS, EngineConfig
from cimforge.hdl.params.ranges import unsigned_width

__all__ = ["OUTSTANDING", "BurstReader", "run_stream"]

OUTSTANDING = 4  # bursts that are asked for before the first has come


def run_stream(config: EngineConfig, most: int):
    """Runs of up to ``most`` words side by side: ``first`` is the first one's number (its byte
    address over bus_bytes), ``more`` how many follow it."""
    place = unsigned_width(config.bus_bytes - 1)
    return beat_stream(first=ADDRESS_BITS - place, more=unsigned_width(most - 1))


class BurstReader(Component):
    """The words of each ``run``, in order, without a mark where the next one begins.

    A run becomes bursts that end at multiples of burst * bus_bytes bytes, its last where it ends;
    so none is longer than ``burst`` words or crosses a page. Up to OUTSTANDING bursts are
    unanswered at a time, of several runs, too. Addresses wrap at 2^32.

    Latency: a run is offered to memory in the cycle after its acceptance; words go through in the
    cycle in which they come. Rate: a burst a cycle, runs without a gap; so a word a cycle where
    OUTSTANDING - 1 bursts last as long as memory's latency. A word that stalls holds up the answers
    behind it.

    ``drain`` ends everything: a burst that is offered stays so until memory takes it, as it must,
    but no other is, runs are not accepted, and words that come are dropped. Once high it stays so
    until ``idle``, which says that nothing is unanswered. Reset forgets what is outstanding, so it
    must reach memory, too.
    """

    def __init__(self, config: EngineConfig, most: int):
        self._config, self._most = config, most
        port = memory_port(ADDRESS_BITS, config.bus_bits).members
        super().__init__(
            {
                **{"run": In(run_stream(config, most)), "drain": In(1), "idle": Out(1)},
                **{"read": port["read"], "read_data": port["read_data"]},
                "words": Out(beat_stream(data=config.bus_bits, error=1)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        data, words, drain = self.read_data, self.words, self.drain
        asked = Signal()
        answered = Signal()
        active = Signal()
        unanswered = Signal(range(OUTSTANDING + 1))
        final = self._build_bursts(m, active, asked)
        m.d.comb += [
            asked.eq(self.read.valid & self.read.ready),
            answered.eq(data.valid & data.ready & data.last),
            # high until taken: of those outstanding no more can come but by this one
            self.read.valid.eq(active & (unanswered != OUTSTANDING)),
            *(words.valid.eq(data.valid & ~drain), data.ready.eq(words.ready | drain)),
            *(words.data.eq(data.data), words.error.eq(data.error)),
            self.idle.eq(~active & (unanswered == 0)),
        ]
        m.d.sync += unanswered.eq(unanswered + asked - answered)

        m.d.comb += self.run.ready.eq(~drain & (~active | (asked & final)))
        with m.If(self.run.valid & self.run.ready):
            m.d.sync += active.eq(1)
        with m.Elif((asked & (final | drain)) | (drain & ~self.read.valid)):
            m.d.sync += active.eq(0)
        return m

    def _build_bursts(self, m: Module, active: Signal, asked: Signal) -> Value:
        """The bursts of a run: the first from where it begins, the last to where it ends, all
        others whole. Returns whether the present one is the last."""
        run, burst = self.run, self._config.burst
        place = unsigned_width(burst - 1)  # bits of a word's place in a whole burst
        ends = Signal(range(burst - 1 + self._most))
        m.d.comb += ends.eq(run.first[:place] + run.more)
        whole = Signal(len(run.first) - place, reset_less=True)  # number of the whole burst
        first = Signal(place, reset_less=True)  # word of the present burst in its whole burst
        last = Signal(place, reset_less=True)  # and that with which the run ends
        further = Signal(len(ends) - place, reset_less=True)
        final = Signal()
        beats = Signal(BURST_BITS)
        zeros = Const(0, ADDRESS_BITS - len(run.first))
        m.d.comb += [
            final.eq(further == 0),
            beats.eq(Mux(final, last, burst - 1) - first),
            self.read.beats.eq(beats),
            self.read.address.eq(Cat(zeros, first, whole)),
        ]
        with m.If(run.valid & run.ready):
            m.d.sync += [first.eq(run.first), whole.eq(run.first[place:])]
            m.d.sync += [last.eq(ends), further.eq(ends[place:])]
        with m.Elif(asked):
            m.d.sync += [first.eq(0), whole.eq(whole + 1), further.eq(further - 1)]
        return final
