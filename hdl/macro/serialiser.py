"""Input serialiser of one row: hands out the bit planes of its element."""

from amaranth.hdl import Cat, Module, Mux, Signal

from cimforge.hdl.netlist.block import Block, In, Out
from cimforge.hdl.params.config import MacroConfig

__all__ = ["Serialiser"]


class Serialiser(Block):
    """Bit planes of one input element, the most significant group of k first.

    ``planes_n[j] = ~element[plane * k + j]``, combinational, so the planes come in any order and
    the element (input_bits, held by the input register) never shifts: a multiplexer a row is
    smaller than a shift path a bit, and toggles less. In the
    first cycle of a pass whose precision is not a multiple of k, planes with ``fill[j - 1]`` set
    carry the element's sign, which stands in the plane marked in ``sign_plane`` (no mark: unsigned,
    zeros). With ``read`` high plane 0 carries ``read_row`` instead and the others 0: a one-hot
    vector that makes the trees deliver one row.

    Latency 0.
    """

    role = "input"

    def __init__(self, config: MacroConfig):
        self._planes = k = config.bits_per_cycle
        super().__init__(
            config.module,
            "serialiser",
            {
                "element": In(config.input_bits),
                "plane": In((config.max_planes - 1).bit_length()),
                "fill": In(k - 1),
                "sign_plane": In(k if k > 1 else 0),
                "read": In(1),
                "read_row": In(1),
                "planes_n": Out(k),
            },
        )

    def elaborate(self, platform):
        m = Module()
        k = self._planes
        group = Signal(k)
        m.d.comb += group.eq(
            self.element.word_select(self.plane, k)
            if "plane" in self.signature.members
            else self.element
        )

        planes = [*group]
        if k > 1:
            sign = Signal()
            m.d.comb += sign.eq((group & self.sign_plane).any())
            planes[1:] = [Mux(self.fill[j - 1], sign, group[j]) for j in range(1, k)]
        planes = [
            Mux(self.read, self.read_row, planes[0]),
            *(plane & ~self.read for plane in planes[1:]),
        ]
        m.d.comb += self.planes_n.eq(~Cat(planes))
        return m
