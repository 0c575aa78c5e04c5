"""Input serialiser of one row in front of tables: selects the planes of its held element."""

from functools import reduce
from operator import or_

from amaranth.hdl import Cat, Const, Module, Mux, Signal

from cimforge.hdl.netlist.block import Block, In, Out
from cimforge.hdl.params.config import MacroConfig

__all__ = ["TableSerialiser"]


class TableSerialiser(Block):
    """The k bit planes of one element that tables see now: group g of ``element`` (input_bits)
    where ``now[g]`` is high; none is in a read-back or slot, where plane 0 carries ``read``.

    In the first group of a vector whose precision is not a multiple of k, planes with ``fill[j -
    1]`` set carry the element's sign, which stands in the plane marked in ``sign_plane`` (no mark:
    unsigned, zeros). ``planes`` holds k lines for each kind of tables, which differ in ``read``
    alone. Latency 0, combinational.
    """

    role = "input"

    def __init__(self, config: MacroConfig):
        self._planes = k = config.bits_per_cycle
        kinds = len(config.parts)
        ports = {
            "element": In(config.input_bits),
            "now": In(config.max_planes),
            "fill": In(k - 1),
            "sign_plane": In(k if k > 1 else 0),
            "read": In(kinds),
            "planes": Out(kinds * k),
        }
        super().__init__(config.module, "serialiser", ports)

    def elaborate(self, platform):
        m = Module()
        k = self._planes
        group = Signal(k)
        groups = (self.element.word_select(g, k) & n.replicate(k) for g, n in enumerate(self.now))
        m.d.comb += group.eq(reduce(or_, groups, Const(0, k)))
        planes = list(group)
        if k > 1:
            sign = Signal()
            m.d.comb += sign.eq((group & self.sign_plane).any())
            planes[1:] = [Mux(self.fill[j - 1], sign, group[j]) for j in range(1, k)]
        m.d.comb += self.planes.eq(Cat(Cat(planes[0] | r, *planes[1:]) for r in self.read))
        return m
