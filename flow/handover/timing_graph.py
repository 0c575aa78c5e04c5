"""A mapped netlist from pin to pin, as static timing walks it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from cimforge.flow.liberty.library import Library
from cimforge.flow.power.flat_netlist import FlatCell, FlatNetlist
from cimforge.hdl.netlist.module import Port

__all__ = ["TimingGraph"]

LAUNCHES = ("rising_edge", "falling_edge")


class _Kind(NamedTuple):
    """What timing knows of a library cell: the pins that an output's delays begin at, by output;
    its clock pins; whether it keeps a state."""

    causes: Mapping[str, tuple[str, ...]]
    launches: frozenset[str]
    keeps: bool


class TimingGraph:
    """Cells by place; by net what drives it (``drivers``) and what it loads it with (``loads``),
    both (place, pin), and the ports it is: ``inputs`` one, ``outputs`` any number.

    ``clocks`` are the nets that clk reaches through gates. ``clean``: clk ends at clock pins alone,
    so that no delay of data begins at one of them.
    """

    def __init__(self, netlist: FlatNetlist, library: Library, ports: Sequence[Port]):
        self.cells = netlist.cells
        self._kinds = {kind: _kind(library, kind) for kind in {c.kind for c in netlist.cells}}
        self.drivers: dict[int, list[tuple[int, str]]] = defaultdict(list)
        self.loads: dict[int, list[tuple[int, str]]] = defaultdict(list)
        for place, cell in enumerate(netlist.cells):
            causes = self._kinds[cell.kind].causes
            for pin, net in cell.pins.items():
                (self.drivers if pin in causes else self.loads)[net].append((place, pin))
        self.inputs: dict[int, str] = {}
        self.outputs: dict[int, list[str]] = defaultdict(list)
        for port in ports:
            for net in netlist.ports[port.name]:
                if port.direction == "input":
                    self.inputs[net] = port.name
                else:
                    self.outputs[net].append(port.name)
        self.clocks = self._reached({net for net, name in self.inputs.items() if name == "clk"})
        self.clean = not any(net in self.outputs or self._data(net) for net in self.clocks)

    def made(self, cell: FlatCell) -> list[str]:
        """The output pins of a cell."""
        return [pin for pin in cell.pins if pin in self._kinds[cell.kind].causes]

    def taken(self, cell: FlatCell) -> list[str]:
        """The input pins of a cell."""
        return [pin for pin in cell.pins if pin not in self._kinds[cell.kind].causes]

    def causes(self, cell: FlatCell, output: str) -> list[str]:
        """The pins that the delays of an output begin at."""
        return [pin for pin in self._kinds[cell.kind].causes[output] if pin in cell.pins]

    def ends(self, inside: bool) -> list[int]:
        """Places of the cells whose checks count: all clock gates, and of what keeps a state all
        (``inside``) or what the ports reach."""
        ports = self._reached({net for net, name in self.inputs.items() if name != "clk"})
        return [
            place
            for place, cell in enumerate(self.cells)
            if (
                inside or not ports.isdisjoint(cell.pins.values())
                if self._kinds[cell.kind].keeps
                else not self.clocks.isdisjoint(cell.pins[pin] for pin in self.taken(cell))
            )
        ]

    def _reached(self, nets: set[int]) -> set[int]:
        """These nets and those behind them up to what keeps a state: at the long periods that arcs
        are measured with, nothing that comes from a port gets through an open latch."""
        found, waiting = set(nets), list(nets)
        while waiting:
            for place, pin in self.loads.get(waiting.pop(), ()):
                kind, pins = self._kinds[self.cells[place].kind], self.cells[place].pins
                if not kind.keeps:
                    behind = {pins[out] for out, by in kind.causes.items() if pin in by}
                    waiting += behind - found
                    found |= behind
        return found

    def _data(self, net: int) -> bool:
        """Whether a net goes to a pin of a register that is not its clock."""
        kinds = ((self._kinds[self.cells[place].kind], pin) for place, pin in self.loads[net])
        return any(kind.keeps and pin not in kind.launches for kind, pin in kinds)


def _kind(library: Library, name: str) -> _Kind:
    cell = library.cells.get(name)
    if cell is None:  # a RAM: no arcs, a load of unknown size
        return _Kind({}, frozenset(), keeps=True)
    causes: dict[str, dict[str, None]] = {}
    launches = set()
    for pin in cell.outputs:
        found = causes.setdefault(pin.name, {})
        for timing in pin.source.all("timing"):
            related = timing.values.get("related_pin", "").strip('"').split()
            found.update(dict.fromkeys(related))
            if timing.values.get("timing_type", "").strip('"') in LAUNCHES:
                launches.update(related)
    keeps = cell.ff is not None or cell.latch is not None
    return _Kind({pin: tuple(by) for pin, by in causes.items()}, frozenset(launches), keeps)
