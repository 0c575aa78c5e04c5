"""What is cut off on the way through an adder module: proven to be 0, or worth nothing."""

from collections.abc import Mapping
from dataclasses import dataclass

from cimforge.flow.formal.leaf_laws import Bit
from cimforge.flow.formal.netlist_graph import Graph, Node
from cimforge.flow.formal.tree_claims import Claim

__all__ = ["Cut", "Walked", "may_count"]


@dataclass(frozen=True)
class Cut:
    """A bit that nothing takes, or (``bit`` None) what a cell loses above its top output; ``node``
    makes it, None for an input."""

    node: Node | None
    bit: Bit | None
    weight: int


@dataclass(frozen=True)
class Walked:
    """What the walk through a module found: the node that drives each net, the weight of each net's
    bit, and the constant of each node."""

    sources: Mapping[Bit, Node]
    weights: Mapping[Bit, int]
    constants: Mapping[Node, int]


def may_count(cut: Cut, claim: Claim, graph: Graph, walked: Walked) -> int | None:
    """The most that can come to a cut bit, where that is enough to make it 1; else None.

    The part of the graph that leads to it takes bits of some operands. All that leaves this part,
    the cut bit as well, adds up to them less the constants of its cells, and nothing of it is
    negative: a bit of more weight is 0. So it is for the cell alone and the bits at its pins. A
    multiple of a modulus counts nothing.
    """
    if claim.modular and cut.weight % (1 << claim.total_bits) == 0:
        return None
    if cut.node is None:
        return cut.weight
    most = min(_operands(cut.node, claim, graph, walked), _pins(cut.node, walked))
    return most if cut.weight <= most else None


def _pins(node: Node, walked: Walked) -> int:
    """All bits at a node's inputs, less its constant."""
    bits = (bit for _, bit in node.inputs if bit in walked.weights)
    return sum(walked.weights[bit] for bit in bits) - walked.constants[node]


def _operands(node: Node, claim: Claim, graph: Graph, walked: Walked) -> int:
    """All that the operands bring into the part that leads to a node, less its constants."""
    cone, entered = _cone(node, walked.sources)
    most = -sum(walked.constants[each] for each in cone)
    terms = graph.ports["terms"]
    for word in claim.words:
        bits = [place for place in range(word.width) if terms[word.low + place] in entered]
        most += min(word.most, sum(1 << place for place in bits)) << word.shift
    return most + sum(walked.weights[bit] for bit in entered if bit in walked.sources)


def _cone(end: Node, sources: Mapping[Bit, Node]) -> tuple[set[Node], set[Bit]]:
    """The nodes that lead to ``end``, itself included, and the operands' bits that they take: the
    module's inputs, and what pairs make."""
    cone, waiting, entered = {end}, [end], set()
    while waiting:
        for _, bit in waiting.pop().inputs:
            source = sources.get(bit)
            if source is None or (source.law and source.law.pair):
                entered.add(bit)
            elif source not in cone:
                cone.add(source)
                waiting.append(source)
    return cone, entered
