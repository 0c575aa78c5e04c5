"""A binary network reads most digits, and reads the same ones on a macro."""

import re

import numpy as np
import pytest

from cimforge.compiler.applications.binary_job import binary_matmul
from cimforge.compiler.applications.binary_network import (
    LEVELS,
    BinaryNetwork,
    binary_inputs,
    predict_binary,
    sign,
    train_binary,
)
from cimforge.compiler.applications.tests import on_verilog
from cimforge.compiler.applications.tests.on_verilog import binary_config, open_macro
from cimforge.compiler.digits import accuracy, load
from cimforge.compiler.matmul import exact_matmul

SIMULATOR = on_verilog.SIMULATOR


@pytest.fixture(scope="module")
def trained():
    """The images and a network that was trained on some of them."""
    pytest.importorskip("sklearn")
    data = load()
    return data, train_binary(data, seed=0)


def test_it_reads_the_digits(trained):
    data, network = trained
    assert {*np.unique(network.w1)} == {*np.unique(network.w2)} == {-1, 1}
    assert network.b1.dtype == network.b2.dtype == np.int64
    labels = predict_binary(network, data.test_images, exact_matmul)
    assert accuracy(labels, data.test_labels) >= 0.94


def test_the_seed_decides_the_network(trained):
    data, _ = trained
    first, again, other = (train_binary(data, seed, epochs=1) for seed in (0, 0, 1))
    assert np.array_equal(first.w1, again.w1)
    assert not np.array_equal(first.w1, other.w1)


@pytest.mark.parametrize(("rows", "cols"), [(100, 7), (33, 16)])
def test_golden_reads_what_numpy_reads(trained, rows, cols):
    data, network = trained
    matmul = binary_matmul(binary_config(rows=rows, cols=cols))
    images = data.test_images[:50]
    read = predict_binary(network, images, matmul)
    assert np.array_equal(read, predict_binary(network, images, exact_matmul))


def test_verilog_reads_what_numpy_reads(trained, tmp_path):
    data, whole = trained
    network = BinaryNetwork(whole.w1[:, :20], whole.b1[:20], whole.w2[:20], whole.b2)
    config = binary_config(rows=30, cols=10, banks=2)  # 256 = 8 x 30 + 16
    backend = open_macro(config, tmp_path)
    images = data.test_images[:10]
    read = predict_binary(network, images, binary_matmul(config, backend.run_job))
    assert backend.bit_exact
    assert np.array_equal(read, predict_binary(network, images, exact_matmul))


def test_a_pixel_is_compared_with_each_level():
    image = np.zeros((1, 64), int)
    image[0, 1], image[0, 63] = LEVELS[1], 16
    inputs = binary_inputs(image).reshape(64, len(LEVELS))
    assert inputs[0].tolist() == [-1, -1, -1, -1]
    assert inputs[1].tolist() == [1, -1, -1, -1]
    assert inputs[63].tolist() == [1, 1, 1, 1]


def test_the_sign_of_0_is_1():
    assert sign(np.array([-0.5, 0.0, 3.0])).tolist() == [-1, 1, 1]


def test_images_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=re.escape("must have shape (count, 64), not (2, 63)")):
        binary_inputs(np.zeros((2, 63), int))
