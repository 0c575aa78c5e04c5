"""Products of -1 and 1 are NumPy's, whatever their size: on golden and on the emitted Verilog."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cimforge.compiler.applications import binary_rtl
from cimforge.compiler.applications.binary_job import binary_matmul, make_binary_job
from cimforge.compiler.applications.tests import on_verilog
from cimforge.compiler.applications.tests.on_verilog import binary_config, open_macro
from cimforge.compiler.player.player_backend import PlayerBackend
from cimforge.flow.macro_files import macro_extras
from cimforge.hdl.emit.package import emit_macro
from cimforge.hdl.params.config import MacroConfig

SIMULATOR = on_verilog.SIMULATOR


def signs(seed, *shape):
    return np.random.default_rng(seed).choice([-1, 1], shape)


@given(
    st.integers(1, 6),
    st.integers(1, 5),
    st.integers(1, 3),
    st.tuples(st.integers(0, 4), st.integers(1, 20), st.integers(1, 12)),
    st.integers(0, 2**32 - 1),
)
def test_golden_is_numpy(rows, cols, banks, sizes, seed):
    batch, k, n = sizes
    x, w = signs(seed, batch, k), signs(seed + 1, k, n)
    matmul = binary_matmul(binary_config(rows=rows, cols=cols, banks=banks))
    assert np.array_equal(matmul(x, w), x @ w)


def test_a_job_has_no_value_where_a_tile_reaches_past_the_product():
    job = make_binary_job(binary_config(rows=4, cols=2), signs(1, 3, 6), signs(2, 6, 3))
    assert np.count_nonzero(job.inputs, axis=2).tolist() == [[4] * 3, [2] * 3]
    assert [np.count_nonzero(tile) for tile in job.weights] == [8, 4, 4, 2]
    assert job.k_index.tolist() == [0, 1, 0, 1]


@pytest.mark.parametrize(
    ("parameters", "sizes"),
    [
        ({"rows": 5, "cols": 3, "banks": 2}, (7, 13, 8)),  # 13 = 2 x 5 + 3
        ({"rows": 6, "cols": 4, "storage": "latch", "tree_stages": 1}, (5, 12, 4)),  # no rest
        ({"rows": 7, "cols": 1, "storage": "sram", "final_adder": "split"}, (1, 1, 2)),  # one row
        ({"rows": 1, "cols": 2, "banks": 3}, (3, 5, 3)),
    ],
)
def test_verilog_is_numpy(parameters, sizes, tmp_path):
    config = binary_config(**parameters)
    batch, k, n = sizes
    x, w = signs(3, batch, k), signs(4, k, n)
    backend = open_macro(config, tmp_path)
    assert np.array_equal(binary_matmul(config, backend.run_job)(x, w), x @ w)
    job = make_binary_job(config, x, w)
    assert backend.bit_exact
    assert (backend.passes, backend.macs) == (job.plan.passes, batch * k * n)
    assert backend.cycles > backend.pass_cycles == backend.passes  # one plane a pass


def test_the_player_is_numpy(tmp_path):
    """What runs in Verilator without cocotb takes the same jobs."""
    config = binary_config(rows=3, cols=2)
    emit_macro(config, tmp_path, macro_extras(config))
    backend = PlayerBackend(tmp_path, announce=lambda _: None)
    x, w = signs(5, 4, 8), signs(6, 8, 3)  # 8 = 2 x 3 + 2
    assert np.array_equal(binary_matmul(config, backend.run_job)(x, w), x @ w)
    assert backend.bit_exact


def test_verilog_that_differs_from_golden_is_noticed(tmp_path, monkeypatch):
    golden = binary_rtl.expected_results
    monkeypatch.setattr(binary_rtl, "expected_results", lambda c, job: golden(c, job) + 2)
    config = binary_config(rows=2, cols=1)
    backend = open_macro(config, tmp_path)
    backend.run_job(config, make_binary_job(config, signs(1, 1, 2), signs(2, 2, 1)))
    assert not backend.bit_exact


def test_an_empty_batch_runs_nothing(tmp_path):
    config = binary_config(rows=2, cols=2)
    backend = binary_rtl.BinaryRtlBackend(tmp_path)
    y = binary_matmul(config, backend.run_job)(np.zeros((0, 3), int), signs(1, 3, 5))
    assert (y.shape, backend.cycles) == ((0, 5), 0)


@pytest.mark.parametrize(
    ("config", "x", "w", "text"),
    [
        (
            MacroConfig(rows=2, cols=2),
            [[1]],
            [[1]],
            "a product of -1 and 1 needs a macro of -1 and 1, and multiply = plain has integers"
            " (nearest legal value: --set multiply=xnor --set weight_bits=1 --set input_bits=1)",
        ),
        (binary_config(), [[1, 0]], [[1], [1]], "x[0, 1] = 0 must be -1 or 1 (nearest legal value"),
        (binary_config(), [[1]], [[-3]], "w[0, 0] = -3 must be -1 or 1 (nearest legal value: -1)"),
        (binary_config(), [[1.0]], [[1]], "x must have an integer dtype, not float64"),
        (binary_config(), [[1, 1]], [[1]], "do not multiply: K is 2 in x but 1 in w"),
    ],
)
def test_what_is_no_such_product_is_refused(config, x, w, text):
    with pytest.raises(ValueError, match=re.escape(text)):
        make_binary_job(config, np.array(x), np.array(w))
