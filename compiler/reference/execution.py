"""Runs a network by the rules of its framework; who multiplies is the caller's choice."""

from collections.abc import Callable, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from cimforge.compiler.graph.graph import Graph, GraphError, Node
from cimforge.compiler.reference.call import Call, Products, exact_products
from cimforge.compiler.reference.tflite_rules import TFLITE_RULES

__all__ = ["execute", "steps"]

RULES = {"tflite": TFLITE_RULES}
DTYPES = {"float32": np.dtype(np.float32), "bool": np.dtype(bool)}  # of others int64


def execute(
    graph: Graph, feeds: Mapping[str, NDArray], products: Products = exact_products
) -> dict[str, NDArray]:
    """Every tensor of the network by name, constants left out, of one item of ``feeds``.

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
    """Node after node, with the arrays that it made."""
    arrays = dict(feeds)
    rules = RULES[graph.rule]
    for node in graph.nodes:
        read, made = graph.of(node)
        rule: Callable[[Call], NDArray] | None = rules.get(type(node.operator))
        if rule is None:
            raise GraphError(f"{graph.source}: {node}: is not computed here")
        values = [_value(graph, name, arrays) for name in node.inputs]
        try:
            found = rule(Call(node, read, made, values, products))
        except ValueError as error:
            raise GraphError(f"{graph.source}: {error}") from None
        tensor = made[0]
        result = {tensor.name: found.astype(DTYPES.get(tensor.kind, np.dtype(np.int64)))}
        arrays.update(result)
        yield node, result


def _value(graph: Graph, name: str | None, arrays: Mapping[str, NDArray]) -> NDArray | None:
    if name is None:
        return None
    data = graph.tensors[name].data
    return arrays[name] if data is None else data
