"""QONNX's nodes: integers of 1 to 8 bits by numbers worked out by hand, and products of them."""

import numpy as np
import pytest

from cimforge.compiler.graph.graph import GraphError
from cimforge.compiler.importers.onnx_import import import_onnx
from cimforge.compiler.importers.tests.onnx_writer import Net, saved
from cimforge.compiler.map.macro_products import MacroProducts
from cimforge.compiler.map.product_trace import trace_products
from cimforge.compiler.reference.execution import execute
from cimforge.hdl.params.config import MacroConfig

CONFIG = MacroConfig(rows=18, cols=4, weight_bits=8, input_bits=8, banks=2)
DOMAIN = "qonnx.custom_op.general"


def quant(net: Net, x: str, scale, zero, bits: float, **told) -> str:
    reads = (np.asarray(value, np.float32) for value in (scale, zero, bits))
    told = {"signed": 1, "narrow": 0, "rounding_mode": "ROUND", **told}
    return net.add("Quant", x, *map(net.constant, reads), domain=DOMAIN, **told)


def computed(net: Net, y: str, folder, products=None) -> np.ndarray:
    graph = import_onnx(saved(net.model(y), folder))
    told = {} if products is None else {"products": products}
    return execute(graph, net.inputs, **told)[y]


X = np.array([-9.0, -1.25, -0.75, -0.25, 0.25, 0.75, 1.25, 9.0], np.float32)


@pytest.mark.parametrize(
    ("scale", "zero", "bits", "told", "wanted"),
    [
        (0.5, 0, 3, {}, [-2, -1, -1, 0, 0, 1, 1, 1.5]),  # 2.5, 1.5 and 0.5 to even
        (0.5, 0, 3, {"narrow": 1}, [-1.5, -1, -1, 0, 0, 1, 1, 1.5]),
        (0.5, 0, 2, {"signed": 0}, [0, 0, 0, 0, 0, 1, 1, 1.5]),
        (0.5, 0, 2, {"signed": 0, "narrow": 1}, [0, 0, 0, 0, 0, 1, 1, 1]),
        (0.5, 1, 3, {}, [-2.5, -1.5, -0.5, -0.5, 0.5, 0.5, 1, 1]),
        (0.5, 0, 4, {"rounding_mode": "FLOOR"}, [-4, -1.5, -1, -0.5, 0, 0.5, 1, 3.5]),
        (0.5, 0, 4, {"rounding_mode": "CEIL"}, [-4, -1, -0.5, 0, 0.5, 1, 1.5, 3.5]),
        (0.5, 0, 4, {"rounding_mode": "HALF_UP"}, [-4, -1.5, -1, -0.5, 0.5, 1, 1.5, 3.5]),
        (0.5, 0, 4, {"rounding_mode": "HALF_DOWN"}, [-4, -1, -0.5, 0, 0, 0.5, 1, 3.5]),
        (0.5, 0, 1, {}, [-0.5] * 4 + [0.5] * 4),  # one signed bit is a sign
    ],
)
def test_levels_by_hand(scale, zero, bits, told, wanted, tmp_path):
    net = Net()
    y = quant(net, net.feed(X), scale, zero, bits, **told)
    assert computed(net, y, tmp_path).tolist() == wanted


def test_signs_and_truncation_by_hand(tmp_path):
    net = Net()
    y = net.add("BipolarQuant", net.feed(X), net.constant(np.float32(0.25)), domain=DOMAIN)
    assert computed(net, y, tmp_path).tolist() == [-0.25] * 4 + [0.25] * 4
    net = Net()
    told = [net.constant(np.float32(value)) for value in (0.25, 0, 8, 6)]
    y = net.add("Trunc", net.feed(X), *told, domain=DOMAIN, rounding_mode="FLOOR")
    # -36, -5, -3, -1, 1, 3, 5, 36 quarters, two bits fewer, as before in quarters
    assert computed(net, y, tmp_path).tolist() == [-2.25, -0.5, -0.25, -0.25, 0, 0, 0.25, 2.25]
    net = Net()
    told = [net.constant(np.float32(value)) for value in (0.25, 0, 8, 1, 3)]
    y = net.add("Trunc", net.feed(X), *told, domain=DOMAIN, rounding_mode="FLOOR", signed=1)
    assert computed(net, y, tmp_path).tolist() == [-4, -2, -1, -1, 0, 0, 1, 3]


@pytest.mark.parametrize("bits", range(1, 9))
def test_weights_of_1_to_8_bits_multiply_on_a_macro(bits, tmp_path):
    """``x w`` of levels times scales, as floats have it; each operand in its own bits."""
    net = Net(bits)
    x = net.feed(net.draw.normal(size=(1, 4, 6, 6)).astype(np.float32))
    held = quant(net, x, 0.125, 0, 4)
    w = net.constant(net.draw.normal(size=(5, 4, 3, 3)).astype(np.float32))
    scales = net.draw.choice([0.25, 0.5, 1], (5, 1, 1, 1))
    weights = quant(net, w, scales, 0, bits, signed=int(bits > 1), narrow=int(bits > 1))
    y = net.add("Conv", held, weights, pads=[1, 1, 1, 1])
    graph = import_onnx(saved(net.model(y, held, weights), tmp_path))
    told = execute(graph, net.inputs, MacroProducts(CONFIG))
    assert (told[y] == convolved(told[held], told[weights])).all()  # all are small powers of 2
    (product,) = trace_products(graph)
    assert (product.w.bits, product.w.signed) == (bits, bits > 1)
    assert (product.x.bits, product.x.signed) == (4, True)


def convolved(x: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Three by three, padded by one, as floats."""
    x = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    seen = np.lib.stride_tricks.sliding_window_view(x, (3, 3), axis=(2, 3))
    return np.einsum("bchwyx,ocyx->bohw", seen.astype(np.float64), w.astype(np.float64))


def test_signs_on_both_sides_multiply_on_a_macro(tmp_path):
    net = Net(3)
    x = net.feed(net.draw.normal(size=(2, 30)).astype(np.float32))
    w = net.constant(net.draw.normal(size=(30, 7)).astype(np.float32))
    told = [net.constant(np.float32(scale)) for scale in (0.5, 0.25)]
    a = net.add("BipolarQuant", x, told[0], domain=DOMAIN)
    b = net.add("BipolarQuant", w, told[1], domain=DOMAIN)
    y = net.add("MatMul", a, b)
    wanted = np.where(net.inputs[x] >= 0, 0.5, -0.5) @ np.where(net.constants[w] >= 0, 0.25, -0.25)
    assert (computed(net, y, tmp_path, MacroProducts(CONFIG)) == wanted).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"bits": 17}, "bit width must be 1..16, not 17"),
        ({"bits": 2.5}, "bit width must be 1..16, not 2.5"),
        ({"zero": 0.5}, "zero points must be whole numbers"),
        ({"scale": -1.0}, "scale must be above 0 and finite, not -1.0"),
        ({"scale": np.ones((2, 4))}, r"scales of shape \(2, 4\) must lie on one axis"),
        ({"rounding_mode": "SIDEWAYS"}, "rounding must be one of ROUND, .*, not 'SIDEWAYS'"),
        ({"bits": 1, "zero": 1}, "one signed bit must have zero point 0"),
    ],
)
def test_what_is_no_integer_is_refused(change, message, tmp_path):
    net = Net()
    x = net.feed(np.zeros((2, 4), np.float32))
    y = quant(net, x, **{"scale": 1.0, "zero": 0, "bits": 4, **change})
    with pytest.raises(GraphError, match=f"node '{y}' .*Quant.*: .*{message}"):
        import_onnx(saved(net.model(y), tmp_path))
