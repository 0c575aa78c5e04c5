"""Rows of weights from words of the bus."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib.wiring import Component

from cimforge.hdl.macro.streams import beat_stream
from cimforge.hdl.netlist.block import In, Out
from cimforge.hdl.params.engine_config import EngineConfig

__all__ = ["RowAssembler"]


class RowAssembler(Component):
    """Every ``row_words`` words are a row: the lowest ``row_bits`` bits, the first word lowest; the
    rest of the last word is padding.

    Words shift into place, since that takes no decoder; the last one of a row goes straight on with
    them where the row before has gone, and is kept otherwise. So a row and all of the next one are
    held, and readiness for words is a register's: it depends on neither ``rows`` nor ``words``.

    Latency: a row is offered in the cycle after its last word. Rate: a word a cycle as long as rows
    are taken within row_words cycles; one that waited longer costs its words one cycle more. A
    row's beat is stable until taken; where none is offered, no whole one is held. ``clear``, or
    reset, drops everything, a row that is offered, too.
    """

    def __init__(self, config: EngineConfig):
        self._config = config
        super().__init__(
            {
                "words": In(beat_stream(data=config.bus_bits)),
                "rows": Out(beat_stream(data=config.row_bits)),
                "clear": In(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        words, rows, count = self.words, self.rows, self._config.row_words
        earlier = (count - 1) * self._config.bus_bits  # bits of all words but the last
        shifted = Signal(earlier, reset_less=True)
        kept = Signal(self._config.row_bits - earlier, reset_less=True)
        row = Signal(self._config.row_bits, reset_less=True)
        full = Signal()  # a last word is kept, for a row is offered
        taken = Signal()
        last = Signal()
        free = Signal()
        whole = Signal()
        further = Signal(range(count), init=count - 1)
        m.d.comb += [
            *(words.ready.eq(~full), taken.eq(words.valid & words.ready), last.eq(further == 0)),
            *(free.eq(~rows.valid | rows.ready), whole.eq(full | (taken & last))),
            rows.data.eq(row),
        ]
        with m.If(taken & ~last):
            m.d.sync += [shifted.eq(Cat(shifted, words.data)[self._config.bus_bits :])]
        with m.If(taken):
            m.d.sync += further.eq(Mux(last, count - 1, further - 1))
        with m.If(taken & last):
            m.d.sync += kept.eq(words.data)
        m.d.sync += full.eq(whole & ~free)
        with m.If(free):
            m.d.sync += rows.valid.eq(whole)
        with m.If(free & whole):
            end = Mux(full, kept, words.data[: len(kept)])
            m.d.sync += row.eq(Cat(shifted, end))
        with m.If(self.clear):
            m.d.sync += [rows.valid.eq(0), full.eq(0), further.eq(count - 1)]
        return m
