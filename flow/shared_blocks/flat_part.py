"""The part of a macro that sets its clock period, as one flat Verilog module for static timing."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cimforge.flow.shared_blocks.load_cell import load_name
from cimforge.hdl.netlist.drivers import LOADS
from cimforge.hdl.params.config import MacroConfig

__all__ = ["FlatPart", "flat_part"]

CONSTANTS = ("0", "1", "x", "z")
DRIVER = "drive_"  # in the name of a driver's instance: its load counts, whoever it drives


@dataclass(frozen=True)
class _Cell:
    """A library cell: its hierarchical name, and its pins' nets."""

    name: str
    kind: str
    pins: Mapping[str, int]


@dataclass(frozen=True)
class FlatPart:
    """Verilog of one flat module, and the types of cells whose load_cell is used there."""

    verilog: str
    loads: Collection[str]


def flat_part(
    config: MacroConfig,
    top: str,
    netlist: Mapping[str, Any],
    outputs: Mapping[str, Collection[str]],
    drives: Mapping[str, Iterable[str]],
) -> FlatPart:
    """The module ``top`` of ``netlist`` (Yosys' JSON), flat, ports bit by bit.

    As in map_to_library, columns behind other drivers than column 0 are left out, and so is what
    nothing needs (``drives``: of each cell type the pins whose use makes it needed). Of columns
    behind the same drivers, which are copies of column 0, only what drives a net of others is left,
    and as cells of load_name the pins that load one: its paths are theirs. ``outputs`` are the
    output pins of each cell type.
    """
    flat = _Flat(netlist)
    served = max(1, LOADS // config.slice_width // config.slices)
    dropped = {name for col in range(served, config.cols) for name in _column(col, config)}
    flat.flatten(top, dropped)
    cells = _needed(flat, drives)
    loads: set[str] = set()
    for col in range(1, min(served, config.cols)):
        column = tuple(f"{name}." for name in _column(col, config))
        cells, more = _loads_alone(flat, cells, column, outputs)
        loads |= more
    return FlatPart(_verilog(flat, top, cells), loads)


def _column(col: int, config: MacroConfig) -> list[str]:
    """Instances that make one column."""
    if config.slices == 1:
        return [f"col{col}"]
    return [f"fusion{col}", *(f"col{col}_slice{place}" for place in range(config.slices))]


class _Flat:
    """Cells and nets of a module and all below it. A net is a number; ``find`` tells the one that
    stands for all that are wired to it."""

    def __init__(self, netlist: Mapping[str, Any]):
        self._netlist = netlist
        self._same = list(range(len(CONSTANTS)))
        self.cells: list[_Cell] = []
        self.ports: dict[str, tuple[str, int]] = {}  # bit of a port: direction, net

    def find(self, net: int) -> int:
        """The number that stands for a net."""
        same = self._same
        while same[net] != net:
            same[net] = same[same[net]]
            net = same[net]
        return net

    def _join(self, one: int, other: int) -> None:
        one, other = self.find(one), self.find(other)
        self._same[max(one, other)] = min(one, other)  # constants have the lowest numbers

    def flatten(self, top: str, dropped: set[str]) -> None:
        """Everything below ``top`` but its instances ``dropped``."""
        nets = self._place(top, "", dropped)
        for name, port in self._netlist[top]["ports"].items():
            wide = len(port["bits"]) > 1
            for place, bit in enumerate(port["bits"]):
                told = f"{name}[{place}]" if wide else name
                self.ports[told] = (port["direction"], nets[bit])

    def _place(self, module: str, path: str, dropped: Iterable[str] = ()) -> dict[Any, int]:
        """Add an instance of a module; returns its nets by their bits there."""
        nets: dict[Any, int] = {bit: place for place, bit in enumerate(CONSTANTS)}
        same = self._same

        def net(bit: Any) -> int:
            found = nets.get(bit)
            if found is None:
                found = nets[bit] = len(same)
                same.append(found)
            return found

        told = self._netlist[module]
        for port in told["ports"].values():
            for bit in port["bits"]:
                net(bit)
        hidden = 0
        for name, cell in told["cells"].items():
            if name in dropped:
                continue
            if name.startswith("$"):
                hidden += 1
                name = f"g{hidden}"
            kind, connections = cell["type"], cell["connections"]
            if kind not in self._netlist:
                pins = {pin: net(bits[0]) for pin, bits in connections.items() if bits}
                self.cells.append(_Cell(f"{path}{name}", kind, pins))
                continue
            inner = self._place(kind, f"{path}{name}.")
            for port, told_port in self._netlist[kind]["ports"].items():
                for bit, outer in zip(told_port["bits"], connections.get(port, ()), strict=False):
                    self._join(inner[bit], net(outer))
        return nets


def _needed(flat: _Flat, drives: Mapping[str, Iterable[str]]) -> list[_Cell]:
    """The cells that an output or a driver needs, in order."""
    makers: dict[int, list[int]] = defaultdict(list)
    for place, cell in enumerate(flat.cells):
        for pin in drives[cell.kind]:
            if pin in cell.pins:
                makers[flat.find(cell.pins[pin])].append(place)
    waiting = [place for place, cell in enumerate(flat.cells) if DRIVER in cell.name]
    for way, net in flat.ports.values():
        if way == "output":
            waiting += makers.get(flat.find(net), ())
    needed = set(waiting)
    while waiting:
        for net in flat.cells[waiting.pop()].pins.values():
            fresh = [place for place in makers.get(flat.find(net), ()) if place not in needed]
            needed.update(fresh)
            waiting += fresh
    return [flat.cells[place] for place in sorted(needed)]


def _loads_alone(
    flat: _Flat,
    cells: list[_Cell],
    column: tuple[str, ...],
    outputs: Mapping[str, Collection[str]],
) -> tuple[list[_Cell], set[str]]:
    """``cells``, of those of a column only what drives a net of others, and loads on such nets; and
    the types of cells that these stand for."""
    others = {flat.find(net) for _, net in flat.ports.values()}
    for cell in cells:
        if not cell.name.startswith(column):
            others.update(map(flat.find, cell.pins.values()))
    others -= set(range(len(CONSTANTS)))
    left, loads = [], set()
    for cell in cells:
        used = {pin: net for pin, net in cell.pins.items() if flat.find(net) in others}
        if not cell.name.startswith(column) or not used.keys().isdisjoint(outputs[cell.kind]):
            left.append(cell)
        elif used:
            left.append(_Cell(cell.name, load_name(cell.kind), used))
            loads.add(cell.kind)
    return left, loads


def _verilog(flat: _Flat, top: str, cells: list[_Cell]) -> str:
    names = {place: f"1'b{bit}" for place, bit in enumerate(CONSTANTS)}
    for port, (way, net) in flat.ports.items():
        if way == "input":
            names[flat.find(net)] = f"\\{port} "
    ties = []
    for port, (way, net) in flat.ports.items():
        name = names.setdefault(flat.find(net), f"\\{port} ")
        if way == "output" and name != f"\\{port} ":
            ties.append(f"  assign \\{port}  = {name};\n")
    ports = ",\n".join(f"  \\{port} " for port in flat.ports)
    ways = "".join(f"  {way} \\{port} ;\n" for port, (way, _) in flat.ports.items())
    return "".join(
        [
            f"module {top} (\n{ports}\n);\n",
            ways,
            *ties,
            *_instances(flat, cells, names),
            "endmodule\n",
        ]
    )


def _instances(flat: _Flat, cells: list[_Cell], names: dict[int, str]) -> Iterator[str]:
    for cell in cells:
        pins = []
        for pin, net in cell.pins.items():
            root = flat.find(net)
            pins.append(f".{pin}({names.setdefault(root, f'n{root}')})")
        yield f"  \\{cell.kind} \\{cell.name}  ({', '.join(pins)});\n"
