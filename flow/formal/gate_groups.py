"""Gates of a mapped netlist, a group for each cell of the Verilog that they were made of: what a
group computes, as a truth table over the nets at its border."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

from cimforge.flow.formal.leaf_laws import Bit
from cimforge.flow.formal.truth_table import MOST_INPUTS, TruthTable
from cimforge.flow.liberty.function import parse_function
from cimforge.flow.liberty.library import Cell

__all__ = ["Gate", "Group", "find_groups", "gate"]

# Yosys' own names hold dots; behind one of these the rest is a part of the instance.
AUTOMATIC = re.compile(r"\$auto\$[^$]*\$\d+|\$abc\$")


@dataclass(frozen=True, eq=False)
class Gate:
    """A placed cell of the library: nets by pin, inputs and outputs apart."""

    name: str
    cell: Cell
    inputs: Mapping[str, Bit]
    outputs: Mapping[str, Bit]

    @property
    def group(self) -> str:
        """The instance it was made of; empty for what the mapper chose from logic."""
        found = AUTOMATIC.match(self.name)
        if found is None:
            return self.name.partition(".")[0]
        return "" if found[0] == "$abc$" else found[0]


@dataclass(frozen=True)
class Group:
    """Gates that were made of one instance, or are a connected piece of logic."""

    name: str
    gates: tuple[Gate, ...]

    @property
    def made(self) -> set[Bit]:
        """The nets that its gates drive."""
        return {bit for gate in self.gates for bit in gate.outputs.values()}

    @property
    def taken(self) -> list[Bit]:
        """The nets that come from elsewhere, each once; no constants."""
        bits = dict.fromkeys(bit for gate in self.gates for bit in gate.inputs.values())
        made = self.made
        return [bit for bit in bits if bit not in made and not isinstance(bit, str)]

    def given(self, used_elsewhere: set[Bit]) -> list[Bit]:
        """The nets that others take, and those that nobody takes."""
        inside = {bit for gate in self.gates for bit in gate.inputs.values()}
        made = dict.fromkeys(bit for gate in self.gates for bit in gate.outputs.values())
        return [bit for bit in made if bit in used_elsewhere or bit not in inside]

    def table(self, given: list[Bit]) -> TruthTable | None:
        """Values of the ``given`` nets for all patterns of those taken, pins named by net; None
        where there are too many, or cells hold state."""
        if len(self.taken) > MOST_INPUTS or not all(g.cell.combinational for g in self.gates):
            return None
        rows = []
        for pattern in product((0, 1), repeat=len(self.taken)):
            value = {"0": 0, "1": 1, **dict(zip(self.taken, pattern, strict=True))}
            if not _settle(self.gates, value):
                return None
            rows.append((*pattern, *(value[bit] for bit in given)))
        return TruthTable(tuple(map(str, self.taken)), tuple(map(str, given)), tuple(rows))


def gate(name: str, data: Mapping[str, Any], cell: Cell) -> Gate:
    """The gate of a cell of Yosys' JSON."""
    outputs = {pin.name for pin in cell.outputs}
    nets = {pin: bits[0] for pin, bits in data["connections"].items() if bits}
    return Gate(
        name,
        cell,
        {pin: bit for pin, bit in nets.items() if pin not in outputs},
        {pin: bit for pin, bit in nets.items() if pin in outputs},
    )


def find_groups(gates: Iterable[Gate]) -> list[Group]:
    """The groups of these gates; what the mapper chose from logic falls into connected pieces."""
    named: dict[str, list[Gate]] = {}
    for each in gates:
        named.setdefault(each.group, []).append(each)
    loose = named.pop("", [])
    return [*(Group(name, tuple(parts)) for name, parts in named.items()), *_pieces(loose)]


def _pieces(gates: list[Gate]) -> Iterator[Group]:
    """Gates that drive each other, together."""
    waiting = list(gates)
    while waiting:
        piece = [waiting.pop(0)]
        while joined := [gate for gate in waiting if any(_connected(gate, p) for p in piece)]:
            piece += joined
            waiting = [gate for gate in waiting if gate not in joined]
        yield Group(piece[0].name, tuple(piece))


def _connected(one: Gate, other: Gate) -> bool:
    return bool(
        set(one.outputs.values()) & set(other.inputs.values())
        or set(other.outputs.values()) & set(one.inputs.values())
    )


def _settle(gates: Iterable[Gate], value: dict[Bit, int]) -> bool:
    """Work out every gate; False where some wait for each other."""
    waiting = list(gates)
    while waiting:
        later = []
        for each in waiting:
            if any(bit not in value for bit in each.inputs.values()):
                later.append(each)
                continue
            pins = {pin: value[bit] for pin, bit in each.inputs.items()}
            for pin, bit in each.outputs.items():
                value[bit] = parse_function(each.cell.pin(pin).function).value(pins)
        if len(later) == len(waiting):
            return False
        waiting = later
    return True
