"""Adders of free polarity: full adders from gates, whose bits are inverted where that is smaller.

A full adder is self-dual: of inverted inputs it makes inverted outputs. So the carry may come from
an inverting gate, and whoever takes the bit takes it inverted; only what leaves the adders must be
true. Sums cost the same either way (XOR or XNOR).
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from typing import Any

from cimforge.flow.liberty.adder_gates import AdderGates
from cimforge.flow.liberty.leaf_cells import Match

__all__ = ["free_polarity"]

INPUTS = {"cim_fa": ("a", "b", "ci"), "cim_ha": ("a", "b")}
Bit = int | str  # a net's number in Yosys' JSON, or a constant


@dataclass(frozen=True)
class _Net:
    """The net that carries a bit, or its inverse."""

    bit: Bit
    inverted: bool = False


def free_polarity(modules: Mapping[str, Any], gates: AdderGates) -> dict[str, Any]:
    """Those of Yosys' JSON ``modules`` that have a cim_fa or cim_ha, each of them replaced by gates
    of the library.

    Inputs of equal polarity: carry ``~(a b | c x)``, inverted against them, with x = a ^ b. One of
    another polarity than the two others, c: ``n = ~(a | b)``, ``x = ~(a b | n)``, carry ``~(x c |
    n)``, of their polarity. A half adder's inputs are made equal by an inverter. Sums are given the
    carry's polarity, or are true where anything but an adder takes them; so are such carries, by an
    inverter.
    """
    changed = {
        name: module
        for name, module in modules.items()
        if any(cell["type"] in INPUTS for cell in module["cells"].values())
    }
    for module in changed.values():
        _Rewriter(module, gates).run()
    return changed


@dataclass
class _Rewriter:
    module: dict[str, Any]
    gates: AdderGates
    nets: dict[Bit, _Net] = field(default_factory=dict)

    def run(self) -> None:
        cells = self.module["cells"]
        adders = {name: cell for name, cell in cells.items() if cell["type"] in INPUTS}
        self.true = self._needed_true(adders)
        self.last = max(self._bits(), default=1)
        for name in adders:
            del cells[name]
        for name in self._order(adders):
            cell = adders[name]
            pins = {pin: bits[0] for pin, bits in cell["connections"].items()}
            build = self._full if cell["type"] == "cim_fa" else self._half
            build(name, pins)

    def _bits(self):
        """All net numbers of the module."""
        for port in self.module["ports"].values():
            yield from (bit for bit in port["bits"] if isinstance(bit, int))
        for net in self.module["netnames"].values():
            yield from (bit for bit in net["bits"] if isinstance(bit, int))
        for cell in self.module["cells"].values():
            for bits in cell["connections"].values():
                yield from (bit for bit in bits if isinstance(bit, int))

    def _needed_true(self, adders: Mapping[str, Any]) -> set[Bit]:
        """Bits that anything but an adder takes."""
        taken = {bit for port in self.module["ports"].values() for bit in port["bits"]}
        for name, cell in self.module["cells"].items():
            if name not in adders:
                taken |= {bit for bits in cell["connections"].values() for bit in bits}
        return taken

    def _order(self, adders: Mapping[str, Any]) -> list[str]:
        """The adders, each behind those whose outputs it takes."""
        makers: dict[Bit, str] = {}
        before: dict[str, set[str]] = defaultdict(set)
        for name, cell in adders.items():
            for pin in ("s", "co"):
                makers |= dict.fromkeys(cell["connections"].get(pin, []), name)
        for name, cell in adders.items():
            inputs = (cell["connections"][pin][0] for pin in INPUTS[cell["type"]])
            before[name] = {makers[bit] for bit in inputs if bit in makers}
        return list(TopologicalSorter(before).static_order())

    def _full(self, name: str, pins: dict[str, Bit]) -> None:
        a, b, c = (self._take(pins[pin]) for pin in INPUTS["cim_fa"])
        if a.inverted != b.inverted:  # the odd one out is c
            a, b, c = (a, c, b) if a.inverted == c.inverted else (b, c, a)
        x, g = _Net(self._new()), self.gates
        if a.inverted == c.inverted:
            carry = self._made(pins["co"], not a.inverted)
            self._place(name, "x", g.xor, x, a=a, b=b)
            self._place(name, "carry", g.aoi22, carry, a=a, b=b, c=c, d=x)
        else:
            carry, none = self._made(pins["co"], a.inverted), _Net(self._new())
            self._place(name, "none", g.nor, none, a=a, b=b)
            self._place(name, "x", g.aoi21, x, a=a, b=b, c=none)
            self._place(name, "carry", g.aoi21, carry, a=x, b=c, c=none)
        self._sum(name, pins["s"], x, c, carry.inverted)
        self._give(name, pins["co"], carry)

    def _half(self, name: str, pins: dict[str, Bit]) -> None:
        a, b = (self._take(pins[pin]) for pin in INPUTS["cim_ha"])
        if a.inverted != b.inverted:
            odd = a if a.inverted else b
            a, b = (b if a.inverted else a), _Net(self._new())
            self._place(name, "equal", self.gates.inverter, b, a=odd)
        carry = self._made(pins["co"], not a.inverted)
        gate = self.gates.nor if a.inverted else self.gates.nand
        self._place(name, "carry", gate, carry, a=a, b=b)
        self._sum(name, pins["s"], a, b, carry.inverted)
        self._give(name, pins["co"], carry)

    def _sum(self, name: str, bit: Bit, x: _Net, y: _Net, inverted: bool) -> None:
        """``x ^ y`` as ``bit``, true where it must be, else of the polarity wanted."""
        made = self._made(bit, inverted and bit not in self.true)
        odd = x.inverted != y.inverted
        self._place(
            name, "sum", self.gates.xor if odd == made.inverted else self.gates.xnor, made, a=x, b=y
        )
        self.nets[bit] = made

    def _made(self, bit: Bit, inverted: bool) -> _Net:
        """The net of an adder's output ``bit``: its own, or a new one that carries its inverse."""
        return _Net(self._new() if inverted else bit, inverted)

    def _give(self, name: str, bit: Bit, made: _Net) -> None:
        """``made`` as the adder's output ``bit``, made true where it must be."""
        if made.inverted and bit in self.true:
            made, source = _Net(bit), made
            self._place(name, "true", self.gates.inverter, made, a=source)
        self.nets[bit] = made

    def _take(self, bit: Bit) -> _Net:
        return self.nets.get(bit, _Net(bit))

    def _new(self) -> int:
        self.last += 1
        return self.last

    def _place(self, name: str, part: str, match: Match, y: _Net, **inputs: _Net) -> None:
        nets = {**inputs, "y": y}
        ways = {match.pins[pin]: "output" if pin == "y" else "input" for pin in nets}
        self.module["cells"][f"{name}.{part}"] = {
            **{"hide_name": 0, "type": match.cell.name, "parameters": {}, "attributes": {}},
            "port_directions": ways,
            "connections": {match.pins[pin]: [net.bit] for pin, net in nets.items()},
        }
