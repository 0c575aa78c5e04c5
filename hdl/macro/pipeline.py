"""Where the register ranks of a column's trees stand, and how many are worth their area."""

from collections.abc import Callable, Sequence
from functools import cache

from cimforge.hdl.arith.carry_save import plan_planes
from cimforge.hdl.arith.plan import Plan
from cimforge.hdl.arith.planners import plan_column
from cimforge.hdl.arith.staging import (
    CONTROL,
    FRONT,
    REGISTER,
    SUM,
    Staging,
    divided,
    levelled,
    settling,
)
from cimforge.hdl.macro.accumulator import accumulate_plan
from cimforge.hdl.macro.kept_words import plan_kept_sum
from cimforge.hdl.macro.matches import match_plan
from cimforge.hdl.params.config import MacroConfig

__all__ = ["auto_ranks", "total_arrival", "tree_plan", "tree_staging"]

PAYS = 20  # one more rank must lower time by area by this part of it


def tree_plan(config: MacroConfig) -> Plan:
    """Plan of one tree: the operands of a column, unsigned, to tree_bits; or those of all planes
    of a cycle, left carry-save."""
    return tree_staging(config).plan


def tree_staging(config: MacroConfig) -> Staging:
    """One tree with its pipeline_stages register ranks, each where time by area is least: the first
    stage has what makes the operands, the last the accumulator.

    A final adder is a cell that no rank divides: with ranks there is a ripple of full adders in its
    place where time by area is less for it.
    """
    part = config.slice
    if part.tables and part.word_tree and config.pipeline_stages:
        return levelled(
            plan_column(part.tree, part.operand_widths, part.tree_bits), config.pipeline_stages
        )
    return _staging(part, config.pipeline_stages)


def auto_ranks(config: MacroConfig) -> int:
    """The ranks of ``tree_stages = auto``: one more as long as it lowers time by area, in the
    units of Staging, by a twentieth. Of tables' word adders one behind each level: their registers
    lie in the adders' cells."""
    if config.tables and config.word_tree:
        return config.tree_levels
    cost = _staging(config, 0).cost
    for ranks in range(config.tree_levels):
        more = _staging(config, ranks + 1).cost
        if more * PAYS > cost * (PAYS - 1):
            return ranks
        cost = more
    return config.tree_levels


def total_arrival(config: MacroConfig) -> list[int]:
    """The time, in adders, at which each bit of a tree's total comes: levels of a tree without
    registers, or what stands behind its last ones."""
    staging = tree_staging(config)
    if not staging.ranks:
        return [staging.plan.ready_level(bit) for bit in staging.plan.result]
    return _adders(staging.tail)


def _adders(times: Sequence[int]) -> list[int]:
    """Whole adders behind a register."""
    return [(time - REGISTER) // SUM for time in times]


@cache
def _staging(config: MacroConfig, ranks: int) -> Staging:
    if config.carry_save:
        widths, compressors = config.operand_widths, config.tree_traits.compressors
        plan = plan_planes(widths, config.bits_per_cycle, config.y_bits, compressors=compressors)
        return divided(plan, ranks, FRONT, _time_behind_words(config, plan.places))
    behind = _time_behind(config)
    finals = dict.fromkeys([config.final_adder, *(["ripple"] if ranks else [])])
    plans = (
        plan_column(config.tree, config.operand_widths, config.tree_bits, final) for final in finals
    )
    found = [divided(plan, ranks, FRONT, behind) for plan in plans]
    return min(found, key=lambda staging: staging.cost)


def _time_behind(config: MacroConfig) -> Callable[[Sequence[int]], int]:
    """When the accumulator's sum is there, of the times at which a total's bits come: a ripple
    counts a sixth less, for it is that much faster where adders are made of gates (SG13G2)."""

    @cache
    def adder(arrival: tuple[int, ...]) -> Plan:
        plan = match_plan if config.binary else accumulate_plan
        return plan(config, arrival)

    def done(tail: Sequence[int]) -> int:
        plan = adder(tuple(_adders(tail)))
        late = [time + (0 if config.digits else 2) for time in tail]  # a gate that negates
        if config.binary:
            start = [*late, *[CONTROL] * config.correction_bits]
        else:
            feedback = config.y_bits - config.bits_per_cycle + (0 if config.digits else 1)
            start = [CONTROL] * feedback + late * config.trees
            start += [CONTROL] * config.correction_bits
        settled = settling(plan, start)
        last = max((settled.get(bit, 0) for bit in plan.result), default=0)
        return last * 5 // 6 if config.final_adder == "ripple" else last

    return done


def _time_behind_words(
    config: MacroConfig, places: tuple[int, ...]
) -> Callable[[Sequence[int]], int]:
    """When kept words have taken a total whose bits are at these ``places``, of the times at which
    they come."""

    @cache
    def words(arrival: tuple[int, ...]) -> Plan:
        return plan_kept_sum(config, places, arrival).plan

    def done(tail: Sequence[int]) -> int:
        plan = words(tuple(_adders(tail)))
        early = plan.input_bits - len(places) - config.correction_bits
        start = [CONTROL] * early + [*tail, *[CONTROL] * config.correction_bits]
        settled = settling(plan, start)
        return max((settled.get(bit, 0) for bit in plan.result), default=0)

    return done
