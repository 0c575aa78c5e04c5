"""Radix-4 multiplication: a row's operand is a multiple of its weight, inverted where its digit is
negative, and a correction of the inputs alone makes that right."""

from functools import reduce
from operator import or_

from amaranth.hdl import Cat, Const, Module, Signal

from cimforge.hdl.cells.booth_correction import BoothCorrection
from cimforge.hdl.cells.booth_serialiser import BoothSerialiser
from cimforge.hdl.cells.multiply_style import MULTIPLY_STYLES, MultiplyStyle
from cimforge.hdl.cells.slice_correction import SliceCorrection
from cimforge.hdl.netlist.block import Block, In, Out
from cimforge.hdl.params.config import MacroConfig

__all__ = ["BoothMultiplier"]


class BoothMultiplier(Block):
    """Operands of one row in one column: for each digit d of the row's input |d| times the active
    bank's code, inverted where d is negative.

    ``products`` holds k / 2 unsigned operands of weight_bits + 1 bits, digit i's at
    i (weight_bits + 1): ``|d| code`` where d >= 0, else ``2^(weight_bits+1) - 1 - |d| code``.
    ``planes_n`` holds BoothSerialiser's lines, ``stored`` and ``bank_select`` are as Multiplier's:
    no bit set selects a code of 0. An OR-AND-invert and an exclusive OR a bit. Combinational
    (latency 0).
    """

    role = "multiply"

    def __init__(self, config: MacroConfig):
        self._config = config
        banks, width = config.selected_banks, config.weight_bits
        ports = {
            "stored": In(banks * width),
            "bank_select": In(banks if banks > 1 else 0),
            "planes_n": In(config.row_lines),
            "products": Out(config.trees * (width + 1)),
        }
        super().__init__(config.module, "multiplier", ports)

    def elaborate(self, platform):
        m = Module()
        size = self._config.weight_bits + 1
        code_n = self._build_code(m)
        once_n, twice_n = Cat(code_n, Const(1, 1)), Cat(Const(1, 1), code_n)
        for digit in range(self._config.trees):
            one_n, two_n, negative_n = self.planes_n.word_select(digit, 3)
            multiple_n = (once_n | one_n.replicate(size)) & (twice_n | two_n.replicate(size))
            operand = multiple_n ^ negative_n.replicate(size)
            m.d.comb += self.products.word_select(digit, size).eq(operand)
        return m

    def _build_code(self, m: Module) -> Signal:
        """The active bank's code, inverted."""
        width, banks = self._config.weight_bits, self._config.selected_banks
        code_n = Signal(width)
        if banks == 1:
            m.d.comb += code_n.eq(self.stored)
            return code_n
        words = [
            self.stored.word_select(b, width) & self.bank_select[b].replicate(width)
            for b in range(banks)
        ]
        m.d.comb += code_n.eq(~reduce(or_, words))
        return code_n


MULTIPLY_STYLES.register(
    "booth",
    MultiplyStyle(
        BoothMultiplier,
        lambda config: (SliceCorrection if config.slices > 1 else BoothCorrection)(config),
        inverted_code=lambda config: config.selected_banks == 1,
        serialiser=BoothSerialiser,
    ),
)
