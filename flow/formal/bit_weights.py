"""Weights on their way through a graph: what the nets behind a cell stand for, from those before
it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from cimforge.flow.formal.cell_laws import Law
from cimforge.flow.formal.leaf_laws import Bit
from cimforge.flow.formal.netlist_graph import Node
from cimforge.flow.formal.tree_claims import Atom, Claim
from cimforge.flow.formal.tree_rules import BrokenRuleError

__all__ = ["CONSTANTS", "Literal", "Passed", "claimed_pairs", "first_literals", "pass_on"]

CONSTANTS = ("0", "1")


@dataclass(frozen=True)
class Literal:
    """What a net stands for: a bit of ``weight``, or its inverse, ``depth`` registers behind the
    inputs. Of weight 0 it is an ``atom`` that counts in a pair only."""

    weight: int
    inverted: bool = False
    depth: int = 0
    atom: Atom | None = None

    @property
    def signed(self) -> int:
        """What the net's own value counts: the bit is 1 less it where it is inverted."""
        return -self.weight if self.inverted else self.weight

    def told(self) -> str:
        """In words."""
        weight = f"weight {self.weight}" if self.weight else "no weight outside its pair"
        return f"{weight}{' inverted' if self.inverted else ''}"


@dataclass(frozen=True)
class Passed:
    """What a node makes of its inputs: ``sum of input bits = sum of output bits + constant +
    something not negative times lost``."""

    literals: Mapping[Bit, Literal]
    constant: int = 0
    lost: int = 0


@dataclass(frozen=True)
class Taken:
    """An input pin with its net's literal."""

    pin: str
    bit: Bit
    literal: Literal


def first_literals(claim: Claim, terms: Sequence[Bit]) -> dict[Bit, Literal]:
    """What the bits of the input port stand for."""
    literals = {
        terms[word.low + place]: Literal(1 << word.shift + place, word.inverted)
        for word in claim.words
        for place in range(word.width)
    }
    places = (place for pair in claim.pairs for place in pair.places)
    return literals | {terms[place]: Literal(0, atom=place) for place in places}


def claimed_pairs(claim: Claim) -> dict[Atom, Literal]:
    """What each pair of the claim stands for, by its atom; those inside another have no weight."""
    inner = (pair.atom for outer in claim.pairs for pair in outer.inner)
    whole = {pair.atom: Literal(1 << pair.shift) for pair in claim.pairs}
    return {atom: Literal(0, atom=atom) for atom in inner} | whole


def pass_on(
    node: Node,
    literals: Mapping[Bit, Literal],
    pairs: Mapping[Atom, Literal],
    name: Callable[[Bit], str],
) -> Passed:
    """Literals of a node's outputs; ``pairs`` are those that the claim allows, by atom. Raises
    BrokenRuleError where its inputs do not go together."""
    taken = [Taken(p, b, literals[b]) for p, b in node.inputs if b not in CONSTANTS]
    if not taken:
        bit = name(node.outputs[0][1])
        raise BrokenRuleError("weight", node.cell, bit, "only constants come to it")
    if node.law is None:
        literal = taken[0].literal
        return Passed({node.outputs[0][1]: replace(literal, depth=literal.depth + 1)})
    first = taken[0]
    for each in taken:
        if each.literal.depth != first.literal.depth:
            text = f"pin {each.pin} is {each.literal.depth} registers behind the inputs"
            text += f", that of pin {first.pin} {first.literal.depth}"
            raise BrokenRuleError("depth", node.cell, name(each.bit), text)
    if node.law.pair:
        return _pass_pair(node, node.law, taken, pairs)
    for each in (each for each in taken if not each.literal.weight):
        text = f"pin {each.pin} has {each.literal.told()}"
        raise BrokenRuleError("weight", node.cell, name(each.bit), text)
    if node.law.parity:
        return _pass_parity(node, node.law, taken, name)
    return _pass_sum(node, node.law, taken, name)


def _pass_sum(node: Node, law: Law, taken: Sequence[Taken], name: Callable[[Bit], str]) -> Passed:
    """The law times the weight of its first pin, ``base``.

    In values v of the nets, ``sum c v = base (sum of outputs + constant)`` with c the net's signed
    weight; an inverted bit is its weight more than its net counts, on either side.
    """
    base = _base(node, law, taken, name)
    if law.overflow and base < 0:
        text = "an inverted bit comes to a word adder"
        raise BrokenRuleError("weight", node.cell, name(taken[0].bit), text)
    ones = sum(law.inputs[pin] for pin, bit in node.inputs if bit == "1")
    constant = base * (law.constant - ones)
    constant += sum(each.literal.weight for each in taken if each.literal.inverted)
    made: dict[Bit, Literal] = {}
    for pin, bit in node.outputs:
        value = base * law.outputs[pin]
        constant += min(value, 0)
        made[bit] = Literal(abs(value), value < 0, taken[0].literal.depth)
    return Passed(made, constant, base * law.overflow)


def _base(node: Node, law: Law, taken: Sequence[Taken], name: Callable[[Bit], str]) -> int:
    """The factor between the law's weights and those at the pins; all must agree."""
    first = taken[0]
    base = first.literal.signed // law.inputs[first.pin]
    for each in taken:
        if each.literal.signed != base * law.inputs[each.pin]:
            text = f"has {each.literal.told()}, pin {first.pin} {first.literal.told()}, in {law}"
            raise BrokenRuleError("weight", node.cell, name(each.bit), f"pin {each.pin} {text}")
    return base


def _pass_parity(
    node: Node, law: Law, taken: Sequence[Taken], name: Callable[[Bit], str]
) -> Passed:
    """The lowest bit of a sum of bits of one weight; what is above it is lost. An inverted input
    inverts the output, and so does a constant 1."""
    first = taken[0]
    for each in taken:
        if each.literal.weight != first.literal.weight:
            text = f"has {each.literal.told()}, pin {first.pin} {first.literal.told()}"
            raise BrokenRuleError("weight", node.cell, name(each.bit), f"pin {each.pin} {text}")
    ones = sum(bit == "1" for _, bit in node.inputs) + law.constant
    odd = (sum(each.literal.inverted for each in taken) + ones) % 2 == 1
    literal = replace(first.literal, inverted=odd)
    return Passed({node.outputs[0][1]: literal}, 0, literal.weight * law.overflow)


def _pass_pair(
    node: Node, law: Law, taken: Sequence[Taken], pairs: Mapping[Atom, Literal]
) -> Passed:
    """An operand made of two atoms, where the claim has it."""
    atoms = [each.literal.atom for each in taken if not each.literal.inverted]
    made = pairs.get((law.pair, frozenset(atoms))) if len(atoms) == len(node.inputs) else None
    if made is None:
        shown = " and ".join(each.literal.told() for each in taken)
        text = f"{node.kind} is no adder cell, nor a pair that is claimed, of {shown}"
        raise BrokenRuleError("cell", node.cell, "", text)
    return Passed({node.outputs[0][1]: replace(made, depth=taken[0].literal.depth)})
