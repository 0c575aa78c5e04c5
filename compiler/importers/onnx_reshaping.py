"""ONNX's operators that give the same elements another shape or order. Integers that floats stand
for go with them."""

from collections.abc import Callable
from math import prod

from cimforge.compiler.importers.onnx_builder import Builder, UnsupportedError
from cimforge.compiler.importers.onnx_file import RawNode
from cimforge.compiler.importers.onnx_outputs import numbers, positive_axis

__all__ = ["RESHAPING"]


def _reshaped(net: Builder, node: RawNode, shape: tuple[int, ...]) -> None:
    x, y = node.inputs[0], node.outputs[0]
    net.reshaped(x, shape, y)
    if x in net.integers:
        held = net.reshaped(net.integers[x], shape)
        if net.tensor(held).quantisation is not None:
            net.integers[y] = held


def _reshape(net: Builder, node: RawNode) -> None:
    """0 keeps a size (unless allowzero), -1 takes what is left."""
    x, told = net.tensor(node.inputs[0]), numbers(net, node, "shape", 1)
    if told is None:
        raise UnsupportedError("its shape must be a constant")
    zero = node.attributes.get("allowzero", 0)
    shape = [
        x.shape[axis] if size == 0 and not zero and axis < len(x.shape) else size
        for axis, size in enumerate(told)
    ]
    if shape.count(-1) > 1 or min(shape, default=0) < -1:
        raise UnsupportedError(f"shape {tuple(told)} must have sizes from 0 up, and at most one -1")
    if -1 in shape:
        rest = prod(size for size in shape if size != -1)
        shape[shape.index(-1)] = x.size // rest if rest else 0
    _reshaped(net, node, tuple(shape))


def _flatten(net: Builder, node: RawNode) -> None:
    x, axis = net.tensor(node.inputs[0]), int(node.attributes.get("axis", 1))
    axis = axis if axis == len(x.shape) else positive_axis(axis, len(x.shape))
    _reshaped(net, node, (prod(x.shape[:axis]), prod(x.shape[axis:])))


def _squeeze(net: Builder, node: RawNode) -> None:
    shape, axes = net.tensor(node.inputs[0]).shape, numbers(net, node, "axes", 1)
    if axes is None:
        gone = {axis for axis, size in enumerate(shape) if size == 1}
    else:
        gone = {positive_axis(axis, len(shape)) for axis in axes}
    if any(shape[axis] != 1 for axis in gone):
        raise UnsupportedError(f"axes {sorted(gone)} of shape {shape} must have size 1")
    _reshaped(net, node, tuple(size for axis, size in enumerate(shape) if axis not in gone))


def _unsqueeze(net: Builder, node: RawNode) -> None:
    shape, axes = net.tensor(node.inputs[0]).shape, numbers(net, node, "axes", 1)
    if axes is None:
        raise UnsupportedError("its axes must be constants")
    rank = len(shape) + len(axes)
    new = {positive_axis(axis, rank) for axis in axes}
    rest = iter(shape)
    if len(new) != len(axes):
        raise UnsupportedError(f"axes {axes} must differ")
    _reshaped(net, node, tuple(1 if axis in new else next(rest) for axis in range(rank)))


def _same(net: Builder, node: RawNode) -> None:
    if len([name for name in node.outputs if name]) > 1:
        raise UnsupportedError("must have one output")
    _reshaped(net, node, net.tensor(node.inputs[0]).shape)


def _dropout(net: Builder, node: RawNode) -> None:
    """Nothing, where it does not train."""
    training = node.inputs[2] if len(node.inputs) > 2 else ""
    if training and net.data(training, "training_mode").any():
        raise UnsupportedError("training_mode is not computed here")
    _same(net, node)


def _transpose(net: Builder, node: RawNode) -> None:
    x, y = node.inputs[0], node.outputs[0]
    rank = len(net.tensor(x).shape)
    order = tuple(node.attributes.get("perm", range(rank - 1, -1, -1)))
    if sorted(order) != list(range(rank)):
        raise UnsupportedError(f"perm {order} is no order of {rank} axes")
    net.transposed(x, order, y)
    if x in net.integers:
        net.integers[y] = net.transposed(net.integers[x], order)


RESHAPING: dict[tuple[str, str], Callable[[Builder, RawNode], None]] = {
    ("", "Dropout"): _dropout,
    ("", "Flatten"): _flatten,
    ("", "Identity"): _same,
    ("", "Reshape"): _reshape,
    ("", "Squeeze"): _squeeze,
    ("", "Transpose"): _transpose,
    ("", "Unsqueeze"): _unsqueeze,
}
