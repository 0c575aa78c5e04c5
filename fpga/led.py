"""A light for something short: each event is shown long enough to be seen."""

from amaranth.hdl import Cat, Module, Signal

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
        # A down counter in two halves: the upper one moves where the lower is 0, so no carry runs
        # through both.
        width = self._cycles.bit_length()
        low, high = Signal(width - width // 2), Signal(width // 2)
        m.d.comb += self.led.eq((low != 0) | (high != 0))
        with m.If(self.active):
            m.d.sync += Cat(low, high).eq(self._cycles)
        with m.Elif(self.led):
            m.d.sync += low.eq(low - 1)
            with m.If(low == 0):
                m.d.sync += high.eq(high - 1)
        return m
