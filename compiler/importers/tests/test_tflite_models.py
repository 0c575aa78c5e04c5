"""Two networks of MLPerf Tiny, bit for bit: their outputs by TensorFlow Lite's rules, and every
tensor by LiteRT's; and these files changed at random."""

import random
from pathlib import Path

import numpy as np
import pytest

from cimforge.compiler.graph.graph import GraphError
from cimforge.compiler.importers.tests.litert_oracle import litert_tensors
from cimforge.compiler.importers.tflite_import import import_tflite
from cimforge.compiler.reference.execution import execute

FOLDER = Path(__file__).parents[4] / "shared/data/mlperf_tiny"
pytest.importorskip("tflite", reason="package tflite is not installed: no model to read")
pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(), reason="no networks in ../shared/data/mlperf_tiny"
)


def outputs(name: str, items: np.ndarray) -> np.ndarray:
    """The network's output of each item: all at once, and the first alone."""
    graph = import_tflite(FOLDER / f"{name}.tflite")
    (x,), (y,) = graph.inputs, graph.outputs
    given = items.reshape(-1, *graph.tensors[x].shape[1:])
    found = execute(graph, {x: given})[y].reshape(len(items), -1)
    assert (execute(graph, {x: given[:1]})[y].ravel() == found[0]).all()
    return found


def test_keyword_spotting_is_bit_exact():
    vectors = np.load(FOLDER / "kws_vectors.npz")
    assert (outputs("kws_ref_model", vectors["inputs"]) == vectors["outputs"]).all()


def test_anomaly_detection_is_bit_exact():
    vectors = np.load(FOLDER / "ad_vectors.npz")
    found = outputs("ad01_int8", vectors["inputs"]).astype(np.uint32)
    lanes = found << (8 * (np.arange(640, dtype=np.uint32) % 4))
    assert (np.bitwise_xor.reduce(lanes, axis=1) == vectors["output_xor32"]).all()


@pytest.mark.parametrize(("name", "inputs"), [("kws_ref_model", "kws"), ("ad01_int8", "ad")])
def test_every_tensor_is_litert_s(name, inputs):
    """By rule "litert"; by rule "tflite" those behind a fully connected layer differ."""
    path = FOLDER / f"{name}.tflite"
    graphs = {rule: import_tflite(path, rule) for rule in ("litert", "tflite")}
    (x,) = graphs["litert"].inputs
    shape, differs = graphs["litert"].tensors[x].shape, 0
    for item in np.load(FOLDER / f"{inputs}_vectors.npz")["inputs"]:
        feeds = {x: item.reshape(shape)}
        wanted = litert_tensors(path.read_bytes(), feeds)
        found = execute(graphs["litert"], feeds)
        assert len(found) > 10
        for tensor, array in found.items():
            assert (array == wanted[tensor]).all(), tensor
        differs += sum(
            (array != wanted[tensor]).any()
            for tensor, array in execute(graphs["tflite"], feeds).items()
        )
    assert differs


@pytest.mark.parametrize("name", ["kws_ref_model", "ad01_int8"])
def test_files_that_were_changed_are_read_or_refused_in_one_line(name, tmp_path):
    whole, path = (FOLDER / f"{name}.tflite").read_bytes(), tmp_path / "m.tflite"
    for seed in range(60):
        rng, data = random.Random(seed), bytearray(whole)
        if seed % 3 == 0:
            del data[rng.randrange(len(data)) :]
        for _ in range(rng.choice((1, 3, 30))):
            if data:
                data[rng.randrange(len(data))] = rng.randrange(256)
        for _ in range(rng.choice((0, 4))):  # tables lie at both ends
            if len(data) > 600:
                data[rng.choice((rng.randrange(600), -1 - rng.randrange(600)))] = rng.choice(
                    (0, 255)
                )
        path.write_bytes(data)
        told = refusal(path)
        assert "\n" not in told, seed
        assert told.startswith(str(path)) or not told, seed


def refusal(path: Path) -> str:
    """Why a file is refused; empty where it is read."""
    try:
        import_tflite(path)
    except GraphError as error:
        return str(error)
    return ""
