"""Input serialiser of one row whose planes make signed digits."""

from collections.abc import Sequence
from functools import reduce
from operator import or_

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value

from cimforge.hdl.netlist.block import Block, In, Out
from cimforge.hdl.params.config import MacroConfig

__all__ = ["BoothSerialiser"]


class BoothSerialiser(Block):
    """The radix-4 digits of one input element that the array sees next, for the plane register:
    the most significant group of k / 2 first.

    ``digit_i = x[2i-1] + x[2i] - 2 x[2i+1]`` of the planes of the whole element, x[-1] = 0: the
    lowest digit of a group looks at the top plane of the group below. A digit has three lines,
    inverted, digit i's of a group at 3i: ``one`` and ``two`` where it is +-1 or +-2, ``negative``
    where it is below 0.

    Groups are selected as by Serialiser: a vector's first from ``x``, the element that is offered,
    where ``first[g]`` is high, all further ones from ``element``, which the input register holds,
    where ``following[g]`` is; in a read-back no line is high, and the lowest digit is ``read_row``.
    In the first group planes with ``fill[j]`` set lie above the precision and carry the element's
    sign, which stands in the plane marked in ``sign_plane`` (no mark: unsigned, zeros).

    Latency 0, combinational. (A. D. Booth, "A signed binary multiplication technique", 1951; two
    bits at a time: O. L. MacSorley, "High-speed arithmetic in binary computers", 1961.)
    """

    role = "input"

    def __init__(self, config: MacroConfig):
        self._planes = k = config.bits_per_cycle
        ports = {
            "x": In(config.input_bits),
            "element": In(config.held_bits),
            "first": In(config.max_planes),
            "following": In(config.max_planes - 1),
            "fill": In(k),
            "sign_plane": In(k),
            "read_row": In(1),
            "planes_n": Out(config.row_lines),
        }
        super().__init__(config.module, "serialiser", ports)

    def elaborate(self, platform):
        m = Module()
        k = self._planes
        first = self._chosen(m, "first_group", self.x, self.first)
        later = self._chosen(m, "later_group", self.element, self.following)
        sign = Signal()
        m.d.comb += sign.eq((first[1:] & self.sign_plane).any())
        filled = [Mux(self.fill[j], sign, first[j + 1]) for j in range(k)]
        filled[0] |= self.read_row
        planes = Signal(k + 1)
        m.d.comb += planes.eq(Cat(first[0], filled) | later)
        lines = [line for low in range(0, k, 2) for line in self._lines(planes[low : low + 3])]
        m.d.comb += self.planes_n.eq(~Cat(lines))
        return m

    def _chosen(self, m: Module, name: str, bits: Value, lines: Sequence[Value]) -> Signal:
        """The group of ``bits`` whose line is high, and lowest the plane below it; 0 where none
        is."""
        k = self._planes
        group = Signal(k + 1, name=name)
        planes = Cat(Const(0, 1), bits, Const(0, k))
        windows = (planes[g * k : g * k + k + 1] & n.replicate(k + 1) for g, n in enumerate(lines))
        m.d.comb += group.eq(reduce(or_, windows, Const(0, k + 1)))
        return group

    def _lines(self, planes: Value) -> list[Value]:
        """``one``, ``two`` and ``negative`` of a digit's three planes."""
        low, middle, high = planes
        one = low ^ middle
        return [one, (middle ^ high) & ~one, high & ~(low & middle)]
