"""Every operator that is imported, in networks that the tests make, against LiteRT's reference
kernels: every tensor bit for bit, live where LiteRT is installed, and as recorded elsewhere."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tflite", reason="package tflite is not installed: no file to write")

from cimforge.compiler.importers import tflite_operators
from cimforge.compiler.importers.tests.litert_oracle import litert_tensors
from cimforge.compiler.importers.tests.litert_vectors import VECTORS, told
from cimforge.compiler.importers.tests.tflite_cases import CASES, computed, drawn, rescaled
from cimforge.compiler.importers.tests.tflite_writer import Model

SCALES = int(os.environ.get("CIMFORGE_SCALES", "1"))
RECORDED = json.loads(VECTORS.read_text())


def check(model: Model, seed: int, folder: Path) -> None:
    """Every tensor, live."""
    wanted = litert_tensors(model.octets(), model.feeds(seed))
    for tensor, array in computed(model, seed, folder).items():
        assert array.shape == wanted[tensor].shape
        assert (array == wanted[tensor]).all(), (seed, tensor)


@pytest.mark.parametrize("name", CASES)
def test_every_tensor_is_litert_s(name, tmp_path):
    check(drawn(name, 1), 1, tmp_path)


@pytest.mark.parametrize("name", CASES)
def test_every_tensor_is_litert_s_at_other_scales(name, tmp_path):
    """CIMFORGE_SCALES says at how many (make soak: 40)."""
    for seed in range(2, 2 + SCALES):
        check(rescaled(name, seed), seed, tmp_path)


@pytest.mark.parametrize("name", CASES)
def test_every_tensor_is_as_recorded(name, tmp_path):
    found = computed(drawn(name, 0), 0, tmp_path)
    for tensor, vector in RECORDED[name].items():
        assert told(found[tensor]) == vector, tensor


def test_every_operator_is_in_some_network():
    tflite = pytest.importorskip("tflite", reason="package tflite is not installed")
    used = {
        getattr(tflite.BuiltinOperator, node[0]) for name in CASES for node in drawn(name, 0).nodes
    }
    assert sorted(used) == sorted(tflite_operators.OPERATORS)


@pytest.mark.parametrize("name", CASES)
def test_networks_fill_their_ranges(name, tmp_path):
    """A network that makes a few numbers only would prove little."""
    model = drawn(name, 0)
    found = computed(model, 0, tmp_path)
    last = found[model.tensors[model.ends()[1][-1]].name]
    is_cut = "relu" in name or name in ("mul_int16", "convolution_even_kernel")
    assert len(np.unique(last)) >= min(last.size // 3, 2 if is_cut else 9)


def test_a_recorded_number_that_differs_is_seen(tmp_path):
    found = computed(drawn("connected", 0), 0, tmp_path)
    array = np.array(found["t3"])
    array[-1, -1] += 1
    assert told(array) != RECORDED["connected"]["t3"]
