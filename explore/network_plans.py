"""A sweep's network: read once, what it takes on a macro, and the key of that."""

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

from cimforge.compiler.graph.graph import Graph, GraphError
from cimforge.compiler.importers.model_file import import_model
from cimforge.compiler.map.layer_plan import plan_traced
from cimforge.compiler.map.product_trace import NodeProducts, trace_products
from cimforge.hdl.params.config import MacroConfig

__all__ = ["TracedNetwork", "load_network", "plan_key", "plan_on"]

DECIDING = (  # packages that decide cycles
    *("compiler", "compiler.graph", "compiler.importers", "compiler.reference", "compiler.map"),
    "hdl.params",
)


@dataclass(frozen=True)
class TracedNetwork:
    """A network, the products of one item of it, and a hash of its file."""

    graph: Graph
    products: tuple[NodeProducts, ...]
    digest: str


@cache
def load_network(path: Path) -> TracedNetwork:
    """The network in a .onnx or .tflite file. Raises GraphError: the file, and why it is not
    computed here, or has nothing for a macro; ModuleNotFoundError without the package
    that reads it."""
    graph = import_model(path)
    products = trace_products(graph)
    if not products:
        raise GraphError(f"{path}: has no product of integers: quantise it; a macro has no floats")
    return TracedNetwork(graph, products, hashlib.sha256(path.read_bytes()).hexdigest())


def plan_on(path: Path, config: MacroConfig) -> dict[str, float]:
    """``network_cycles`` of one item on one macro, as ``cimforge run`` counts them (with zero_skip
    the most), and of the tiles that it takes ``network_cells`` that hold a weight, of
    ``network_room``. Raises ValueError for a macro of -1 and 1."""
    network = load_network(path)
    layers = plan_traced(network.graph, network.products, config)
    return {
        "network_cycles": sum(layer.cycles for layer in layers),
        "network_cells": sum(layer.cells for layer in layers),
        "network_room": sum(layer.room for layer in layers),
    }


def plan_key(path: Path, config: MacroConfig) -> str:
    """SHA-256, 24 digits: the network's file, the parameters without the name, and the text of what
    plans."""
    told = (load_network(path).digest, config.digest, _planning())
    return hashlib.sha256("\n".join(told).encode()).hexdigest()[:24]


@cache
def _planning() -> str:
    digest = hashlib.sha256()
    for package in DECIDING:
        found = {each.name: each for each in files(f"cimforge.{package}").iterdir()}
        for name in sorted(name for name in found if name.endswith(".py")):
            digest.update(name.encode() + found[name].read_bytes())
    return digest.hexdigest()
