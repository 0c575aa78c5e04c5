"""The next input lines of one row whose element is a bit that stands for -1 or 1."""

from amaranth.hdl import Cat, Module

from cimforge.hdl.netlist.block import Block, In, Out
from cimforge.hdl.params.config import MacroConfig

__all__ = ["BinarySerialiser"]


class BinarySerialiser(Block):
    """The two select lines that one row has next, inverted, for the plane register:
    ``planes_n[0]`` low where a weight of 1 counts, ``planes_n[1]`` low where a weight of 0 does.

    A row that is ``active`` counts the weights equal to its element ``x``; one that is not counts
    none, whatever it holds. With ``read_row`` high, and never active then, a weight of 1 counts, so
    that the trees deliver one row. Latency 0.
    """

    role = "input"

    def __init__(self, config: MacroConfig):
        ports = {"x": In(1), "active": In(1), "read_row": In(1), "planes_n": Out(2)}
        super().__init__(config.module, "serialiser", ports)

    def elaborate(self, platform):
        m = Module()
        ones = self.active & self.x | self.read_row
        zeros = self.active & ~self.x
        m.d.comb += self.planes_n.eq(~Cat(ones, zeros))
        return m
