"""The timing contract against cycles counted by hand, and against the config's own formulas."""

import random
import re
from collections.abc import Callable

import pytest

from cimforge.golden.cycles import (
    fill_cycles,
    first_result,
    load_cycles,
    pass_cycles,
    reset_cycles,
    result_interval,
    stream_cycles,
    write_cycles,
)
from cimforge.golden.tests.random_macros import random_config
from cimforge.hdl.params.config import MacroConfig

SERIAL = MacroConfig(rows=37, input_bits=8)
PAIRS = MacroConfig(rows=37, input_bits=8, bits_per_cycle=2)
QUADS = MacroConfig(rows=5, input_bits=12, bits_per_cycle=4, tree_stages=2)
DOUBLES = MacroConfig(rows=5, group=2)
STAGED = MacroConfig(rows=4, group=2, storage="latch", tree_stages=3)
WORDS = MacroConfig(rows=37, input_bits=4, banks=3, storage="sram", tree_stages=1)
KEPT = {"accumulate": "carry_save", "final_stages": 2}
LATE = MacroConfig(rows=4, input_bits=8, group=2, tree_stages=1, **KEPT)
PARALLEL = MacroConfig(rows=5, input_bits=8, bits_per_cycle=8, tree_stages=1)


@pytest.mark.parametrize(
    ("config", "x_bits", "cycles"),
    [
        (SERIAL, 0, 8),
        (SERIAL, 1, 1),
        (SERIAL, 8, 8),
        (SERIAL, 9, 8),
        (PAIRS, 0, 4),
        (PAIRS, 1, 1),
        (PAIRS, 2, 1),
        (PAIRS, 5, 3),
        (QUADS, 0, 3),
        (QUADS, 4, 1),
        (QUADS, 5, 2),
        (QUADS, 9, 3),
        (PARALLEL, 0, 1),
        (PARALLEL, 3, 1),
    ],
)
def test_pass_cycles_by_hand(config: MacroConfig, x_bits: int, cycles: int) -> None:
    assert pass_cycles(config, x_bits) == cycles


@pytest.mark.parametrize(
    ("config", "x_bits", "cycles"),
    [
        (SERIAL, 0, 9),  # 8 planes, accumulator
        (SERIAL, 1, 2),
        (PAIRS, 5, 4),
        (QUADS, 5, 5),  # 2 plane groups, 2 ranks, accumulator
        (PARALLEL, 0, 3),
        (WORDS, 0, 7),  # 4 planes, the words' register, 1 rank, accumulator
        (LATE, 0, 12),  # 8 planes, 1 rank, accumulator, 2 ranks behind it
        (LATE, 3, 7),
    ],
)
def test_first_result_by_hand(config: MacroConfig, x_bits: int, cycles: int) -> None:
    assert first_result(config, x_bits) == cycles


# k, precision, sign: digits hold an unsigned element in one bit more.
@pytest.mark.parametrize(
    ("k", "x_bits", "signed", "cycles"),
    [
        *((2, 8, False, 5), (2, 8, True, 4), (2, 7, False, 4), (2, 7, True, 4), (2, 1, False, 1)),
        *((4, 8, False, 3), (4, 8, True, 2), (4, 4, False, 2), (4, 3, False, 1), (4, 0, False, 3)),
        *((8, 8, False, 2), (8, 8, True, 1), (8, 7, False, 1)),
    ],
)
def test_passes_of_digits_by_hand(k: int, x_bits: int, signed: bool, cycles: int) -> None:
    config = MacroConfig(multiply="booth", bits_per_cycle=k, tree_stages=1)
    assert pass_cycles(config, x_bits, signed) == cycles == config.cycles_per_pass(x_bits, signed)
    assert first_result(config, x_bits, x_signed=signed) == cycles + 1 + 1
    passes = stream_cycles(config, [x_bits, x_bits], x_signed=signed)
    assert passes == 2 * cycles + 2


def test_first_result_counts_given_ranks() -> None:
    assert first_result(SERIAL, 0, 0) == 9
    assert first_result(SERIAL, 0, 3) == 12
    assert first_result(QUADS, 5, 0) == 3


def test_first_result_counts_automatic_ranks() -> None:
    """A 64-row 8b column tree has 18 levels; auto puts a rank after at most 10 of them."""
    config = MacroConfig(rows=64, tree_stages="auto")
    assert config.pipeline_stages == 1
    assert first_result(config) == 10


@pytest.mark.parametrize(
    ("config", "passes", "cycles"),
    [
        (SERIAL, [0], 9),
        (SERIAL, [8, 1, 3], 13),  # 8 + 1 + 3 planes, accumulator
        (SERIAL, [1] * 100, 101),
        (PAIRS, [5, 8, 1], 9),  # 3 + 4 + 1, accumulator
        (QUADS, [12, 5, 4], 9),  # 3 + 2 + 1, 2 ranks, accumulator
        (PARALLEL, [0] * 10, 12),
        (LATE, [8, 1, 3], 16),  # 8 + 1 + 3 planes, 1 rank, accumulator, 2 ranks behind it
    ],
)
def test_stream_cycles_by_hand(config: MacroConfig, passes: list[int], cycles: int) -> None:
    assert stream_cycles(config, passes) == cycles


@pytest.mark.parametrize(
    ("accumulate", "passes", "cycles"),
    [
        ("binary", [8, 1, 3], 17),  # 8 planes, lead of 3, accumulator; then 2, not 1, and 3
        ("binary", [1, 1, 1], 10),  # 2, not 1, lead of 3, accumulator; then 2 and 2
        ("binary", [1], 6),
        ("carry_save", [8, 1, 3], 16),
    ],
)
def test_results_of_tables_are_two_cycles_apart(accumulate, passes, cycles) -> None:
    """A result follows the one before it in two cycles at least, where it has a register."""
    tables = MacroConfig(rows=4, cols=2, storage="lutram", tree_stages=0, accumulate=accumulate)
    assert stream_cycles(tables, passes) == cycles
    assert result_interval(tables, 1) == (1 if accumulate == "carry_save" else 2)
    assert result_interval(tables, 8) == result_interval(SERIAL, 8) == 8
    assert result_interval(SERIAL, 1) == 1


def test_load_takes_a_cycle_a_row() -> None:
    assert load_cycles(SERIAL) == 37
    assert load_cycles(MacroConfig(rows=1, banks=4)) == 1


@pytest.mark.parametrize(
    ("config", "row", "write", "fill"),
    [
        (SERIAL, 36, 1, 1),  # no groups: a cycle a row, and no fast path
        (DOUBLES, 0, 4, 1),  # accepted, asks, neighbour's plane, code in the accumulators
        (DOUBLES, 1, 4, 2),
        (DOUBLES, 4, 1, 1),  # the last of five rows has no neighbour
        (DOUBLES, 5, 1, 1),  # missing
        (STAGED, 3, 7, 2),  # and three ranks
        (LATE, 3, 7, 2),  # and one rank, and two behind the accumulators
    ],
)
def test_rows_by_hand(config: MacroConfig, row: int, write: int, fill: int) -> None:
    assert write_cycles(config, row) == write
    assert fill_cycles(config, row) == fill


def test_loads_of_groups_by_hand() -> None:
    assert load_cycles(DOUBLES) == 4 + 4 + 4 + 4 + 1
    assert load_cycles(DOUBLES, fill=True) == 1 + 2 + 1 + 2 + 1
    assert load_cycles(STAGED) == 4 * 7
    assert load_cycles(STAGED, fill=True) == 6


@pytest.mark.parametrize("seed", range(50))
def test_cycles_match_the_formulas_of_the_config(seed: int) -> None:
    config = random_config(random.Random(seed))
    for x_bits in range(config.input_bits + 3):
        for signed in (False, True):
            cycles, result = config.cycles_per_pass(x_bits, signed), config.latency(x_bits, signed)
            assert pass_cycles(config, x_bits, signed) == cycles, f"seed={seed}"
            assert first_result(config, x_bits, x_signed=signed) == result, f"seed={seed}"
    for row in range(config.rows + 2):
        assert write_cycles(config, row) == config.write_cycles(row), f"seed={seed}"
        assert fill_cycles(config, row) == config.fill_cycles(row), f"seed={seed}"
    for fill in (False, True):
        assert load_cycles(config, fill) == config.load_cycles(fill), f"seed={seed}"
    assert reset_cycles(config) == config.reset_cycles, f"seed={seed}"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: pass_cycles(SERIAL, -1), "x_bits must be an integer >= 0, not -1 ({}: 0)"),
        (lambda: first_result(SERIAL, -1), "x_bits must be an integer >= 0, not -1 ({}: 0)"),
        (
            lambda: first_result(SERIAL, 0, -1),
            "tree_stages must be an integer >= 0, not -1 ({}: 0)",
        ),
        (
            lambda: stream_cycles(SERIAL, [8, -1, 8]),
            "x_bits must be an integer >= 0, not -1 ({}: 0)",
        ),
        (
            lambda: stream_cycles(SERIAL, []),
            "passes must hold at least one x_bits, not [] ({}: [0])",
        ),
    ],
)
def test_refusal_names_what_rule_and_nearest_value(
    call: Callable[[], object], message: str
) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message.format('nearest legal value'))}$"):
        call()
