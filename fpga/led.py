"""A light for something short: each event is shown long enough to be seen."""

from amaranth.hdl import Module, Signal

from cimforge.hdl.netlist.block import Block, In, Out

__all__ = ["SHOWN_MS", "LedStretcher"]

SHOWN_MS = 50  # the eye sees a flash of that length


class LedStretcher(Block):
    """``led`` is high from a cycle after ``active`` rises until ``cycles`` cycles after it fell.

    Latency 1 cycle. Raises ValueError where ``cycles`` is below 1.
    """

    role, latency = "link", 1
    has_reset = True

    def __init__(self, prefix: str, cycles: int):
        if type(cycles) is not int or cycles < 1:
            raise ValueError(f"cycles must be an integer of at least 1, not {cycles!r}")
        self._cycles = cycles
        super().__init__(prefix, "led", {"active": In(1), "led": Out(1)})

    def elaborate(self, platform):
        m = Module()
        left = Signal(range(self._cycles + 1))
        m.d.comb += self.led.eq(left != 0)
        with m.If(self.active):
            m.d.sync += left.eq(self._cycles)
        with m.Elif(left != 0):
            m.d.sync += left.eq(left - 1)
        return m
