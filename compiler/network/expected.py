"""A user's expected tensors against those that a run made: the first element that differs."""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cimforge.compiler.graph.graph import Graph, Node
from cimforge.compiler.network.feeds import items_of

__all__ = ["Difference", "DifferenceError", "Expected"]


@dataclass(frozen=True)
class Difference:
    """Element ``index`` of ``tensor``, which node ``layer`` makes, of item ``item``."""

    layer: str
    operator: str
    tensor: str
    item: int
    index: tuple[int, ...]
    got: float
    expected: float
    differing: int
    elements: int

    def __str__(self) -> str:
        place = f"tensor {self.tensor!r} of layer {self.layer!r} ({self.operator})"
        told = f"got {self.got:.9g}, expected {self.expected:.9g}"
        share = f"{self.differing:,} of {self.elements:,} elements differ"
        return f"{place}, item {self.item}, element {list(self.index)}: {told}; {share}"

    def as_json(self) -> dict[str, Any]:
        """All of it."""
        return {**vars(self), "index": list(self.index)}


class DifferenceError(Exception):
    """A tensor is not as expected: the text says where."""

    def __init__(self, difference: Difference):
        super().__init__(str(difference))
        self.difference = difference


class Expected:
    """Expected tensors by name, of ``items`` items, as fitted to the network's own shapes; one
    that is not ``named`` is the network's only output. Floats may differ by ``tolerance``.

    Raises ValueError, one line that begins with ``where``, for a name that no tensor has and for
    another size, or axes in another order.
    """

    def __init__(
        self,
        graph: Graph,
        given: Mapping[str, NDArray],
        items: int,
        where: str,
        *,
        named: bool = True,
        tolerance: float = 0.0,
    ):
        if not named and len(graph.outputs) > 1:
            names = ", ".join(graph.outputs)
            raise ValueError(f"{where}: the network has outputs {names}: give an .npz, by name")
        if not named:
            given = {graph.outputs[0]: next(iter(given.values()))}
        self.arrays: dict[str, NDArray] = {}
        self._tolerance = tolerance
        for name, array in given.items():
            tensor = graph.tensors.get(name)
            if tensor is None or tensor.is_constant or name in graph.inputs:
                made = [name for node in graph.nodes for name in node.outputs]
                near = ", ".join(get_close_matches(name, made, 3, 0)) or "none"
                rule = f"no tensor {name!r} is made; it may have become part of a layer"
                raise ValueError(f"{where}: {rule} (nearest that are made: {near})")
            if array.dtype.kind not in "biuf":
                raise ValueError(f"{where}: {name!r} must hold numbers, not {array.dtype}")
            if array.size != tensor.size * items:
                rule = f"must hold {items} times {tensor.shape}"
                raise ValueError(f"{where}: {name!r} {rule}, not an array of shape {array.shape}")
            try:
                shaped, _ = items_of(tensor, array, f"tensor {name!r}")
            except ValueError as error:
                raise ValueError(f"{where}: {error}") from None
            self.arrays[name] = shaped.reshape(items, *tensor.shape)

    def check(self, graph: Graph, node: Node, made: Mapping[str, NDArray], first: int) -> None:
        """Compare what a node made of items ``first`` on. Raises DifferenceError."""
        for name, array in made.items():
            if name not in self.arrays:
                continue
            told = array.reshape(-1, *graph.tensors[name].shape)
            wanted = self.arrays[name][first : first + len(told)]
            equal = (told == wanted) | ((told != told) & (wanted != wanted))  # NaN as NaN
            if self._tolerance and graph.tensors[name].is_float:
                equal |= np.abs(told - wanted) <= self._tolerance
            if equal.all():
                continue
            place = tuple(int(axis) for axis in np.argwhere(~equal)[0])
            raise DifferenceError(
                Difference(
                    layer=node.name,
                    operator=node.operator.title,
                    tensor=name,
                    item=first + place[0],
                    index=place[1:],
                    got=float(told[place]),
                    expected=float(wanted[place]),
                    differing=int((~equal).sum()),
                    elements=equal.size,
                )
            )
