"""Accumulator of one column: shifts and adds the partial sums of a pass, most significant planes
first."""

from collections.abc import Sequence
from itertools import accumulate

from amaranth.hdl import Cat, Module, Signal, Value

from cimforge.hdl.arith.adder import build_adder
from cimforge.hdl.arith.plan import Operand, Plan
from cimforge.hdl.arith.planners import plan_sum
from cimforge.hdl.netlist.block import Block, In, Out
from cimforge.hdl.netlist.structure import Structure
from cimforge.hdl.params.config import MacroConfig

__all__ = ["Accumulator", "accumulate_plan", "build_accumulate_sum"]


def accumulate_plan(config: MacroConfig, arrival: Sequence[int]) -> Plan:
    """Plan of ``feedback + sum_j 2^j total_j + 2^(weight_bits-1) correction`` modulo 2^y_bits.

    Terms in order: negate (the +1 of a negated top plane, at weight k-1), the feedback's bits
    k..y_bits-1, k totals of tree_bits, the correction, unsigned. Of digits there is no negate, k/2
    totals with 4^j, and the correction at weight 1.
    ``arrival[i]`` is the level at which bit i of a total is ready.
    """
    k, y_bits, low = config.bits_per_cycle, config.y_bits, config.correction_place
    trees, negate = config.trees, 0 if config.digits else 1
    widths = [y_bits - k + negate, *[config.tree_bits] * trees, config.correction_bits]
    starts = list(accumulate(widths, initial=0))
    words = [
        tuple(range(start, start + width)) for start, width in zip(starts, widths, strict=False)
    ]
    feedback, *totals, correction = words
    operands = [
        Operand(feedback, k - negate),
        *(Operand(total, place * k // trees) for place, total in enumerate(totals)),
        Operand(correction[: y_bits - low], low),
    ]
    half = [max(arrival, default=0) // 2] * len(correction)
    late = _rippled(arrival, len(correction)) if config.digits else half
    ready = [*[0] * len(feedback), *list(arrival) * trees, *late]
    return plan_sum(config.tree, operands, y_bits, ready, config.final_adder)


def _rippled(arrival: Sequence[int], bits: int) -> list[int]:
    """Levels of a correction whose sum is as deep as a tree, and longer: its bits come as those of
    a total, and on one by one; all at 0 behind registers."""
    step = 1 if any(arrival) else 0
    more = range(1, bits - len(arrival) + 1)
    return [*arrival, *(arrival[-1] + step * place for place in more)][:bits]


def build_accumulate_sum(config: MacroConfig, arrival: Sequence[int]) -> Structure:
    """The accumulator's adder as a structural module, combinational."""
    comment = "Sum of feedback, tree totals and correction."
    plan = accumulate_plan(config, arrival)
    return build_adder(config.module, "accumulate_sum", comment, plan, role="accumulate")


class Accumulator(Block):
    """Result register of one column: ``y = 2^k y + sum_j +-2^j total_j + 2^(weight_bits-1)
    correction``, ``y`` being ``-rows 2^(weight_bits-1)`` before a pass: what the corrections of a
    pass have too much (InputSum).

    ``totals`` holds k unsigned tree results of tree_bits, plane j's at bit j * tree_bits;
    ``correction`` is unsigned, shared by all columns; ``y`` is two's complement, y_bits wide.
    ``restart`` drops the old y, in the first cycle of a pass; ``negate``, only ever high with
    restart, negates the top plane's total (the sign plane of a signed pass): its bits are inverted,
    the +1 takes the free place at weight k-1 and the sign extension takes the places that restart
    empties, so no adder cell is spent on signs.

    Of digits, which carry their signs: ``y = 2^k y + sum_i 4^i total_i + correction``, nothing is
    negated, and ``y`` is ``-rows 2^weight_bits`` before a pass (BoothCorrection).

    y changes at the edge where ``enable`` is high and holds otherwise: latency 1 cycle, one
    cycle's planes a cycle. Sums are modulo 2^y_bits, which holds every final result; intermediate
    wrap-around cancels. Not reset: restart comes with every pass.
    """

    role, latency = "accumulate", 1

    def __init__(self, config: MacroConfig, adder: Structure):
        self._config = config
        ports = {
            "enable": In(1),
            "restart": In(1),
            "negate": In(0 if config.digits else 1),
            "totals": In(config.trees * config.tree_bits),
            "correction": In(config.correction_bits),
            "y": Out(config.y_bits),
        }
        super().__init__(config.module, "accumulator", ports, {"sum": adder})

    def elaborate(self, platform):
        m = Module()
        k, y_bits = self._config.bits_per_cycle, self._config.y_bits
        y_q = Signal(y_bits, reset_less=True)

        feedback = Signal(y_bits - k)
        m.d.comb += feedback.eq(
            Cat(self._feedback(place, y_q[place - k]) for place in range(k, y_bits))
        )

        added = self._added(m, feedback)

        terms = Signal(len(added))
        total = Signal(y_bits)
        m.d.comb += terms.eq(added)
        m.submodules.sum = self.instance("sum", terms=terms, total=total)

        with m.If(self.enable):
            m.d.sync += y_q.eq(total)
        m.d.comb += self.y.eq(y_q)
        return m

    def _added(self, m: Module, feedback: Value) -> Value:
        """The terms of the sum."""
        if self._config.digits:
            return Cat(feedback, self.totals, self.correction)
        tree_bits = self._config.tree_bits
        low = (self._config.bits_per_cycle - 1) * tree_bits
        signed_top = Signal(tree_bits)
        m.d.comb += signed_top.eq(self.totals[low:] ^ self.negate.replicate(tree_bits))
        return Cat(self.negate, feedback, self.totals[:low], signed_top, self.correction)

    def _feedback(self, place: int, kept: Value) -> Value:
        """The fed-back bit of weight 2^place: in a restart the start value's, which has the sign
        extension of a negated top plane as well. ``negate`` comes with restart alone."""
        config = self._config
        k = config.bits_per_cycle
        start = -config.pass_excess << k
        if config.digits:
            return kept | self.restart if start >> place & 1 else kept & ~self.restart
        bit, negated = (
            value >> place & 1 for value in (start, start - (1 << config.tree_bits + k - 1))
        )
        going_on = kept & ~self.restart
        if bit == negated:
            return kept | self.restart if bit else going_on
        return going_on | (self.restart & ~self.negate if bit else self.negate)
