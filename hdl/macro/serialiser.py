"""Input serialiser of one row: selects the next bit planes of its element."""

from collections.abc import Sequence
from functools import reduce
from operator import or_

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value

from cimforge.hdl.netlist.block import Block, In, Out
from cimforge.hdl.params.config import MacroConfig

__all__ = ["Serialiser"]


class Serialiser(Block):
    """The k bit planes of one input element that the array sees next, inverted, for the plane
    register: the most significant group first.

    A vector's first group comes from ``x``, the element that is offered (input_bits): group g where
    ``first[g]`` is high. All further groups come from ``element``, which the input register holds
    without the top group: group g where ``following[g]`` is high. At most one of all these lines is
    high, in a read-back none: then plane 0 carries ``read_row``, a one-hot vector that makes the
    trees deliver one row. Elements never shift: an AND-OR a bit is smaller than a shift path, and
    toggles less.

    In the first group of a vector whose precision is not a multiple of k, planes with ``fill[j -
    1]`` set carry the element's sign, which stands in the plane marked in ``sign_plane`` (no mark:
    unsigned, zeros). Latency 0, combinational.
    """

    role = "input"

    def __init__(self, config: MacroConfig):
        self._planes = k = config.bits_per_cycle
        super().__init__(
            config.module,
            "serialiser",
            {
                "x": In(config.input_bits),
                "element": In(config.input_bits - k),
                "first": In(config.max_planes),
                "following": In(config.max_planes - 1),
                "fill": In(k - 1),
                "sign_plane": In(k if k > 1 else 0),
                "read_row": In(1),
                "planes_n": Out(k),
            },
        )

    def elaborate(self, platform):
        m = Module()
        k = self._planes
        first = self._chosen(m, "first_group", self.x, self.first)
        planes = [*first]
        if k > 1:
            sign = Signal()
            m.d.comb += sign.eq((first & self.sign_plane).any())
            planes[1:] = [Mux(self.fill[j - 1], sign, first[j]) for j in range(1, k)]
        planes[0] |= self.read_row
        if "following" in self.signature.members:
            later = self._chosen(m, "later_group", self.element, self.following)
            planes = [a | b for a, b in zip(planes, later, strict=True)]
        m.d.comb += self.planes_n.eq(~Cat(planes))
        return m

    def _chosen(self, m: Module, name: str, bits: Value, lines: Sequence[Value]) -> Signal:
        """The group of ``bits`` whose line is high; 0 where none is."""
        k = self._planes
        group = Signal(k, name=name)
        groups = (bits.word_select(g, k) & line.replicate(k) for g, line in enumerate(lines))
        m.d.comb += group.eq(reduce(or_, groups, Const(0, k)))
        return group
