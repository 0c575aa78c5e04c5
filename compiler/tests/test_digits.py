"""The digits network: what it scores in float and in integers, that it repeats, and that a macro
changes nothing."""

import re

import numpy as np
import pytest

from cimforge.compiler.digits import (
    accuracy,
    load,
    network_bits,
    predict,
    predict_float,
    quantise_network,
    train,
)
from cimforge.compiler.matmul import exact_matmul, tiled_matmul
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.presets import PRESETS


@pytest.fixture(scope="module")
def network():
    return train()


def score(network, weight_bits, input_bits):
    data = load()
    integer = quantise_network(network, data.train_images, weight_bits, input_bits)
    return accuracy(predict(integer, data.test_images, exact_matmul), data.test_labels)


def test_the_data_are_split_without_overlap():
    data = load()
    assert (data.train_images.shape, data.test_images.shape) == ((1397, 64), (400, 64))
    assert (data.train_labels.shape, data.test_labels.shape) == ((1397,), (400,))
    assert set(data.test_labels.tolist()) == set(range(10))
    assert (data.train_images.min(), data.train_images.max()) == (0, 16)
    seen = {image.tobytes() for image in data.train_images}
    assert not any(image.tobytes() in seen for image in data.test_images)


def test_the_shared_data_are_read_only():
    with pytest.raises(ValueError, match="read-only"):
        load().test_images[0, 0] = 1


def test_the_float_network_is_accurate(network):
    data = load()
    assert accuracy(predict_float(network, data.test_images), data.test_labels) >= 0.96


@pytest.mark.parametrize(
    ("weight_bits", "input_bits", "least"), [(8, 8, 0.96), (4, 8, 0.94), (4, 4, 0.93), (3, 3, 0.7)]
)
def test_the_integer_network_is_accurate(network, weight_bits, input_bits, least):
    assert score(network, weight_bits, input_bits) >= least


def test_int8_costs_at_most_one_percent(network):
    data = load()
    lost = accuracy(predict_float(network, data.test_images), data.test_labels) - score(
        network, 8, 8
    )
    assert lost <= 0.01


def test_two_bits_still_run(network):
    assert 0 <= score(network, 2, 2) <= 1


def test_equal_seeds_give_equal_networks_and_others_do_not(network):
    again, other = train(), train(1)
    for left, right in zip(
        network.weights + network.biases, again.weights + again.biases, strict=True
    ):
        assert left.tobytes() == right.tobytes()
    assert network.weights[0].tobytes() != other.weights[0].tobytes()


def test_the_integer_layers_hold_their_types_and_ranges(network):
    for bits in (8, 4):
        integer = quantise_network(network, load().train_images, bits, bits)
        for layer, shape in ((integer.hidden, (64, 32)), (integer.output, (32, 10))):
            assert (layer.weights.shape, layer.weights.dtype) == (shape, np.int8)
            assert (layer.bias.shape, layer.bias.dtype) == (shape[1:], np.int32)
            assert np.abs(layer.weights.astype(int)).max() == 2 ** (bits - 1) - 1
        assert (integer.hidden.relu, integer.output.relu) == (True, False)


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_on_golden_predicts_what_numpy_predicts(network, preset):
    config, data = MacroConfig(**PRESETS[preset].parameters), load()
    integer = quantise_network(network, data.train_images, *network_bits(config))
    expected = predict(integer, data.test_images, exact_matmul)
    assert predict(integer, data.test_images, tiled_matmul(config)).tolist() == expected.tolist()


def test_integer_activations_times_their_scales_are_near_the_float_ones(network):
    data = load()
    integer = quantise_network(network, data.train_images)
    x = np.rint(data.test_images * 127 / 16).astype(np.int64)
    hidden = integer.hidden.run(x, exact_matmul)
    logits = integer.output.accumulate(hidden, exact_matmul)
    float_hidden = np.maximum(data.test_images / 16 @ network.weights[0] + network.biases[0], 0)
    float_logits = float_hidden @ network.weights[1] + network.biases[1]
    for approximate, exact in (
        (hidden * integer.hidden.y_scale, float_hidden),
        (logits * integer.output.x_scale * integer.output.w_scale, float_logits),
    ):
        assert np.abs(approximate - exact).max() <= 0.05 * np.abs(exact).max()


def test_activations_stay_in_range_and_float_free(network):
    seen = []

    def matmul(x, w):
        seen.append((x, w))
        return exact_matmul(x, w)

    data = load()
    labels = predict(quantise_network(network, data.train_images), data.test_images, matmul)
    assert labels.dtype == np.int64
    for x, w in seen:
        assert (x.dtype, w.dtype) == (np.int64, np.int64)
        assert 0 <= x.min() <= x.max() <= 127
        assert -127 <= w.min() <= w.max() <= 127
    # pixels 0, 8 and 16: 8 * 127 / 16 = 63.5 rounds up
    assert {
        value
        for pixel, value in zip(data.test_images.flat, seen[0][0].flat, strict=True)
        if pixel == 8
    } == {64}
    assert (seen[0][0].min(), seen[0][0].max()) == (0, 127)


def test_no_image_gives_no_label(network):
    integer = quantise_network(network, load().train_images)
    assert predict(integer, np.zeros((0, 64), int), tiled_matmul(MacroConfig())).shape == (0,)


@pytest.mark.parametrize(
    ("parameters", "bits"),
    [
        ({}, (8, 8)),
        ({"weight_bits": 16, "input_bits": 16}, (8, 8)),
        ({"weight_bits": 4, "input_bits": 5}, (4, 5)),
    ],
)
def test_the_network_takes_the_bits_of_the_macro_up_to_eight(parameters, bits):
    assert network_bits(MacroConfig(**parameters)) == bits


def test_a_macro_of_minus_one_and_one_is_refused():
    message = (
        "digits needs integers, and multiply = xnor has -1 and 1 alone "
        "(nearest legal value: --set multiply=plain)"
    )
    with pytest.raises(ValueError, match=re.escape(message)):
        network_bits(MacroConfig(multiply="xnor", weight_bits=1, input_bits=1))


@pytest.mark.parametrize("parameter", ["weight_bits", "input_bits"])
def test_a_macro_of_one_bit_is_refused(parameter):
    message = (
        f"digits needs {parameter} >= 2 for symmetric quantisation, not 1 (nearest legal value: 2)"
    )
    with pytest.raises(ValueError, match=re.escape(message)):
        network_bits(MacroConfig(**{parameter: 1}))


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((2, 63), int), "images must be integers (count, 64), not int64 (2, 63)"),
        (np.zeros(64, int), "images must be integers (count, 64), not int64 (64,)"),
        (np.zeros((1, 64)), "images must be integers (count, 64), not float64 (1, 64)"),
        (np.full((1, 64), 17), "pixels must be in 0..16, not 17..17"),
        (np.full((1, 64), -1), "pixels must be in 0..16, not -1..-1"),
    ],
)
def test_what_is_no_image_is_refused(network, images, message):
    integer = quantise_network(network, load().train_images)
    with pytest.raises(ValueError, match=re.escape(message)):
        predict(integer, images, exact_matmul)
