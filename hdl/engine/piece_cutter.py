"""Where pieces of a vector end."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib.wiring import Component

from cimforge.hdl.engine.walk_step import STEP, lane_bits
from cimforge.hdl.netlist.block import In, Out
from cimforge.hdl.params.engine_config import EngineConfig
from cimforge.hdl.params.ranges import unsigned_width

__all__ = ["PieceCutter"]


class PieceCutter(Component):
    """Bytes ``first`` .. ``end`` of the ``word``-th word of a vector that the next piece fills: it
    ends with its segment (``segment_ends``), with the ``length`` of the vector
    (``length_ends``), or with its word.

    The byte at which the segment ends is counted from the beginning of the word, whose number is
    known: so both ends are compared without a carry chain. ``takes`` begins with the fields of a
    command; where ``moves`` is high, what ``step`` says is done. ``lane`` is where the next piece
    goes unless another vector begins. Latency 1 cycle.
    """

    latency = 1

    def __init__(self, config: EngineConfig):
        self._config = config
        word = unsigned_width(config.gather_words - 1)
        lane = lane_bits(config)
        super().__init__(
            {
                **{"segment": In(16), "skip": In(16), "length": In(16)},
                **{"takes": In(1), "moves": In(1), "step": In(STEP)},
                **{"word": Out(word), "first": Out(lane), "end": Out(lane), "lane": Out(lane)},
                **{"segment_ends": Out(1), "length_ends": Out(1)},
            }
        )

    def elaborate(self, platform):
        m = Module()
        step, lanes, bits = self.step, self._config.gather_bytes, lane_bits(self._config)
        segment, begun = Signal(16, reset_less=True), Signal(16, reset_less=True)
        last_lane = Signal(bits, reset_less=True)
        last_word = Signal(len(self.word), reset_less=True)
        word = Signal.like(self.word, reset_less=True, name="word_q")
        first = Signal.like(self.first, reset_less=True, name="first_q")
        last = Signal(16, name="last_byte")
        whole, rest = Signal(16, name="segment_less_one"), Signal(16, name="skipped_less_one")
        m.d.comb += [
            *(last.eq(self.length - 1), whole.eq(self.segment - 1)),
            rest.eq(self.segment + ~self.skip),
        ]
        with m.If(self.takes):
            m.d.sync += [*(segment.eq(whole), begun.eq(rest)), last_lane.eq(last[:bits])]
            m.d.sync += last_word.eq(last[bits:])

        final = Signal(range(0xFFFF + lanes), reset_less=True, name="segment_end")
        follows = Signal.like(final, name="segment_follows")
        m.d.comb += follows.eq(Mux(step.word, final - lanes, self.lane + segment))
        with m.If(self.takes):
            m.d.sync += final.eq(rest)
        with m.Elif(self.moves):
            with m.If(step.vector):
                m.d.sync += final.eq(begun)
            with m.Elif(step.word | step.segment | step.line):
                m.d.sync += final.eq(follows)

        in_last = Signal(name="in_last_word")
        m.d.comb += [
            *(in_last.eq(word == last_word), self.segment_ends.eq(final[bits:] == 0)),
            self.length_ends.eq(in_last & (~self.segment_ends | (last_lane <= final[:bits]))),
            self.lane.eq(Mux(self.segment_ends, final[:bits] + 1, 0)),
            self.end.eq(Mux(self.segment_ends, final[:bits], lanes - 1)),
        ]
        with m.If(self.length_ends):
            m.d.comb += self.end.eq(last_lane)
        m.d.comb += [self.word.eq(word), self.first.eq(first)]
        with m.If(self.takes | (self.moves & step.vector)):
            m.d.sync += [word.eq(0), first.eq(0)]
        with m.Elif(self.moves & (step.word | step.segment | step.line)):
            m.d.sync += [word.eq(word + (self.lane == 0)), first.eq(self.lane)]
        return m
