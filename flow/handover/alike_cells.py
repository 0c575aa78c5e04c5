"""Which cells of a netlist are timed alike: copies, found by their structure."""

import re
from collections.abc import Iterable

from cimforge.flow.handover.timing_graph import TimingGraph
from cimforge.flow.power.flat_netlist import FlatCell

__all__ = ["AlikeCells"]


class AlikeCells:
    """Numbers for the ends of paths in ``graph``: ends with equal ones have equal slacks.

    A cell's delays follow from its kind, its loads and the slews at its inputs. So nets are alike
    where their drivers are, in kind, in loads and in the nets before them, back to ports of one
    name and to the clocks of registers. Cells are told apart by their names too, numbers left out,
    for constraints go by names. Clocks are ideal: they are alike where they come through the same
    kinds of gates, whatever enables these and whatever they load.
    """

    def __init__(self, graph: TimingGraph):
        self._graph = graph
        self._numbers: dict[object, int] = {}
        self._nets: dict[int, int] = {}
        self._clocks: dict[int, int] = {}

    def end(self, cell: FlatCell) -> int:
        """The number of a cell that checks its inputs."""
        pins = self._graph.taken(cell)
        return self._number((cell.kind, _pattern(cell), self._before(cell, pins)))

    def output(self, net: int) -> int:
        """The number of an output's net."""
        self._find([net])
        return self._number(self._of(net))

    def _before(self, cell: FlatCell, pins: Iterable[str]) -> tuple[object, ...]:
        """What is before these pins of a cell."""
        self._find(cell.pins[pin] for pin in pins)
        return tuple((pin, self._of(cell.pins[pin])) for pin in pins)

    def _of(self, net: int) -> object:
        if net < 0:
            return ("constant", net)
        if net in self._graph.clocks:
            return ("clock", self._clock(net))
        return self._nets.get(net, ("loop", net))

    def _find(self, nets: Iterable[int]) -> None:
        """Number nets, those before them first; a stack of our own, for trees are deep."""
        known, begun = self._nets, set()
        waiting = [net for net in nets if net >= 0 and net not in self._graph.clocks]
        while waiting:
            net = waiting[-1]
            if net not in known and net not in begun:
                begun.add(net)
                waiting += [n for n in self._causes(net) if n not in known and n not in begun]
            else:
                waiting.pop()
                if net not in known:
                    known[net] = self._number(self._driven(net))

    def _causes(self, net: int) -> list[int]:
        graph = self._graph
        cells = [(graph.cells[place], pin) for place, pin in graph.drivers.get(net, ())]
        found = [cell.pins[by] for cell, pin in cells for by in graph.causes(cell, pin)]
        return [net for net in found if net >= 0 and net not in graph.clocks]

    def _driven(self, net: int) -> object:
        graph = self._graph
        if net in graph.inputs:
            return (graph.inputs[net], self._load(net))
        drivers = []
        for place, pin in graph.drivers.get(net, ()):
            cell = graph.cells[place]
            loads = tuple((made, self._load(cell.pins[made])) for made in graph.made(cell))
            before = tuple((by, self._of(cell.pins[by])) for by in graph.causes(cell, pin))
            drivers.append((cell.kind, pin, _pattern(cell), loads, before))
        return (*drivers, self._load(net))

    def _clock(self, net: int) -> int:
        if net not in self._clocks:
            self._clocks[net] = self._number(("clock loop", net))
            graph, gates = self._graph, []
            for place, pin in graph.drivers.get(net, ()):
                cell = graph.cells[place]
                pins = [(by, cell.pins[by]) for by in graph.causes(cell, pin)]
                ways = [(by, self._of(n) if n in graph.clocks else min(n, 0)) for by, n in pins]
                gates.append((cell.kind, pin, *ways))
            self._clocks[net] = self._number(("clock", graph.inputs.get(net), *gates))
        return self._clocks[net]

    def _load(self, net: int) -> int:
        graph = self._graph
        pins = [(graph.cells[place].kind, pin) for place, pin in graph.loads.get(net, ())]
        return self._number((*sorted(pins), *sorted(graph.outputs.get(net, ()))))

    def _number(self, what: object) -> int:
        return self._numbers.setdefault(what, len(self._numbers))


def _pattern(cell: FlatCell) -> str:
    return re.sub(r"\d+", "*", cell.name)
