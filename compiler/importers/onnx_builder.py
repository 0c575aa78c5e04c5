"""A graph in the making: nodes are added one by one, and what only constants go into is computed at
once."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cimforge.compiler.graph.graph import Graph, Node
from cimforge.compiler.graph.operator import HostOperator, Operator, Reshape, Transpose
from cimforge.compiler.graph.tensor import KINDS, Quantisation, Tensor
from cimforge.compiler.importers.onnx_file import OnnxFile, RawNode
from cimforge.compiler.reference.call import Call, exact_products
from cimforge.compiler.reference.onnx_rules import ONNX_RULES
from cimforge.compiler.reference.stored import dtype_of

__all__ = ["Builder", "UnsupportedError"]

RULE = "onnx"
MOST_WORK = 1 << 26  # elements of one tensor in a network, or of a constant that is computed here


class UnsupportedError(ValueError):
    """What a node asks for that is not computed here."""


class Builder:
    """Tensors and nodes so far.

    ``views`` hold under which name a tensor lies in another layout or with another scale;
    ``integers`` the integer tensor that a float one is DequantizeLinear of; ``readers`` which nodes
    of the file read a tensor.
    """

    def __init__(self, file: OnnxFile):
        self.file = file
        self.tensors: dict[str, Tensor] = {each.name: each for each in file.inputs}
        self.nodes: list[Node] = []
        self.views: dict[tuple[str, Any], str] = {}
        self.integers: dict[str, str] = {}
        self.done: set[int] = set()  # nodes of the file that others took in
        self.readers: dict[str, list[tuple[int, RawNode]]] = {}
        self._reserved = {name for node in file.nodes for name in node.outputs}
        self._inputs = frozenset(self.tensors)
        self._titles: set[str] = set()
        self._reserved |= set(file.constants)
        for place, node in enumerate(file.nodes):
            for name in node.inputs:
                self.readers.setdefault(name, []).append((place, node))
        for name, (array, kind) in file.constants.items():
            self.constant(name, array, kind)

    def constant(
        self, name: str, array: NDArray, kind: str, told: Quantisation | None = None
    ) -> str:
        """Adds a constant."""
        self._limit(array.shape, name)
        self.tensors[name] = Tensor(name, array.shape, kind, told, np.asarray(array))
        return name

    def fresh(self, name: str) -> str:
        """``name``, or the next that is free."""
        found, number = name, 1
        while found in self.tensors or found in self._reserved:
            number += 1
            found = f"{name}.{number}"
        return found

    def tensor(self, name: str) -> Tensor:
        """The tensor ``name``. Raises UnsupportedError where nothing makes it."""
        if name not in self.tensors:
            raise UnsupportedError(f"there is no tensor {name!r}")
        return self.tensors[name]

    def data(self, name: str, what: str) -> NDArray:
        """A constant's elements."""
        data = self.tensor(name).data
        if data is None:
            raise UnsupportedError(f"{what} ({name!r}) must be a constant")
        return data

    def emit(
        self,
        operator: Operator,
        inputs: Sequence[str | None],
        outputs: Sequence[str],
        made: Sequence[Tensor] | None = None,
        title: str = "",
    ) -> None:
        """Adds a node. Without ``made`` its rule tells shapes and kinds, from zeros, as it proves
        them of an operator of the host's own; where all inputs are constants it tells their values,
        and no node is added."""
        read = [None if name is None else self.tensor(name) for name in inputs]
        for tensor in made or ():
            self._limit(tensor.shape, tensor.name)
        names = [name or self.fresh("unused") for name in outputs]
        fixed = all(tensor is None or tensor.is_constant for tensor in read)
        called, number = title or names[0], 1
        while called in self._titles:
            number += 1
            called = f"{title or names[0]}:{number}"
        self._titles.add(called)
        node = Node(called, operator, tuple(inputs), tuple(names))
        if made is None or fixed or isinstance(operator, HostOperator):
            found = self._computed(node, read, list(made or ()))
            made = made or [
                Tensor(name, array.shape, self._kind(operator, read, array))
                for name, array in zip(names, found, strict=True)
            ]
            for tensor, array in zip(made, found, strict=True):
                if array.shape != tensor.shape:
                    raise UnsupportedError(f"makes shape {array.shape}, and not {tensor.shape}")
        for tensor in made:
            self._limit(tensor.shape, tensor.name)
            self.tensors[tensor.name] = tensor
        if not fixed:
            self.nodes.append(node)
            return
        for tensor, array in zip(made, found, strict=True):
            whole = array.astype(dtype_of(tensor.kind), order="C").reshape(tensor.shape)
            self.tensors[tensor.name] = replace(tensor, data=whole)

    def _computed(
        self, node: Node, read: list[Tensor | None], made: list[Tensor]
    ) -> tuple[NDArray, ...]:
        arrays = [None if tensor is None else self._zeros(tensor) for tensor in read]
        rule = ONNX_RULES[type(node.operator)]
        found = rule(Call(node, read, made, arrays, exact_products))
        return tuple(map(np.asarray, found)) if isinstance(found, tuple) else (np.asarray(found),)

    def _zeros(self, tensor: Tensor) -> NDArray:
        if tensor.data is not None:
            return tensor.data
        return np.zeros(tensor.shape, dtype_of(tensor.kind))

    @staticmethod
    def _kind(operator: Operator, read: list[Tensor | None], array: NDArray) -> str:
        """Of an array: its own, or its input's, which may have fewer bits than any array."""
        first = next((tensor for tensor in read if tensor is not None), None)
        name = str(array.dtype)
        same = first is not None and dtype_of(first.kind) == array.dtype
        if same and first is not None and not isinstance(operator, HostOperator):
            return first.kind
        if name not in KINDS:
            raise UnsupportedError(f"makes {name}, which is not computed here")
        return name

    @staticmethod
    def _limit(shape: Sequence[int], name: str) -> None:
        size = 1
        for length in shape:
            size *= length
        if size > MOST_WORK:
            rule = f"must have at most {MOST_WORK} elements"
            raise UnsupportedError(f"tensor {name!r} {rule}, not shape {tuple(shape)}")

    def transposed(self, name: str, order: tuple[int, ...], made: str | None = None) -> str:
        """``name`` with its axes in another order, under a name of its own; a constant keeps its
        scales, on the axis that has them now."""
        key = (name, ("order", order))
        x = self.tensor(name)
        told = x.quantisation
        if told is not None and told.channels > 1:
            told = Quantisation(told.scales, told.zeros, order.index(told.axis))
        if made is None and (order == tuple(range(len(order))) or key in self.views):
            return self._with(self.views.get(key, name), told)
        shape = tuple(x.shape[axis] for axis in order)
        made = made or self.fresh(f"{name}:{''.join(map(str, order))}")
        self.emit(Transpose(order), [name], [made], [Tensor(made, shape, x.kind, told)])
        self.views.setdefault(key, made)
        back = tuple(order.index(axis) for axis in range(len(order)))
        self.views.setdefault((made, ("order", back)), name)
        return made

    def reshaped(self, name: str, shape: tuple[int, ...], made: str | None = None) -> str:
        """``name`` in another shape; several scales stay where they belong to axis 0."""
        x = self.tensor(name)
        key = (name, ("shape", shape))
        told = x.quantisation
        if told and told.channels > 1 and (told.axis, shape[:1]) != (0, x.shape[:1]):
            told = None
        if made is None and (shape == x.shape or key in self.views):
            return self._with(self.views.get(key, name), told)
        size = int(np.prod(shape, dtype=object)) if shape else 1
        if size != x.size:
            raise UnsupportedError(f"{name!r} of shape {x.shape} does not become {shape}")
        made = made or self.fresh(f"{name}:reshaped")
        self.emit(Reshape(), [name], [made], [Tensor(made, shape, x.kind, told)])
        self.views.setdefault(key, made)
        self.views.setdefault((made, ("shape", x.shape)), name)
        return made

    def _with(self, name: str, told: Quantisation | None) -> str:
        return name if told is None else self.scaled(name, told)

    def scaled(self, name: str, told: Quantisation) -> str:
        """``name`` as integers of a scale: itself, or where it has another one already, a view."""
        x = self.tensor(name)
        if x.quantisation == told:
            return name
        if x.quantisation is None and (x.is_constant or name in self._inputs):
            self.tensors[name] = replace(x, quantisation=told)
            return name
        key = (name, told)
        if key not in self.views:
            made = self.fresh(f"{name}:scaled")
            self.emit(Reshape(), [name], [made], [Tensor(made, x.shape, x.kind, told)])
            self.views[key] = made
        return self.views[key]

    def output(self, name: str) -> None:
        """Makes sure that an output comes from a node, though it be a constant or an input."""
        tensor = self.tensors.get(name)
        if tensor is None:
            raise UnsupportedError(f"output {name!r} is made by no node")
        if not tensor.is_constant:
            return
        held = self.fresh(f"{name}:constant")
        self.tensors[held] = replace(tensor, name=held)
        self.tensors[name] = replace(tensor, data=None)
        self.nodes.append(Node(self.fresh(name), Reshape(), (held,), (name,)))

    def graph(self, inputs: Sequence[str], outputs: Sequence[str]) -> Graph:
        """The network, without nodes that no output needs."""
        needed, kept = set(outputs), []
        for node in reversed(self.nodes):
            if needed.intersection(node.outputs):
                kept.append(node)
                needed.update(name for name in node.inputs if name is not None)
        needed.update(inputs)
        needed.update(name for node in kept for name in node.outputs)
        tensors: Mapping[str, Tensor] = {n: t for n, t in self.tensors.items() if n in needed}
        return Graph(
            self.file.source, RULE, tensors, tuple(kept[::-1]), tuple(inputs), tuple(outputs)
        )
