"""An emitted adder as a graph: rebuilt from its netlist, judged by what its cells compute.

Nothing here knows how the adder was planned. Each bit has a weight; a cell takes bits of weights
that its equation names and makes bits of others, and what goes in is what comes out: so the sum of
an adder's inputs, weighted, is that of its outputs, if every bit is used exactly once and nothing
that may be 1 is dropped.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from typing import Any

__all__ = ["ADDERS", "AdderGraph", "Fault"]

Bit = int | str  # a net's number in Yosys' JSON, or a constant


@dataclass(frozen=True)
class _Equation:
    """Pins of a cell that adds bits, with their weights relative to the lightest: the weighted
    inputs have the sum of the weighted outputs."""

    inputs: Mapping[str, int]
    outputs: Mapping[str, int]


# A new leaf is a line here; cell_proof shows that each does what its line says.
ADDERS = {
    "cim_fa": _Equation({"a": 1, "b": 1, "ci": 1}, {"s": 1, "co": 2}),
    "cim_ha": _Equation({"a": 1, "b": 1}, {"s": 1, "co": 2}),
}
REGISTERS = ("$dff", "$dffe")


@dataclass(frozen=True)
class Fault:
    """What is wrong: ``module``, ``cell`` (or port) and ``bit`` where, ``rule`` what is broken."""

    module: str
    cell: str
    bit: str
    rule: str

    def __str__(self) -> str:
        return f"{self.module}: {self.cell} {self.bit}: {self.rule}"


@dataclass
class AdderGraph:
    """One adder module of a netlist (Yosys' JSON, registers as $dff or $dffe).

    ``weights`` are those of the input port's bits; ``modulo`` is the weight from which on bits may
    be dropped (0: none may, unless they cannot be 1).
    """

    name: str
    module: Mapping[str, Any]
    weights: Sequence[int]
    modulo: int = 0
    faults: list[Fault] = field(default_factory=list)
    _bound: dict[Bit, int] = field(default_factory=dict)

    def check(self, inputs: str = "terms", output: str = "total") -> list[Fault]:
        """All faults: ``output`` must be the sum of the weighted bits of ``inputs``, with one
        register depth on all paths."""
        self.weight: dict[Bit, int] = {}
        self.depth: dict[Bit, int] = {}
        ports = self.module["ports"]
        if len(ports[inputs]["bits"]) != len(self.weights):
            rule = f"has {len(ports[inputs]['bits'])} bits, must have {len(self.weights)}"
            return [Fault(self.name, inputs, "", rule)]
        for bit, weight in zip(ports[inputs]["bits"], self.weights, strict=True):
            self.weight[bit], self.depth[bit] = weight, 0
        self._names = dict(self._named())
        cells = {n: c for n, c in self.module["cells"].items() if self._is_arithmetic(c)}
        for name in self._ordered(cells):
            self._visit(name, cells[name])
        self._check_output(ports[output]["bits"], output)
        self._check_uses(cells, ports[output]["bits"])
        return self.faults

    def _named(self) -> Iterator[tuple[Bit, str]]:
        for name, net in self.module["netnames"].items():
            for place, bit in enumerate(net["bits"]):
                yield bit, f"{name}[{place}]" if len(net["bits"]) > 1 else name

    def _is_arithmetic(self, cell: Mapping[str, Any]) -> bool:
        """All cells but drivers of control lines."""
        return cell["type"] != "cim_driver" and "cim_driver" not in cell["type"]

    def _fault(self, cell: str, bit: Bit, rule: str) -> None:
        named = "" if bit == "" else str(self._names.get(bit, bit))
        self.faults.append(Fault(self.name, cell, named, rule))

    def _inputs(self, cell: Mapping[str, Any]) -> list[Bit]:
        """The data bits that a cell takes; none of clocks and enables."""
        kind, pins = cell["type"], cell["connections"]
        if kind in ADDERS:
            return [bit for pin in ADDERS[kind].inputs for bit in pins[pin]]
        if kind in REGISTERS:
            return list(pins["D"])
        ways = cell.get("port_directions", {})
        return [bit for pin, bits in pins.items() if ways.get(pin) == "input" for bit in bits]

    def _outputs(self, cell: Mapping[str, Any]) -> list[Bit]:
        ways = cell["port_directions"]
        return [
            b for pin, bits in cell["connections"].items() if ways[pin] == "output" for b in bits
        ]

    def _ordered(self, cells: Mapping[str, Any]) -> list[str]:
        """The cells, each behind those whose outputs it takes."""
        makers = {bit: name for name, cell in cells.items() for bit in self._outputs(cell)}
        before: dict[str, set[str]] = defaultdict(set)
        for name, cell in cells.items():
            before[name] = {makers[bit] for bit in self._inputs(cell) if bit in makers}
        try:
            return list(TopologicalSorter(before).static_order())
        except CycleError as error:
            self._fault(str(error.args[1][0]), "", "stands in a loop")
            return []

    def _visit(self, name: str, cell: Mapping[str, Any]) -> None:
        kind = cell["type"]
        if kind in ADDERS:
            self._adder(name, cell, ADDERS[kind])
        elif kind in REGISTERS:
            pins = cell["connections"]
            for d, q in zip(pins["D"], pins["Q"], strict=True):
                if d in self.weight:
                    self.weight[q], self.depth[q] = self.weight[d], self.depth[d] + 1
                else:
                    self._fault(name, d, "is registered and comes from no input")
        elif kind == "$xor":
            self._top(name, cell)
        elif kind == "$add":
            self._word(name, cell)
        else:
            self._fault(name, "", f"is a {kind}, which adds nothing")

    def _adder(self, name: str, cell: Mapping[str, Any], equation: _Equation) -> None:
        pins = cell["connections"]
        bits = {pin: pins[pin][0] for pin in equation.inputs}
        known = {pin: bit for pin, bit in bits.items() if not self._is_zero(bit)}
        units = set()
        for pin, bit in known.items():
            if bit not in self.weight:
                return self._fault(name, bit, f"on {pin} comes from no input")
            units.add(self.weight[bit] // equation.inputs[pin])
        self._check_depths(name, known.values())
        if len(units) > 1:
            told = ", ".join(f"{pin} {self.weight[bit]}" for pin, bit in known.items())
            return self._fault(name, "", f"adds bits of different weights: {told}")
        for pin, relative in equation.outputs.items():
            for bit in pins.get(pin, []):
                self.weight[bit] = max(units, default=1) * relative
                self.depth[bit] = max((self.depth[b] for b in known.values()), default=0)
        return None

    def _top(self, name: str, cell: Mapping[str, Any]) -> None:
        """An exclusive or adds the bits of the highest weight, whose carries leave the sum."""
        pins = cell["connections"]
        bits = [bit for bit in (*pins["A"], *pins["B"]) if not self._is_zero(bit)]
        weights = {self.weight.get(bit) for bit in bits}
        self._check_depths(name, bits)
        if len(weights) != 1 or None in weights:
            return self._fault(name, "", "adds bits of different or no weights")
        weight = weights.pop()
        if not self._may_be_dropped(2 * (weight or 0)):
            self._fault(name, bits[0], "drops a carry that may be 1")
        for bit in pins["Y"]:
            self.weight[bit], self.depth[bit] = weight or 0, self.depth[bits[0]]
        return None

    def _word(self, name: str, cell: Mapping[str, Any]) -> None:
        """A word adder: both operands and the sum start at one weight."""
        pins = cell["connections"]
        units = set()
        for pin in ("A", "B"):
            for place, bit in enumerate(pins[pin]):
                if self._is_zero(bit):
                    continue
                if bit not in self.weight:
                    return self._fault(name, bit, f"on {pin} comes from no input")
                units.add(self.weight[bit] / 2**place)
        bits = [b for pin in ("A", "B") for b in pins[pin] if not self._is_zero(b)]
        self._check_depths(name, bits)
        if len(units) != 1:
            return self._fault(name, "", f"adds words of different weights: {sorted(units)}")
        unit = units.pop()
        most = sum(min(2 ** len(pins[pin]) - 1, self._most(pins[pin], unit)) for pin in ("A", "B"))
        above = int(unit * 2 ** len(pins["Y"]))
        if most >= 2 ** len(pins["Y"]) and not self._may_be_dropped(above):
            self._fault(name, pins["Y"][-1], "drops a carry that may be 1")
        for place, bit in enumerate(pins["Y"]):
            self.weight[bit] = int(unit * 2**place)
            self.depth[bit] = max(self.depth[b] for b in bits)
            self._bound[bit] = most
        return None

    def _most(self, word: Sequence[Bit], unit: float) -> int:
        """The largest value of a word, in its own unit: that of the sum it is the whole of, or of
        its bits one by one."""
        bits = [bit for bit in word if not self._is_zero(bit)]
        single = sum(int(self.weight[bit] / unit) for bit in bits)
        bounds = {self._bound.get(bit) for bit in bits}
        whole = bounds.pop() if len(bounds) == 1 else None
        shift = self.weight[bits[0]] / unit if bits else 1
        return single if whole is None else min(single, int(whole * shift))

    def _may_be_dropped(self, weight: int) -> bool:
        """Whether a bit of this weight is above the modulus, or heavier than all inputs together:
        then it cannot be 1."""
        return weight > sum(self.weights) or 0 < self.modulo <= weight

    def _is_zero(self, bit: Bit) -> bool:
        return bit == "0"

    def _check_depths(self, name: str, bits) -> None:
        depths = {self.depth[bit] for bit in bits if bit in self.depth}
        if len(depths) > 1:
            self._fault(name, "", f"adds bits of different register depths: {sorted(depths)}")

    def _check_output(self, bits: Sequence[Bit], port: str) -> None:
        depths = set()
        for place, bit in enumerate(bits):
            if self._is_zero(bit):
                continue
            if self.weight.get(bit) != 2**place:
                rule = f"must have weight {2**place}, has {self.weight.get(bit, 'none')}"
                self._fault(port, bit, rule)
            depths.add(self.depth.get(bit))
        if len(depths) > 1:
            self._fault(port, "", f"has bits of different register depths: {depths}")

    def _check_uses(self, cells: Mapping[str, Any], output: Sequence[Bit]) -> None:
        """Every bit is used exactly once; one that is dropped cannot be 1, or is above the
        modulus."""
        uses = Counter(bit for cell in cells.values() for bit in self._inputs(cell))
        uses.update(output)
        for bit, weight in self.weight.items():
            count = uses[bit]
            if count > 1:
                self._fault("bit", bit, f"is used {count} times")
            if count == 0 and not self._may_be_dropped(weight):
                self._fault("bit", bit, "is dropped and may be 1")
