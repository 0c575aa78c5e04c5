"""Result of one column of a binary macro: rows that match against rows that do not."""

from collections.abc import Sequence

from amaranth.hdl import Cat, Module, Signal

from cimforge.hdl.arith.adder import build_adder
from cimforge.hdl.arith.plan import Operand, Plan
from cimforge.hdl.arith.planners import plan_sum
from cimforge.hdl.netlist.block import Block, In, Out
from cimforge.hdl.netlist.structure import Structure
from cimforge.hdl.params.config import MacroConfig

__all__ = ["Matches", "build_match_sum", "match_plan"]


def match_plan(config: MacroConfig, arrival: Sequence[int]) -> Plan:
    """Plan of ``2 total + correction`` modulo 2^y_bits: the total's bits, then the correction's.

    ``arrival[i]`` is the level at which bit i of the total is ready.
    """
    total = tuple(range(config.tree_bits))
    correction = tuple(range(len(total), len(total) + config.correction_bits))
    kept = total[: config.y_bits - 1]
    operands = [Operand(kept, 1), Operand(correction, 0)]
    return plan_sum(config.tree, operands, config.y_bits, [*arrival, *[0] * len(correction)])


def build_match_sum(config: MacroConfig, arrival: Sequence[int]) -> Structure:
    """The adder of Matches as a structural module, combinational."""
    comment = "Twice the matching rows, less all rows that count."
    plan = match_plan(config, arrival)
    return build_adder(config.module, "accumulate_sum", comment, plan, role="accumulate")


class Matches(Block):
    """Result register of one column of a binary macro: ``y = 2 total + correction``.

    ``total`` are the rows whose weight equals their input, ``correction`` the number of rows that
    count, negated, so ``y = matches - mismatches``, the sum of products of -1 and 1: two's
    complement, y_bits wide, which holds -rows..rows. In a read-back the correction is 0 and the
    total the row's weight, which then stands in bit 1. y changes at the edge where ``enable`` is
    high and holds otherwise: latency 1 cycle. Not reset: each pass is one sum.
    """

    role, latency = "accumulate", 1

    def __init__(self, config: MacroConfig, adder: Structure):
        self._config = config
        ports = {
            "enable": In(1),
            "totals": In(config.tree_bits),
            "correction": In(config.correction_bits),
            "y": Out(config.y_bits),
        }
        super().__init__(config.module, "accumulator", ports, {"sum": adder})

    def elaborate(self, platform):
        m = Module()
        y_q = Signal(self._config.y_bits, reset_less=True)
        total = Signal(self._config.y_bits)
        terms = Signal(len(self.totals) + len(self.correction))
        m.d.comb += terms.eq(Cat(self.totals, self.correction))
        m.submodules.sum = self.instance("sum", terms=terms, total=total)
        with m.If(self.enable):
            m.d.sync += y_q.eq(total)
        m.d.comb += self.y.eq(y_q)
        return m
