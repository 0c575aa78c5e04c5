"""com.microsoft's operators of integers with scales, and the groups of ONNX's that onnxruntime
computes as such: DequantizeLinear, operator, QuantizeLinear.

What has no arithmetic of its own among integers is floats between the two steps.
"""

from collections.abc import Callable
from typing import Any

from cimforge.compiler.graph.operator import (
    Concatenate,
    Elementwise,
    Function,
    Operator,
    Quantise,
    Reduce,
    Softmax,
)
from cimforge.compiler.graph.tensor import Tensor
from cimforge.compiler.importers.onnx_builder import Builder, UnsupportedError
from cimforge.compiler.importers.onnx_elementwise import ELEMENTWISE, pair_shape
from cimforge.compiler.importers.onnx_file import RawNode
from cimforge.compiler.importers.onnx_operands import integer_operand, zero_kind
from cimforge.compiler.importers.onnx_outputs import (
    Output,
    positive_axis,
    quantisation_of,
    quantised_output,
)
from cimforge.compiler.importers.onnx_pools import POOLS, place_pool
from cimforge.compiler.importers.onnx_scales import place_integers

__all__ = ["QLINEAR"]

Reader = Callable[[Builder, RawNode], None]
BYTES = ("int8", "uint8")  # what onnxruntime's kernels take


Placed = Callable[[Builder, RawNode, list[str], Output], None]  # of integers, the output told


def _grouped(plain: Reader, place: Placed, activated: bool = False) -> Reader:
    """An operator whose inputs are dequantised bytes and whose output is quantised to such (behind
    an activation, if that may be); else ``plain``."""

    def reader(net: Builder, node: RawNode) -> None:
        held = [net.integers.get(name) for name in node.inputs]
        tensors = [net.tensor(name) for name in held if name is not None]
        kinds = {tensor.kind for tensor in tensors}
        simple = all(t.quantisation is not None and t.quantisation.channels == 1 for t in tensors)
        if len(tensors) < len(held) or not simple or len(kinds) != 1 or not kinds < set(BYTES):
            return plain(net, node)
        output = quantised_output(net, node.outputs[0], "float32", kinds.pop(), activated)
        if output.told is None:
            return plain(net, node)
        return place(net, node, [tensor.name for tensor in tensors], output)

    return reader


def _as(operator: Callable[[Builder, RawNode, Output], Operator]) -> Placed:
    """One node of an operator."""
    return lambda net, node, reads, out: _place(net, node, operator(net, node, out), reads, out)


def _place(
    net: Builder, node: RawNode, operator: Operator, reads: list[str], output: Output
) -> None:
    shape = net.tensor(reads[0]).shape
    if isinstance(operator, Elementwise):
        shape = pair_shape(net, *reads)
    if isinstance(operator, Reduce):
        shape = (*shape[:2], *(1 for _ in operator.axes))
    made = Tensor(output.name, shape, output.kind, output.told)
    net.emit(operator, reads, [made.name], [made], node.title)


def _pair(kind: str) -> Callable[[Builder, RawNode, Output], Operator]:
    return lambda net, node, output: Elementwise(kind, output.activation)


def _mean(net: Builder, node: RawNode, output: Output) -> Operator:
    rank = len(net.tensor(node.inputs[0]).shape)
    if rank < 3:
        raise UnsupportedError("it must be of images")
    return Reduce("mean", tuple(range(2, rank)), True)


def _softmax(net: Builder, node: RawNode, output: Output) -> Operator:
    rank = len(net.tensor(node.inputs[0]).shape)
    old = int(node.attributes.get("opset", node.version)) < 13
    axis = positive_axis(int(node.attributes.get("axis", 1 if old else -1)), rank)
    if old and axis != rank - 1:
        raise UnsupportedError("its axis must be the last before version 13")
    return Softmax(axis)


def _qlinear_pair(kind: str) -> Reader:
    """(A, scale, zero, B, scale, zero, C scale, C zero)."""

    def reader(net: Builder, node: RawNode) -> None:
        a, a_scale, a_zero, b, b_scale, b_zero, y_scale, y_zero = (*node.inputs, "")[:8]
        x, _ = integer_operand(net, a, a_zero, a_scale)
        w, _ = integer_operand(net, b, b_zero, b_scale)
        told = quantisation_of(net, y_scale, y_zero)
        output = Output(node.outputs[0], zero_kind(net, y_zero, net.tensor(a).kind), told)
        _place(net, node, Elementwise(kind), [x, w], output)

    return reader


def _of_one(net: Builder, node: RawNode) -> tuple[str, Output]:
    """(X, scale, zero, Y scale, Y zero)."""
    x, x_scale, x_zero, y_scale, y_zero = (*node.inputs, "")[:5]
    if node.attributes.get("channels_last"):
        raise UnsupportedError("channels_last is not computed here")
    held, _ = integer_operand(net, x, x_zero, x_scale)
    told = quantisation_of(net, y_scale, y_zero)
    return held, Output(node.outputs[0], zero_kind(net, y_zero, net.tensor(x).kind), told)


def _qlinear_one(operator: Callable[[Builder, RawNode, Output], Operator]) -> Reader:
    def reader(net: Builder, node: RawNode) -> None:
        x, output = _of_one(net, node)
        _place(net, node, operator(net, node, output), [x], output)

    return reader


def _between(net: Builder, floats: str, output: Output) -> None:
    """Floats into the output's integers."""
    made = Tensor(output.name, net.tensor(floats).shape, output.kind, output.told)
    net.emit(Quantise(), [floats], [made.name], [made])


def _floats(net: Builder, integers: str) -> str:
    name = net.fresh(f"{integers}:floats")
    place_integers(net, integers, name)
    return name


def _qlinear_function(kind: str, **defaults: Any) -> Reader:
    def reader(net: Builder, node: RawNode) -> None:
        x, output = _of_one(net, node)
        floats = _floats(net, x)
        name = net.fresh(f"{output.name}:floats")
        made = Tensor(name, net.tensor(floats).shape, "float32")
        values = [float(node.attributes.get(each, value)) for each, value in defaults.items()]
        net.emit(Function(kind, *values), [floats], [name], [made])
        _between(net, name, output)

    return reader


def _average(net: Builder, node: RawNode, reads: list[str], output: Output) -> None:
    place_pool(net, node, reads[0], output.name, "average", output.told)


def _qlinear_average(net: Builder, node: RawNode) -> None:
    x, output = _of_one(net, node)
    _average(net, node, [x], output)


def _qlinear_concat(net: Builder, node: RawNode) -> None:
    """(Y scale, Y zero, then X, scale, zero of each)."""
    y_scale, y_zero, *rest = node.inputs
    told = quantisation_of(net, y_scale, y_zero)
    if not rest or len(rest) % 3:
        raise UnsupportedError("it must have inputs by three: tensor, scale, zero point")
    floats = []
    for place in range(0, len(rest), 3):
        held, _ = integer_operand(net, rest[place], rest[place + 2], rest[place + 1])
        floats.append(_floats(net, held))
    shapes = [net.tensor(name).shape for name in floats]
    axis = positive_axis(int(node.attributes["axis"]), len(shapes[0]))
    total = sum(shape[axis] for shape in shapes)
    name = net.fresh(f"{node.outputs[0]}:floats")
    made = Tensor(name, (*shapes[0][:axis], total, *shapes[0][axis + 1 :]), "float32")
    net.emit(Concatenate(axis), floats, [name], [made])
    _between(net, name, Output(node.outputs[0], net.tensor(y_zero).kind, told))


QLINEAR: dict[tuple[str, str], Reader] = {
    ("", "Add"): _grouped(ELEMENTWISE["", "Add"], _as(_pair("add")), activated=True),
    ("", "AveragePool"): _grouped(POOLS["", "AveragePool"], _average),
    ("", "GlobalAveragePool"): _grouped(POOLS["", "GlobalAveragePool"], _as(_mean)),
    ("", "Mul"): _grouped(ELEMENTWISE["", "Mul"], _as(_pair("multiply")), activated=True),
    ("", "Softmax"): _grouped(ELEMENTWISE["", "Softmax"], _as(_softmax)),
    ("com.microsoft", "QLinearAdd"): _qlinear_pair("add"),
    ("com.microsoft", "QLinearAveragePool"): _qlinear_average,
    ("com.microsoft", "QLinearConcat"): _qlinear_concat,
    ("com.microsoft", "QLinearGlobalAveragePool"): _qlinear_one(_mean),
    ("com.microsoft", "QLinearLeakyRelu"): _qlinear_function("leaky_relu", alpha=0.01),
    ("com.microsoft", "QLinearMul"): _qlinear_pair("multiply"),
    ("com.microsoft", "QLinearSigmoid"): _qlinear_function("logistic"),
    ("com.microsoft", "QLinearSoftmax"): _qlinear_one(_softmax),
}
