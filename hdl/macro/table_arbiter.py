"""Who may move now where weights are in tables: a write reads an entry a slot and renews
others."""

from functools import reduce
from operator import and_

from amaranth.hdl import Const, Module, Value

from cimforge.hdl.macro.entry_walk import EntryWalk
from cimforge.hdl.macro.slot_arbiter import SlotArbiter
from cimforge.hdl.params.config import MacroConfig

__all__ = ["TableArbiter"]


class TableArbiter(SlotArbiter):
    """The readies of x, r and w, and the slots in which writes read entries: one for each entry
    that a row renews (EntryWalk), of all kinds of tables at once. Whatever a slot has read stands
    in the accumulators in a cycle ``done``; its entry lands in the one behind."""

    def __init__(self, m: Module, config: MacroConfig, x, r, w, live: Value, free: Value):
        super().__init__(m, config, x, r, w, live, free)
        row = getattr(w, "row", Const(0, 1))
        self.walks = [EntryWalk(m, part, row, w.fill, self.w_fire) for part in config.parts]

    def _build_writing(self) -> None:
        """What an accepted row has to wait for."""
        m = self._m
        ends = [walk.advance(self.slot, self.done) for walk in self.walks]
        read, landed = (reduce(and_, lines) for lines in zip(*ends, strict=True))
        with m.If(self.w_fire):
            m.d.sync += self.bank.eq(self.banks["w"])
        with m.If(self.w_fire & self.walks[0].exists & self.banks["w"].any()):
            m.d.sync += [self._renewing.eq(1), self.wants.eq(1)]
        with m.Else():
            with m.If(self.slot & read):
                m.d.sync += self.wants.eq(0)
            with m.If(self.done & landed):
                m.d.sync += self._renewing.eq(0)
