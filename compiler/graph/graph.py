"""A network: tensors by name, and nodes in an order in which each finds its inputs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cimforge.compiler.graph.operator import Operator
from cimforge.compiler.graph.tensor import Tensor
from cimforge.hdl.params.errors import one_line

__all__ = ["Graph", "GraphError", "Node", "ordered"]


class GraphError(ValueError):
    """A network that is none, or that is not computed here: one line with the node, the rule and
    what to do."""

    def __init__(self, text: str):
        super().__init__(one_line(text))  # names of a file may hold anything


@dataclass(frozen=True)
class Node:
    """``operator`` of tensors by name (None where an optional one is left out)."""

    name: str
    operator: Operator
    inputs: tuple[str | None, ...]
    outputs: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.operator.title} {self.name!r}"


@dataclass(frozen=True, eq=False)
class Graph:
    """``nodes`` read and make ``tensors``; ``inputs`` come from outside, ``outputs`` go there.
    ``rule`` says whose arithmetic it is (of RULES), ``source`` the file.

    Raises GraphError where a name is unknown, a tensor is made twice, or a node reads what is made
    behind it.
    """

    source: str
    rule: str
    tensors: Mapping[str, Tensor]
    nodes: tuple[Node, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]

    def __post_init__(self) -> None:
        for name in (*self.inputs, *self.outputs):
            self._known(name, "the network")
        made = {name for name, tensor in self.tensors.items() if tensor.is_constant}
        made |= set(self.inputs)
        for node in self.nodes:
            for read in node.inputs:
                if read is not None and self._known(read, str(node)) not in made:
                    raise GraphError(f"{node}: reads {read!r}, which nothing before it makes")
            for name in node.outputs:
                if self._known(name, str(node)) in made:
                    raise GraphError(f"{node}: makes {name!r}, which is there already")
                made.add(name)
        for name in self.outputs:
            if name not in made:
                raise GraphError(f"output {name!r} is made by no node")

    def _known(self, name: str, where: str) -> str:
        if name not in self.tensors:
            raise GraphError(f"{where}: there is no tensor {name!r}")
        return name

    def of(self, node: Node) -> tuple[list[Tensor | None], list[Tensor]]:
        """The tensors that a node reads and makes."""
        read = [None if name is None else self.tensors[name] for name in node.inputs]
        return read, [self.tensors[name] for name in node.outputs]


def ordered(nodes: Sequence[Node], known: set[str]) -> tuple[Node, ...]:
    """The nodes, each behind those whose outputs it reads, else in their order; ``known`` are the
    tensors that no node makes.

    Raises GraphError where nodes wait for each other, or for what nothing makes.
    """
    makers = {name: place for place, node in enumerate(nodes) for name in node.outputs}
    waiting = [
        {makers[name] for name in node.inputs if name in makers and name not in known}
        for node in nodes
    ]
    readers: dict[int, list[int]] = {}
    for place, needed in enumerate(waiting):
        for maker in needed:
            readers.setdefault(maker, []).append(place)
    ready = [place for place, needed in enumerate(waiting) if not needed]
    done: list[Node] = []
    while ready:
        place = ready.pop(0)
        done.append(nodes[place])
        for reader in readers.get(place, ()):
            waiting[reader].discard(place)
            if not waiting[reader]:
                ready.append(reader)
        ready.sort()
    if len(done) < len(nodes):
        stuck = next(node for place, node in enumerate(nodes) if waiting[place])
        raise GraphError(f"{stuck}: waits for itself, in a circle of nodes")
    return tuple(done)
