"""Sequencer of tables whose results have registers of their own: the array goes on while one
stands."""

from amaranth.hdl import Module, Mux, Signal, Value
from amaranth.lib import data

from cimforge.hdl.macro.slot_arbiter import SlotArbiter
from cimforge.hdl.macro.table_arbiter import TableArbiter
from cimforge.hdl.macro.table_sequencer import TableSequencer
from cimforge.hdl.macro.token import delayed
from cimforge.hdl.params.config import MacroConfig

__all__ = ["OverlappedSequencer"]


class OverlappedSequencer(TableSequencer):
    """TableSequencer's control, but for what follows, where results have registers beside those
    that sum (TableAccumulator).

    The array holds in a cycle in which a result stands and the next one arrives. Both are known in
    the cycle before, so registers enable the array, say that it is free and tell the accumulators:
    y_ready and q_ready reach no others, and no ready.

    Where no row wants a slot, the array is not free behind a cycle in which it was, and a vector or
    a read-back was offered that no row under way held back: so it need not be known whether one has
    begun. A pass of one plane takes two cycles, the plane in the second one, so that results do not
    follow each other in the next cycle. Latency: config.pass_interval + result_ranks + 1 cycles.
    """

    def __init__(self, config: MacroConfig):
        super().__init__(config)
        self._enable, self._enables = Signal(name="enable_q", init=1), Signal(name="enables")
        # control's own, for the array's is far away; inverted lest Yosys share them
        self._holds = Signal(name="holds_q")
        self._free, self._of_slot = Signal(name="free_q"), Signal(name="of_slot")

    def _is_free(self, token: data.View, live: Value) -> Value:
        return self._free

    @property
    def _stalled(self) -> Value:
        return self._holds

    def _build_taking(
        self,
        m: Module,
        arbiter: TableArbiter,
        token: data.View,
        planes: Value,
        enable: Value,
    ) -> Value:
        """The register that says whether the array is free, from what holds in the next cycle; and
        one beside the vector, which is far away, inverted lest Yosys share them."""
        free, keeps = Signal(name="frees"), Signal(name="keeps_vector", init=1)
        over = token.ending & enable
        ends = Mux(enable, planes[1:2] | self._late, token.ending)
        with m.If(arbiter.free & arbiter.wants):
            m.d.comb += free.eq(~arbiter.between & self._enables)
        with m.Elif(arbiter.free):
            m.d.comb += free.eq(~arbiter.may_begin)
        with m.Elif(self._running):
            m.d.comb += free.eq(over | (ends & self._enables))
        with m.Else():
            m.d.comb += free.eq(self._clears_nothing)
        m.d.sync += [self._free.eq(free), keeps.eq(~free)]
        return ~keeps

    def _build_late(self, m: Module, arbiter: TableArbiter, short: Value, enable: Value) -> Value:
        self._late = Signal(name="late", reset_less=True)
        with m.If(arbiter.free):
            m.d.sync += self._late.eq(short)
        with m.Elif(enable):
            m.d.sync += self._late.eq(0)
        return self._late

    def _drive_enable(self, m: Module, tokens: list[data.View], enable: Value) -> None:
        self._drive(m, enable=self._enable)
        before, arriving = tokens[-2:]
        comes = arriving.last & enable & ~self._of_slot
        ends = Mux(enable, before.last, arriving.last)
        stands = super()._stalled
        m.d.comb += self._enables.eq(~(ends & (comes | stands)))
        m.d.sync += [self._enable.eq(self._enables), self._holds.eq(~self._enables)]
        adds = Mux(enable, before.valid, arriving.valid) & self._enables
        told = (("accumulate", adds, 0), ("pass_ends", ends & self._enables, 0))
        # an accumulator is empty behind a reset, too
        for name, value, init in (*told, ("pass_begins", ends & self._enables, 1)):
            line = Signal(name=f"{name}_q", init=init)
            m.d.sync += line.eq(value)
            self._drive(m, **{name: line})

    def _drive_accumulate(self, m: Module, token: data.View, enable: Value) -> None:
        """Told by registers, with ``enable``."""

    def _changes_result(self, token: data.View) -> Value:
        return token.last

    def _stand(self, m: Module, valid: Signal, comes: Value, taken: Value, enable: Value) -> None:
        m.d.sync += valid.eq((comes & enable) | (valid & ~taken))

    def _build_slot_end(self, m: Module, arbiter: SlotArbiter, ends: Value, enable: Value) -> Value:
        late = delayed(m, arbiter.reads_array, self._config.ranks, enable, shape=1, name="slot")
        m.d.sync += arbiter.done.eq(ends & late & enable)
        m.d.comb += self._of_slot.eq(late)
        return late
