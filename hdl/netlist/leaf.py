"""Leaf cells: modules of the shared cim_cells.v, kept as instances for a technology to replace."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from cimforge.hdl.netlist.module import LEAF, Child, Port

__all__ = [
    "CLOCK_GATE",
    "COMPRESSOR",
    "FULL_ADDER",
    "HALF_ADDER",
    "LATCH",
    "SET_CLEAR",
    "Leaf",
    "driver",
    "flip_adder",
]


@dataclass(frozen=True)
class Leaf:
    """A leaf cell; ``reference`` names it in an instance, with its parameters."""

    kind: str
    comment: str
    ports: Mapping[str, Port]
    parameters: Mapping[str, int] = field(default_factory=dict)
    role: str = LEAF
    latency: int = 0
    children: Sequence[Child] = ()

    @property
    def name(self) -> str:
        """Its module's name, the same in every macro."""
        return f"cim_{self.kind}"

    @property
    def reference(self) -> str:
        """What stands before an instance's name."""
        values = ", ".join(f".{name}({value})" for name, value in self.parameters.items())
        return f"{self.name} #({values})" if values else self.name

    def verilog(self) -> str:
        """Nothing: its text is in cim_cells.v."""
        return ""


def _leaf(kind: str, comment: str, inputs: str, outputs: str) -> Leaf:
    ports = [Port(name, "input", 1) for name in inputs.split()]
    ports += [Port(name, "output", 1) for name in outputs.split()]
    return Leaf(kind, comment, {port.name: port for port in ports})


FULL_ADDER = _leaf("fa", "2*co + s = a + b + ci", "a b ci", "s co")
HALF_ADDER = _leaf("ha", "2*co + s = a + b", "a b", "s co")
COMPRESSOR = _leaf("c42", "2*(cout + co) + s = a + b + c + d + ci", "a b c d ci", "s co cout")
LATCH = _leaf("latch", "q follows d while gate is high", "gate d", "q")
SET_CLEAR = _leaf(
    "set_clear", "q is 0 from clear on, and 1 from set on where d is high", "clear set d", "q"
)
CLOCK_GATE = _leaf(
    "clkgate",
    "gate is high while clk is low and enable or test_en high",
    "clk enable test_en",
    "gate",
)


@cache
def driver(width: int, loads: int) -> Leaf:
    """Drivers of ``width`` nets, each of which drives ``loads`` pins: y = a."""
    ports = {"a": Port("a", "input", width), "y": Port("y", "output", width)}
    return Leaf("driver", "y = a", ports, {"WIDTH": width, "LOADS": loads})


@cache
def flip_adder(width: int) -> Leaf:
    """Adds two words of ``width`` bits, the second inverted while flip is high."""
    names = {"a": width, "b": width, "flip": 1}
    ports = {name: Port(name, "input", bits) for name, bits in names.items()}
    ports["y"] = Port("y", "output", width)
    return Leaf("flip_add", "y = a + (b ^ flip)", ports, {"WIDTH": width})
