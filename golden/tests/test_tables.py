"""Tables of sums: slots and cycles counted by hand, and when filled groups are defined."""

import numpy as np
import pytest

from cimforge.golden.cycles import (
    fill_cycles,
    fill_group,
    first_result,
    load_cycles,
    reset_cycles,
    slots,
    stream_cycles,
    table_groups,
    write_cycles,
)
from cimforge.golden.macro import MacroModel
from cimforge.hdl.params.config import MacroConfig

SHAPE = {"cols": 4, "weight_bits": 4, "input_bits": 8, "tree": "behavioral"}
LUTS = MacroConfig(rows=7, storage="lutram", banks=3, **SHAPE)
THREES = MacroConfig(rows=5, storage="lutram", group=3, tree_stages=1, **SHAPE)
ALONE = MacroConfig(rows=3, storage="lutram", group=1, **SHAPE)
BLOCKS = MacroConfig(rows=11, storage="bram", **SHAPE)
SMALL = MacroConfig(rows=12, storage="bram", ram="ice40", group=5, banks=2, **SHAPE)
BOTH = MacroConfig(rows=40, storage="hybrid", ram_cols=1, **SHAPE)
FIVES = MacroConfig(rows=40, storage="hybrid", group=5, ram_cols=3, banks=16, **SHAPE)
EIGHTS = MacroConfig(rows=40, storage="hybrid", group=8, ram_cols=3, banks=2, **SHAPE)
ALL_BLOCKS = MacroConfig(rows=40, storage="hybrid", ram_cols=4, **SHAPE)
NO_BLOCKS = MacroConfig(rows=40, storage="hybrid", ram_cols=0, **SHAPE)
PAIRS = MacroConfig(rows=5, group=2)
TABLES = [LUTS, THREES, ALONE, BLOCKS, SMALL, BOTH, FIVES, EIGHTS, ALL_BLOCKS, NO_BLOCKS]


def passed(config: MacroConfig) -> int:
    """Registers that a plane passes up to its result."""
    ranks = config.pipeline_stages + config.join_ranks + config.final_stages
    return config.lead + ranks


@pytest.mark.parametrize(
    ("config", "row", "written", "filled"),
    [
        (LUTS, 0, 8, 1),  # {}, 1, 2, 12, 3, 13, 23, 123
        (LUTS, 1, 8, 2),
        (LUTS, 3, 8, 8),
        (LUTS, 4, 4, 1),  # the last three of seven
        (LUTS, 6, 4, 4),
        (THREES, 2, 4, 4),
        (THREES, 3, 2, 1),  # the last two of five
        (ALONE, 1, 1, 1),  # {}
        (BLOCKS, 0, 256, 1),
        (BLOCKS, 8, 256, 256),
        (BLOCKS, 9, 2, 1),
        (BLOCKS, 10, 2, 2),
        (SMALL, 4, 16, 16),
        (SMALL, 11, 2, 2),
        (BOTH, 4, 256, 16),  # fifth of nine, first of four
        (BOTH, 9, 256, 2),  # first of nine, second of four
        (BOTH, 11, 256, 8),  # third of nine, fourth of four
        (BOTH, 36, 8, 1),  # the first of the last four in both
        (BOTH, 39, 8, 8),
        (FIVES, 4, 16, 16),
        (FIVES, 5, 16, 2),  # first of five, second of four
        (FIVES, 7, 16, 8),  # third of five, fourth of four
        (ALL_BLOCKS, 11, 256, 4),
        (NO_BLOCKS, 11, 8, 8),
    ],
)
def test_slots_by_hand(config: MacroConfig, row: int, written: int, filled: int) -> None:
    assert slots(config, row, fill=False) == written
    assert slots(config, row, fill=True) == filled
    assert write_cycles(config, row) == 3 + written + passed(config)
    assert fill_cycles(config, row) == 3 + filled + passed(config)


def test_rows_by_hand() -> None:
    """Accepted, asks, eight slots, two of addresses and an entry, stands: 14."""
    assert (LUTS.lead, LUTS.pipeline_stages, LUTS.join_ranks) == (3, 0, 0)
    assert write_cycles(LUTS, 0) == 1 + 1 + 8 + 3 + 1 == 14
    assert [fill_cycles(LUTS, row) for row in range(7)] == [7, 8, 10, 14, 7, 8, 10]
    assert load_cycles(LUTS) == 4 * 14 + 3 * 10
    assert load_cycles(LUTS, fill=True) == 7 + 8 + 10 + 14 + 7 + 8 + 10
    for config in TABLES:
        assert write_cycles(config, config.rows) == fill_cycles(config, config.rows) == 1


def test_results_by_hand() -> None:
    """Eight planes, two of addresses and an entry, accumulator; and the registers between these."""
    assert first_result(LUTS) == 8 + 3 + 1 == 12
    assert first_result(LUTS, 3) == 3 + 3 + 1
    assert first_result(LUTS, 1) == 2 + 3 + 1  # a pass takes 2 cycles at least
    assert stream_cycles(LUTS, [8, 3, 1]) == 8 + 3 + 2 + 3 + 1
    ranks = THREES.pipeline_stages + THREES.join_ranks
    assert first_result(THREES) == 8 + 3 + ranks + 1
    assert ranks >= 1 + 1
    assert first_result(BLOCKS) == 8 + 5 + 1  # addresses, read and output register, one behind
    assert first_result(SMALL) == 8 + 2 + 1  # address and read register
    assert first_result(BOTH) == first_result(ALL_BLOCKS) == 8 + 5 + 1
    assert first_result(NO_BLOCKS) == 8 + 3 + 1


@pytest.mark.parametrize(
    ("config", "cycles"), [(LUTS, 3), (BLOCKS, 1), (SMALL, 2), (FIVES, 16), (PAIRS, 0)]
)
def test_reset_cycles_by_hand(config: MacroConfig, cycles: int) -> None:
    assert reset_cycles(config) == cycles


@pytest.mark.parametrize(
    ("config", "kinds", "together"),
    [
        (LUTS, [4], 4),
        (THREES, [3], 3),
        (ALONE, [1], 1),
        (BLOCKS, [9], 9),
        (BOTH, [9, 4], 36),
        (FIVES, [5, 4], 20),
        (EIGHTS, [8, 4], 8),
        (ALL_BLOCKS, [9], 9),
        (NO_BLOCKS, [4], 4),
    ],
)
def test_groups_by_hand(config: MacroConfig, kinds: list[int], together: int) -> None:
    assert table_groups(config) == kinds
    assert fill_group(config) == together


def test_groups_of_stores() -> None:
    assert fill_group(PAIRS) == 2
    assert fill_group(MacroConfig()) == 1


@pytest.mark.parametrize("config", TABLES, ids=lambda config: config.module)
def test_cycles_match_the_formulas_of_the_config(config: MacroConfig) -> None:
    for row in range(config.rows + 2):
        assert write_cycles(config, row) == config.write_cycles(row)
        assert fill_cycles(config, row) == config.fill_cycles(row)
    assert reset_cycles(config) == config.reset_cycles
    assert first_result(config) == config.latency()


ROW = np.array([3, 9, 0, 15])


def loaded(config: MacroConfig) -> MacroModel:
    """A model whose banks are written."""
    model = MacroModel(config)
    for bank in range(config.banks):
        model.load(np.ones((config.rows, config.cols), np.int64), bank=bank, signed=False)
    return model


def known(model: MacroModel) -> list[int]:
    """The rows of bank 0 that are defined."""
    return [row for row in range(model.config.rows) if model.defined(0, row)]


def test_a_group_of_four_is_defined_with_its_last_row() -> None:
    model = loaded(LUTS)
    for row in (0, 1, 2):
        model.write(0, row, ROW, False, fill=True)
        assert known(model) == [4, 5, 6]
    model.write(0, 3, ROW, False, fill=True)
    assert known(model) == [*range(7)]


def test_the_last_group_is_smaller() -> None:
    model = loaded(LUTS)
    for row, rest in ((4, [0, 1, 2, 3]), (5, [0, 1, 2, 3]), (6, [*range(7)])):
        model.write(0, row, ROW, False, fill=True)
        assert known(model) == rest


@pytest.mark.parametrize("first", [1, 2, 3])
def test_filling_begins_with_the_first_row(first: int) -> None:
    model = loaded(LUTS)
    for row in range(first, 4):
        model.write(0, row, ROW, False, fill=True)
    assert known(model) == [4, 5, 6]


def test_a_group_that_is_begun_again_is_right() -> None:
    model = loaded(LUTS)
    for row in (0, 1, 0, 1, 2, 3):
        model.write(0, row, ROW, False, fill=True)
    assert known(model) == [*range(7)]


def test_a_row_that_is_left_out_breaks_the_promise() -> None:
    model = loaded(LUTS)
    for row in (0, 1, 3):
        model.write(0, row, ROW, False, fill=True)
    assert known(model) == [4, 5, 6]
    for row in (3, 0, 2):
        model.write(0, row, ROW, False)
    assert known(model) == [0, 2, 3, 4, 5, 6]
    model.write(0, 1, ROW, False)
    assert model.defined(0)


def test_two_kinds_of_groups_are_defined_together() -> None:
    """Of five and four rows the first group has 20."""
    model = loaded(FIVES)
    for row in range(19):
        model.write(0, row, ROW, False, fill=True)
        assert known(model) == [*range(20, 40)]
    model.write(0, 19, ROW, False, fill=True)
    assert model.defined(0)
    model.write(0, 20, ROW, False, fill=True)
    model.interrupt()
    model.write(0, 21, ROW, False, fill=True)
    assert known(model) == [*range(20)]


def test_a_group_of_one_row_promises_nothing() -> None:
    model = loaded(ALONE)
    model.write(0, 1, ROW, False, fill=True)
    assert model.defined(0)


def test_a_row_that_is_cut_off_is_undefined_alone() -> None:
    model = loaded(LUTS)
    model.write(0, 2, ROW, False)
    model.forget(0, 2)
    assert not model.defined(0, 1), "the sign is not settled"
    model.write(0, 1, ROW, False)
    assert known(model) == [0, 1, 3, 4, 5, 6]


def test_sums_are_exact_whatever_the_group() -> None:
    """72 rows of 15 times 255, in each storage."""
    for more in ({"storage": "lutram"}, {"storage": "bram"}, {"storage": "hybrid", "ram_cols": 2}):
        model = MacroModel(MacroConfig(rows=72, **more, **SHAPE))
        model.load(np.full((72, 4), 15), signed=False)
        assert model.mvm([255] * 72).tolist() == [72 * 15 * 255] * 4
