"""Products of integers in every form that ONNX has for them, drawn, against onnxruntime."""

import random

import numpy as np
import pytest

from cimforge.compiler.graph.operator import Convolution, FullyConnected, MatrixProduct
from cimforge.compiler.importers.onnx_import import import_onnx
from cimforge.compiler.importers.tests.onnx_writer import Net, check_outputs, runtime_outputs, saved
from cimforge.compiler.map.macro_products import MacroProducts
from cimforge.compiler.map.product_trace import trace_products
from cimforge.compiler.reference.execution import execute
from cimforge.hdl.params.config import MacroConfig

CONFIG = MacroConfig(rows=20, cols=4, weight_bits=8, input_bits=8, banks=2)
BYTES = (np.uint8, np.int8)
X_SCALE = 0.02


def scale_and_zero(net: Net, kind: type, scale: float | None = None) -> tuple[str, str]:
    drawn = net.draw.uniform(0.01, 0.08) if scale is None else scale
    zero = net.integers((), kind)
    return net.constant(np.float32(drawn)), net.constant(kind(zero))


def window(rng: random.Random, rank: int, transposed: bool = False) -> dict:
    """Attributes of a convolution."""
    told = {"strides": [rng.randint(1, 3) for _ in range(rank)]}
    told["dilations"] = [rng.randint(1, 2) for _ in range(rank)]
    if rng.random() < 0.3 and not transposed:
        told["auto_pad"] = rng.choice(("SAME_UPPER", "SAME_LOWER", "VALID"))
        told["dilations"] = [1] * rank  # onnxruntime takes no others with it
    else:
        told["pads"] = [rng.randint(0, 1 if transposed else 2) for _ in range(2 * rank)]
    if transposed and rng.random() < 0.5:
        told["output_padding"] = [rng.randint(0, step - 1) for step in told["strides"]]
    return told


def convolution(seed: int) -> tuple[Net, str, dict, list[int], int]:
    """A net with an input of integers, a drawn window, kernel sizes, and groups."""
    rng, net = random.Random(seed), Net(seed)
    rank, groups = rng.choice((1, 2, 2)), rng.choice((1, 1, 2, 6))
    kernel = [rng.randint(1, 3) for _ in range(rank)]
    size = [rng.randint(7, 10) for _ in range(rank)]
    x = net.feed(net.integers((2 if seed % 4 == 0 else 1, 6, *size), BYTES[seed % 2]))
    return net, x, window(rng, rank), kernel, groups


@pytest.mark.parametrize("seed", range(16))
def test_qlinear_convolutions(seed, tmp_path):
    net, x, told, kernel, groups = convolution(seed)
    kind = net.inputs[x].dtype.type
    outputs = 6 * net.draw.integers(1, 3)
    channels = seed % 3 > 0
    w = net.constant(net.integers((outputs, 6 // groups, *kernel), np.int8))
    scales = net.draw.uniform(0.001, 0.01, outputs if channels else 1).astype(np.float32)
    zeros = np.zeros(scales.shape, np.int8) if channels else net.integers((1,), np.int8)
    biased = [net.constant(net.draw.integers(-3000, 3000, outputs).astype(np.int32))]
    y = net.add(
        "QLinearConv",
        *(x, *scale_and_zero(net, kind, X_SCALE), w, net.constant(scales), net.constant(zeros)),
        *(*scale_and_zero(net, kind), *(biased if seed % 2 else [])),
        group=groups,
        **told,
    )
    graph = check_outputs(net, tmp_path, y, products=MacroProducts(CONFIG))
    (operator,) = [n.operator for n in graph.nodes if isinstance(n.operator, Convolution)]
    assert operator.groups == groups


@pytest.mark.parametrize("seed", range(12))
def test_dequantised_convolutions_become_one_node(seed, tmp_path):
    """With a bias of int32, of floats, or none, an activation or none, requantised or not."""
    net, x, told, kernel, groups = convolution(seed + 100)
    kind = net.inputs[x].dtype.type
    held = scale_and_zero(net, kind, X_SCALE)
    w, scales = net.weights((12, 6 // groups, *kernel), axis=0 if seed % 2 else None)
    reads = [net.add("DequantizeLinear", x, *held), w]
    if seed % 3 == 1:
        reads.append(net.bias(12, X_SCALE, scales))
    if seed % 3 == 2:
        reads.append(net.constant(net.draw.normal(size=12).astype(np.float32)))
    y = net.add("Conv", *reads, group=groups, **told)
    lowest = net.constant(kind(np.iinfo(kind).min))
    if seed % 4 == 1:
        y = net.add("Relu", y)
    if seed % 4 == 2:
        y = net.add("Clip", y, net.constant(np.float32(0)), net.constant(np.float32(6)))
    if seed % 4:
        y = net.add("QuantizeLinear", y, net.constant(np.float32(0.05)), lowest)
    graph = check_outputs(net, tmp_path, y, products=MacroProducts(CONFIG))
    (made,) = [n.outputs[0] for n in graph.nodes if isinstance(n.operator, Convolution)]
    assert graph.tensors[made].kind == (np.dtype(kind).name if seed % 4 else "float32")


@pytest.mark.parametrize("seed", range(8))
def test_transposed_convolutions(seed, tmp_path):
    rng, net = random.Random(seed), Net(seed)
    rank = rng.choice((1, 2))
    kind = BYTES[seed % 2]
    groups = 1 + seed % 3 // 2
    x = net.feed(net.integers((1, 4, *(rng.randint(2, 4) for _ in range(rank))), kind))
    held = scale_and_zero(net, kind, X_SCALE)
    kernel = [rng.randint(2, 3) for _ in range(rank)]
    w, scales = net.weights((4, 5, *kernel), axis=1 if seed % 3 == 1 else None)
    reads = [net.add("DequantizeLinear", x, *held), w]
    if seed % 2:
        reads.append(net.bias(5 * groups, X_SCALE, scales))
    y = net.add("ConvTranspose", *reads, group=groups, **window(rng, rank, transposed=True))
    y = net.add("QuantizeLinear", y, *scale_and_zero(net, np.uint8))
    check_outputs(net, tmp_path, y, products=MacroProducts(CONFIG))


@pytest.mark.parametrize("kind", [np.uint16, np.int16])
def test_activations_of_16_bits_are_cut_into_digits(kind, tmp_path):
    net = Net(3)
    x = net.feed(net.integers((1, 4, 6, 6), kind))
    told = net.constant(np.float32(0.0001)), net.constant(kind(1000))
    w, _ = net.weights((6, 4, 3, 3), axis=0)
    y = net.add("Conv", net.add("DequantizeLinear", x, *told), w)
    y = net.add("QuantizeLinear", y, net.constant(np.float32(0.0002)), net.constant(kind(500)))
    graph = check_outputs(net, tmp_path, y, products=MacroProducts(CONFIG))
    assert [part.x.bits for part in trace_products(graph)] == [16]


@pytest.mark.parametrize("told", [{"auto_pad": "SAME_UPPER"}, {"auto_pad": "SAME_LOWER"}, {}])
def test_transposed_convolutions_of_a_size_that_is_told(told, tmp_path):
    net = Net(3)
    x = net.feed(net.integers((1, 3, 4, 5), np.uint8))
    w, _ = net.weights((3, 5, 3, 4))
    told = told or {"output_shape": [8, 9]}
    held = net.add("DequantizeLinear", x, *scale_and_zero(net, np.uint8, X_SCALE))
    check_outputs(net, tmp_path, net.add("ConvTranspose", held, w, strides=[2, 2], **told))


def test_a_bias_in_other_units_is_added_to_floats(tmp_path):
    """onnxruntime takes its integers for ones in units of x and w: what the file says holds."""
    net = Net(3)
    x = net.feed(net.integers((4, 9), np.uint8))
    held = net.add("DequantizeLinear", x, *scale_and_zero(net, np.uint8, X_SCALE))
    w, scales = net.weights((9, 6))
    y = net.add("Gemm", held, w, net.bias(6, 3 * X_SCALE, scales))
    graph = import_onnx(path := saved(net.model(y), tmp_path))
    (wanted,) = runtime_outputs(path, net.inputs, optimised=False)
    assert np.abs(execute(graph, net.inputs)[y] - wanted).max() < 1e-4
    assert [part.node.operator.title for part in trace_products(graph)] == ["FullyConnected"]


def test_images_that_come_turned_keep_their_scale(tmp_path):
    """(B, H, W, C) turned by the network: the convolution reads them as they came."""
    net = Net(4)
    x = net.add("Transpose", net.feed(net.integers((1, 6, 7, 3), np.uint8)), perm=[0, 3, 1, 2])
    held = net.add("DequantizeLinear", x, *scale_and_zero(net, np.uint8, X_SCALE))
    w, scales = net.weights((5, 3, 3, 3), axis=0)
    y = net.add("Conv", held, w, net.bias(5, X_SCALE, scales))
    y = net.add("QuantizeLinear", y, *scale_and_zero(net, np.uint8))
    check_outputs(net, tmp_path, y, products=MacroProducts(CONFIG))


@pytest.mark.parametrize("seed", range(4))
def test_integer_convolutions_give_sums(seed, tmp_path):
    net = Net(seed)
    x = net.feed(net.integers((1, 4, 6, 7), np.uint8))
    w = net.constant(net.integers((6, 4, 3, 2), BYTES[seed % 2]))
    zeros = [net.constant(np.uint8(17)), net.constant(BYTES[seed % 2](5))][: 2 - seed // 2]
    y = net.add("ConvInteger", x, w, *zeros, pads=[1, 0, 2, 1], strides=[1, 2])
    graph = check_outputs(net, tmp_path, y, products=MacroProducts(CONFIG))
    assert graph.tensors[y].kind == "int32"


@pytest.mark.parametrize("seed", range(8))
def test_qlinear_products(seed, tmp_path):
    """Of activations of three and four axes, and with weights of a scale an output."""
    net, x_kind, w_kind = Net(seed), np.uint8, BYTES[seed % 2]
    x = net.feed(net.integers((2, 3, 5, 11), x_kind))
    several = seed % 4 > 1
    w = net.integers((11, 7) if several else (2, 3, 11, 7), w_kind)
    w_name = net.constant(w) if several else net.feed(w)
    scales, zero = net.draw.uniform(0.01, 0.02, 7 if several else 1), net.integers((1,), w_kind)
    zeros = np.full(scales.shape, zero[0] if w_kind is np.uint8 else 0, w_kind)
    told = net.constant(scales.astype(np.float32)), net.constant(zeros)
    y = net.add(
        "QLinearMatMul",
        *(x, *scale_and_zero(net, x_kind, X_SCALE), w_name, *told, *scale_and_zero(net, x_kind)),
    )
    graph = check_outputs(net, tmp_path, y, products=MacroProducts(CONFIG))
    (operator,) = [n.operator for n in graph.nodes if n.outputs == (y,)]
    assert isinstance(operator, FullyConnected if several else MatrixProduct)


@pytest.mark.parametrize("seed", range(12))
def test_dequantised_layers(seed, tmp_path):
    """Gemm turned and not, MatMul, biased or not, requantised or not."""
    net, kind = Net(seed), BYTES[seed % 2]
    x = net.feed(net.integers((5, 13), kind))
    held = scale_and_zero(net, kind, X_SCALE)
    turned = seed % 3 == 1
    shape = (7, 13) if turned else (13, 7)
    w, scales = net.weights(shape, axis=None if seed % 4 else (0 if turned else 1))
    reads = [net.add("DequantizeLinear", x, *held), w]
    if seed % 3 == 2:
        y = net.add("MatMul", *reads)
    else:
        reads += [net.bias(7, X_SCALE, scales)] if seed % 2 else []
        y = net.add("Gemm", *reads, transB=int(turned), alpha=0.5 if seed == 6 else 1.0)
    if seed % 5:
        y = net.add("QuantizeLinear", y, *scale_and_zero(net, kind))
    check_outputs(net, tmp_path, y, products=MacroProducts(CONFIG))


@pytest.mark.parametrize("rank", [2, 3])
@pytest.mark.parametrize("quantised", [True, False])
def test_a_constant_behind_a_layer_is_its_bias(rank, quantised, tmp_path):
    """Rounded in units of x and w where the output is requantised, as onnxruntime does: scales are
    so great that it shows."""
    for seed in range(4):
        net = Net(seed)
        x = net.feed(net.integers((50, 12) if rank == 2 else (2, 25, 12), np.uint8))
        held = net.add("DequantizeLinear", x, *scale_and_zero(net, np.uint8, 0.2))
        w, _ = net.weights((12, 64))
        bias = net.constant(net.draw.normal(size=64).astype(np.float32))
        reads = [net.add("MatMul", held, w), bias]
        y = net.add("Add", *(reads if seed % 2 else reads[::-1]))
        y = net.add("QuantizeLinear", y, *scale_and_zero(net, np.uint8, 0.3)) if quantised else y
        graph = check_outputs(net, tmp_path, y, products=MacroProducts(CONFIG))
        assert [each.operator.title for each in graph.nodes] == ["FullyConnected"]


def test_qgemm(tmp_path):
    for seed in range(4):
        net = Net(seed)
        x = net.feed(net.integers((4, 9), np.uint8))
        w = net.constant(net.integers((6, 9) if seed % 2 else (9, 6), np.int8))
        told = net.constant(net.draw.uniform(0.01, 0.02, 6).astype(np.float32))
        bias = net.constant(net.draw.integers(-900, 900, 6).astype(np.int32))
        zeros = net.constant(np.zeros(6, np.int8))
        end = scale_and_zero(net, np.uint8) if seed < 3 else ()
        y = net.add(
            "QGemm",
            *(x, *scale_and_zero(net, np.uint8, X_SCALE), w, told, zeros, bias, *end),
            domain="com.microsoft",
            transB=seed % 2,
            alpha=1.0 if seed else 0.7,
        )
        check_outputs(net, tmp_path, y, products=MacroProducts(CONFIG))


def test_products_of_what_is_quantised_at_run_time(tmp_path):
    """DynamicQuantizeLinear, MatMulInteger, and the scales' product behind it."""
    net = Net(5)
    x = net.feed(net.draw.normal(size=(3, 4, 20)).astype(np.float32))
    values, scale, zero = net.add("DynamicQuantizeLinear", x, outputs=3)
    w = net.constant(net.integers((20, 6), np.int8))
    w_zero, w_scale = net.constant(np.int8(-3)), net.constant(np.float32(0.01))
    sums = net.add("MatMulInteger", values, w, zero, w_zero)
    factor = net.add("Mul", scale, w_scale)
    y = net.add("Mul", net.add("Cast", sums, to=1), factor)
    check_outputs(net, tmp_path, values, sums, y, products=MacroProducts(CONFIG))


def test_sums_wrap_in_32_bits(tmp_path):
    net = Net(0)
    x = net.feed(np.full((1, 140_000), 255, np.uint8))
    w = net.constant(np.full((140_000, 1), 127, np.int8))
    y = net.add("MatMulInteger", x, w)
    graph = import_onnx(saved(net.model(y), tmp_path))
    told = execute(graph, net.inputs)[y].item()
    assert told == 255 * 127 * 140_000 - (1 << 32)


def test_floats_stay_on_the_host(tmp_path):
    """First and last layers are often floats: they make no product on a macro."""
    net = Net(2)
    x = net.feed(net.draw.normal(size=(1, 3, 6, 6)).astype(np.float32))
    w = net.constant(net.draw.normal(size=(4, 3, 3, 3)).astype(np.float32))
    y = net.add("Relu", net.add("Conv", x, w, pads=[1, 1, 1, 1]))
    flat = net.add("Flatten", y)
    full = net.constant(net.draw.normal(size=(144, 5)).astype(np.float32))
    z = net.add("Softmax", net.add("MatMul", flat, full))
    graph = check_outputs(net, tmp_path, y, z, products=MacroProducts(CONFIG))
    assert trace_products(graph) == ()
