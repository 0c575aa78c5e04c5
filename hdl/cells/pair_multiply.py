"""Pairs of rows: select lines made once for all columns, and the operand that they select."""

from functools import reduce
from operator import or_
from typing import Any

from amaranth.hdl import Cat, Module, Signal, Value

from cimforge.hdl.netlist.block import Block, In, Out
from cimforge.hdl.params.config import MacroConfig

__all__ = ["PairCodes", "PairMultiplier", "PairSelector"]


class PairSelector(Block):
    """Select lines of a pair of rows, shared by all columns: for each plane at most one of ``first
    row alone``, ``second row alone`` and ``both`` is set.

    ``planes_n`` holds the pair's 2k inverted planes, the first row's lowest; ``alone`` the lines of
    a row alone in their places, ``both_n`` the inverted ones of both rows, plane j's at j.
    Combinational (latency 0).
    """

    role = "input"

    def __init__(self, config: MacroConfig):
        self._planes = k = config.bits_per_cycle
        ports = {"planes_n": In(2 * k), "alone": Out(2 * k), "both_n": Out(k)}
        super().__init__(config.module, "pair_selector", ports)

    def elaborate(self, platform):
        m = Module()
        first, second = self.planes_n[: self._planes], self.planes_n[self._planes :]
        m.d.comb += self.alone.eq(Cat(second & ~first, first & ~second))
        m.d.comb += self.both_n.eq(first | second)
        return m


class PairCodes(Block):
    """The codes of a pair in one column that their select lines choose: for each plane the first
    row's, the second's, or 0, inverted.

    ``stored`` holds for each bank 2 weight_bits, the first row's code lowest; ``bank_select`` is
    left out where there is one. ``code_n`` holds k codes, plane j's at j weight_bits; ``alone`` is
    PairSelector's. An AND-OR-invert a bit and plane, and a module of its own lest a mapper take
    gates that want other polarities. Combinational (latency 0).
    """

    role = "multiply"

    def __init__(self, config: MacroConfig):
        self._width, self._planes = config.weight_bits, config.bits_per_cycle
        ports = {
            "stored": In(config.banks * 2 * self._width),
            "bank_select": In(config.banks if config.banks > 1 else 0),
            "alone": In(2 * self._planes),
            "code_n": Out(self._planes * self._width),
        }
        super().__init__(config.module, "pair_codes", ports)

    def elaborate(self, platform):
        m = Module()
        width = self._width
        codes = _selected(m, self)
        for plane in range(self._planes):
            first = codes[:width] & self.alone[plane].replicate(width)
            second = codes[width:] & self.alone[self._planes + plane].replicate(width)
            m.d.comb += self.code_n.word_select(plane, width).eq(~(first | second))
        return m


class PairMultiplier(Block):
    """Operands of a pair of rows in one column: for each plane the stored sum where both select
    lines are set, else the code that PairCodes chose.

    ``stored`` holds for each bank weight_bits + 1 bits, the codes' sum, inverted where there is one
    bank (``bank_select`` is left out then). ``products`` holds k operands of weight_bits + 1 bits,
    plane j's at j (weight_bits + 1); ``both_n`` is PairSelector's. An OR-AND-invert a bit and
    plane; the sum's top bit is the operand's. Combinational (latency 0).
    """

    role = "multiply"

    def __init__(self, config: MacroConfig):
        self._config = config
        k, banks, size = config.bits_per_cycle, config.banks, config.weight_bits + 1
        ports = {
            "stored": In(banks * size),
            "bank_select": In(banks if banks > 1 else 0),
            "both_n": In(k),
            "code_n": In(k * config.weight_bits),
            "products": Out(k * size),
        }
        super().__init__(config.module, "pair_multiplier", ports)

    def elaborate(self, platform):
        m = Module()
        width = self._config.weight_bits
        sum_n = _selected(m, self) if self._config.banks == 1 else ~_selected(m, self)
        for plane in range(self._config.bits_per_cycle):
            both_n = sum_n | self.both_n[plane].replicate(width + 1)
            operand = Cat(~(both_n[:width] & self.code_n.word_select(plane, width)), ~both_n[width])
            m.d.comb += self.products.word_select(plane, width + 1).eq(operand)
        return m


def _selected(m: Module, block: Any) -> Value:
    """What ``block`` is offered as ``stored`` in the active bank."""
    if not hasattr(block, "bank_select"):
        return block.stored
    banks = len(block.bank_select)
    size = len(block.stored) // banks
    selected = Signal(size)
    words = [
        block.stored.word_select(b, size) & block.bank_select[b].replicate(size)
        for b in range(banks)
    ]
    m.d.comb += selected.eq(reduce(or_, words))
    return selected
