"""Pairs of rows: select lines made once for all columns, and the operand that they select."""

from functools import reduce
from operator import or_

from amaranth.hdl import Cat, Module, Signal, Value

from cimforge.hdl.netlist.block import Block, In, Out
from cimforge.hdl.params.config import MacroConfig

__all__ = ["PairMultiplier", "PairSelector"]


class PairSelector(Block):
    """Select lines of a pair of rows, shared by all columns: for each plane at most one of ``first
    row alone``, ``second row alone`` and ``both`` is set.

    ``planes_n`` holds the pair's 2k inverted planes, the first row's lowest; ``alone_n`` the
    inverted lines of a row alone in their places, ``both_n`` those of both rows, plane j's at j.
    Combinational (latency 0).
    """

    role = "input"

    def __init__(self, config: MacroConfig):
        self._planes = k = config.bits_per_cycle
        ports = {"planes_n": In(2 * k), "alone_n": Out(2 * k), "both_n": Out(k)}
        super().__init__(config.module, "pair_selector", ports)

    def elaborate(self, platform):
        m = Module()
        first, second = self.planes_n[: self._planes], self.planes_n[self._planes :]
        m.d.comb += self.alone_n.eq(Cat(first | ~second, second | ~first))
        m.d.comb += self.both_n.eq(first | second)
        return m


class PairMultiplier(Block):
    """Operands of a pair of rows in one column: for each plane the stored code or sum that its
    select lines choose, or 0.

    ``stored`` holds for each bank 3 weight_bits + 1 bits: the first row's code, the second's, and
    their sum; all inverted where there is one bank (``bank_select`` is left out then). ``products``
    holds k operands of weight_bits + 1 bits, plane j's at j (weight_bits + 1). ``alone_n`` and
    ``both_n`` as PairSelector's. An OR-AND-invert a bit and plane: lines and codes come inverted,
    and the sum's top bit is the operand's under ``both`` alone. Combinational (latency 0).
    """

    role = "multiply"

    def __init__(self, config: MacroConfig):
        self._config = config
        k, banks = config.bits_per_cycle, config.banks
        ports = {
            "stored": In(banks * sum(config.entry_widths(2))),
            "bank_select": In(banks if banks > 1 else 0),
            "alone_n": In(2 * k),
            "both_n": In(k),
            "products": Out(k * (config.weight_bits + 1)),
        }
        super().__init__(config.module, "pair_multiplier", ports)

    def elaborate(self, platform):
        m = Module()
        width, k = self._config.weight_bits, self._config.bits_per_cycle
        stored_n = self._build_selection(m)
        first_n, second_n = stored_n[:width], stored_n[width : 2 * width]
        sum_n = stored_n[2 * width :]
        for plane in range(k):
            both_n = sum_n | self.both_n[plane].replicate(width + 1)
            alone_n = (first_n | self.alone_n[plane].replicate(width)) & (
                second_n | self.alone_n[k + plane].replicate(width)
            )
            operand = Cat(~(both_n[:width] & alone_n), ~both_n[width])
            m.d.comb += self.products.word_select(plane, width + 1).eq(operand)
        return m

    def _build_selection(self, m: Module) -> Value:
        """The active bank's codes and sum, inverted."""
        banks = self._config.banks
        if banks == 1:
            return self.stored
        size = len(self.stored) // banks
        stored_n = Signal(size)
        words = [
            self.stored.word_select(b, size) & self.bank_select[b].replicate(size)
            for b in range(banks)
        ]
        m.d.comb += stored_n.eq(~reduce(or_, words))
        return stored_n
