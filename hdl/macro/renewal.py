"""Renewal: what a column writes to a table's entry."""

from amaranth.hdl import Module, Signal

from cimforge.hdl.netlist.block import Block, In, Out
from cimforge.hdl.params.config import MacroConfig

__all__ = ["Renewal"]


class Renewal(Block):
    """Register of one column with the entry that lands: ``d = y + code``, the entry without the row
    as a slot has read it, in the low bits of the accumulator, and the row's code.

    It takes the sum at the edge at which ``renew`` is high, and 0 where ``clear`` is: latency 1
    cycle. Unsigned; d holds the largest sum of a group's codes, of which y has at least one less.
    """

    role, latency = "storage", 1

    def __init__(self, config: MacroConfig):
        width = config.operand_widths[0]
        ports = {
            "renew": In(1),
            "clear": In(1),
            "code": In(config.weight_bits),
            "y": In(width),
            "d": Out(width),
        }
        super().__init__(config.module, "renewal", ports)

    def elaborate(self, platform):
        m = Module()
        d_q = Signal(len(self.d), reset_less=True)
        with m.If(self.clear):
            m.d.sync += d_q.eq(0)
        with m.Elif(self.renew):
            m.d.sync += d_q.eq(self.y + self.code)
        m.d.comb += self.d.eq(d_q)
        return m
