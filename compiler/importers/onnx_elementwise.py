"""ONNX's operators of each element, sums over axes and normalisations: for the host."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from cimforge.compiler.graph.operator import (
    Elementwise,
    Function,
    HostOperator,
    Reduce,
    Softmax,
)
from cimforge.compiler.graph.tensor import KINDS, Tensor
from cimforge.compiler.importers.onnx_builder import Builder, UnsupportedError
from cimforge.compiler.importers.onnx_file import RawNode
from cimforge.compiler.importers.onnx_outputs import clipping, numbers, positive_axis

__all__ = ["ELEMENTWISE", "pair_shape", "place_pair"]

Reader = Callable[[Builder, RawNode], None]
# ONNX's name: function, its attributes for alpha and beta with their defaults
UNARY: dict[str, tuple[str, tuple[tuple[str, float], ...]]] = {
    **{name: (name.lower(), ()) for name in ("Ceil", "Cos", "Erf", "Exp", "Floor", "Log", "Mish")},
    **{name: (name.lower(), ()) for name in ("Not", "Reciprocal", "Relu", "Round", "Sign", "Sin")},
    **{name: (name.lower(), ()) for name in ("Softplus", "Softsign", "Sqrt", "Tan", "Tanh")},
    "Abs": ("absolute", ()),
    "Elu": ("elu", (("alpha", 1.0),)),
    "HardSigmoid": ("hard_sigmoid", (("alpha", 0.2), ("beta", 0.5))),
    "HardSwish": ("hard_swish", ()),
    "LeakyRelu": ("leaky_relu", (("alpha", 0.01),)),
    "Neg": ("negative", ()),
    "Selu": ("selu", (("alpha", 1.6732631921768188), ("gamma", 1.0507010221481323))),
    "Sigmoid": ("logistic", ()),
    "Swish": ("silu", (("alpha", 1.0),)),
}
BINARY = {
    **{"Add": "add", "Sub": "subtract", "Mul": "multiply", "Div": "divide", "Pow": "power"},
    **{"And": "and", "Or": "or", "Xor": "xor", "PRelu": "prelu"},
}
COMPARED = {
    **{"Equal": "equal", "Greater": "greater", "Less": "less"},
    **{"GreaterOrEqual": "greater_or_equal", "LessOrEqual": "less_or_equal"},
}
MANY = {"Max": "maximum", "Min": "minimum", "Sum": "add"}
REDUCED = {
    **{"ReduceL1": "l1", "ReduceL2": "l2", "ReduceLogSum": "log_sum", "ReduceMax": "max"},
    **{"ReduceLogSumExp": "log_sum_exp", "ReduceMean": "mean", "ReduceMin": "min"},
    **{"ReduceProd": "product", "ReduceSum": "sum", "ReduceSumSquare": "sum_square"},
}


OF_INTEGERS = {"absolute", "identity", "negative", "not", "relu", "sign"}
SUMMED_INTEGERS = {"l1", "max", "min", "product", "sum", "sum_square"}


def _check_floats(tensor: Tensor) -> None:
    if KINDS[tensor.kind] is not None:
        raise UnsupportedError(f"{tensor.name!r} must hold floats, not {tensor.kind}")


def place_function(
    net: Builder, x: str, y: str, kind: str, alpha: float = 0, beta: float = 0
) -> None:
    """A function of each element."""
    told = net.tensor(x)
    if kind not in OF_INTEGERS:
        _check_floats(told)
    net.emit(Function(kind, alpha, beta), [x], [y], [Tensor(y, told.shape, told.kind)])


def pair_shape(net: Builder, a: str, b: str) -> tuple[int, ...]:
    """Of two arrays broadcast."""
    return np.broadcast_shapes(net.tensor(a).shape, net.tensor(b).shape)


def place_pair(net: Builder, a: str, b: str, y: str, kind: str, made: str = "") -> None:
    """Two arrays broadcast; ``made`` is the kind of the result, else that of a."""
    one, other = net.tensor(a), net.tensor(b)
    if one.kind != other.kind and kind != "power":
        raise UnsupportedError(f"{a!r} and {b!r} must be of one kind: {one.kind}, {other.kind}")
    told = Tensor(y, pair_shape(net, a, b), made or one.kind)
    net.emit(Elementwise(kind), [a, b], [y], [told])


def _unary(name: str) -> Reader:
    kind, told = UNARY[name]

    def reader(net: Builder, node: RawNode) -> None:
        values = [float(node.attributes.get(each, default)) for each, default in told]
        (x,), (y,) = node.inputs, node.outputs
        place_function(net, x, y, kind, *values)

    return reader


def _gelu(net: Builder, node: RawNode) -> None:
    mode = node.attributes.get("approximate", "none")
    if mode not in ("none", "tanh"):
        raise UnsupportedError(f"approximate {mode!r} must be none or tanh")
    place_function(net, node.inputs[0], node.outputs[0], "gelu" if mode == "none" else "gelu_tanh")


def _biased(kind: str, alpha: float = 0.0) -> Reader:
    """com.microsoft's functions of x, or of x + bias."""

    def reader(net: Builder, node: RawNode) -> None:
        x, bias = (*node.inputs, "")[:2]
        if bias:
            total = net.fresh(f"{node.outputs[0]}:biased")
            place_pair(net, x, bias, total, "add")
            x = total
        given = float(node.attributes.get("alpha", alpha))
        place_function(net, x, node.outputs[0], kind, given)

    return reader


def _pair(kind: str, made: str = "") -> Reader:
    def reader(net: Builder, node: RawNode) -> None:
        a, b = node.inputs
        place_pair(net, a, b, node.outputs[0], kind, made)

    return reader


def _many(kind: str, mean: bool = False) -> Reader:
    """Of as many arrays as there are, two by two."""

    def reader(net: Builder, node: RawNode) -> None:
        total, rest = node.inputs[0], list(node.inputs[1:])
        if not rest:
            return place_function(net, total, node.outputs[0], "identity")
        for place, each in enumerate(rest):
            last = place == len(rest) - 1 and not mean
            y = node.outputs[0] if last else net.fresh(f"{node.outputs[0]}:{place}")
            place_pair(net, total, each, y, kind)
            total = y
        if mean:
            kind_of_x = net.tensor(total).kind
            count = np.array(len(node.inputs), kind_of_x)
            divisor = net.constant(net.fresh(f"{total}:count"), count, kind_of_x)
            place_pair(net, total, divisor, node.outputs[0], "divide")
        return None

    return reader


def _clip(net: Builder, node: RawNode) -> None:
    """Bounds are attributes of old files, inputs of others."""
    x, y = node.inputs[0], node.outputs[0]
    kind = net.tensor(x).kind
    if (simple := clipping(net, node)) and KINDS[kind] is None:
        return place_function(net, x, y, simple)
    ends: list[str | None] = []
    for place, name in ((1, "min"), (2, "max")):
        given = node.inputs[place] if place < len(node.inputs) else ""
        if not given and name in node.attributes:
            value = np.array(node.attributes[name], kind)
            given = net.constant(net.fresh(f"{y}:{name}"), value, kind)
        ends.append(given or None)
    return net.emit(HostOperator("Clip"), [x, *ends], [y])


def _reduced(kind: str) -> Reader:
    def reader(net: Builder, node: RawNode) -> None:
        x, get = net.tensor(node.inputs[0]), node.attributes.get
        if kind not in SUMMED_INTEGERS:
            _check_floats(x)
        axes = numbers(net, node, "axes", 1)
        keep, whole = bool(get("keepdims", 1)), not get("noop_with_empty_axes", 0)
        if not axes and not whole:
            return place_function(net, x.name, node.outputs[0], "identity")
        rank = len(x.shape)
        held = sorted({positive_axis(axis, rank) for axis in axes or range(rank)})
        shape = tuple(
            1 if axis in held else size
            for axis, size in enumerate(x.shape)
            if keep or axis not in held
        )
        made = Tensor(node.outputs[0], shape, x.kind)
        return net.emit(Reduce(kind, tuple(held), keep), [x.name], [made.name], [made])

    return reader


def _softmax(net: Builder, node: RawNode) -> None:
    """Of the last axis; before version 13 of ``axis`` and all behind it at once."""
    x, y = net.tensor(node.inputs[0]), node.outputs[0]
    axis, flat = _axis_of(node, len(x.shape))
    _check_floats(x)
    if not flat:
        told = Tensor(y, x.shape, x.kind)
        return net.emit(Softmax(axis), [x.name], [y], [told])
    rows = int(np.prod(x.shape[:axis]))
    wide = net.reshaped(x.name, (rows, x.size // max(1, rows)))
    found = net.fresh(f"{y}:flat")
    net.emit(Softmax(1), [wide], [found], [Tensor(found, net.tensor(wide).shape, x.kind)])
    net.reshaped(found, x.shape, y)
    return None


def _axis_of(node: RawNode, rank: int) -> tuple[int, bool]:
    """Its axis, and whether those behind it count."""
    old = node.version < 13
    axis = positive_axis(int(node.attributes.get("axis", 1 if old else -1)), rank)
    return axis, old and axis != rank - 1


def _log_softmax(net: Builder, node: RawNode) -> None:
    axis, flat = _axis_of(node, len(net.tensor(node.inputs[0]).shape))
    _check_floats(net.tensor(node.inputs[0]))
    if flat:
        raise UnsupportedError("its axis must be the last before version 13")
    net.emit(HostOperator("LogSoftmax", (("axis", axis),)), node.inputs, node.outputs)


def _normal(kind: str, *names: tuple[str, Any], refused: Sequence[str] = ()) -> Reader:
    """A normalisation with attributes of these names and defaults; it makes one array."""

    def reader(net: Builder, node: RawNode) -> None:
        _check_floats(net.tensor(node.inputs[0]))
        for name in refused:
            if node.attributes.get(name):
                raise UnsupportedError(f"{name} is not computed here")
        told = [(name, node.attributes.get(name, default)) for name, default in names]
        outputs = [name for name in node.outputs if name]
        if kind == "LayerNormalization":
            told.append(("made", len(outputs)))
        elif len(outputs) > 1:
            raise UnsupportedError("must have one output")
        given = [name or None for name in node.inputs]
        net.emit(HostOperator(kind, tuple(told)), given, outputs, title=node.title)

    return reader


EPSILON = ("epsilon", 1e-5)
NORMAL = {
    "BatchNormalization": _normal("BatchNormalization", EPSILON, refused=("training_mode",)),
    "InstanceNormalization": _normal("InstanceNormalization", EPSILON),
    "LayerNormalization": _normal("LayerNormalization", ("axis", -1), EPSILON),
    "RMSNormalization": _normal("RMSNormalization", ("axis", -1), EPSILON),
}
ELEMENTWISE: dict[tuple[str, str], Reader] = {
    **{("", name): _unary(name) for name in UNARY},
    **{("", name): _pair(kind) for name, kind in BINARY.items()},
    **{("", name): _pair(kind, "bool") for name, kind in COMPARED.items()},
    **{("", name): _many(kind) for name, kind in MANY.items()},
    **{("", name): _reduced(kind) for name, kind in REDUCED.items()},
    **{("", name): reader for name, reader in NORMAL.items()},
    ("", "Clip"): _clip,
    ("", "Gelu"): _gelu,
    ("", "LogSoftmax"): _log_softmax,
    ("", "Mean"): _many("add", mean=True),
    ("", "Softmax"): _softmax,
    ("com.microsoft", "BiasGelu"): _biased("gelu"),
    ("com.microsoft", "FastGelu"): _biased("gelu_tanh"),
    ("com.microsoft", "Gelu"): _biased("gelu"),
    ("com.microsoft", "QuickGelu"): _biased("silu", 1.702),
    ("com.microsoft", "SkipLayerNormalization"): _normal(
        "SkipLayerNormalization", ("epsilon", 1e-12)
    ),
}
