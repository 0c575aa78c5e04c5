"""Factors of the number of bytes in a line."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib.wiring import Component

from cimforge.hdl.engine.walk_step import FACTORS
from cimforge.hdl.netlist.block import In, Out

__all__ = ["LineFactors"]


class LineFactors(Component):
    """Bits of step_y, stride_y and origin_y, one of each (``bits``) a cycle with ``shifts``, the
    lowest first; ``more``: there are ones above them.

    Fields are taken over with ``takes``. Of a negative origin they are its complement's, and
    ``above`` is high: origin_y * b = -b - ~origin_y * b, so that origins near 0 have few bits, too.
    Latency 1 cycle.
    """

    latency = 1

    def __init__(self):
        fields = dict.fromkeys(("step_y", "stride_y", "origin_y"), In(16))
        super().__init__(
            {**fields, "takes": In(1), "shifts": In(1), "bits": Out(FACTORS), "more": Out(1)}
        )

    def elaborate(self, platform):
        m = Module()
        left = []
        for name in ("step", "stride", "origin"):
            factor = Signal(16, reset_less=True, name=f"{name}_left")
            field = getattr(self, f"{name}_y")
            negative = field[-1] if name == "origin" else 0
            with m.If(self.takes):
                m.d.sync += factor.eq(Cat(bit ^ negative for bit in field))
            with m.Elif(self.shifts):
                m.d.sync += factor.eq(factor >> 1)
            m.d.comb += self.bits[name].eq(factor[0])
            left.append(factor[1:])
        above = Signal(reset_less=True, name="above_q")
        with m.If(self.takes):
            m.d.sync += above.eq(self.origin_y[-1])
        m.d.comb += [self.bits.above.eq(above), self.more.eq(Cat(left).any())]
        return m
