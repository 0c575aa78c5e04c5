"""Accumulator of one column that keeps its sum carry-save: no carry chain but the final adder's."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from amaranth.hdl import Cat, Const, Module, Signal, Value

from cimforge.hdl.arith.adder import build_adder
from cimforge.hdl.arith.carry_save import flipped_sum, plan_words
from cimforge.hdl.arith.plan import Operand, Plan
from cimforge.hdl.arith.segmented import stage_segments
from cimforge.hdl.netlist.block import Block, In, Out
from cimforge.hdl.params.config import MacroConfig

__all__ = ["KeptSum", "KeptWords", "plan_kept_sum"]


@dataclass(frozen=True)
class KeptSum:
    """What a cycle adds, modulo 2^y_bits: ``plan`` over terms at the places ``start`` (bits of the
    value to begin with that no kept bit makes room for), ``feedback`` (the kept bits', k higher),
    ``totals`` (the tree's) and the correction's."""

    plan: Plan
    start: tuple[int, ...]
    feedback: tuple[int, ...]
    totals: tuple[int, ...]


def plan_kept_sum(config: MacroConfig, totals: tuple[int, ...], arrival: Sequence[int]) -> KeptSum:
    """The sum of a cycle behind a tree that leaves bits at the places ``totals``; bit i of them is
    ready at the level ``arrival[i]``."""
    groups = _groups(config, totals)
    return KeptSum(_plan(config, groups, arrival), *groups)


@cache
def _groups(config: MacroConfig, totals: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
    """Places of start, feedback and totals.

    Which places are left with two bits depends on what is fed back, that is on places k lower: so
    each round settles k places more.
    """
    k, y_bits = config.bits_per_cycle, config.y_bits
    values = start_values(config)
    kept: tuple[int, ...] = ()
    while True:
        again = config.max_planes > 1
        feedback = tuple(p + k for p in kept if p + k < y_bits) if again else ()
        start = tuple(
            place
            for place in range(y_bits)
            if any(value >> place & 1 for value in values) and place not in feedback
        )
        groups = (start, feedback, totals)
        left = _plan(config, groups, [0] * len(totals)).places
        if left == kept:
            return groups
        kept = left


def start_values(config: MacroConfig) -> tuple[int, int]:
    """What an accumulator begins with, modulo 2^y_bits: ``-rows 2^(k + weight_bits-1)``, what the
    corrections of a pass have too much (InputSum), and with a negated top plane less what the tree
    has too much then."""
    start = -config.rows << (config.bits_per_cycle + config.modes[0].correction_place)
    flipped = flipped_sum(config.operand_widths, config.bits_per_cycle)
    return start % (1 << config.y_bits), (start - flipped) % (1 << config.y_bits)


def _plan(config: MacroConfig, places: Sequence[tuple[int, ...]], arrival: Sequence[int]) -> Plan:
    """The plan over start, feedback and totals at these places, and the correction."""
    y_bits, low = config.y_bits, config.modes[0].correction_place
    flat = [place for group in places for place in group]
    operands = [Operand((bit,), place) for bit, place in enumerate(flat)]
    correction = tuple(range(len(flat), len(flat) + config.correction_bits))
    operands.append(Operand(correction[: y_bits - low], low))
    half = max(arrival, default=0) // 2
    early = len(flat) - len(arrival)
    ready = [*[0] * early, *arrival, *[half] * len(correction)]
    return plan_words(operands, y_bits, ready, compressors=config.tree_traits.compressors)


class KeptWords(Block):
    """Result of one column, kept carry-save: ``y = 2^k y + total + 2^(weight_bits-1) correction``,
    ``y`` being ``-rows 2^(weight_bits-1)`` before a pass, as in Accumulator.

    ``total`` holds the bits that the tree of all planes leaves, up to two a place, its top plane
    negated where ``negate`` is high; ``correction`` is unsigned, shared by all columns; ``y`` is
    two's complement, y_bits wide. ``restart`` drops the old words, in the first cycle of a pass:
    their places take the value to begin with. Where a pass has one cycle nothing is ever kept, and
    the start value has terms of its own.

    The kept words change at the edge where ``enable`` is high and hold otherwise; an adder of
    final_stages ranks, which take a bit where ``finish`` is high, makes y of them. Latency: 1 +
    final_stages cycles, one cycle's planes a cycle. Sums are modulo 2^y_bits, which holds every
    final result; intermediate wrap-around cancels. Not reset: restart comes with every pass.
    """

    role = "accumulate"

    def __init__(self, config: MacroConfig, totals: tuple[int, ...], arrival: Sequence[int]):
        self._config = config
        self.sum = plan_kept_sum(config, totals, arrival)
        self.latency = 1 + config.final_stages
        final = config.final_stages
        ports = {
            "enable": In(1),
            "finish": In(1 if final else 0),
            "restart": In(1 if self.sum.feedback else 0),
            "negate": In(1),
            "total": In(len(totals)),
            "correction": In(config.correction_bits),
            "y": Out(config.y_bits),
        }
        kept = self.sum.plan.places
        segments = stage_segments(kept, config.y_bits, final, config.final_adder)
        comment = "Sum of kept words, tree total and correction, left in two words."
        adders = {
            "sum": build_adder(
                config.module, "accumulate_sum", comment, self.sum.plan, role="accumulate"
            ),
            "result": build_adder(
                *(config.module, "result_sum", "Sum of the two kept words.", segments),
                role="accumulate",
            ),
        }
        super().__init__(config.module, "accumulator", ports, adders)

    def elaborate(self, platform):
        m = Module()
        kept = Signal(len(self.sum.plan.places), name="kept_q", reset_less=True)
        start, feedback = self._build_start(kept)
        terms = Cat(*start, *feedback, self.total, self.correction)
        total = Signal(len(kept))
        m.submodules.sum = self.instance("sum", terms=terms, total=total)
        with m.If(self.enable):
            m.d.sync += kept.eq(total)
        pins = {"enable": self.finish} if self._config.final_stages else {}
        m.submodules.result = self.instance("result", **pins, terms=kept, total=self.y)
        return m

    def _build_start(self, kept: Value) -> tuple[list[Value], list[Value]]:
        """The terms of the start value, and the kept bits fed back, of which the first of a place
        makes room for it."""
        values = start_values(self._config)
        restart = self.value("restart") if self.sum.feedback else Const(1, 1)

        def digit(place: int) -> Value:
            plain, negated = (value >> place & 1 for value in values)
            if plain == negated:
                return restart if plain else Const(0, 1)
            return restart & ~self.negate if plain else self.negate

        taken: set[int] = set()
        feedback = []
        for bit, place in zip(kept, self.sum.feedback, strict=False):
            going_on = bit & ~restart
            feedback.append(going_on if place in taken else going_on | digit(place))
            taken.add(place)
        return [digit(place) for place in self.sum.start], feedback
