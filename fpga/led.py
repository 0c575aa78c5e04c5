"""A light for something short: each event is shown long enough to be seen."""

from amaranth.hdl import Module, Signal

from cimforge.hdl.netlist.block import Block, In, Out

__all__ = ["SHOWN_MS", "LedStretcher"]

SHOWN_MS = 50  # the eye sees a flash of that length
DIGIT = (
    11  # bits of the lower half of the count, which no carry leaves: the count is not to be slow
)


class LedStretcher(Block):
    """``led`` is high from two cycles after ``active`` rises until ``cycles`` + 1 cycles after it
    fell: ``active`` is registered first, so that nothing of the macro waits for the light.

    Latency 2 cycles. Raises ValueError where ``cycles`` is below 1.
    """

    role, latency = "link", 2
    has_reset = True

    def __init__(self, prefix: str, cycles: int):
        if type(cycles) is not int or cycles < 1:
            raise ValueError(f"cycles must be an integer of at least 1, not {cycles!r}")
        self._cycles, self._on = cycles, Signal(name="on")
        super().__init__(prefix, "led", {"active": In(1), "led": Out(1)})

    def elaborate(self, platform):
        m = Module()
        high, low = divmod(self._cycles - 1, 1 << DIGIT)
        # counted up from 0: bits that begin at 0 and at 1 would share no carry chain
        high_q, low_q = Signal(range(high + 1)), Signal(DIGIT)
        active_q = Signal()
        m.d.sync += active_q.eq(self.active)
        m.d.comb += self.led.eq(self._on)
        with m.If(active_q):
            m.d.sync += [self._on.eq(1), high_q.eq(0), low_q.eq(0)]
        with m.Else():
            m.d.sync += [low_q.eq(low_q + 1), high_q.eq(high_q + low_q.all())]
            with m.If((low_q == low) & (high_q == high)):
                m.d.sync += self._on.eq(0)
        return m
