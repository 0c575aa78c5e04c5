"""Small networks as exporters make them, against onnxruntime; integers of every macro."""

from pathlib import Path

import numpy as np
import pytest

from cimforge.compiler.importers.onnx_import import import_onnx
from cimforge.compiler.importers.tests.onnx_writer import Net, check_outputs, runtime_outputs, saved
from cimforge.compiler.map.macro_products import MacroProducts
from cimforge.compiler.map.product_trace import trace_products
from cimforge.compiler.reference.execution import execute, keeps_items
from cimforge.hdl.params.config import MacroConfig

CONFIG = MacroConfig(rows=36, cols=8, weight_bits=8, input_bits=8, banks=2)


class Layers(Net):
    """Layers with quantised weights, each output quantised."""

    def convolve(
        self, x: str, channels: int, outputs: int, kind: type, size: int = 3, **told
    ) -> str:
        """A convolution of images, each scale by the weights' spread."""
        groups = told.get("group", 1)
        w, scales = self.weights((outputs, channels // groups, size, size), axis=0)
        pads = [size // 2] * 4
        return self.add("Conv", x, w, self.bias(outputs, 0.04, scales), pads=pads, **told)

    def end(self, x: str, kind: type, zero: int, relu: bool = False) -> str:
        """Quantised, behind a ReLU or not."""
        x = self.add("Relu", x) if relu else x
        return self.quantised(x, kind, 0.04, zero)


def convolutional(kind: type) -> tuple[Layers, list[str]]:
    """A convolution, a residual block, a depthwise and a pointwise one, a mean, and a layer."""
    net, low = Layers(1), int(np.iinfo(kind).min)
    x = net.feed(net.draw.normal(size=(1, 3, 12, 12)).astype(np.float32))
    x = net.quantised(x, kind, 0.04, low + 128)
    a = net.end(net.convolve(x, 3, 8, kind, strides=[2, 2]), kind, low, relu=True)
    b = net.end(net.convolve(a, 8, 8, kind), kind, low, relu=True)
    b = net.end(net.convolve(b, 8, 8, kind), kind, low + 100)
    c = net.end(net.add("Add", a, b), kind, low, relu=True)
    d = net.end(net.convolve(c, 8, 8, kind, group=8), kind, low, relu=True)
    e = net.end(net.convolve(d, 8, 12, kind, size=1), kind, low + 90)
    pooled = net.add("MaxPool", e, kernel_shape=[2, 2], strides=[2, 2])
    mean = net.quantised(net.add("GlobalAveragePool", pooled), kind, 0.03, low + 60)
    w, scales = net.weights((10, 12), axis=0)
    y = net.add("Gemm", net.add("Flatten", mean), w, net.bias(10, 0.03, scales), transB=1)
    y = net.quantised(y, kind, 0.05, low + 128)
    return net, [a, c, e, mean, y]


@pytest.mark.parametrize("kind", [np.uint8, np.int8])
def test_a_convolutional_network_and_its_tensors(kind, tmp_path):
    net, names = convolutional(kind)
    # of later versions onnxruntime does not take a MaxPool of int8
    told = {"products": MacroProducts(CONFIG), "near": 0, "version": 13}
    graph = check_outputs(net, tmp_path, *names, **told)
    assert [part.node.operator.title for part in trace_products(graph)] == [
        *("Convolution",) * 5,
        "FullyConnected",
    ]


def test_several_items_side_by_side(tmp_path):
    net, names = convolutional(np.uint8)
    graph = import_onnx(saved(net.model(names[-1]), tmp_path))
    assert keeps_items(graph)
    (name,) = graph.inputs
    several = net.draw.normal(size=(3, 3, 12, 12)).astype(np.float32)
    told = execute(graph, {name: several})[names[-1]]
    for item, wanted in zip(several, told, strict=True):
        assert (execute(graph, {name: item[None]})[names[-1]] == wanted).all()


def test_transposes_between_convolutions_fall_away(tmp_path):
    net, names = convolutional(np.uint8)
    graph = import_onnx(saved(net.model(names[-1]), tmp_path))
    # into images; out of and into them around the sum, the pool, and its floats
    assert sum(node.operator.title == "Transpose" for node in graph.nodes) == 7


def test_a_perceptron(tmp_path):
    net = Layers(2)
    x = net.quantised(net.feed(net.draw.normal(size=(4, 20)).astype(np.float32)))
    for width, size in ((20, 32), (32, 16), (16, 5)):
        w, _ = net.weights((width, size), axis=1)
        bias = net.constant(net.draw.normal(size=size).astype(np.float32))
        x = net.quantised(net.add("Relu", net.add("Gemm", x, w, bias)), scale=0.05, zero=0)
    check_outputs(net, tmp_path, x, products=MacroProducts(CONFIG), near=0)


def attention(net: Layers, x: str, tokens: int, width: int, heads: int) -> str:
    """Of one sequence: products of weights, and of queries with keys and of scores with values,
    both at run time."""
    parts = []
    for _ in range(3):
        w, _ = net.weights((width, width), axis=1)
        part = net.quantised(net.add("MatMul", x, w), scale=0.06, zero=128)
        shape = net.constant(np.array([1, tokens, heads, width // heads]))
        parts.append(net.add("Transpose", net.add("Reshape", part, shape), perm=[0, 2, 1, 3]))
    q, k, v = parts
    scores = net.add("MatMul", q, net.add("Transpose", k, perm=[0, 1, 3, 2]))
    scores = net.add("Div", net.quantised(scores, scale=0.1, zero=128), net.constant(np.float32(2)))
    looks = net.quantised(net.add("Softmax", scores), scale=1 / 256, zero=0)
    found = net.add("Transpose", net.add("MatMul", looks, v), perm=[0, 2, 1, 3])
    flat = net.add("Reshape", found, net.constant(np.array([1, tokens, width])))
    return net.quantised(flat, scale=0.04, zero=128)


def test_a_transformer_block(tmp_path):
    """Integers of activations on both sides are products of the macro as well; LayerNormalization,
    Softmax and Gelu are the host's. Within a step of onnxruntime's integers, whose exponentials
    and square roots differ in the last bit."""
    net, tokens, width = Layers(3), 6, 16
    x = net.feed(net.draw.normal(size=(1, tokens, width)).astype(np.float32))
    norm = [net.constant(np.ones(width, np.float32)), net.constant(np.zeros(width, np.float32))]
    a = net.quantised(net.add("LayerNormalization", x, *norm), zero=128)
    b = net.add("Add", x, attention(net, a, tokens, width, 4))
    c = net.quantised(net.add("LayerNormalization", b, *norm), zero=128)
    w, _ = net.weights((width, 32), axis=1)
    d = net.quantised(net.add("Gelu", net.add("MatMul", c, w)), zero=30)
    w, _ = net.weights((32, width))
    y = net.add("Add", b, net.quantised(net.add("MatMul", d, w), scale=0.05, zero=128))
    path = saved(net.model(y), tmp_path)
    graph = import_onnx(path)
    (wanted,) = runtime_outputs(path, net.inputs)
    told = execute(graph, net.inputs, MacroProducts(CONFIG))[y]
    assert np.abs(told - wanted).max() <= 0.0501
    assert (np.abs(told - wanted) < 1e-4).mean() > 0.95
    titles = [part.node.operator.title for part in trace_products(graph)]
    assert titles.count("MatrixProduct") == 2
    assert titles.count("FullyConnected") == 5


def recurrent(kind: str, direction: str, weights: type, seed: int = 1) -> tuple[Net, list[str]]:
    """A layer of 10 cells over 6 steps of 12 inputs, of two items."""
    net, ways = Net(seed), 2 if direction == "bidirectional" else 1
    x = net.feed(net.draw.normal(size=(6, 2, 12)).astype(np.float32))
    gates = (3 if kind == "GRU" else 4) * 10
    integers = kind == "DynamicQuantizeLSTM"
    names, told = [], []
    for depth in (12, 10):
        if integers:
            names.append(net.constant(net.integers((ways, depth, gates), weights)))
            scales = net.draw.uniform(0.002, 0.006, (ways, gates) if seed == 2 else (ways,))
            zero = 0 if weights is np.int8 else 128
            told += [scales.astype(np.float32), np.full(scales.shape, zero, weights)]
        else:
            drawn = net.draw.normal(0, 0.3, (ways, gates, depth))
            names.append(net.constant(drawn.astype(np.float32)))
    names.append(net.constant(net.draw.normal(0, 0.1, (ways, 2 * gates)).astype(np.float32)))
    more = ["", "", "", "", *(net.constant(each) for each in told)] if integers else []
    made = net.add(
        kind,
        *(x, *names, *more),
        outputs=2 if kind == "GRU" else 3,
        hidden_size=10,
        direction=direction,
        domain="com.microsoft" if integers else "",
    )
    return net, made


@pytest.mark.parametrize("direction", ["forward", "reverse", "bidirectional"])
@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
def test_recurrent_layers_of_floats_are_the_hosts(kind, direction, tmp_path):
    net, made = recurrent(kind, direction, np.int8)
    graph = check_outputs(net, tmp_path, *made)
    assert trace_products(graph) == ()


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
@pytest.mark.parametrize("axis", [None, 1])
def test_recurrent_layers_of_quantised_inputs_multiply_these_on_macros(kind, axis, tmp_path):
    """The state is floats, and stays on the host."""
    net, gates = Net(5), 30 if kind == "GRU" else 40
    x = net.quantised(net.feed(net.draw.normal(size=(6, 2, 12)).astype(np.float32)))
    w, _ = net.weights((1, gates, 12), axis)
    r, _ = net.weights((1, gates, 10))
    bias = net.constant(net.draw.normal(0, 0.1, (1, 2 * gates)).astype(np.float32))
    made = net.add(kind, x, w, r, bias, outputs=2, hidden_size=10)
    graph = check_outputs(net, tmp_path, *made, products=MacroProducts(CONFIG))
    (product,) = trace_products(graph)
    assert [(part.vectors, part.k, part.n) for part in product.parts] == [(12, 12, gates)]


def test_peepholes_look_at_the_cell(tmp_path):
    net, _ = recurrent("LSTM", "forward", np.int8)
    (layer,) = net.nodes
    layer.input.extend(["", "", "", net.constant(net.draw.normal(size=(1, 30)).astype(np.float32))])
    check_outputs(net, tmp_path, *layer.output)


@pytest.mark.parametrize("direction", ["forward", "reverse", "bidirectional"])
@pytest.mark.parametrize(("weights", "seed"), [(np.int8, 1), (np.uint8, 1), (np.int8, 2)])
def test_recurrent_layers_of_integers_multiply_on_macros(direction, weights, seed, tmp_path):
    net, made = recurrent("DynamicQuantizeLSTM", direction, weights, seed)
    graph = check_outputs(net, tmp_path, *made, products=MacroProducts(CONFIG))
    ways = 2 if direction == "bidirectional" else 1
    assert len(trace_products(graph)) == 7 * ways  # of x at once, of the state at each of 6 steps


def test_attention_as_one_operator(tmp_path):
    net = Net(8)
    reads = [net.feed(net.draw.normal(size=(1, 4, 5, 8)).astype(np.float32)) for _ in range(3)]
    y = net.add("Attention", *reads, is_causal=1)
    check_outputs(net, tmp_path, y, version=23)


def test_steps_between_floats_and_integers_of_every_byte(tmp_path):
    """What onnxruntime makes of scales an index, of 16 bits, and of floats beyond all."""
    net = Net(9)
    x = net.draw.normal(0, 3, (2, 5, 7)).astype(np.float32)
    x[0, 0, :4] = (np.inf, -np.inf, 1e30, 0.5)
    name, made = net.feed(x), []
    for kind in (np.int8, np.uint8, np.int16, np.uint16):
        told = net.constant(np.float32(0.01)), net.constant(kind(7))
        made.append(net.add("QuantizeLinear", name, *told))
        made.append(net.add("DequantizeLinear", made[-1], *told))
        several = net.constant(net.draw.uniform(0.01, 0.1, 5).astype(np.float32))
        zeros = net.constant(net.draw.integers(0, 9, 5).astype(kind))
        made.append(net.add("QuantizeLinear", name, several, zeros, axis=1))
    check_outputs(net, tmp_path, *made, near=0)


def test_names_stay_where_the_layout_does(tmp_path: Path):
    net, names = convolutional(np.uint8)
    path = saved(net.model(*names), tmp_path)
    graph = import_onnx(path)
    told = execute(graph, net.inputs)
    for name in graph.inputs + graph.outputs:
        assert told[name].shape == graph.tensors[name].shape
    assert graph.tensors[names[0]].shape == (1, 8, 6, 6)
