"""ONNX's operators that choose, repeat or join elements. What they do with floats that integers
stand for, they do with these integers too."""

from collections.abc import Callable, Sequence

import numpy as np

from cimforge.compiler.graph.operator import Concatenate, HostOperator, Operator, Pad, Slice
from cimforge.compiler.graph.tensor import KINDS, Tensor
from cimforge.compiler.importers.onnx_builder import Builder, UnsupportedError
from cimforge.compiler.importers.onnx_file import RawNode
from cimforge.compiler.importers.onnx_kinds import kind_of
from cimforge.compiler.importers.onnx_outputs import numbers, positive_axis

__all__ = ["MOVING"]

Reader = Callable[[Builder, RawNode], None]


def _moved(
    net: Builder,
    operator: Operator,
    reads: Sequence[str],
    moves: int,
    outputs: Sequence[str],
    shapes: Sequence[tuple[int, ...]],
) -> None:
    """A node whose first ``moves`` inputs are moved; of their integers as well, if these have one
    scale, the same in all."""
    x = net.tensor(reads[0])
    names = [name or net.fresh("unused") for name in outputs]
    pairs = list(zip(names, shapes, strict=True))
    net.emit(operator, reads, names, [Tensor(name, shape, x.kind) for name, shape in pairs])
    held = [net.integers.get(name) for name in reads[:moves]]
    first = held[0]
    if first is None:
        return
    told, kind = net.tensor(first).quantisation, net.tensor(first).kind
    assert told is not None
    for other in held:
        if other is None or net.tensor(other).kind != kind:
            return
        if net.tensor(other).quantisation != told or told.channels > 1:
            return
    twins = [net.fresh(f"{name}:integers") for name in names]
    made = [Tensor(twin, shape, kind, told) for twin, (_, shape) in zip(twins, pairs, strict=True)]
    given = [name for name in held if name is not None] + list(reads[moves:])
    net.emit(operator, given, twins, made)
    net.integers.update(zip(names, twins, strict=True))


def _concat(net: Builder, node: RawNode) -> None:
    tensors = [net.tensor(name) for name in node.inputs]
    first = tensors[0]
    axis = positive_axis(int(node.attributes.get("axis", 1)), len(first.shape))
    for tensor in tensors:
        same = tensor.shape[:axis] == first.shape[:axis]
        same = same and tensor.shape[axis + 1 :] == first.shape[axis + 1 :]
        if not same or tensor.kind != first.kind:
            rule = f"{first.kind} {first.shape} and {tensor.kind} {tensor.shape}"
            raise UnsupportedError(f"{first.name!r} and {tensor.name!r} do not fit: {rule}")
    total = sum(tensor.shape[axis] for tensor in tensors)
    shape = (*first.shape[:axis], total, *first.shape[axis + 1 :])
    _moved(net, Concatenate(axis), node.inputs, len(tensors), node.outputs, [shape])


def _slice(net: Builder, node: RawNode) -> None:
    """Attributes of old files, inputs of others; backwards with a step below 0."""
    x = net.tensor(node.inputs[0])
    starts, ends = numbers(net, node, "starts", 1), numbers(net, node, "ends", 2)
    axes, steps = numbers(net, node, "axes", 3), numbers(net, node, "steps", 4)
    if starts is None or ends is None:
        raise UnsupportedError("starts and ends must be constants")
    axes = axes if axes is not None else tuple(range(len(starts)))
    steps = steps if steps is not None else (1,) * len(starts)
    if not len(starts) == len(ends) == len(axes) == len(steps) or 0 in steps:
        raise UnsupportedError(f"starts {starts}, ends {ends} and steps {steps} do not fit")
    spans = [slice(0, size, 1) for size in x.shape]
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        axis = positive_axis(axis, len(x.shape))
        spans[axis] = slice(*slice(start, end, step).indices(x.shape[axis]))
    shape = tuple(len(range(span.start, span.stop, span.step)) for span in spans)
    operator: Operator
    if all(span.step > 0 for span in spans):
        parts = zip(*((s.start, max(s.start, s.stop), s.step) for s in spans), strict=True)
        begin, end_, step_ = parts if spans else ((), (), ())
        operator = Slice(begin, end_, step_)
    else:
        told = tuple((s.start, None if s.stop < 0 else s.stop, s.step) for s in spans)
        operator = HostOperator("Slice", (("spans", told),))
    _moved(net, operator, node.inputs[:1], 1, node.outputs, [shape])


def _split(net: Builder, node: RawNode) -> None:
    x = net.tensor(node.inputs[0])
    axis = positive_axis(int(node.attributes.get("axis", 0)), len(x.shape))
    sizes, whole = numbers(net, node, "split", 1), x.shape[axis]
    if int(node.attributes.get("num_outputs", len(node.outputs))) != len(node.outputs):
        raise UnsupportedError(f"num_outputs must be {len(node.outputs)}")
    if sizes is None:
        each = -(-whole // len(node.outputs))
        sizes = tuple(max(0, min(each, whole - each * place)) for place in range(len(node.outputs)))
    if len(sizes) != len(node.outputs) or sum(sizes) != whole or min(sizes) < 0:
        raise UnsupportedError(f"sizes {sizes} are none of axis {axis} of shape {x.shape}")
    shapes = [(*x.shape[:axis], size, *x.shape[axis + 1 :]) for size in sizes]
    operator = HostOperator("Split", (("axis", axis), ("sizes", sizes)))
    _moved(net, operator, [x.name], 1, node.outputs, shapes)


def _gather(net: Builder, node: RawNode) -> None:
    x, indices = net.tensor(node.inputs[0]), net.tensor(node.inputs[1])
    axis = positive_axis(int(node.attributes.get("axis", 0)), len(x.shape))
    shape = (*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :])
    operator = HostOperator("Gather", (("axis", axis),))
    _moved(net, operator, node.inputs, 1, node.outputs, [shape])


def _gather_elements(net: Builder, node: RawNode) -> None:
    rank = len(net.tensor(node.inputs[0]).shape)
    axis = positive_axis(int(node.attributes.get("axis", 0)), rank)
    net.emit(HostOperator("GatherElements", (("axis", axis),)), node.inputs, node.outputs)


def _pad(net: Builder, node: RawNode) -> None:
    """With a constant, or with what is at the edges."""
    x, get = net.tensor(node.inputs[0]), node.attributes.get
    amounts, axes = numbers(net, node, "pads", 1), numbers(net, node, "axes", 3)
    rank, mode = len(x.shape), get("mode", "constant")
    if amounts is None or min(amounts, default=0) < 0:
        raise UnsupportedError("its pads must be constants from 0 up")
    axes = axes if axes is not None else tuple(range(rank))
    if len(amounts) != 2 * len(axes):
        raise UnsupportedError(f"pads {amounts} are none of {len(axes)} axes")
    pairs = [(0, 0)] * rank
    for place, axis in enumerate(axes):
        pairs[positive_axis(axis, rank)] = (amounts[place], amounts[place + len(axes)])
    shape = tuple(size + sum(pair) for size, pair in zip(x.shape, pairs, strict=True))
    operator: Operator
    if mode == "constant":
        value = float(get("value", 0.0))
        if len(node.inputs) > 2 and node.inputs[2]:
            value = net.data(node.inputs[2], "its value").item()
        made = Tensor(node.outputs[0], shape, x.kind)
        return net.emit(Pad(tuple(pairs), value), [x.name], [made.name], [made])
    if mode not in ("edge", "reflect", "wrap"):
        raise UnsupportedError(f"mode {mode!r} is not computed here")
    operator = HostOperator("Pad", (("amounts", tuple(pairs)), ("mode", mode)))
    return _moved(net, operator, [x.name], 1, node.outputs, [shape])


def _expand(net: Builder, node: RawNode) -> None:
    x, told = net.tensor(node.inputs[0]), numbers(net, node, "shape", 1)
    if told is None:
        raise UnsupportedError("its shape must be a constant")
    shape = np.broadcast_shapes(x.shape, told)
    operator = HostOperator("Expand", (("shape", told),))
    _moved(net, operator, [x.name], 1, node.outputs, [shape])


def _tile(net: Builder, node: RawNode) -> None:
    x, told = net.tensor(node.inputs[0]), numbers(net, node, "repeats", 1)
    if told is None or len(told) != len(x.shape) or min(told, default=0) < 0:
        raise UnsupportedError("its repeats must be constants from 0 up, one an axis")
    shape = tuple(size * times for size, times in zip(x.shape, told, strict=True))
    operator = HostOperator("Tile", (("repeats", told),))
    _moved(net, operator, [x.name], 1, node.outputs, [shape])


def _where(net: Builder, node: RawNode) -> None:
    tensors = [net.tensor(name) for name in node.inputs]
    shape = np.broadcast_shapes(*(tensor.shape for tensor in tensors))
    made = Tensor(node.outputs[0], shape, tensors[1].kind)
    net.emit(HostOperator("Where"), node.inputs, [made.name], [made])


def _cast(net: Builder, node: RawNode) -> None:
    kind = kind_of(int(node.attributes.get("to", 0)), "its output")
    limits = KINDS[kind]
    if limits is not None and kind != "bool" and limits[1] - limits[0] < 255:
        raise UnsupportedError(f"a cast to {kind} is not computed here; use QuantizeLinear")
    made = Tensor(node.outputs[0], net.tensor(node.inputs[0]).shape, kind)
    net.emit(HostOperator("Cast", (("to", kind),)), node.inputs, [made.name], [made])


def _blocks(net: Builder, node: RawNode) -> None:
    """DepthToSpace and SpaceToDepth."""
    size, shape = int(node.attributes.get("blocksize", 0)), net.tensor(node.inputs[0]).shape
    if size < 1 or len(shape) != 4:
        raise UnsupportedError(f"blocks of {size} are none of shape {shape}")
    mode = node.attributes.get("mode", "DCR")
    if mode not in ("DCR", "CRD"):
        raise UnsupportedError(f"mode {mode!r} must be DCR or CRD")
    told = (("size", size), ("mode", mode))
    net.emit(HostOperator(node.kind, told), node.inputs, node.outputs)


def _trilu(net: Builder, node: RawNode) -> None:
    diagonal = 0
    if len(node.inputs) > 1 and node.inputs[1]:
        diagonal = int(net.data(node.inputs[1], "its diagonal").item())
    told = (("upper", int(node.attributes.get("upper", 1))), ("diagonal", diagonal))
    net.emit(HostOperator("Trilu", told), node.inputs[:1], node.outputs)


def _argmax(net: Builder, node: RawNode) -> None:
    get, rank = node.attributes.get, len(net.tensor(node.inputs[0]).shape)
    told = (
        ("axis", positive_axis(int(get("axis", 0)), rank)),
        *(("keep", int(get("keepdims", 1))), ("last", int(get("select_last_index", 0)))),
    )
    net.emit(HostOperator("ArgMax", told), node.inputs, node.outputs)


SAME_AS_REPEAT = {("asymmetric", "floor"), ("half_pixel", "round_prefer_floor")}


def _resize(net: Builder, node: RawNode) -> None:
    """By whole factors, each element again."""
    x, get = net.tensor(node.inputs[0]), node.attributes.get
    way = get("coordinate_transformation_mode", "half_pixel")
    rounding = get("nearest_mode", "round_prefer_floor")
    if get("mode", "nearest") != "nearest" or (way, rounding) not in SAME_AS_REPEAT:
        rule = "must be nearest, by asymmetric and floor or half_pixel and round_prefer_floor"
        raise UnsupportedError(rule)
    axes = tuple(get("axes", range(len(x.shape))))
    scales = node.inputs[2] if len(node.inputs) > 2 else ""
    if scales:
        told = [float(each) for each in net.data(scales, "its scales").ravel()]
    else:
        sizes = numbers(net, node, "sizes", 3) or ()
        told = [a / max(1, x.shape[axis]) for a, axis in zip(sizes, axes, strict=False)]
    factors = [1.0] * len(x.shape)
    for axis, factor in zip(axes, told, strict=False):
        factors[positive_axis(axis, len(x.shape))] = factor
    if len(told) != len(axes) or any(each < 1 or each % 1 for each in factors):
        raise UnsupportedError(f"factors {told} must be whole, from 1 up, one an axis")
    whole = tuple(int(each) for each in factors)
    shape = tuple(size * factor for size, factor in zip(x.shape, whole, strict=True))
    _moved(net, HostOperator("Resize", (("factors", whole),)), [x.name], 1, node.outputs, [shape])


MOVING: dict[tuple[str, str], Reader] = {
    ("", name): reader
    for name, reader in {
        "ArgMax": _argmax,
        "Cast": _cast,
        "Concat": _concat,
        "DepthToSpace": _blocks,
        "Expand": _expand,
        "Gather": _gather,
        "GatherElements": _gather_elements,
        "Pad": _pad,
        "Resize": _resize,
        "Slice": _slice,
        "SpaceToDepth": _blocks,
        "Split": _split,
        "Tile": _tile,
        "Trilu": _trilu,
        "Where": _where,
    }.items()
}
