"""Tiling against plain x @ w: any size, precision and sign, on a macro in Python loops and on
golden."""

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cimforge.compiler.matmul import exact_matmul, tiled_matmul
from cimforge.compiler.precision import Precision
from cimforge.compiler.tests.trivial import run_job_trivially
from cimforge.compiler.tiling import Tile, make_job, plan_tiles, run_job_golden
from cimforge.hdl.params.config import MacroConfig


@st.composite
def products(draw, largest=20):
    """A small macro and operands of any size, some at the extremes of a drawn precision."""
    weight_bits = draw(st.integers(1, 16))
    slices = [bits for bits in range(1, weight_bits + 1) if weight_bits % bits == 0]
    config = MacroConfig(
        rows=draw(st.integers(1, 6)),
        cols=draw(st.integers(1, 5)),
        weight_bits=weight_bits,
        slice_bits=draw(st.sampled_from([weight_bits, *slices])),
        input_bits=draw(st.integers(1, 16)),
        banks=draw(st.integers(1, 3)),
    )
    batch, k, n = (
        draw(st.integers(0, 3)),
        draw(st.integers(1, largest)),
        draw(st.integers(1, largest // 2)),
    )
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))

    def operand(shape, limit):
        held = Precision(draw(st.integers(1, limit)), draw(st.booleans()))
        values = random.integers(held.low, held.high, shape, endpoint=True)
        return np.where(
            random.random(shape) < 0.3, random.choice([held.low, held.high], shape), values
        )

    return config, operand((batch, k), config.input_bits), operand((k, n), config.weight_bits)


@settings(max_examples=60, deadline=None)
@given(products(largest=14), st.booleans())
def test_tiles_on_a_trivial_macro_assemble_to_the_product(product, write_ahead):
    config, x, w = product
    job = make_job(config, x, w)
    y = job.assemble(run_job_trivially(config, job, write_ahead and config.banks > 1))
    assert y.dtype == np.int64
    assert y.tolist() == exact_matmul(x, w).tolist()


@settings(max_examples=150, deadline=None)
@given(products(largest=40))
def test_tiles_on_golden_assemble_to_the_product(product):
    config, x, w = product
    assert tiled_matmul(config)(x, w).tolist() == exact_matmul(x, w).tolist()


@settings(max_examples=30, deadline=None)
@given(products(largest=14))
def test_golden_and_the_trivial_macro_agree_tile_by_tile(product):
    config, x, w = product
    job = make_job(config, x, w)
    assert run_job_golden(config, job).tolist() == run_job_trivially(config, job).tolist()


@settings(max_examples=40, deadline=None)
@given(products())
def test_tiles_cover_every_weight_once_and_visit_banks_in_turn(product):
    config, x, w = product
    plan = plan_tiles(config, x.shape, w.shape)
    covered = np.zeros(w.shape, int)
    for index, tile in enumerate(plan.tiles):
        covered[tile.k0 : tile.k1, tile.n0 : tile.n1] += 1
        assert tile.bank == index % config.banks
        assert 1 <= tile.k1 - tile.k0 <= config.rows
        assert 1 <= tile.n1 - tile.n0 <= config.cols
    assert (covered == 1).all()
    assert len(plan.tiles) == plan.k_tiles * plan.n_tiles
    assert plan.passes == len(plan.tiles) * len(x)


def test_plan_of_a_hand_checked_product():
    plan = plan_tiles(MacroConfig(rows=4, cols=2, banks=2), (5, 6), (6, 3))
    assert plan.tiles == (
        Tile(0, 4, 0, 2, 0),
        Tile(4, 6, 0, 2, 1),
        Tile(0, 4, 2, 3, 0),
        Tile(4, 6, 2, 3, 1),
    )
    assert (plan.k_tiles, plan.n_tiles, plan.passes) == (2, 2, 20)
    assert plan.utilisation == 18 / 32


def test_job_of_a_hand_checked_product():
    config = MacroConfig(rows=2, cols=2, weight_bits=4, input_bits=4)
    job = make_job(config, [[1, 2, 3], [4, 5, 6]], [[-1], [2], [-8]])
    assert job.weights.tolist() == [[[-1, 0], [2, 0]], [[-8, 0], [0, 0]]]
    assert job.inputs.tolist() == [[[1, 2], [4, 5]], [[3, 0], [6, 0]]]
    assert (job.k_index.tolist(), job.banks.tolist()) == ([0, 1], [0, 0])
    assert (job.x_bits, job.x_signed, job.w_signed) == (3, False, True)
    results = run_job_golden(config, job)
    assert results.tolist() == [[[3, 0], [6, 0]], [[-24, 0], [-48, 0]]]
    assert job.assemble(results).tolist() == [[-21], [-42]]


def test_dense_arrays_have_the_stated_shapes():
    config = MacroConfig(rows=4, cols=3, banks=2)
    job = make_job(config, np.ones((5, 9), int), np.ones((9, 7), int))
    assert [array.dtype for array in (job.weights, job.inputs, job.k_index, job.banks)] == [
        np.int64
    ] * 4
    assert (job.weights.shape, job.inputs.shape) == ((9, 4, 3), (3, 5, 4))
    assert (job.k_index.shape, job.banks.shape) == ((9,), (9,))
    assert job.inputs.flags.c_contiguous


def test_a_matmul_runs_its_jobs_on_the_simulator_it_is_given():
    jobs = []

    def run_job(config, job):
        jobs.append((config, job.plan))
        return run_job_trivially(config, job)

    config = MacroConfig(rows=2, cols=2)
    assert tiled_matmul(config, run_job)([[1, 2, 3]], [[4], [5], [6]]).tolist() == [[32]]
    assert jobs == [(config, plan_tiles(config, (1, 3), (3, 1)))]


def test_an_empty_batch_gives_an_empty_result():
    config = MacroConfig(rows=2, cols=2)
    x = np.zeros((0, 5), int)
    assert tiled_matmul(config)(x, np.ones((5, 3), int)).shape == (0, 3)


def test_bool_operands_multiply_as_zero_and_one():
    config = MacroConfig(rows=2, cols=2, weight_bits=1, input_bits=1)
    assert tiled_matmul(config)([[True, True, False]], [[True], [True], [True]]).tolist() == [[2]]


def test_one_bit_signed_operands_multiply():
    config = MacroConfig(rows=2, cols=1, weight_bits=1, input_bits=1)
    job = make_job(config, [[-1, 0, -1]], [[-1], [-1], [-1]])
    assert (job.x_bits, job.x_signed, job.w_signed) == (1, True, True)
    assert job.assemble(run_job_golden(config, job)).tolist() == [[2]]


def test_explicit_precisions_are_kept_and_change_no_value():
    config = MacroConfig(rows=3, cols=2)
    x, w = np.array([[1, 2, 3, 4]]), np.array([[1], [2], [3], [4]])
    job = make_job(config, x, w, Precision(7, True), Precision(5, True))
    assert (job.x_bits, job.x_signed, job.w_signed) == (7, True, True)
    assert job.assemble(run_job_golden(config, job)).tolist() == [[30]]


def test_operands_are_not_changed_and_their_dtypes_are_free():
    x, w = np.array([[200, 3]], np.uint8), np.array([[-7], [100]], np.int8)
    assert tiled_matmul(MacroConfig(rows=1, cols=1))(x, w).tolist() == [[-1100]]
    assert (x.tolist(), w.tolist()) == ([[200, 3]], [[-7], [100]])


@pytest.mark.parametrize(
    ("x", "w", "message"),
    [
        (
            np.ones((2, 3), int),
            np.ones((4, 5), int),
            "x (2, 3) and w (4, 5) do not multiply: K is 3 in x but 4 in w",
        ),
        (
            np.ones((2, 0), int),
            np.ones((0, 5), int),
            "K must be at least 1, not 0: w has shape (0, 5)",
        ),
        (
            np.ones((2, 3), int),
            np.ones((3, 0), int),
            "N must be at least 1, not 0: w has shape (3, 0)",
        ),
        (
            np.ones((2, 3), int),
            np.ones(3, int),
            "w must have 2 dimensions (K, N), not 1: shape (3,)",
        ),
        (np.ones((2, 3)), np.ones((3, 1), int), "x must have an integer dtype, not float64"),
        (
            [[1]],
            [[9]],
            "w[0, 0] = 9 does not fit weight_bits = 3: 3-bit unsigned holds 0..7"
            " (nearest legal value: 7; least precision of w: 4-bit unsigned, a macro with"
            " --set weight_bits=4)",
        ),
        (
            [[1, 1]],
            [[7], [-1]],
            "w[0, 0] = 7 does not fit weight_bits = 3: 3-bit signed holds -4..3"
            " (nearest legal value: 3; least precision of w: 4-bit signed, a macro with"
            " --set weight_bits=4)",
        ),
        ([[32]], [[1]], "x[0, 0] = 32 does not fit input_bits = 5: 5-bit unsigned holds 0..31"),
    ],
)
def test_what_the_macro_cannot_hold_is_refused(x, w, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        make_job(MacroConfig(rows=2, cols=2, weight_bits=3, input_bits=5), x, w)


def test_a_macro_of_minus_one_and_one_takes_no_integers():
    message = (
        "a product of matrices needs integers, and multiply = xnor has -1 and 1 alone "
        "(nearest legal value: --set multiply=plain)"
    )
    with pytest.raises(ValueError, match=re.escape(message)):
        make_job(MacroConfig(multiply="xnor", weight_bits=1, input_bits=1), [[1]], [[1]])


@pytest.mark.parametrize(
    ("x_precision", "w_precision", "message"),
    [
        (
            Precision(9, True),
            None,
            "x_precision must have at most input_bits = 8 bits, not 9 (nearest legal value: 8)",
        ),
        (
            None,
            Precision(10, True),
            "w_precision must have at most weight_bits = 8 bits, not 10 (nearest legal value: 8)",
        ),
        (
            None,
            Precision(2, True),
            "w[0, 0] = 3 does not fit w_precision: 2-bit signed holds -2..1",
        ),
    ],
)
def test_an_explicit_precision_that_cannot_be_kept_is_refused(x_precision, w_precision, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        make_job(MacroConfig(), [[1]], [[3]], x_precision, w_precision)


SLICED = MacroConfig(rows=4, cols=2, weight_bits=12, slice_bits=2)  # 6, 3, 2 or 1 slices fused


@pytest.mark.parametrize(
    ("w", "fused", "outputs"),
    [([3, 0], 1, 12), ([4, 0], 2, 6), ([-2, 1], 1, 12), ([-3, 15], 3, 4), ([2047, -2048], 6, 2)],
)
def test_the_fewest_slices_that_hold_the_weights_are_fused(w, fused, outputs):
    job = make_job(SLICED, [[1] * 2], [[each] for each in w])
    assert (SLICED.modes[job.fuse].fused, job.plan.cols) == (fused, outputs)
    assert make_job(SLICED, [[1]], [[1]], None, Precision(5, True)).plan.cols == 4
    assert make_job(SLICED, [[1]], [[1]], fused=6).fuse == 0


@pytest.mark.parametrize(
    ("config", "fused", "message"),
    [
        (SLICED, 4, "fused must be one of 6, 3, 2, 1, not 4 (nearest legal value: 3)"),
        (SLICED, 1, "fused = 1 makes weights of 2 bits, and w needs 3 (nearest legal value: 2)"),
        (MacroConfig(), 2, "fused must be one of 1, not 2 (nearest legal value: 1)"),
    ],
)
def test_slices_that_make_no_such_weight_are_refused(config, fused, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        make_job(config, [[1]], [[7]], fused=fused)


def test_results_of_another_shape_or_dtype_are_refused():
    job = make_job(MacroConfig(rows=2, cols=3), np.ones((4, 2), int), np.ones((2, 3), int))
    with pytest.raises(
        ValueError,
        match=re.escape("results must have shape (1, 4, 3) (tiles, batch, cols), not (4, 3)"),
    ):
        job.assemble(np.zeros((4, 3), int))
    with pytest.raises(ValueError, match="results must have an integer dtype, not float64"):
        job.assemble(np.zeros((1, 4, 3)))


def test_a_sum_that_could_leave_int64_is_refused_and_the_last_that_cannot_is_exact():
    job = make_job(MacroConfig(rows=1, cols=1), [[1, 1]], [[1], [1]])
    most = np.array([[[2**62]], [[2**62 - 1]]])
    assert job.assemble(most).tolist() == [[2**63 - 1]]
    message = f"sums over 2 blocks of rows may reach {2**63}, past the largest int64 ({2**63 - 1})"
    for results in (
        most + np.array([[[0]], [[1]]]),
        -most - np.array([[[0]], [[1]]]),
        np.array([[[2**63]], [[0]]], np.uint64),
    ):
        with pytest.raises(ValueError, match=re.escape(message)):
            job.assemble(results)


def test_columns_that_follow_each_other_do_not_count_as_one_sum():
    job = make_job(MacroConfig(rows=1, cols=1), [[1]], [[1, 1]])
    assert job.assemble(np.array([[[2**62]], [[2**62]]])).tolist() == [[2**62, 2**62]]


def test_a_job_that_reads_the_wrong_inputs_gives_another_product():
    config = MacroConfig(rows=2, cols=2)
    x, w = np.arange(8).reshape(2, 4), np.arange(12).reshape(4, 3)
    job = make_job(config, x, w)
    wrong = replace(job, k_index=1 - job.k_index)
    assert job.assemble(run_job_golden(config, job)).tolist() == (x @ w).tolist()
    assert job.assemble(run_job_golden(config, wrong)).tolist() != (x @ w).tolist()
