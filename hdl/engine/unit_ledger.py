"""What a unit has under way."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib.wiring import Component

from cimforge.hdl.netlist.block import In, Out

__all__ = ["UnitLedger"]


class UnitLedger(Component):
    """Commands of one unit that have begun and not ended, at most ``most``; they end in order.

    ``begins`` hands over a command, ``asks`` with it says that it asks for an interrupt; ``ends``
    comes with the end of the oldest. ``idle``: none is under way; ``one``: at most one; ``full``:
    no more may begin. ``asked`` is what the oldest asked for. Latency 1 cycle.
    """

    latency = 1

    def __init__(self, most: int):
        self._most = most
        super().__init__(
            {
                **{"begins": In(1), "asks": In(1), "ends": In(1)},
                **{"idle": Out(1), "one": Out(1), "full": Out(1), "asked": Out(1)},
            }
        )

    def elaborate(self, platform):
        m = Module()
        count = Signal(range(self._most + 1))
        asks = Signal(self._most)  # bit i: the i-th oldest
        left = Signal(range(self._most + 1))
        m.d.comb += [
            *(self.idle.eq(count == 0), self.one.eq(count <= 1), self.full.eq(count == self._most)),
            *(self.asked.eq(asks[0]), left.eq(count - self.ends)),
        ]
        kept = Signal(self._most)
        m.d.comb += kept.eq(Mux(self.ends, asks >> 1, asks))
        m.d.sync += count.eq(left + self.begins)
        for place, bit in enumerate(asks):
            new = self.begins & (left == place)
            m.d.sync += bit.eq(Mux(new, self.asks, kept[place]))
        return m
