"""Timing contract R13..R16, R18, R19, R21, R23, R26..R30: cycles from accepting data to results.

Counted on the rising clock edges of streams that never stall: a vector accepted in cycle t has its
result on y_data, with y_valid, in cycle t + first_result. Written from the contract's words, not
from the formulas of MacroConfig, of which only plain parameters (``final_stages`` among them),
``pipeline_stages``, ``lead`` and ``join_ranks``, the storage style's ``write_cycles`` and the
multiply style's ``digit_bits`` are used.
"""

from collections.abc import Sequence
from math import lcm

from numpy.typing import ArrayLike

from cimforge.golden.numerics import (
    check_number,
    check_shape,
    effective_bits,
    input_values,
    value_range,
)
from cimforge.hdl.params.config import MacroConfig

__all__ = [
    *("fill_cycles", "fill_group", "first_result", "load_cycles", "pass_cycles", "reset_cycles"),
    *("result_interval", "slots", "stream_cycles", "table_groups", "write_cycles"),
]


def pass_cycles(
    config: MacroConfig,
    x_bits: int = 0,
    x_signed: bool = False,
    patterns: ArrayLike | None = None,
) -> int:
    """R13: cycles of one pass, ``ceil(x_bits / bits_per_cycle)``; of a vector, where the macro has
    zero_skip, fewer: R21. Signed digits hold an unsigned vector in one bit more: R23.

    ``x_bits`` as on the port: 0 or above input_bits means input_bits. With zero_skip the number is
    the most that any vector takes, unless the vector's ``patterns`` (rows,), input_bits wide and
    unsigned, are given. Raises ValueError for a negative x_bits and patterns that no port carries.
    """
    # One cycle for each group of planes that starts below x_bits.
    planes = effective_bits(x_bits, config.input_bits) + (_has_digits(config) and not x_signed)
    most = len(range(0, planes, config.bits_per_cycle))
    if patterns is None or "zero_skip" not in config.features:
        return most
    return min(most, _cycles_needed(config, x_bits, x_signed, patterns))


def _cycles_needed(config: MacroConfig, x_bits: int, x_signed: bool, patterns: ArrayLike) -> int:
    """R21: the fewest groups of planes, one at least, that are wide enough for every element."""
    check_shape("x_patterns", patterns, (config.rows,))
    values = input_values(patterns, config.input_bits, x_bits, x_signed)
    low, high, groups = int(values.min()), int(values.max()), 1
    while True:
        signed = x_signed or _has_digits(config)
        least, greatest = value_range(groups * config.bits_per_cycle, signed)
        if least <= low and high <= greatest:
            return groups
        groups += 1


def _has_digits(config: MacroConfig) -> bool:
    """Whether planes make digits that carry a sign."""
    return config.multiply_traits.digit_bits > 1


def result_interval(
    config: MacroConfig,
    x_bits: int = 0,
    x_signed: bool = False,
    patterns: ArrayLike | None = None,
) -> int:
    """R30: cycles that a pass takes, from one result to that of the vector behind it at full rate:
    those of its planes (pass_cycles, with the same arguments and errors), and in tables 2 at least,
    but where sums are kept in two words."""
    apart = config.tables and config.accumulate != "carry_save"
    return max(pass_cycles(config, x_bits, x_signed, patterns), 2 if apart else 1)


def first_result(
    config: MacroConfig,
    x_bits: int = 0,
    tree_stages: int | None = None,
    *,
    x_signed: bool = False,
) -> int:
    """R14, R26: cycles from accepting a vector to its y_valid, ``result_interval + lead + tree
    ranks + join ranks + 1 + final ranks``.

    The pass itself, one cycle for each register between a plane and the operand it makes, one for
    each register rank inside the trees, of tables one for each rank in which totals join, one for
    the accumulator, one for each register rank inside the adder behind it. With zero_skip it is the
    most that any vector takes.
    ``tree_stages`` is the number of ranks, ``config.pipeline_stages`` where it is left out. Raises
    ValueError for a negative number.
    """
    ranks = config.pipeline_stages if tree_stages is None else tree_stages
    lead = config.lead
    inner = lead + check_number("tree_stages", ranks) + config.join_ranks
    return result_interval(config, x_bits, x_signed) + inner + 1 + config.final_stages


def stream_cycles(config: MacroConfig, passes: Sequence[int], *, x_signed: bool = False) -> int:
    """R15, R30: cycles from accepting the first vector to the y_valid of the last result.

    ``passes`` holds the x_bits of each vector. At full rate the next pass starts as the last one's
    planes end, so only the first pays for the ranks and the accumulator: ``sum of planes + ranks +
    1 + final ranks``, at most with zero_skip; in tables a pass counts result_interval. Weight
    writes and read-backs between passes come on top. Raises ValueError for no passes.
    """
    if not passes:
        raise ValueError("passes must hold at least one x_bits, not [] (nearest legal value: [0])")
    first, *later = passes
    behind = sum(result_interval(config, x_bits, x_signed) for x_bits in later)
    return first_result(config, first, x_signed=x_signed) + behind


def write_cycles(config: MacroConfig, row: int) -> int:
    """R16: cycles that ``row`` occupies the write stream, while the array is idle.

    A row with neighbours in its group is renewed through the trees: a cycle in which it is
    accepted, one in which it asks for the array, one for its neighbour's plane, one for each
    register between a plane and the accumulators, one for each rank of the adder behind these, one
    in which the neighbour's code stands at its end; the sum lands behind. In tables it has slots
    (R27). All other rows, missing ones too, take the style's write cycles. Raises ValueError for a
    negative row.
    """
    traits = config.storage_traits
    if config.tables:
        return _renewed(config, row, fill=False)
    first = check_number("row", row) // config.group * config.group
    if row < config.rows and len(range(first, min(first + config.group, config.rows))) > 1:
        return 4 + traits.lead + config.pipeline_stages + config.final_stages
    return traits.write_cycles


def fill_cycles(config: MacroConfig, row: int) -> int:
    """R18: the same for a row that is filled: as many cycles as its group has sums that are
    complete with it, its own code among them, ``2^(row mod group)``.

    In tables each is read in a slot, as in a write (R27). Without groups there is no fast path, and
    a missing row has none: write_cycles. Raises ValueError for a negative row.
    """
    if config.tables:
        return _renewed(config, row, fill=True)
    place = check_number("row", row) % config.group
    grouped = config.group > 1 and row < config.rows
    return 2**place if grouped else write_cycles(config, row)


def _renewed(config: MacroConfig, row: int, fill: bool) -> int:
    """R27: cycles in which a row of tables is accepted, asks for the array, has its slots, the last
    of which passes the array and the adder behind it, and in which what it read stands there; a
    missing row takes one."""
    if check_number("row", row) >= config.rows:
        return 1
    passed = config.lead + config.pipeline_stages + config.join_ranks + config.final_stages
    return 1 + 1 + slots(config, row, fill) + passed + 1


def slots(config: MacroConfig, row: int, fill: bool) -> int:
    """R27: slots of the array in which a row of tables reads entries: one for each choice of other
    rows of its group, or if it is filled of those before it; of several kinds of tables the
    most."""
    most = 0
    for size in table_groups(config):
        first = row // size * size
        others = row - first if fill else min(size, config.rows - first) - 1
        most = max(most, 2**others)
    return most


def table_groups(config: MacroConfig) -> list[int]:
    """Rows of a group in each kind of tables: of LUT RAM beside block RAM four."""
    hybrid = config.ram_cols is not None
    groups = [config.group] if not hybrid or config.ram_cols else []
    return groups + ([4] if hybrid and config.ram_cols != config.cols else [])


def fill_group(config: MacroConfig) -> int:
    """R29: rows of a promise of filled ones: those of a group; of two kinds of tables the fewest
    that hold whole groups of both."""
    return lcm(*table_groups(config)) if config.tables else config.group


def reset_cycles(config: MacroConfig) -> int:
    """R28: cycles behind a reset in which nothing is ready: one for each bank, whose entries of no
    row tables write; else none."""
    return config.banks if config.tables else 0


def load_cycles(config: MacroConfig, fill: bool = False) -> int:
    """R19: cycles to write one whole bank, row by row or filled, while no pass uses the bank.

    Counts accepted write beats; how long a row takes to settle after its beat is the storage's.
    """
    cycles = fill_cycles if fill else write_cycles
    return sum(cycles(config, row) for row in range(config.rows))
