"""Integers with a scale that are no product, and groups of DequantizeLinear, operator,
QuantizeLinear, against onnxruntime: to the bit, unless it is told otherwise."""

import numpy as np
import pytest

from cimforge.compiler.importers.tests.onnx_writer import Net, check_outputs

BYTES = (np.uint8, np.int8)
IMAGE = (2, 3, 8, 9)


def scales(net: Net, kind: type, scale: float | None = None, zero: int | None = None) -> list[str]:
    drawn = net.draw.uniform(0.01, 0.05) if scale is None else scale
    middle = (np.iinfo(kind).min + np.iinfo(kind).max + 1) // 2
    zero = int(middle + net.draw.integers(-40, 40)) if zero is None else zero
    return [net.constant(np.float32(drawn)), net.constant(kind(zero))]


def fed(net: Net, kind: type, shape: tuple[int, ...]) -> list[str]:
    """Integers with scale and zero point."""
    return [net.feed(net.integers(shape, kind)), *scales(net, kind)]


WIDE = (4, 512)
PAIRS = [(WIDE, WIDE), (WIDE, (4, 1)), ((1, 1), WIDE), ((4, 1), WIDE), (WIDE, (512,)), (WIDE, (1,))]
PAIRS += [(IMAGE, (1, 3, 1, 1)), ((3, 1, 1), IMAGE)]
ROUND = (0.01, 0.015, 0.02, 0.025, 0.03, 0.04, 0.05, 0.06, 0.07)  # whose ratios make many halves


@pytest.mark.parametrize("kind", BYTES)
@pytest.mark.parametrize("shapes", PAIRS)
@pytest.mark.parametrize("operator", ["QLinearAdd", "QLinearMul"])
def test_two_integers(operator, shapes, kind, tmp_path):
    for seed in range(4):
        net = Net(seed)
        told = [float(scale) for scale in net.draw.choice(ROUND, 3)]
        reads = []
        for shape, scale in zip(shapes, told, strict=False):
            reads += [net.feed(net.integers(shape, kind)), *scales(net, kind, scale)]
        y = net.add(operator, *reads, *scales(net, kind, told[2]), domain="com.microsoft")
        check_outputs(net, tmp_path, y)


ONE = {
    "QLinearSigmoid": {},
    "QLinearLeakyRelu": {"alpha": 0.1},
    "QLinearGlobalAveragePool": {},
    "QLinearAveragePool": {"kernel_shape": [3, 2], "strides": [2, 1], "pads": [1, 0, 1, 1]},
    "QLinearSoftmax": {"axis": -1, "opset": 13},
}


@pytest.mark.parametrize("kind", BYTES)
@pytest.mark.parametrize("operator", ONE)
def test_one_integer(operator, kind, tmp_path):
    for seed in range(6):
        net = Net(seed)
        lowest = int(np.iinfo(kind).min)
        end = scales(net, kind, 1 / 200, lowest) if "Soft" in operator else scales(net, kind)
        y = net.add(operator, *fed(net, kind, IMAGE), *end, domain="com.microsoft", **ONE[operator])
        check_outputs(net, tmp_path, y)


def test_a_softmax_of_another_axis(tmp_path):
    net = Net(1)
    told = {"axis": 1, "opset": 13}
    end = scales(net, np.uint8, 1 / 256, 0)
    y = net.add("QLinearSoftmax", *fed(net, np.uint8, IMAGE), *end, domain="com.microsoft", **told)
    check_outputs(net, tmp_path, y)


def test_padding_that_is_counted_counts_as_far_as_the_window_reaches(tmp_path):
    net, told = Net(2), {"kernel_shape": [3, 3], "strides": [2, 2], "ceil_mode": 1}
    reads = [*fed(net, np.uint8, (1, 2, 7, 7)), *scales(net, np.uint8)]
    told |= {"count_include_pad": 1, "pads": [1, 1, 0, 0]}
    y = net.add("QLinearAveragePool", *reads, domain="com.microsoft", **told)
    check_outputs(net, tmp_path, y)


@pytest.mark.parametrize("kind", BYTES)
def test_concatenation_of_several_scales(kind, tmp_path):
    net = Net(3)
    reads = [*fed(net, kind, IMAGE), *fed(net, kind, (2, 5, 8, 9))]
    y = net.add("QLinearConcat", *scales(net, kind), *reads, axis=1, domain="com.microsoft")
    check_outputs(net, tmp_path, y)


GROUPS = {
    "Add": (2, {}, "Elementwise"),
    "Mul": (2, {}, "Elementwise"),
    "Sub": (2, {}, ""),
    "Div": (2, {}, ""),
    "Sigmoid": (1, {}, ""),
    "LeakyRelu": (1, {"alpha": 0.2}, ""),
    "Tanh": (1, {}, ""),
    "Softmax": (1, {}, "Softmax"),
    "GlobalAveragePool": (1, {}, "Reduce"),
    "AveragePool": (1, {"kernel_shape": [3, 3], "count_include_pad": 1, "pads": [1] * 4}, "Pool"),
    "MaxPool": (1, {"kernel_shape": [2, 3], "strides": [1, 2], "ceil_mode": 1}, ""),
    "Concat": (2, {"axis": 2}, ""),
    "HardSwish": (1, {}, ""),
    "Gelu": (1, {}, ""),
}


@pytest.mark.parametrize("kind", BYTES)
@pytest.mark.parametrize("operator", GROUPS)
def test_groups(operator, kind, tmp_path):
    """Those that onnxruntime computes with integers are one node here too."""
    count, told, alone = GROUPS[operator]
    for seed in range(3):
        net = Net(seed)
        reads = [net.add("DequantizeLinear", *fed(net, kind, IMAGE)) for _ in range(count)]
        y = net.add(operator, *reads, **told)
        end = scales(net, kind, 1 / 256, int(np.iinfo(kind).min)) if operator == "Softmax" else ()
        y = net.add("QuantizeLinear", y, *(end or scales(net, kind)))
        graph = check_outputs(net, tmp_path, y)
        if alone:
            titles = [node.operator.title for node in graph.nodes]
            assert [title for title in titles if title != "Transpose"] == [alone]


@pytest.mark.parametrize("kind", BYTES)
def test_a_relu_behind_a_sum_is_part_of_it(kind, tmp_path):
    net = Net(4)
    reads = [net.add("DequantizeLinear", *fed(net, kind, IMAGE)) for _ in range(2)]
    y = net.add("Relu", net.add("Add", *reads))
    y = net.add("QuantizeLinear", y, *scales(net, kind, 0.05, int(np.iinfo(kind).min)))
    graph = check_outputs(net, tmp_path, y)
    assert [node.operator.activation for node in graph.nodes] == ["relu"]


@pytest.mark.parametrize("operator", ["GlobalAveragePool", "Softmax"])
def test_a_relu_behind_a_mean_stays_alone(operator, tmp_path):
    net = Net(4)
    y = net.add(operator, net.add("DequantizeLinear", *fed(net, np.uint8, IMAGE)))
    y = net.add("QuantizeLinear", net.add("Relu", y), *scales(net, np.uint8, 0.01, 3))
    check_outputs(net, tmp_path, y)


@pytest.mark.parametrize("kind", BYTES)
def test_means_of_one_scale_have_halves(kind, tmp_path):
    """A pool of 2 x 2 whose output has its input's scale, as quantisers make it."""
    net = Net(5)
    x, *told = fed(net, kind, IMAGE)
    y = net.add("AveragePool", net.add("DequantizeLinear", x, *told), kernel_shape=[2, 2])
    check_outputs(net, tmp_path, net.add("QuantizeLinear", y, *told))


def test_a_relu_that_somebody_else_reads_is_none(tmp_path):
    net = Net(4)
    reads = [net.add("DequantizeLinear", *fed(net, np.uint8, IMAGE)) for _ in range(2)]
    between = net.add("Relu", net.add("Add", *reads))
    y = net.add("QuantizeLinear", between, *scales(net, np.uint8, 0.05, 3))
    graph = check_outputs(net, tmp_path, y, between)
    assert "Quantise" in [node.operator.title for node in graph.nodes]


MOVED = {
    "Reshape": ([(np.array([2, 0, -1]), "k")], {}),
    "Flatten": ([], {"axis": 2}),
    "Unsqueeze": ([(np.array([0, 3]), "k")], {}),
    "Transpose": ([], {"perm": [0, 3, 1, 2]}),
    "Slice": ([(np.array(v), "k") for v in ([1, 7], [3, 1], [1, 3], [1, -2])], {}),
    "Gather": ([(np.array([2, 0, -1]), "k")], {"axis": 1}),
    "Identity": ([], {}),
}


@pytest.mark.parametrize("operator", MOVED)
def test_integers_stay_integers_where_floats_are_moved(operator, tmp_path):
    """A product behind it is still one of integers."""
    net, (constants, told) = Net(6), MOVED[operator]
    x = net.add("DequantizeLinear", *fed(net, np.uint8, (2, 3, 4, 9)))
    x = net.add(operator, x, *(net.constant(value) for value, _ in constants), **told)
    probe = check_outputs(net, tmp_path, x)
    w, _ = net.weights((probe.tensors[x].shape[-1], 5))
    y = net.add("QuantizeLinear", net.add("MatMul", x, w), *scales(net, np.uint8, 0.3, 100))
    graph = check_outputs(net, tmp_path, y)
    assert "FullyConnected" in [node.operator.title for node in graph.nodes]
    assert "Quantise" not in [node.operator.title for node in graph.nodes]


def test_pieces_of_a_tensor_are_multiplied_with_each_other(tmp_path):
    """As the queries and keys of attention are."""
    net = Net(7)
    x = net.add("DequantizeLinear", *fed(net, np.uint8, (2, 6, 24)))
    a, b, _ = net.add("Split", x, outputs=3, axis=-1, num_outputs=3)
    y = net.add("MatMul", a, net.add("Transpose", b, perm=[0, 2, 1]))
    y = net.add("QuantizeLinear", y, *scales(net, np.uint8, 0.9, 100))
    graph = check_outputs(net, tmp_path, y)
    assert "MatrixProduct" in [node.operator.title for node in graph.nodes]
    assert "Quantise" not in [node.operator.title for node in graph.nodes]


def test_a_scale_behind_a_sum_of_integers_is_not_the_sums(tmp_path):
    """int32 are added as they are, whatever DequantizeLinear says of them afterwards."""
    net = Net(8)
    x = net.feed(net.integers((3, 9), np.uint8))
    sums = net.add("MatMulInteger", x, net.constant(net.integers((9, 5), np.int8)))
    more = net.constant(net.draw.integers(-900, 900, (3, 5)).astype(np.int32))
    total = net.add("Add", sums, more)
    floats = net.add("DequantizeLinear", total, net.constant(np.float32(0.02)))
    check_outputs(net, tmp_path, total, floats)


def test_integers_that_are_read_as_they_are_and_with_a_scale(tmp_path):
    net = Net(9)
    x, *told = fed(net, np.uint8, (1, 3, 6, 6))
    first = net.add("MaxPool", x, kernel_shape=[2, 2])
    w = net.constant(net.integers((4, 3, 2, 2), np.int8))
    of_w = net.constant(np.float32(0.01)), net.constant(np.int8(0))
    y = net.add("QLinearConv", x, *told, w, *of_w, *scales(net, np.uint8, 0.3))
    other = net.add("DequantizeLinear", x, net.constant(np.float32(0.5)))
    check_outputs(net, tmp_path, first, y, other)


def test_integers_of_two_kinds_are_floats_between(tmp_path):
    net = Net(10)
    reads = [net.add("DequantizeLinear", *fed(net, np.uint8, IMAGE)) for _ in range(2)]
    y = net.add("QuantizeLinear", net.add("Add", *reads), *scales(net, np.int8))
    graph = check_outputs(net, tmp_path, y)
    assert [node.operator.title for node in graph.nodes].count("Quantise") == 3
