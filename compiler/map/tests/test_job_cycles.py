"""Cycles of a job: counted by hand; its passes as the golden model counts them. The player's tests
compare whole jobs with the Verilog."""

import numpy as np
import pytest

from cimforge.compiler.map.job_cycles import job_cycles
from cimforge.compiler.map.pass_intervals import PassIntervals
from cimforge.compiler.tiling import plan_tiles
from cimforge.golden.cycles import result_interval
from cimforge.hdl.params.config import MacroConfig


def cycles(batch, tiles, **parameters):
    """Of a job of so many tiles, 8 bits signed."""
    config = MacroConfig(rows=10, cols=4, **parameters)
    plan = plan_tiles(config, (batch, 10), (10, 4 * tiles))
    return job_cycles(config, plan, 8, True)


def test_one_tile_is_its_rows_then_its_passes():
    # rows in cycles 0..9, vectors from 10 every 8, the last result 8 + 1 behind its vector
    assert cycles(3, 1) == 10 + 3 * 8 + 2


def test_one_bank_is_written_while_nothing_passes():
    assert cycles(3, 4) == 4 * (10 + 3 * 8) + 2


def test_two_banks_hide_the_shorter_of_loading_and_passing():
    assert cycles(3, 4, banks=2) == 10 + 4 * 24 + 2
    assert cycles(1, 4, banks=2) == 4 * 10 + 8 + 2


def test_more_than_two_banks_hide_no_more_where_passes_take_longer():
    assert cycles(5, 3, banks=2) == cycles(5, 3, banks=64)


def test_ranks_are_paid_once():
    assert cycles(3, 4, tree_stages=2) == cycles(3, 4) + 2


def test_nothing_takes_nothing():
    config = MacroConfig()
    assert job_cycles(config, plan_tiles(config, (0, 64), (64, 16)), 8, True) == 0


@pytest.mark.parametrize("storage", ["lutram", "bram", "hybrid"])
@pytest.mark.parametrize("accumulate", ["binary", "carry_save"])
def test_tables_take_turns_with_passes(storage, accumulate):
    shared = {"storage": storage, "accumulate": accumulate}
    shared["tree"] = "behavioral" if accumulate == "binary" else "csa"
    alone = cycles(20, 6, banks=1, **shared)
    beside = cycles(20, 6, banks=2, **shared)
    passes = 20 * 6 * 8
    assert passes < beside < alone


SKIPS = (
    {},
    {"bits_per_cycle": 2},
    {"multiply": "booth", "bits_per_cycle": 2},
    {"storage": "lutram", "tree": "behavioral"},
    {"bits_per_cycle": 8},
)


@pytest.mark.parametrize("parameters", SKIPS)
@pytest.mark.parametrize("signed", [False, True])
def test_passes_that_skip_are_golden_s(parameters, signed):
    config = MacroConfig(rows=5, cols=2, features=("zero_skip",), **parameters)
    rng = np.random.default_rng(7)
    low, high = (-16, 16) if signed else (0, 32)
    values = rng.integers(low, high, (2, 40, 5)) >> rng.integers(0, 6, (2, 40, 1))
    values[0, :3] = [[0] * 5, [low] * 5, [high - 1] * 5]
    intervals = PassIntervals(config, 40, 5, signed, values)
    for block in range(2):
        golden = [result_interval(config, 5, signed, v) for v in values[block] & 255]
        for begun in (0, 1, 17, 39):
            assert intervals.span(block, begun) == sum(golden[begun:])
            for within in range(0, 40, 7):
                begins = np.cumsum([0, *golden[begun:-1]])
                assert intervals.begun_within(block, begun, within) == sum(begins < within)


def test_without_inputs_the_number_is_the_most():
    config = MacroConfig(rows=5, cols=2, banks=2, features=("zero_skip",))
    plan = plan_tiles(config, (9, 12), (12, 5))
    rng = np.random.default_rng(8)
    inputs = rng.integers(-8, 8, (plan.k_tiles, 9, 5))
    exact = job_cycles(config, plan, 8, True, inputs=inputs)
    most = job_cycles(config, plan, 8, True)
    assert exact < most
    assert job_cycles(config, plan, 8, True, inputs=np.full_like(inputs, -128)) == most
