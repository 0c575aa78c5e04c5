"""Join: the totals of a cycle's planes and the correction as one sum, in front of an
accumulator."""

from dataclasses import replace
from itertools import accumulate

from amaranth.hdl import Cat, Module, Signal

from cimforge.hdl.arith.adder import build_adder
from cimforge.hdl.arith.plan import Operand
from cimforge.hdl.arith.planners import plan_sum
from cimforge.hdl.arith.staging import Staging, levelled, unstaged
from cimforge.hdl.netlist.block import Block, In, Out
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.ranges import unsigned_width

__all__ = ["Join", "join_bits"]


def join_bits(config: MacroConfig) -> int:
    """Bits of the sum, unsigned; none beyond y_bits, modulo which it is added."""
    totals = ((1 << config.tree_bits) - 1) * ((1 << config.bits_per_cycle) - 1)
    correction = ((1 << config.correction_bits) - 1) << config.correction_place
    return min(unsigned_width(totals + correction), config.y_bits)


def join_staging(config: MacroConfig) -> Staging:
    """The sum ``correction 2^(weight_bits-1) + sum_j 2^j total_j``: terms in that order, with
    config.join_ranks ranks."""
    k, width, low = config.bits_per_cycle, join_bits(config), config.correction_place
    widths = [config.correction_bits, *[config.tree_bits] * k]
    starts = list(accumulate(widths, initial=0))
    words = [tuple(range(s, s + w)) for s, w in zip(starts, widths, strict=False)]
    operands = [Operand(words[0][: width - low], low)]
    operands += [Operand(word[: width - j], j) for j, word in enumerate(words[1:])]
    plan = plan_sum(config.tree, operands, width, final=config.final_adder)
    if plan.input_bits < sum(widths):
        plan = replace(plan, input_bits=sum(widths))
    return levelled(plan, config.join_ranks) if config.join_ranks else unstaged(plan)


class Join(Block):
    """What a cycle adds to one column: ``sum_j +-2^j total_j + 2^(weight_bits-1) correction``, the
    negative top plane as its inverse, whose +1 and sign extension the accumulator adds.

    ``totals`` holds k unsigned results of tree_bits, plane j's at bit j * tree_bits; ``negate``
    marks the sign plane of a signed pass, in their cycle. ``joined`` has join_bits, which hold the
    largest sum or are y_bits. Latency: config.join_ranks enabled cycles. Not reset.
    """

    role = "accumulate"

    def __init__(self, config: MacroConfig):
        self._config = config
        self.latency = config.join_ranks
        ports = {
            "enable": In(int(self.latency > 0)),
            "negate": In(1),
            "totals": In(config.bits_per_cycle * config.tree_bits),
            "correction": In(config.correction_bits),
            "joined": Out(join_bits(config)),
        }
        comment = "Sum of the totals of a cycle's planes and the correction."
        adder = build_adder(
            config.module, "join_sum", comment, join_staging(config), role="accumulate"
        )
        super().__init__(config.module, "join", ports, {"sum": adder})

    def elaborate(self, platform):
        m = Module()
        low = (self._config.bits_per_cycle - 1) * self._config.tree_bits
        top = self.totals[low:]
        terms = Signal(len(self.correction) + len(self.totals))
        inverted = top ^ self.negate.replicate(len(top))
        m.d.comb += terms.eq(Cat(self.correction, self.totals[:low], inverted))
        pins = {"enable": self.enable} if self.latency else {}
        m.submodules.sum = self.instance("sum", **pins, terms=terms, total=self.joined)
        return m
