"""A BitLinear layer is its equations, and its sums are the same however weights are stored."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cimforge.compiler.applications.bit_linear import (
    BitLinear,
    absmax,
    absmean,
    normalised,
    ternary_matmul,
)
from cimforge.compiler.applications.example_ternary import stored_bits
from cimforge.compiler.applications.tests import on_verilog
from cimforge.compiler.applications.tests.on_verilog import open_macro
from cimforge.compiler.matmul import exact_matmul
from cimforge.hdl.params.config import MacroConfig

SIMULATOR = on_verilog.SIMULATOR
STORED = {
    "two bits": {"weight_bits": 2},
    "two columns": {"weight_bits": 1},
    "fused slices": {"weight_bits": 8, "slice_bits": 1},
    "digits": {"weight_bits": 2, "multiply": "booth", "bits_per_cycle": 4},
}


def macro(stored, **parameters):
    return MacroConfig(rows=6, cols=3, **STORED[stored], **parameters)


def operands(seed, batch, k, n):
    random = np.random.default_rng(seed)
    return random.integers(-128, 128, (batch, k)), random.integers(-1, 2, (k, n))


@pytest.mark.parametrize("stored", STORED)
@given(
    sizes=st.tuples(st.integers(0, 3), st.integers(1, 15), st.integers(1, 8)),
    seed=st.integers(0, 2**32 - 1),
)
def test_golden_is_numpy(stored, sizes, seed):
    q, w = operands(seed, *sizes)
    assert np.array_equal(ternary_matmul(macro(stored))(q, w), q @ w)


@pytest.mark.parametrize("stored", STORED)
def test_verilog_is_numpy(stored, tmp_path):
    config = macro(stored, banks=2)
    backend = open_macro(config, tmp_path)
    q, w = operands(3, 4, 14, 7)
    q[0, :2] = -128, 127
    assert np.array_equal(ternary_matmul(config, backend.run_job)(q, w), q @ w)
    assert backend.bit_exact


def test_weights_and_activations_are_rounded_as_by_hand():
    """The mean of |weights| is 1; a half goes to even."""
    weights = np.array([[0.4, -1.6], [0.7, 1.3]]) + 0.0
    ternary, scale = absmean(weights)
    assert (ternary.tolist(), scale) == ([[0, -1], [1, 1]], 1.0)
    q, scales = absmax(np.array([[127.0, -63.5, 0.5, 1.5], [2.54, -1.27, 0.0, 0.01]]))
    assert q.tolist() == [[127, -64, 0, 2], [127, -64, 0, 0]]
    assert scales[:, 0] == pytest.approx([1.0, 0.02])


def test_a_layer_of_rounded_numbers_is_exact():
    """Weights that are their own scale, activations of whole steps: nothing is lost."""
    random = np.random.default_rng(1)
    weights = 0.5 * random.choice([-1, 1], (9, 4))
    x = random.integers(-127, 128, (5, 9)) / 4
    x[:, 0] = 127 / 4
    y = BitLinear.of(weights).run(x, ternary_matmul(macro("two bits")))
    assert y == pytest.approx(x @ weights, rel=1e-12)


def test_the_output_is_that_of_the_dequantised_layer():
    random = np.random.default_rng(2)
    x, weights = normalised(random.normal(size=(6, 20))), random.normal(size=(20, 7))
    layer = BitLinear.of(weights)
    steps = np.abs(x).max(axis=1, keepdims=True) / 127
    rounded = np.round(x / steps) * steps
    assert layer.run(x, exact_matmul) == pytest.approx(rounded @ (layer.weights * layer.scale))


def test_normalised_tokens_have_a_mean_square_of_one():
    x = np.array([[3.0, -4.0], [30.0, -40.0]])
    assert np.mean(normalised(x) ** 2, axis=1) == pytest.approx([1, 1], abs=1e-5)


def test_zeros_stay_zeros():
    layer = BitLinear.of(np.zeros((3, 2)))
    assert layer.run(np.zeros((2, 3)), exact_matmul).tolist() == [[0, 0], [0, 0]]
    assert layer.run(np.ones((1, 3)), exact_matmul).tolist() == [[0, 0]]


@pytest.mark.parametrize("weights", [np.array([[np.nan]]), np.array([[np.inf]]), np.zeros((0, 3))])
def test_weights_without_a_scale_are_refused(weights):
    with pytest.raises(ValueError, match="weights must be finite numbers, one at least"):
        absmean(weights)


def test_activations_without_a_scale_are_refused():
    with pytest.raises(ValueError, match="activations must be finite numbers"):
        absmax(np.array([[1.0, np.nan]]))


@pytest.mark.parametrize(
    ("stored", "bits"), [("two bits", 2), ("two columns", 2), ("fused slices", 2), ("digits", 2)]
)
def test_a_weight_takes_two_bits(stored, bits):
    assert stored_bits(macro(stored)) == bits
    assert stored_bits(MacroConfig(weight_bits=8)) == 8
