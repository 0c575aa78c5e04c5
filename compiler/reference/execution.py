"""Runs a network by the rules of its framework; who multiplies is the caller's choice."""

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from cimforge.compiler.graph.graph import Graph, GraphError, Node
from cimforge.compiler.graph.operator import (
    Concatenate,
    Convolution,
    Elementwise,
    FullyConnected,
    Function,
    HostOperator,
    MatrixProduct,
    Operator,
    Pad,
    Reduce,
    Slice,
    Softmax,
    Transpose,
    TransposedConvolution,
)
from cimforge.compiler.reference.call import Call, Products, Rule, exact_products
from cimforge.compiler.reference.onnx_rules import EACH_ITEM, ONNX_RULES
from cimforge.compiler.reference.tflite_rules import (
    LITERT_RULES,
    TFLITE_EACH_ITEM,
    TFLITE_RULES,
)

__all__ = ["execute", "keeps_items", "steps"]

RULES: dict[str, Mapping[type[Operator], Rule]] = {
    **{"litert": LITERT_RULES, "onnx": ONNX_RULES, "tflite": TFLITE_RULES},
}
DTYPES = {name: np.dtype(name) for name in ("float16", "float32", "float64", "bool")}  # or int64


def execute(
    graph: Graph, feeds: Mapping[str, NDArray], products: Products = exact_products
) -> dict[str, NDArray]:
    """Every tensor of the network by name, constants left out. ``feeds`` hold one item of the
    network's own size, or several on axis 0, where the network keeps them apart (keeps_items).

    Raises GraphError, one line with the node, where an operator is not computed here or its arrays
    do not fit.
    """
    arrays = {name: np.asarray(feeds[name]) for name in graph.inputs}
    for _, made in steps(graph, arrays, products):
        arrays.update(made)
    return arrays


def steps(
    graph: Graph, feeds: Mapping[str, NDArray], products: Products = exact_products
) -> Iterator[tuple[Node, dict[str, NDArray]]]:
    """Node after node, with the arrays that it made; an array is kept until its last reader."""
    arrays = dict(feeds)
    last = {name: node for node in graph.nodes for name in (*node.outputs, *node.inputs)}
    rules = RULES[graph.rule]
    items = _items(graph, feeds)
    for node in graph.nodes:
        read, made = graph.of(node)
        rule: Rule | None = rules.get(type(node.operator))
        if rule is None:
            raise GraphError(f"{graph.source}: {node}: is not computed here")
        values = [_value(graph, name, arrays) for name in node.inputs]
        try:
            found = rule(Call(node, read, made, values, products, items))
        except ValueError as error:
            where = "" if str(error).startswith(str(node)) else f"{node}: "
            raise GraphError(f"{graph.source}: {where}{error}") from None
        told = found if isinstance(found, tuple) else (found,)
        result = {
            tensor.name: np.asarray(array, DTYPES.get(tensor.kind, np.dtype(np.int64)))
            for tensor, array in zip(made, told, strict=True)
        }
        arrays.update(result)
        yield node, result
        for name in {*node.inputs, *node.outputs}:
            if name is not None and last[name] is node:
                arrays.pop(name, None)


def _value(graph: Graph, name: str | None, arrays: Mapping[str, NDArray]) -> NDArray | None:
    if name is None:
        return None
    data = graph.tensors[name].data
    return arrays[name] if data is None else data


def _items(graph: Graph, feeds: Mapping[str, NDArray]) -> int:
    """How many items the feeds hold; GraphError where they have other shapes."""
    counts = set()
    for name in graph.inputs:
        shape, given = graph.tensors[name].shape, feeds[name].shape
        whole = len(given) == len(shape) and given[1:] == shape[1:]
        if not whole or (shape and given[0] % max(1, shape[0])):
            rule = f"input {name!r} must have shape {shape}, or a multiple of it on axis 0"
            raise GraphError(f"{graph.source}: {rule}, not {given}")
        counts.add(given[0] // shape[0] if shape and shape[0] else 1)
    if len(counts) > 1:
        raise GraphError(f"{graph.source}: inputs hold {sorted(counts)} items, and must hold alike")
    items = counts.pop() if counts else 1
    if items != 1 and not keeps_items(graph):
        raise GraphError(f"{graph.source}: mixes items of a batch: give one at a time")
    return items


def keeps_items(graph: Graph) -> bool:
    """Whether every node works on each item of axis 0 by itself, so that several go side by
    side."""
    return all(_apart(graph, node) for node in graph.nodes)


def _apart(graph: Graph, node: Node) -> bool:
    read, made = graph.of(node)
    flowing = [tensor for tensor in (*read, *made) if tensor is not None and not tensor.is_constant]
    if any(not tensor.shape or tensor.shape[0] != 1 for tensor in flowing):
        return False
    if all(tensor is None or tensor.is_constant for tensor in read):
        return False  # makes one item, however many there are
    match node.operator:
        case FullyConnected() | Convolution() | TransposedConvolution():
            return read[1] is not None and read[1].is_constant
        case Elementwise() | MatrixProduct() | Function():  # axis 0 of all is that of what is made
            return all(len(tensor.shape) == len(made[0].shape) for tensor in flowing)
        case Transpose(order):
            return order[0] == 0
        case Reduce(_, axes):
            return 0 not in axes
        case Concatenate(axis):
            return axis != 0
        case Pad(amounts):
            return amounts[0] == (0, 0)
        case Softmax(axis):
            return axis % len(flowing[0].shape) != 0
        case Slice(_, _, _, drop):
            return 0 not in drop
        case HostOperator("UnidirectionalSequenceLstm", attributes):
            return not dict(attributes)["time_major"]
        case HostOperator("LayerNormalization" | "SkipLayerNormalization", attributes):
            same = all(len(tensor.shape) == len(made[0].shape) for tensor in flowing)
            return same and dict(attributes).get("axis", -1) % len(flowing[0].shape) != 0
        case HostOperator(kind):
            return kind in EACH_ITEM | TFLITE_EACH_ITEM
    return True
