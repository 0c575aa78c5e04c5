"""Input serialiser of one row whose planes make signed digits."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value

from cimforge.hdl.netlist.block import Block, In, Out
from cimforge.hdl.params.config import MacroConfig

__all__ = ["BoothSerialiser"]


class BoothSerialiser(Block):
    """Radix-4 digits of one input element, the most significant group of k / 2 first.

    ``digit_i = x[2i-1] + x[2i] - 2 x[2i+1]`` of the planes of the whole element, x[-1] = 0: the
    lowest digit of a group looks at the top plane of the group below. A digit has three lines,
    inverted, digit i's of a group at 3i: ``one`` and ``two`` where it is +-1 or +-2, ``negative``
    where it is below 0. Combinational; the input register holds the element, as Serialiser's.

    In the first cycle of a pass planes with ``fill[j]`` set lie above the precision and carry the
    element's sign, which stands in the plane marked in ``sign_plane`` (no mark: unsigned, zeros).
    With ``read`` high, and ``plane`` 0 then, the lowest digit is ``read_row`` and the others 0.

    Latency 0. (A. D. Booth, "A signed binary multiplication technique", 1951; two bits at a time:
    O. L. MacSorley, "High-speed arithmetic in binary computers", 1961.)
    """

    role = "input"

    def __init__(self, config: MacroConfig):
        self._config = config
        k = config.bits_per_cycle
        ports = {
            "element": In(config.input_bits),
            "plane": In((config.max_planes - 1).bit_length()),
            "fill": In(k),
            "sign_plane": In(k),
            "read": In(1),
            "read_row": In(1),
            "planes_n": Out(config.row_lines),
        }
        super().__init__(config.module, "serialiser", ports)

    def elaborate(self, platform):
        m = Module()
        k = self._config.bits_per_cycle
        window = self._build_window(m)
        sign = Signal()
        m.d.comb += sign.eq((window[1:] & self.sign_plane).any())
        filled = [Mux(self.fill[j], sign, window[j + 1]) for j in range(k)]
        planes = Signal(k + 1)
        lowest = Mux(self.read, self.read_row, filled[0])
        m.d.comb += planes.eq(Cat(window[0], lowest, (p & ~self.read for p in filled[1:])))
        lines = [line for low in range(0, k, 2) for line in self._lines(planes[low : low + 3])]
        m.d.comb += self.planes_n.eq(~Cat(lines))
        return m

    def _build_window(self, m: Module) -> Signal:
        """The planes of the group, and lowest the one below them."""
        k, groups = self._config.bits_per_cycle, self._config.max_planes
        window = Signal(k + 1)
        planes = Cat(Const(0, 1), self.element, Const(0, groups * k - len(self.element)))
        with m.Switch(self.plane):
            for group in range(groups):
                with m.Case(group) if group < groups - 1 else m.Default():
                    m.d.comb += window.eq(planes[group * k : group * k + k + 1])
        return window

    def _lines(self, planes: Value) -> list[Value]:
        """``one``, ``two`` and ``negative`` of a digit's three planes."""
        low, middle, high = planes
        one = low ^ middle
        return [one, (middle ^ high) & ~one, high & ~(low & middle)]
