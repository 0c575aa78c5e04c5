"""Scales of a file's nodes, and what becomes of a product's sums: sums, floats, or the integers of
the QuantizeLinear behind it."""

from typing import NamedTuple

import numpy as np

from cimforge.compiler.graph.tensor import KINDS, Quantisation
from cimforge.compiler.importers.onnx_builder import Builder, UnsupportedError
from cimforge.compiler.importers.onnx_file import RawNode
from cimforge.compiler.importers.onnx_kinds import kind_of

__all__ = [
    "Output",
    "added_constant",
    "clipping",
    "is_constant",
    "kind_made",
    "numbers",
    "positive_axis",
    "quantisation_of",
    "quantised_output",
]


class Output(NamedTuple):
    """Name and kind of what a node makes, its scale if it is quantised, and its activation."""

    name: str
    kind: str
    told: Quantisation | None = None
    activation: str = "none"


CLIPS = {(0.0, None): "relu", (0.0, 6.0): "relu6", (-1.0, 1.0): "relu_n1_to_1"}


def positive_axis(axis: int, rank: int) -> int:
    """An axis from 0 up."""
    if not -rank <= axis < rank:
        raise UnsupportedError(f"axis {axis} is none of {rank}")
    return axis % rank


def is_constant(net: Builder, name: str) -> bool:
    """Whether a tensor is one; what is left out is."""
    return not name or (name in net.tensors and net.tensors[name].is_constant)


def quantisation_of(
    net: Builder, scale: str, zero: str, axis: int = 0, rank: int | None = None
) -> Quantisation:
    """Of constants; ``axis`` (of ``rank`` axes) has the scales where there are several; without
    ``rank`` there may be only one."""
    scales = net.data(scale, "scale")
    zeros = net.data(zero, "zero point") if zero else np.zeros(scales.shape, np.int64)
    if scales.ndim > 1 or zeros.size not in (1, scales.size):
        rule = "scales and zero points must be one, or as many on one axis, not of shapes"
        raise UnsupportedError(f"{rule} {scales.shape} and {zeros.shape}")
    if scales.size > 1 and rank is None:
        raise UnsupportedError(f"scale {scale!r} must be one, not {scales.size}")
    several = scales.size > 1 and rank is not None
    told = tuple(float(np.float32(each)) for each in scales.ravel())
    held = tuple(int(each) for each in np.broadcast_to(zeros.ravel(), (len(told),)))
    return Quantisation(told, held, positive_axis(axis, rank or 1) if several else 0)


def kind_made(net: Builder, node: RawNode) -> str:
    """The kind of integers that QuantizeLinear makes."""
    zero = (*node.inputs, "", "")[2]
    kind = net.tensor(zero).kind if zero else "uint8"
    number = node.attributes.get("output_dtype", 0)
    if number and not zero:
        kind = kind_of(number, "its output")
    if KINDS[kind] is None:
        raise UnsupportedError(f"its zero point must be an integer, not {kind}")
    return kind


def quantised_output(
    net: Builder, name: str, kind: str, only: str = "", activated: bool = True
) -> Output:
    """Of floats ``name`` of ``kind``: they, or the integers (of kind ``only``, where that is told)
    that QuantizeLinear makes of them, where it alone reads them, behind an activation (if that may
    be, ``activated``) or not; what is passed over counts as done."""
    start, activation = name, "none"
    passed: list[int] = []
    while (found := _only_reader(net, name)) is not None:
        place, node = found
        if node.kind == "QuantizeLinear":
            if not _is_simple(net, node) or only not in ("", kind_made(net, node)):
                break
            told = quantisation_of(net, node.inputs[1], (*node.inputs, "")[2])
            net.done.update((*passed, place))
            return Output(node.outputs[0], kind_made(net, node), told, activation)
        clipped = clipping(net, node)
        if clipped is None or activation != "none" or not activated:
            break
        activation, name = clipped, node.outputs[0]
        passed.append(place)
    return Output(start, kind)


def _only_reader(net: Builder, name: str) -> tuple[int, RawNode] | None:
    """The one node that reads a tensor first, if there is one and nobody outside does."""
    readers = net.readers.get(name, [])
    if len(readers) != 1 or name in net.file.outputs:
        return None
    _, node = readers[0]
    return readers[0] if not node.domain and node.inputs[0] == name else None


def added_constant(net: Builder, name: str, size: int) -> tuple[int, RawNode, str] | None:
    """The Add that alone reads a tensor, its place, and the float constant (``size``,) that it
    adds."""
    readers = net.readers.get(name, [])
    if len(readers) != 1 or name in net.file.outputs:
        return None
    place, node = readers[0]
    if node.domain or node.kind != "Add":
        return None
    (other,) = [each for each in node.inputs if each != name] or [""]
    if not other or not is_constant(net, other) or other in net.integers:
        return None
    tensor = net.tensor(other)
    return (place, node, other) if (tensor.kind, tensor.shape) == ("float32", (size,)) else None


def _is_simple(net: Builder, node: RawNode) -> bool:
    """Whether all is one constant scale."""
    scale, zero = node.inputs[1], (*node.inputs, "")[2]
    if not is_constant(net, scale) or not is_constant(net, zero):
        return False
    return net.tensor(scale).size == 1


def clipping(net: Builder, node: RawNode) -> str | None:
    """The activation that a node is; None where it is none of ACTIVATIONS."""
    if node.kind == "Relu":
        return "relu"
    if node.kind != "Clip":
        return None
    ends: list[float | None] = []
    for place, name in ((1, "min"), (2, "max")):
        told = node.attributes.get(name)
        if place < len(node.inputs) and node.inputs[place]:
            if not is_constant(net, node.inputs[place]):
                return None
            told = net.data(node.inputs[place], name).item()
        ends.append(None if told is None else float(told))
    return CLIPS.get((ends[0] if ends[0] is not None else -np.inf, ends[1]))


def numbers(net: Builder, node: RawNode, name: str, place: int) -> tuple[int, ...] | None:
    """Whole numbers: an attribute of old files, a constant input of others; None where neither is
    there."""
    if name in node.attributes:
        return tuple(int(each) for each in node.attributes[name])
    if place >= len(node.inputs) or not node.inputs[place]:
        return None
    return tuple(int(each) for each in net.data(node.inputs[place], name).ravel())
