"""Several items side by side are what each is alone, in every network that keeps them apart."""

import numpy as np
import pytest

pytest.importorskip("tflite", reason="package tflite is not installed: no file to write")

from cimforge.compiler.graph.graph import Graph, GraphError, Node
from cimforge.compiler.graph.operator import Elementwise, FullyConnected
from cimforge.compiler.graph.tensor import Quantisation, Tensor
from cimforge.compiler.importers.tests.tflite_cases import CASES, drawn
from cimforge.compiler.importers.tflite_import import import_tflite
from cimforge.compiler.reference.execution import execute, keeps_items

KEPT = 120  # at least so many of the networks keep items apart


def graph_of(name: str, folder) -> Graph:
    (folder / "m.tflite").write_bytes(drawn(name, 0).octets())
    return import_tflite(folder / "m.tflite", "litert")


@pytest.mark.parametrize("name", CASES)
def test_items_side_by_side_are_items_alone(name, tmp_path):
    graph, model = graph_of(name, tmp_path), drawn(name, 0)
    items = [model.feeds(seed) for seed in (4, 5, 6)]
    together = {
        tensor: np.concatenate([item[tensor] for item in items])
        for tensor in items[0]
        if items[0][tensor].ndim
    }
    if not keeps_items(graph):
        with pytest.raises(
            GraphError, match=r"mixes items of a batch: give one at a time|must have"
        ):
            execute(graph, {**items[0], **together})
        return
    found = execute(graph, together)
    alone = [execute(graph, item) for item in items]
    for tensor, array in found.items():
        assert (array == np.concatenate([each[tensor] for each in alone])).all(), tensor


def test_most_networks_keep_items_apart(tmp_path):
    assert sum(keeps_items(graph_of(name, tmp_path)) for name in CASES) >= KEPT


def tensors(*shapes: tuple[int, ...]) -> dict[str, Tensor]:
    told = Quantisation((0.05,), (0,))
    return {
        name: Tensor(name, shape, "int8", told) for name, shape in zip("aby", shapes, strict=True)
    }


def test_items_that_broadcasting_would_mix_are_refused():
    """Axis 0 of one is axis 1 of the other."""
    known = tensors((1, 4), (1, 1, 4), (1, 1, 4))
    graph = Graph(
        "f",
        "tflite",
        known,
        (Node("n", Elementwise("add"), ("a", "b"), ("y",)),),
        ("a", "b"),
        ("y",),
    )
    assert not keeps_items(graph)


def test_weights_at_run_time_are_no_items():
    known = tensors((1, 4), (1, 4), (1, 1))
    graph = Graph(
        "f", "tflite", known, (Node("n", FullyConnected(), ("a", "b"), ("y",)),), ("a", "b"), ("y",)
    )
    assert not keeps_items(graph)
