"""Plain multiplication: bank selection and one NOR a product."""

from functools import reduce
from operator import or_

from amaranth.hdl import Cat, Module, Signal

from cimforge.hdl.cells.input_sum import InputSum
from cimforge.hdl.cells.multiply_style import MULTIPLY_STYLES, MultiplyStyle
from cimforge.hdl.netlist.block import Block, In, Out
from cimforge.hdl.params.config import MacroConfig

__all__ = ["Multiplier"]


class Multiplier(Block):
    """Products of one row in one column: the active bank's weight times each bit plane.

    ``products[j * weight_bits + i] = plane[j] & code[i]``, plane j inverted on ``planes_n``, code
    the weight of the bank whose bit is set in ``bank_select``; no bit set gives 0. One NOR a
    product: planes arrive inverted, and the weight is inverted by the selecting AND-OR-invert or,
    with one bank, stored inverted (``stored`` then holds ~code and ``bank_select`` is left out).
    All raw unsigned bits; combinational (latency 0).
    """

    role = "multiply"

    def __init__(self, config: MacroConfig):
        self._config = config
        super().__init__(
            config.module,
            "multiplier",
            {
                "stored": In(config.selected_banks * config.weight_bits),
                "bank_select": In(config.selected_banks if config.selected_banks > 1 else 0),
                "planes_n": In(config.bits_per_cycle),
                "products": Out(config.bits_per_cycle * config.weight_bits),
            },
        )

    def elaborate(self, platform):
        m = Module()
        width, banks = self._config.weight_bits, self._config.selected_banks
        code_n = Signal(width)
        if banks == 1:
            m.d.comb += code_n.eq(self.stored)
        else:
            words = [
                self.stored.word_select(b, width) & self.bank_select[b].replicate(width)
                for b in range(banks)
            ]
            m.d.comb += code_n.eq(~reduce(or_, words))
        m.d.comb += self.products.eq(
            Cat(~(code_n | plane_n.replicate(width)) for plane_n in self.planes_n)
        )
        return m


MULTIPLY_STYLES.register(
    "plain",
    MultiplyStyle(Multiplier, InputSum, inverted_code=lambda config: config.selected_banks == 1),
)
