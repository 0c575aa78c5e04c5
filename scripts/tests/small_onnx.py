"""A small ONNX network of integers, written here: a convolution, a product of matrices."""

from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, numpy_helper

__all__ = ["INPUT", "write_floats", "write_network"]

INPUT = (1, 2, 5, 4)  # batch, channels, height, width


def write_network(path: Path, seed: int = 1, *, floats: bool = False) -> None:
    """x uint8 (1, 2, 5, 4) → QLinearConv 3 x 3, 6 channels, padded → flat → QLinearMatMul → y uint8
    (1, 7), or its numbers as ``floats``."""
    draw = np.random.default_rng(seed)
    constants = {
        "xs": np.float32(0.02),
        "xz": np.uint8(128),
        "w": draw.integers(-128, 128, (6, 2, 3, 3)).astype(np.int8),
        "ws": draw.uniform(0.001, 0.01, 6).astype(np.float32),
        "wz": np.zeros(6, np.int8),
        "as": np.float32(0.1),
        "az": np.uint8(100),
        "bias": draw.integers(-3000, 3000, 6).astype(np.int32),
        "flat": np.array([1, 120], np.int64),
        "v": draw.integers(0, 256, (120, 7)).astype(np.uint8),
        "vs": np.float32(0.005),
        "vz": np.uint8(131),
        "ys": np.float32(0.7),
        "yz": np.uint8(120),
    }
    conv = ("x", "xs", "xz", "w", "ws", "wz", "as", "az", "bias")
    product = ("b", "as", "az", "v", "vs", "vz", "ys", "yz")
    nodes = [
        helper.make_node("QLinearConv", conv, ["a"], "conv", pads=[1, 1, 1, 1]),
        helper.make_node("Reshape", ["a", "flat"], ["b"], "flatten"),
        helper.make_node("QLinearMatMul", product, ["y"], "classes"),
    ]
    name, kind = ("y", TensorProto.UINT8)
    if floats:
        nodes.append(helper.make_node("DequantizeLinear", ["y", "ys", "yz"], ["real"], "real"))
        name, kind = ("real", TensorProto.FLOAT)
    _write(
        path,
        nodes,
        [helper.make_tensor_value_info("x", TensorProto.UINT8, INPUT)],
        [helper.make_tensor_value_info(name, kind, (1, 7))],
        [numpy_helper.from_array(np.asarray(array), name) for name, array in constants.items()],
    )


def write_floats(path: Path) -> None:
    """A product of floats alone."""
    weights = numpy_helper.from_array(np.ones((3, 2), np.float32), "w")
    nodes = [helper.make_node("MatMul", ["x", "w"], ["y"], "product")]
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, (1, 3))
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, (1, 2))
    _write(path, nodes, [x], [y], [weights])


def _write(path: Path, nodes: list, inputs: list, outputs: list, constants: list) -> None:
    graph = helper.make_graph(nodes, "small", inputs, outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path.write_bytes(model.SerializeToString())
