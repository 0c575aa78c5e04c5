"""What each layer of a network costs on macros, from sizes alone, before anything is run."""

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from math import ceil
from typing import NamedTuple

from cimforge.compiler.graph.graph import Graph, Node
from cimforge.compiler.graph.tensor import KINDS, Tensor
from cimforge.compiler.map.job_cycles import job_cycles
from cimforge.compiler.map.node_plan import JobPlan, NodePlan, plan_node
from cimforge.compiler.map.product_trace import NodeProducts, kind_precision, trace_products
from cimforge.compiler.tiling import Tile
from cimforge.hdl.params.config import MacroConfig

__all__ = ["LayerPlan", "macros_that_halve", "plan_network", "plan_traced"]

MANY = (2, 3, 4, 5, 6, 8, 10, 12, 16, 24, 32)
SUM_BYTES = 4


@dataclass(frozen=True)
class LayerPlan:
    """One node's products on ``macros`` macros, for ``items`` items of the network.

    ``parts`` products (vectors, k) x (k, n), the first one's sizes; ``macs`` of all. ``tiles`` sets
    of weights are written, ``passes`` vectors go through one, of all macros together; ``cycles``
    are predicted from the first row written to the last result, of the macros side by side, loading
    included (with zero_skip the most that it takes). ``together`` parts share a macro.

    ``weight_bytes`` are read from memory to fill the tiles, ``input_bytes`` and ``result_bytes``
    pass the macros' streams (elements that fill up a tile not counted), ``x_bytes`` and ``y_bytes``
    are the node's own tensors, ``sum_bytes`` the unfinished sums that wait at most, 32 bits each,
    for further blocks of rows, digits included.
    ``room`` is the cells of all tiles, ``cells`` those that hold a weight.
    """

    name: str
    operator: str
    k: int
    n: int
    vectors: int
    parts: int
    together: int
    macs: int
    x_bits: int
    w_bits: int
    tiles: int
    passes: int
    cycles: int
    weight_bytes: int
    input_bytes: int
    result_bytes: int
    x_bytes: int
    y_bytes: int
    sum_bytes: int
    cells: int
    room: int

    @property
    def utilisation(self) -> float:
        """Share of the tiles' cells that hold a weight, 0..1."""
        return self.cells / self.room if self.room else 0.0


def plan_network(
    graph: Graph, config: MacroConfig, macros: int = 1, items: int = 1
) -> tuple[LayerPlan, ...]:
    """Each product of the network, in the order of its work. A node that multiplies several times,
    such as a recurrent cell, is one layer with all of them.

    Raises GraphError where the network is not computed here, ValueError as plan_node does.
    """
    return plan_traced(graph, trace_products(graph, items), config, macros, items)


def macros_that_halve(
    graph: Graph, config: MacroConfig, items: int = 1, chosen: Collection[str] | None = None
) -> tuple[int, int] | None:
    """The fewest macros of MANY that take at most half of one macro's cycles for the ``chosen``
    layers (None: all), with these; None where none of them do, as layers of one column and one
    vector cannot be shared."""
    products = trace_products(graph, items)

    def cycles(macros: int) -> int:
        layers = plan_traced(graph, products, config, macros, items)
        return sum(layer.cycles for layer in layers if chosen is None or layer.name in chosen)

    one = cycles(1)
    return next(((macros, found) for macros in MANY if 2 * (found := cycles(macros)) <= one), None)


def plan_traced(
    graph: Graph,
    products: Sequence[NodeProducts],
    config: MacroConfig,
    macros: int = 1,
    items: int = 1,
) -> tuple[LayerPlan, ...]:
    """plan_network of the ``products`` that were traced of so many items, once for many macros.
    Raises ValueError as plan_node does."""
    nodes: defaultdict[str, list[NodeProducts]] = defaultdict(list)
    for product in products:
        nodes[product.node.name].append(product)
    return tuple(_layer(graph, config, macros, items, told) for told in nodes.values())


def _layer(
    graph: Graph,
    config: MacroConfig,
    macros: int,
    items: int,
    products: Sequence[NodeProducts],
) -> LayerPlan:
    first = products[0]
    plans = [
        plan for told in products for plan in plan_node(config, told.x, told.w, told.parts, macros)
    ]
    works = [
        _Work(config, plan, job, tile)
        for plan in plans
        for job in plan.jobs
        for tile in job.tiles.tiles
    ]
    x_bytes, y_bytes = _tensor_bytes(graph, first.node)
    return LayerPlan(
        name=first.node.name,
        operator=first.node.operator.title,
        k=first.parts[0].k,
        n=first.parts[0].n,
        vectors=first.parts[0].vectors,
        parts=sum(len(told.parts) for told in products),
        together=max(pack.parts for plan in plans for pack in plan.packs),
        macs=sum(part.macs for told in products for part in told.parts),
        x_bits=first.x.bits,
        w_bits=first.w.bits,
        tiles=len(works),
        passes=sum(work.vectors for work in works),
        cycles=sum(_cycles(config, plan) for plan in plans),
        weight_bytes=ceil(sum(work.weight_bits for work in works) / 8),
        input_bytes=ceil(sum(work.input_bits for work in works) / 8),
        result_bytes=ceil(sum(work.result_bits for work in works) / 8),
        x_bytes=x_bytes * items,
        y_bytes=y_bytes * items,
        sum_bytes=max(_waiting_bytes(plan) for plan in plans),
        cells=sum(work.cells for work in works),
        room=sum(work.room for work in works),
    )


class _Work(NamedTuple):
    """A tile of a job, and what it moves."""

    config: MacroConfig
    plan: NodePlan
    job: JobPlan
    tile: Tile

    @property
    def vectors(self) -> int:
        return self.job.tiles.batch

    @property
    def cells(self) -> int:
        return self.plan.cells(self.tile)

    @property
    def room(self) -> int:
        return self.job.tiles.rows * self.job.tiles.cols

    @property
    def weight_bits(self) -> int:
        return self.cells * self.job.w.held.bits

    @property
    def input_bits(self) -> int:
        return (self.tile.k1 - self.tile.k0) * self.vectors * self.job.x.held.bits

    @property
    def result_bits(self) -> int:
        width = self.config.modes[self.job.fuse].y_bits
        return (self.tile.n1 - self.tile.n0) * self.vectors * width


def _cycles(config: MacroConfig, plan: NodePlan) -> int:
    """Of the macros side by side: each does its jobs one behind the other."""
    busy: defaultdict[int, int] = defaultdict(int)
    for job in plan.jobs:
        held = job.x.held
        busy[job.macro] += job_cycles(config, job.tiles, held.bits, held.signed, job.fuse)
    return max(busy.values(), default=0)


def _waiting_bytes(plan: NodePlan) -> int:
    """Sums of SUM_BYTES that wait: all of them until the last digit, else those of the columns
    under way until their last block of rows."""
    if any(job.x.shift or job.w.shift for job in plan.jobs):
        return plan.vectors * sum(pack.width for pack in plan.packs) * SUM_BYTES
    waiting = 0
    for job in plan.jobs:
        blocks = Counter(tile.n0 for tile in job.tiles.tiles)
        if max(blocks.values()) > 1:
            width = max(tile.n1 - tile.n0 for tile in job.tiles.tiles)
            waiting += job.tiles.batch * width * SUM_BYTES
    return waiting


def _tensor_bytes(graph: Graph, node: Node) -> tuple[int, int]:
    """Of what a node reads at run time, and of what it makes."""
    read, made = graph.of(node)
    flowing = [tensor for tensor in read if tensor is not None and not tensor.is_constant]
    return sum(map(_bytes, flowing)), sum(map(_bytes, made))


def _bytes(tensor: Tensor) -> int:
    bits = 32 if KINDS[tensor.kind] is None else kind_precision(tensor.kind).bits
    return ceil(tensor.size * bits / 8)
