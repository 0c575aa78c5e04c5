"""The sum of a pair of rows, renewed when one of them is written."""

from amaranth.hdl import Cat, Module, Mux, Signal

from cimforge.hdl.arith.adder import build_adder
from cimforge.hdl.arith.compression import RIPPLE
from cimforge.hdl.arith.planners import plan_sum, word_operands
from cimforge.hdl.netlist.block import Block, In, Out
from cimforge.hdl.netlist.structure import Structure
from cimforge.hdl.params.config import MacroConfig

__all__ = ["PairSum", "build_pair_adder"]


def build_pair_adder(config: MacroConfig) -> Structure:
    """Adds two codes, unsigned; combinational."""
    width = config.weight_bits
    final = config.final_adder if config.carry_save else RIPPLE
    plan = plan_sum(config.tree, word_operands([width, width]), width + 1, final=final)
    comment = "Sum of the codes of a pair of rows."
    return build_adder(config.module, "pair_adder", comment, plan, role="storage")


class PairSum(Block):
    """Register of one column that holds the sum of a pair's codes while it lands: ``sum = code +
    (following while fill, else neighbour)``.

    It takes the sum at the edge at which ``capture`` is high: latency 1 cycle. ``code`` is that of
    the row written last; ``following`` the one that is accepted now, on the fast path;
    ``neighbour`` the pair's other row as read back, in the low bits of the column's accumulator.
    All weight_bits wide, unsigned, and the sum a bit wider, so nothing overflows. Not reset: the
    sum is written only after a capture.
    """

    role, latency = "storage", 1

    def __init__(self, config: MacroConfig):
        self._width = width = config.weight_bits
        ports = {
            **{"capture": In(1), "fill": In(1)},
            **{name: In(width) for name in ("code", "following", "neighbour")},
            "sum": Out(width + 1),
        }
        inner = {"adder": build_pair_adder(config)}
        super().__init__(config.module, "pair_sum", ports, inner)

    def elaborate(self, platform):
        m = Module()
        total = Signal(self._width + 1)
        sum_q = Signal(self._width + 1, reset_less=True)
        other = Mux(self.fill, self.following, self.neighbour)
        m.submodules.adder = self.instance("adder", terms=Cat(self.code, other), total=total)
        with m.If(self.capture):
            m.d.sync += sum_q.eq(total)
        m.d.comb += self.sum.eq(sum_q)
        return m
