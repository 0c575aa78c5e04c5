"""Multiplication of -1 and 1: bank selection, and whether a weight matches its input."""

from functools import reduce
from operator import or_

from amaranth.hdl import Module, Signal

from cimforge.hdl.cells.multiply_style import MULTIPLY_STYLES, MultiplyStyle
from cimforge.hdl.netlist.block import Block, In, Out
from cimforge.hdl.params.config import MacroConfig

__all__ = ["Matcher", "RowCount"]


class Matcher(Block):
    """Whether one row matches in one column: ``product = weight ? ones : zeros``.

    ``planes_n`` holds ``ones`` and ``zeros``, inverted (BinarySerialiser): which weight counts, 1,
    0 or none. The weight is that of the bank whose bit is set in ``bank_select`` (left out with one
    bank); no bit set gives 0. Combinational (latency 0).
    """

    role = "multiply"

    def __init__(self, config: MacroConfig):
        self._banks = banks = config.selected_banks
        ports = {
            "stored": In(banks),
            "bank_select": In(banks if banks > 1 else 0),
            "planes_n": In(2),
            "products": Out(1),
        }
        super().__init__(config.module, "multiplier", ports)

    def elaborate(self, platform):
        m = Module()
        weight = Signal()
        if self._banks == 1:
            m.d.comb += weight.eq(self.stored)
        else:
            chosen = [self.stored[b] & self.bank_select[b] for b in range(self._banks)]
            m.d.comb += weight.eq(reduce(or_, chosen))
        ones_n, zeros_n = self.planes_n
        m.d.comb += self.products.eq(~((ones_n | ~weight) & (zeros_n | weight)))
        return m


class RowCount(Block):
    """``correction = -count``, two's complement of correction_bits: the rows that count, for all
    columns. Latency: config.ranks enabled cycles, as the columns' operands and trees have."""

    role = "accumulate"

    def __init__(self, config: MacroConfig):
        self._config = config
        self.latency = config.ranks
        ports = {
            "enable": In(1 if config.ranks else 0),
            "count": In(config.x_rows_width),
            "correction": Out(config.correction_bits),
        }
        super().__init__(config.module, "input_sum", ports)

    def elaborate(self, platform):
        m = Module()
        count = self.count
        for rank in range(self._config.ranks):
            late = Signal(len(count), name=f"count_q{rank + 1}", reset_less=True)
            with m.If(self.enable):
                m.d.sync += late.eq(count)
            count = late
        m.d.comb += self.correction.eq(-count)
        return m


MULTIPLY_STYLES.register(
    "xnor", MultiplyStyle(Matcher, RowCount, inverted_code=lambda config: False)
)
