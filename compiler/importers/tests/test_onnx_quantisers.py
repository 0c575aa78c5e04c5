"""Networks of floats that onnxruntime's own quantiser turned into integers, in each of its formats:
every integer of them against onnxruntime's."""

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cimforge.compiler.importers.onnx_import import import_onnx
from cimforge.compiler.importers.tests.onnx_writer import Net, onnx, runtime_outputs, saved
from cimforge.compiler.map.macro_products import MacroProducts
from cimforge.compiler.map.product_trace import trace_products
from cimforge.compiler.reference.execution import execute
from cimforge.hdl.params.config import MacroConfig

quantiser = pytest.importorskip(
    "onnxruntime.quantization", reason="package onnxruntime is not installed: nobody quantises"
)
CONFIG = MacroConfig(rows=36, cols=8, weight_bits=8, input_bits=8, banks=2)
TOKENS, WIDTH, HEADS = 6, 16, 4
STEP = 1e-5  # of floats behind other exponentials than ours


def weights(net: Net, *shape: int) -> str:
    size = np.sqrt(np.prod(shape[1:]) if len(shape) > 1 else 4)
    return net.constant((net.draw.normal(size=shape) / size).astype(np.float32), "w")


def images(net: Net) -> str:
    """Every operator of images that the quantiser knows."""
    x = net.feed(net.draw.normal(size=(1, 3, 16, 16)).astype(np.float32))
    a = net.add("Conv", x, weights(net, 8, 3, 3, 3), weights(net, 8), pads=[1] * 4, strides=[2, 2])
    a = net.add("Relu", a)
    b = net.add("Conv", a, weights(net, 8, 1, 3, 3), weights(net, 8), pads=[1] * 4, group=8)
    ends = net.constant(np.float32(0)), net.constant(np.float32(6))
    b = net.add("Conv", net.add("Clip", b, *ends), weights(net, 8, 8, 1, 1))
    c = net.add("Relu", net.add("Add", b, a))
    d = net.add("MaxPool", c, kernel_shape=[2, 2], strides=[2, 2])
    d = net.add("LeakyRelu", net.add("Mul", d, net.add("Sigmoid", d)), alpha=0.1)
    e = net.add("AveragePool", c, kernel_shape=[2, 2], strides=[2, 2])
    e = net.add("GlobalAveragePool", net.add("Concat", d, e, axis=1))
    told = net.add("Flatten", e), weights(net, 10, 16), weights(net, 10)
    return net.add("Softmax", net.add("Gemm", *told, transB=1))


def layer(net: Net, x: str, depth: int, size: int) -> str:
    return net.add("Add", net.add("MatMul", x, weights(net, depth, size)), weights(net, size))


def tokens(net: Net) -> str:
    """A transformer's block, its Gelu in pieces as exporters write it."""
    x = net.feed(net.draw.normal(size=(1, TOKENS, WIDTH)).astype(np.float32))
    norm = net.constant(np.ones(WIDTH, np.float32)), net.constant(np.zeros(WIDTH, np.float32))
    a, heads = net.add("LayerNormalization", x, *norm), []
    shape = net.constant(np.array([0, TOKENS, HEADS, WIDTH // HEADS]))
    for order in ([0, 2, 1, 3], [0, 2, 3, 1], [0, 2, 1, 3]):
        each = net.add("Reshape", layer(net, a, WIDTH, WIDTH), shape)
        heads.append(net.add("Transpose", each, perm=order))
    scores = net.add("Div", net.add("MatMul", heads[0], heads[1]), net.constant(np.float32(2)))
    found = net.add("MatMul", net.add("Softmax", scores, axis=-1), heads[2])
    flat = net.constant(np.array([0, TOKENS, WIDTH]))
    found = net.add("Reshape", net.add("Transpose", found, perm=[0, 2, 1, 3]), flat)
    b = net.add("Add", x, layer(net, found, WIDTH, WIDTH))
    c = layer(net, net.add("LayerNormalization", b, *norm), WIDTH, 32)
    half = net.add("Erf", net.add("Div", c, net.constant(np.float32(np.sqrt(2)))))
    half = net.add("Mul", c, net.add("Add", half, net.constant(np.float32(1))))
    d = net.add("Mul", half, net.constant(np.float32(0.5)))
    return net.add("Add", b, layer(net, d, 32, WIDTH))


class Reader(quantiser.CalibrationDataReader):
    """Six drawn items of an input."""

    def __init__(self, net: Net):
        ((name, value),) = net.inputs.items()
        drawn = (net.draw.normal(size=value.shape).astype(np.float32) for _ in range(6))
        self._items = iter([{name: item} for item in drawn])

    def get_next(self) -> Any:
        return next(self._items, None)


NETWORKS = {"images": (images, 4, 0), "tokens": (tokens, 6, 2)}  # products of weights, at run time


def written(name: str, folder: Path) -> tuple[Net, Path]:
    logging.disable(logging.WARNING)  # it asks for a preparation that these do not need
    net = Net(4)
    model = net.model(NETWORKS[name][0](net), version=17)
    return net, saved(model, folder)


@pytest.mark.parametrize("activation", ["QUInt8", "QInt8"])
@pytest.mark.parametrize("form", ["QDQ", "QOperator"])
@pytest.mark.parametrize("name", NETWORKS)
def test_every_integer_of_a_quantised_network(name, form, activation, tmp_path):
    net, path = written(name, tmp_path)
    told = {"quant_format": quantiser.QuantFormat[form], "per_channel": form == "QDQ"}
    kinds = {"activation_type": quantiser.QuantType[activation]}
    kinds["weight_type"] = quantiser.QuantType.QInt8
    quantiser.quantize_static(path, tmp_path / "q.onnx", Reader(net), **told, **kinds)
    model = onnx.load(tmp_path / "q.onnx")
    made = [output for node in model.graph.node for output in node.output]
    graph = import_onnx(tmp_path / "q.onnx")
    names = [each for each in made if graph_kind(graph, each) in ("int8", "uint8")]
    model.graph.output.extend(onnx.ValueInfoProto(name=each) for each in names)
    wanted = runtime_outputs(saved(model, tmp_path), net.inputs)[1:]
    found = execute(graph, net.inputs, MacroProducts(CONFIG))
    assert sum(array.size for array in wanted) > 3000
    for each, array in zip(names, wanted, strict=True):
        assert (found[each] == array).all(), each
    titles = [part.node.operator.title for part in trace_products(graph)]
    runtime = titles.count("MatrixProduct")
    assert (len(titles) - runtime, runtime) == NETWORKS[name][1:]


def graph_kind(graph: Any, name: str) -> str:
    return graph.tensors[name].kind if name in graph.tensors else ""


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_that_are_quantised_at_run_time(name, tmp_path):
    net, path = written(name, tmp_path)
    told = {"weight_type": quantiser.QuantType.QInt8, "per_channel": True}
    quantiser.quantize_dynamic(path, tmp_path / "q.onnx", **told)
    graph = import_onnx(tmp_path / "q.onnx")
    (wanted,) = runtime_outputs(tmp_path / "q.onnx", net.inputs)
    found = execute(graph, net.inputs, MacroProducts(CONFIG))[graph.outputs[0]]
    assert np.abs(found - wanted).max() < STEP
    titles = [part.node.operator.title for part in trace_products(graph)]
    assert "MatrixProduct" not in titles  # scores stay floats
    assert len(titles) == NETWORKS[name][1]
