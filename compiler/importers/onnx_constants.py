"""ONNX's operators that are constants, or become some as every shape is known."""

import numpy as np

from cimforge.compiler.importers.onnx_builder import Builder, UnsupportedError
from cimforge.compiler.importers.onnx_file import RawNode
from cimforge.compiler.importers.onnx_outputs import numbers

__all__ = ["CONSTANTS"]

MOST = 1 << 24  # elements that a node may make of a few numbers


def _constant(net: Builder, node: RawNode) -> None:
    get = node.attributes.get
    if get("value") is not None:
        net.constant(node.outputs[0], *get("value"))
        return
    for name, kind in (
        *(("value_float", "float32"), ("value_floats", "float32")),
        *(("value_int", "int64"), ("value_ints", "int64")),
    ):
        if name in node.attributes:
            net.constant(node.outputs[0], np.array(get(name), kind), kind)
            return
    raise UnsupportedError("its value must be numbers")


def _filled(net: Builder, node: RawNode) -> None:
    """ConstantOfShape."""
    told = numbers(net, node, "shape", 0)
    value, kind = node.attributes.get("value", (np.zeros(1, np.float32), "float32"))
    size = np.prod(told or (1,), dtype=object)
    if told is None or min(told, default=0) < 0 or size > MOST or value.size != 1:
        raise UnsupportedError(f"shape {told} must be constants, of at most {MOST} elements")
    net.constant(node.outputs[0], np.full(told, value.ravel()[0]), kind)


def _shape(net: Builder, node: RawNode) -> None:
    shape, get = net.tensor(node.inputs[0]).shape, node.attributes.get
    end = get("end")
    told = shape[int(get("start", 0)) : None if end is None else int(end)]
    net.constant(node.outputs[0], np.array(told, np.int64), "int64")


def _size(net: Builder, node: RawNode) -> None:
    size = net.tensor(node.inputs[0]).size
    net.constant(node.outputs[0], np.array(size, np.int64), "int64")


def _range(net: Builder, node: RawNode) -> None:
    first, limit, step = (net.data(name, "its end") for name in node.inputs)
    kind = net.tensor(node.inputs[0]).kind
    low, high, by = first.item(), limit.item(), step.item()
    if not by or not abs((high - low) / by) < MOST:
        raise UnsupportedError(f"it must have at most {MOST} elements")
    count = max(0, int(np.ceil((high - low) / by)))
    net.constant(node.outputs[0], (low + by * np.arange(count)).astype(kind), kind)


CONSTANTS = {
    ("", "Constant"): _constant,
    ("", "ConstantOfShape"): _filled,
    ("", "Range"): _range,
    ("", "Shape"): _shape,
    ("", "Size"): _size,
}
