"""Input serialiser of one row: holds the element and hands out its bit planes."""

from amaranth.hdl import Cat, Module, Mux, Signal

from cimforge.hdl.netlist.block import Block, In, Out
from cimforge.hdl.params.config import MacroConfig

__all__ = ["Serialiser"]


class Serialiser(Block):
    """Bit planes of one input element, the most significant group of k first.

    While ``load`` is high the element ``x`` (input_bits) is taken. Afterwards ``planes_n[j] =
    ~x[plane * k + j]``, combinational in ``plane``, so the planes come in any order and the element
    never shifts (a multiplexer a row is smaller than a shift path a bit, and toggles less). In the
    first cycle of a pass whose precision is not a multiple of k, planes with ``fill[j - 1]`` set
    carry the element's sign, which stands in the plane marked in ``sign_plane`` (no mark: unsigned,
    zeros). With ``read`` high plane 0 carries ``read_row`` instead and the others 0: a one-hot
    vector that makes the trees deliver one row.

    Latency: planes 1 cycle after load. Not reset: control ignores planes until a load.
    """

    role, latency = "input", 1

    def __init__(self, config: MacroConfig):
        self._planes = k = config.bits_per_cycle
        super().__init__(
            config.module,
            "serialiser",
            {
                "load": In(1),
                "x": In(config.input_bits),
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
        x_q = Signal.like(self.x, reset_less=True)
        with m.If(self.load):
            m.d.sync += x_q.eq(self.x)

        group = Signal(k)
        m.d.comb += group.eq(
            x_q.word_select(self.plane, k) if "plane" in self.signature.members else x_q
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
