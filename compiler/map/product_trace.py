"""Which products a network makes, found by running it once on zeros without multiplying."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cimforge.compiler.graph.graph import Graph, Node
from cimforge.compiler.graph.tensor import KINDS
from cimforge.compiler.precision import Precision
from cimforge.compiler.reference.call import Call
from cimforge.compiler.reference.execution import DTYPES, execute, keeps_items
from cimforge.compiler.reference.lowering import Part

__all__ = [
    *("NodeProducts", "PartSize", "blank_feeds", "kind_precision", "operand_precisions"),
    *("part_sizes", "trace_products"),
]

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class PartSize:
    """``vectors`` (vectors, k) times a matrix (k, n)."""

    vectors: int
    k: int
    n: int

    @property
    def macs(self) -> int:
        """Multiply-accumulates."""
        return self.vectors * self.k * self.n


@dataclass(frozen=True)
class NodeProducts:
    """One product of ``node``: ``parts`` of the same precisions. A node that multiplies several
    times, such as a recurrent cell, makes several."""

    node: Node
    x: Precision
    w: Precision
    parts: tuple[PartSize, ...]


def operand_precisions(call: Call, parts: Sequence[Part]) -> tuple[Precision, Precision]:
    """Bits and sign of x and of w: of the kinds that the parts say, or of the node's first two
    inputs. Raises ValueError for floats."""
    kinds = parts[0].kinds if parts else None
    if kinds is not None:
        return kind_precision(kinds[0]), kind_precision(kinds[1])
    return kind_precision(call.tensor(0).kind), kind_precision(call.tensor(1).kind)


def kind_precision(kind: str) -> Precision:
    """Bits and sign of a kind of integers. Raises ValueError for floats."""
    limits = KINDS[kind]
    if limits is None:
        raise ValueError(f"products on a macro need integers, not {kind}")
    return Precision((limits[1] - limits[0]).bit_length(), limits[0] < 0)


def part_sizes(parts: Sequence[Part]) -> tuple[PartSize, ...]:
    """The sizes of parts."""
    return tuple(PartSize(len(part.x), *part.w.shape) for part in parts)


def trace_products(graph: Graph, items: int = 1) -> tuple[NodeProducts, ...]:
    """Every product of ``items`` items of the network, in the order of its work.

    Items go side by side where the network keeps them apart, else one behind the other; so a node
    is met ``items`` times then. Raises GraphError as execute does.
    """
    found: list[NodeProducts] = []

    def note(call: Call, parts: Sequence[Part]) -> list[Ints]:
        found.append(NodeProducts(call.node, *operand_precisions(call, parts), part_sizes(parts)))
        return [np.zeros((len(part.x), part.w.shape[1]), np.int64) for part in parts]

    together = items if keeps_items(graph) else 1
    with np.errstate(all="ignore"):
        for _ in range(items // max(1, together)):
            execute(graph, blank_feeds(graph, together), note)
    return tuple(found)


def blank_feeds(graph: Graph, items: int) -> dict[str, NDArray]:
    """An input of ``items`` items, each element what stands for 0."""
    feeds = {}
    for name in graph.inputs:
        tensor = graph.tensors[name]
        shape = (tensor.shape[0] * items, *tensor.shape[1:]) if tensor.shape else ()
        integer = KINDS[tensor.kind] is not None and tensor.quantisation is not None
        fill = tensor.zero if integer else 0
        feeds[name] = np.full(shape, fill, DTYPES.get(tensor.kind, np.dtype(np.int64)))
    return feeds
