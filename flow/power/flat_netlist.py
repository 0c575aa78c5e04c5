"""The whole mapped macro as one list of cells: no module is counted for another."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cimforge.flow.synth.census import AreaRoles
from cimforge.hdl.netlist.module import LEAF

__all__ = ["ONE", "ZERO", "FlatCell", "FlatNetlist", "flatten"]

ZERO, ONE = -1, -2  # nets that are constants
CONSTANTS = {"0": ZERO, "1": ONE, "x": ZERO, "z": ZERO}

Modules = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class FlatCell:
    """An instance of a library cell: its hierarchical name, the area role that it serves, and the
    net of each of its pins."""

    name: str
    kind: str
    role: str
    pins: Mapping[str, int]


@dataclass(frozen=True)
class FlatNetlist:
    """Cells in the order of the design, nets as numbers from 0 (constants: ZERO, ONE), the nets of
    the top's ports, lowest bit first, and which ports are outputs."""

    cells: tuple[FlatCell, ...]
    nets: int
    ports: Mapping[str, tuple[int, ...]]
    outputs: frozenset[str]


def flatten(modules: Modules, top: str, roles: AreaRoles) -> FlatNetlist:
    """Every instance of every cell below ``top`` in a netlist's modules (Yosys JSON).

    Nets that a module only passes through are one net. Raises ValueError where a module has no
    role.
    """
    joined = _Nets()
    local = {bit: joined.new() for bit in _bits(modules[top])}
    found = list(_visit(modules, top, "", LEAF, roles, local, joined))
    numbers: dict[int, int] = {}

    def net(bit: int) -> int:
        root = joined.root(bit)
        return root if root < 0 else numbers.setdefault(root, len(numbers))

    ports = {
        name: tuple(net(_global(bit, local)) for bit in port["bits"])
        for name, port in modules[top]["ports"].items()
    }
    cells = tuple(
        FlatCell(name, kind, role, {pin: net(bit) for pin, bit in pins.items()})
        for name, kind, role, pins in found
    )
    outward = {n for n, port in modules[top]["ports"].items() if port["direction"] == "output"}
    return FlatNetlist(cells, len(numbers), ports, frozenset(outward))


class _Nets:
    """Nets that may turn out to be one, or a constant."""

    def __init__(self) -> None:
        self._parent: dict[int, int] = {ZERO: ZERO, ONE: ONE}

    def new(self) -> int:
        number = len(self._parent)
        self._parent[number] = number
        return number

    def root(self, net: int) -> int:
        while self._parent[net] != net:
            self._parent[net] = self._parent[self._parent[net]]
            net = self._parent[net]
        return net

    def join(self, a: int, b: int) -> None:
        low, high = sorted((self.root(a), self.root(b)))  # constants are the lowest
        self._parent[high] = low


def _visit(
    modules: Modules,
    module: str,
    path: str,
    parent: str,
    roles: AreaRoles,
    local: Mapping[int, int],
    joined: _Nets,
) -> Iterator[tuple[str, str, str, dict[str, int]]]:
    """(name, kind, role, nets by pin) of all cells in an instance of ``module``, whose bits are the
    nets ``local``."""
    role = roles.of_module(module)
    role = parent if role == LEAF else role
    for name, cell in modules[module]["cells"].items():
        kind = cell["type"]
        if kind.startswith("$scope"):
            continue
        wired = {
            pin: [_global(bit, local) for bit in bits] for pin, bits in cell["connections"].items()
        }
        if kind in modules:
            inner = {bit: joined.new() for bit in _bits(modules[kind])}
            for pin, nets in wired.items():
                for bit, net in zip(modules[kind]["ports"][pin]["bits"], nets, strict=True):
                    joined.join(_global(bit, inner), net)
            yield from _visit(modules, kind, f"{path}{name}.", role, roles, inner, joined)
        else:
            pins = {pin: nets[0] for pin, nets in wired.items()}
            yield f"{path}{name}", kind, roles.of_cell(module, name, role), pins


def _bits(module: Mapping[str, Any]) -> list[int]:
    """All bits of a module, each once."""
    groups = [port["bits"] for port in module["ports"].values()]
    groups += [bits for cell in module["cells"].values() for bits in cell["connections"].values()]
    return list(dict.fromkeys(bit for bits in groups for bit in bits if isinstance(bit, int)))


def _global(bit: int | str, local: Mapping[int, int]) -> int:
    return local[bit] if isinstance(bit, int) else CONSTANTS[bit]
