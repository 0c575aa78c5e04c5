"""ONNX's LSTM and GRU, and com.microsoft's DynamicQuantizeLSTM."""

from collections.abc import Callable

import numpy as np

from cimforge.compiler.graph.operator import HostOperator
from cimforge.compiler.graph.tensor import KINDS, Tensor
from cimforge.compiler.importers.onnx_builder import Builder, UnsupportedError
from cimforge.compiler.importers.onnx_file import RawNode

__all__ = ["RECURRENT"]

DIRECTIONS = {"forward": 1, "reverse": 1, "bidirectional": 2}
GATES = {"DynamicQuantizeLSTM": 4, "GRU": 3, "LSTM": 4}
ACTIVATIONS = {3: ("sigmoid", "tanh"), 4: ("sigmoid", "tanh", "tanh")}
LENGTHS = 4  # input


def _common(net: Builder, node: RawNode) -> tuple[str, int, int]:
    """Direction, directions, size of the state; refuses what is not computed here."""
    get = node.attributes.get
    direction, hidden = get("direction", "forward"), int(get("hidden_size", 0))
    if direction not in DIRECTIONS:
        raise UnsupportedError(f"direction {direction!r} must be one of {', '.join(DIRECTIONS)}")
    for name, told in (("clip", 0), ("input_forget", 0), ("layout", 0)):
        if get(name, told) != told:
            raise UnsupportedError(f"{name} is not computed here")
    usual = ACTIVATIONS[GATES[node.kind]] * DIRECTIONS[direction]
    if tuple(each.lower() for each in get("activations", usual)) != usual:
        raise UnsupportedError(f"activations must be {', '.join(usual)}")
    steps = net.tensor(node.inputs[0]).shape[0] if net.tensor(node.inputs[0]).shape else 0
    if len(node.inputs) > LENGTHS and node.inputs[LENGTHS]:
        lengths = net.data(node.inputs[LENGTHS], "sequence_lens")
        if (lengths != steps).any():
            raise UnsupportedError(f"all sequences must have {steps} steps")
    return direction, DIRECTIONS[direction], hidden


def _check(net: Builder, node: RawNode, ways: int, hidden: int, turned: bool) -> None:
    """Shapes of x, W, R, bias and states."""
    gates = GATES[node.kind] * hidden
    x = net.tensor(node.inputs[0]).shape
    if len(x) != 3 or hidden < 1 or not x[0]:
        raise UnsupportedError(f"shape {x} must be (steps, batch, inputs), hidden_size from 1 up")
    wanted = {
        1: (ways, x[2], gates) if turned else (ways, gates, x[2]),
        2: (ways, hidden, gates) if turned else (ways, gates, hidden),
        3: (ways, 2 * gates),
        5: (ways, x[1], hidden),
        6: (ways, x[1], hidden),
        7: (ways, 3 * hidden),
    }
    for place, shape in wanted.items():
        name = node.inputs[place] if place < len(node.inputs) else ""
        if name and net.tensor(name).shape != shape:
            raise UnsupportedError(
                f"{name!r} must have shape {shape}, not {net.tensor(name).shape}"
            )


def _place(
    net: Builder,
    node: RawNode,
    operator: HostOperator,
    ways: int,
    hidden: int,
    reads: list[str | None],
) -> None:
    steps, batch, _ = net.tensor(node.inputs[0]).shape
    shapes = [(steps, ways, batch, hidden), (ways, batch, hidden), (ways, batch, hidden)]
    names = [name or net.fresh("unused") for name in node.outputs]
    kind = net.tensor(node.inputs[0]).kind
    made = [Tensor(name, shape, kind) for name, shape in zip(names, shapes, strict=False)]
    net.emit(operator, reads, names, made, node.title)


def _floats(kind: str) -> Callable[[Builder, RawNode], None]:
    """On the host; products of x where it and W are dequantised, with one scale or one a gate's
    cell, are of integers. The state is floats."""

    def reader(net: Builder, node: RawNode) -> None:
        direction, ways, hidden = _common(net, node)
        _check(net, node, ways, hidden, turned=False)
        reads = _quantised(net, node)
        attributes = (
            *(("kind", kind), ("direction", direction), ("hidden", hidden)),
            *(("linear", int(node.attributes.get("linear_before_reset", 0))),),
            ("made", len(node.outputs)),
        )
        operator = HostOperator("Recurrent", attributes)
        _place(net, node, operator, ways, hidden, reads)

    return reader


def _quantised(net: Builder, node: RawNode) -> list[str | None]:
    """The inputs: integers in place of x and W, where both are such."""
    reads = [name or None for name in node.inputs]
    x, w = (net.integers.get(name) for name in node.inputs[:2])
    if w is None and node.inputs[2] not in net.integers:
        return reads
    of_x = net.tensor(x).quantisation if x else None
    of_w = net.tensor(w).quantisation if w else None
    if of_x is None or of_w is None or of_x.channels > 1 or (of_w.channels > 1 and of_w.axis != 1):
        rule = "its weights are quantised, and x is not with one scale"
        raise UnsupportedError(f"{rule}: quantise it as com.microsoft's DynamicQuantizeLSTM")
    return [x, w, *reads[2:]]


def _dynamic(net: Builder, node: RawNode) -> None:
    direction, ways, hidden = _common(net, node)
    _check(net, node, ways, hidden, turned=True)
    if len(node.inputs) < 12:
        raise UnsupportedError("it must have scales and zero points of W and of R")
    for place, (scale, zero) in ((1, (8, 9)), (2, (10, 11))):
        weights = net.tensor(node.inputs[place])
        if KINDS[weights.kind] is None:
            raise UnsupportedError(f"{weights.name!r} must hold integers, not {weights.kind}")
        for each in (scale, zero):
            data = net.data(node.inputs[each], "scale or zero point")
            if data.shape not in ((ways,), (ways, GATES[node.kind] * hidden)):
                raise UnsupportedError(f"{node.inputs[each]!r} has no legal shape: {data.shape}")
        if not np.all(net.data(node.inputs[scale], "scale") > 0):
            raise UnsupportedError(f"{node.inputs[scale]!r} must be above 0")
    attributes = (("direction", direction), ("hidden", hidden), ("made", len(node.outputs)))
    operator = HostOperator("DynamicQuantizeLSTM", attributes)
    _place(net, node, operator, ways, hidden, [name or None for name in node.inputs])


RECURRENT = {
    ("", "GRU"): _floats("GRU"),
    ("", "LSTM"): _floats("LSTM"),
    ("com.microsoft", "DynamicQuantizeLSTM"): _dynamic,
}
