"""Who may move now where rows make pairs: a write reads the neighbour and renews the sum."""

from amaranth.hdl import Const, Module, Signal, Value

from cimforge.hdl.macro.slot_arbiter import SlotArbiter
from cimforge.hdl.params.config import MacroConfig

__all__ = ["PairArbiter"]


class PairArbiter(SlotArbiter):
    """The readies of x, r and w, and the slots in which writes read a neighbour.

    A row of a pair that is not filled takes a slot, in which its neighbour's code comes. A filled
    pair's second row takes the first one's code from the register that still holds it, and one
    cycle more.
    """

    def __init__(self, m: Module, config: MacroConfig, x, r, w, live: Value, free: Value):
        super().__init__(m, config, x, r, w, live, free)
        self.row = Signal(config.row_bits, name="row_q", reset_less=True)
        self.filled = Signal(name="filled")
        self._filling = Signal(name="filling")

    @property
    def _under_way(self) -> Value:
        return self._renewing | self._filling

    def _build_writing(self) -> None:
        """What an accepted row has to wait for."""
        m, row, paired_rows = self._m, self._w.row, 2 * self._config.pairs
        paired = Const(1) if paired_rows == 1 << len(row) else row < paired_rows
        renews = Signal(name="renews")
        m.d.comb += renews.eq(self.w_fire & paired & self.banks["w"].any())
        m.d.comb += self.filled.eq(renews & self._w.fill & row[0])
        with m.If(self.w_fire):
            m.d.sync += [self.row.eq(row), self.bank.eq(self.banks["w"])]
        m.d.sync += self._filling.eq(self.filled)
        with m.If(renews & ~self._w.fill):
            m.d.sync += [self._renewing.eq(1), self.wants.eq(1)]
        with m.Else():
            with m.If(self.slot):
                m.d.sync += self.wants.eq(0)
            with m.If(self.done):
                m.d.sync += self._renewing.eq(0)
