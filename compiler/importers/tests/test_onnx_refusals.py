"""What a node may not ask for: the rule and the value, in one line."""

import numpy as np
import pytest

from cimforge.compiler.graph.graph import GraphError
from cimforge.compiler.importers.onnx_import import import_onnx
from cimforge.compiler.importers.tests.onnx_writer import Net, saved

FLOATS = np.zeros((1, 4, 6, 6), np.float32)


def message(net: Net, y: str, folder) -> str:
    path = saved(net.model(y), folder)
    with pytest.raises(GraphError) as told:
        import_onnx(path)
    assert str(told.value).startswith(f"{path}: node '")
    return str(told.value)


W = np.zeros((4, 4, 3, 3), np.float32)
CASES = {  # operator: constants behind x, attributes, message
    "Conv": [
        ([W], {"strides": [0, 1]}, "strides must be 2 numbers from 1 up, not (0, 1)"),
        ([W], {"pads": [1, 1]}, "pads must be 4 numbers from 0 up, not (1, 1)"),
        ([W], {"pads": [0, 0, 0, -1]}, "pads must be 4 numbers from 0 up, not (0, 0, 0, -1)"),
        ([W], {"auto_pad": "SOME"}, "auto_pad 'SOME' is not computed here"),
        ([W], {"kernel_shape": [2, 2]}, "kernel_shape (2, 2) is none of weights (3, 3)"),
        ([W], {"group": 3}, "weights (4, 4, 3, 3) in 3 groups do not fit 4 channels"),
        ([W, np.zeros(3, np.float32)], {}, "must have shape (4,)"),
        ([np.zeros((4, 4, 9, 9), np.float32)], {}, "its window is greater than its image"),
        ([np.zeros((4, 4), np.float32)], {}, "must have three axes or four, not shape (4, 4)"),
    ],
    "ConvTranspose": [
        ([W], {"group": 3}, "weights (4, 4, 3, 3) in 3 groups do not fit 4 channels"),
        ([W], {"pads": [9, 9, 9, 9]}, "nothing stays of it"),
        ([W], {"output_padding": [1]}, "output_padding (1,) are none of 2 axes"),
    ],
    "MatMul": [([np.zeros((5, 2), np.float32)], {}, "do not fit each other")],
    "Gemm": [([np.zeros((5, 2), np.float32)], {}, "must have two axes, not (1, 4, 6, 6)")],
    "Add": [([np.zeros(1, np.int64)], {}, "must be of one kind: float32, int64")],
    "MaxPool": [
        ([], {"kernel_shape": [2, 2], "storage_order": 1}, "indices are not computed here"),
        ([], {"kernel_shape": [8, 8]}, "its window (8, 8) is greater than its image"),
    ],
    "Softmax": [([], {"axis": 4}, "axis 4 is none of 4")],
    "Transpose": [([], {"perm": [0, 1, 1, 2]}, "perm (0, 1, 1, 2) is no order of 4 axes")],
    "Reshape": [
        ([np.array([5, -1, -1])], {}, "must have sizes from 0 up, and at most one -1"),
        ([np.array([5, 5])], {}, "does not become (5, 5)"),
    ],
    "Squeeze": [([np.array([1])], {}, "axes [1] of shape (1, 4, 6, 6) must have size 1")],
    "Unsqueeze": [([np.array([1, 1])], {}, "axes (1, 1) must differ")],
    "Slice": [([np.array([0]), np.array([1, 2])], {}, "do not fit")],
    "Concat": [([np.zeros((2, 2), np.float32)], {"axis": 1}, "do not fit")],
    "Pad": [
        ([np.array([0] * 7 + [-1])], {}, "its pads must be constants from 0 up"),
        ([np.array([1])], {}, "pads (1,) are none of 4 axes"),
        ([np.array([1] * 8)], {"mode": "lion"}, "mode 'lion' is not computed here"),
    ],
    "Tile": [([np.array([2, 2])], {}, "its repeats must be constants from 0 up, one an axis")],
    "Split": [([np.array([1, 2])], {"axis": 1}, "sizes (1, 2) are none of axis 1")],
    "Cast": [([], {"to": 22}, "a cast to int4 is not computed here; use QuantizeLinear")],
    "Gelu": [([], {"approximate": "fast"}, "approximate 'fast' must be none or tanh")],
    "QuantizeLinear": [
        ([np.float32(0), np.uint8(0)], {}, "scale must be above 0 and finite, not 0.0"),
        ([np.ones(3, np.float32), np.zeros(2, np.uint8)], {}, "of shapes (3,) and (2,)"),
        ([np.float32(1), np.uint8(0)], {"block_size": 2}, "scales of blocks are not computed"),
        ([np.float32(1), np.uint8(0)], {"saturate": 0}, "it must saturate"),
    ],
    "DequantizeLinear": [([np.float32(1)], {}, "must hold integers, not float32")],
    "MatMulInteger": [([np.zeros((6, 2), np.int8)], {}, "must hold integers, not float32")],
    "BatchNormalization": [
        ([np.ones(4, np.float32)] * 4, {"training_mode": 1}, "training_mode is not computed here")
    ],
    "Attention": [([FLOATS[:, :3], FLOATS[:, :3]], {}, "does not fit 4 and 3 heads")],
    "LSTM": [
        (
            [np.zeros((1, 8, 3), np.float32), np.zeros((1, 8, 2), np.float32)],
            {"hidden_size": 2, "activations": ["Relu", "Tanh", "Tanh"]},
            "activations must be sigmoid, tanh, tanh",
        ),
        ([W, W], {"hidden_size": 2, "layout": 1}, "layout is not computed here"),
        ([W, W], {"hidden_size": 2, "direction": "up"}, "direction 'up' must be one of forward"),
        ([W, W], {"hidden_size": 2}, "must be (steps, batch, inputs), hidden_size from 1 up"),
    ],
}


@pytest.mark.parametrize(
    ("operator", "constants", "told", "wanted"),
    [(operator, *case) for operator, cases in CASES.items() for case in cases],
)
def test_nodes(operator, constants, told, wanted, tmp_path):
    net = Net()
    x = net.feed(FLOATS)
    outputs = 2 if operator == "Split" else 1
    made = net.add(operator, x, *map(net.constant, constants), outputs=outputs, **told)
    assert wanted in message(net, made[0] if outputs == 2 else made, tmp_path)


def test_shapes_that_come_at_run_time(tmp_path):
    net = Net()
    shape = net.feed(np.array([1, 144]))
    y = net.add("Reshape", net.feed(FLOATS), shape)
    assert "shape ('x1') must be a constant" in message(net, y, tmp_path)


def test_scales_that_come_at_run_time(tmp_path):
    net = Net()
    x = net.feed(np.zeros((2, 3), np.uint8))
    scale, zero = net.feed(np.float32(1)), net.constant(np.uint8(0))
    w, one = net.constant(np.zeros((3, 2), np.int8)), net.constant(np.float32(1))
    none = net.constant(np.int8(0))
    y = net.add("QLinearMatMul", x, scale, zero, w, one, none, one, zero)
    assert f"scale ({scale!r}) must be a constant" in message(net, y, tmp_path)


def test_a_zero_point_for_each_row(tmp_path):
    net = Net()
    x = net.feed(np.zeros((2, 3), np.uint8))
    w, zeros = net.constant(np.zeros((3, 2), np.int8)), net.constant(np.array([1, 2], np.uint8))
    y = net.add("MatMulInteger", x, w, zeros)
    assert "must have one scale and zero point, not one a row" in message(net, y, tmp_path)
