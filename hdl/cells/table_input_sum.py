"""Input sum in front of tables: ones counted four rows at a time, then added on carry chains."""

from functools import reduce
from operator import xor

from amaranth.hdl import Cat, Module, Mux, Signal, Value

from cimforge.hdl.arith.adder import build_adder
from cimforge.hdl.arith.plan import Operand
from cimforge.hdl.arith.planners import plan_sum
from cimforge.hdl.arith.staging import levelled, unstaged
from cimforge.hdl.cells.input_sum import InputSum, late_planes
from cimforge.hdl.netlist.structure import Structure
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.ranges import unsigned_width

__all__ = ["TableInputSum"]

ROWS = 4  # of a count: each of its bits is one LUT of as many inputs


def _sizes(config: MacroConfig) -> list[int]:
    """Rows of each count of a plane."""
    return [min(ROWS, config.rows - low) for low in range(0, config.rows, ROWS)]


def _constant_bits(config: MacroConfig) -> int:
    """Bits of the constants that a pass adds in one cycle."""
    most = config.rows + (config.rows << (config.bits_per_cycle - 1))
    return min(unsigned_width(most), config.correction_bits)


def build_count_sum(config: MacroConfig) -> Structure:
    """Adds the counts of zeros of k planes, plane j's of weight 2^j, and a cycle's constants, with a
    register behind each level of word adders, or behind the last. Terms in that order."""
    operands: list[Operand] = []
    low, ranks = 0, config.pipeline_stages
    counts = [(p, unsigned_width(s)) for p in range(config.bits_per_cycle) for s in _sizes(config)]
    for plane, bits in [*counts, (0, _constant_bits(config))]:
        operands.append(Operand(tuple(range(low, low + bits)), plane))
        low += bits
    plan = plan_sum(config.tree, operands, config.correction_bits, final=config.final_adder)
    staging = levelled(plan, ranks) if ranks else unstaged(plan)
    comment = "Sum of a cycle's counts of zeros, and of constants."
    how = {"role": "accumulate", "chained": True}
    return build_adder(config.module, "plane_sum", comment, staging, **how)


class TableInputSum(InputSum):
    """InputSum's correction, made of counts: the zeros of up to four rows of a plane are one number
    of three bits, a LUT each, and its registers wait for the tables.

    Ports, values and signs as InputSum's with config.sums_constants. Latency: config.ranks less
    config.join_ranks enabled cycles, for the sum joins the columns' totals.
    """

    @staticmethod
    def _sums(config: MacroConfig) -> dict[str, Structure]:
        return {"sum": build_count_sum(config)}

    def _build_terms(self, m: Module) -> Value:
        rows, k = self._config.rows, self._config.bits_per_cycle
        counts = []
        for plane in range(k):
            zeros = self.planes_n.word_select(plane, rows)
            if plane == k - 1:
                zeros = zeros ^ self.plane_negate.replicate(rows)
            low = 0
            for size in _sizes(self._config):
                counts.append(_count(zeros[low : low + size]))
                low += size
        negated = Mux(self.plane_negate, rows << (k - 1), 0)
        constants = (negated + Mux(self.plane_ending, rows, 0))[: _constant_bits(self._config)]
        early = Signal(sum(map(len, counts)) + _constant_bits(self._config))
        m.d.comb += early.eq(Cat(*counts, constants))
        return late_planes(m, self._config, early, self.value("enable"))


def _count(bits: Value) -> Value:
    """The number of ones among up to four bits, each of its bits a function of them all."""
    count = Cat(reduce(xor, bits))
    if len(bits) > 1:
        pairs = [a & b for n, a in enumerate(bits) for b in list(bits)[n + 1 :]]
        two = reduce(lambda a, b: a | b, pairs)
        every = bits.all() if len(bits) == ROWS else 0
        count = Cat(count, two & ~every if len(bits) == ROWS else two)
        count = Cat(count, every) if len(bits) == ROWS else count
    return count
