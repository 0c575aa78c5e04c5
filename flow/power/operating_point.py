"""Loads, slews and delays of a flat netlist at its library's operating point."""

from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cimforge.flow.liberty.characterisation import EDGES, DelayArc, Physics
from cimforge.flow.liberty.lookup_table import LookupTable
from cimforge.flow.power.clock_network import ClockNetwork
from cimforge.flow.power.clocking import Clocking
from cimforge.flow.power.flat_netlist import FlatCell, FlatNetlist

__all__ = ["ArcDelays", "Edges", "OperatingPoint", "net_loads", "operating_point"]

Edges = tuple[float, float]  # of the rising and of the falling edge
ArcDelays = Mapping[str, Mapping[str, Edges]]  # ns, by output pin and the pin that causes it
Arcs = tuple[DelayArc, ...]
STILL: Edges = (0.0, 0.0)


@dataclass(frozen=True)
class OperatingPoint:
    """Slews (ns) of every net, delays of every cell, and the longest path between registers (ns),
    those that must arrive within half a cycle counted twice."""

    slews: Sequence[Edges]
    delays: Sequence[ArcDelays]
    longest: float


def net_loads(
    netlist: FlatNetlist, physics: Mapping[str, Physics], wire_load: float = 0.0
) -> list[float]:
    """What each net drives (fF): its cells' pins, and ``wire_load`` a pin."""
    loads = [0.0] * netlist.nets
    for cell in netlist.cells:
        capacitance = physics[cell.kind].capacitance
        for pin, net in cell.pins.items():
            if net >= 0 and pin in capacitance:
                loads[net] += capacitance[pin] + wire_load
    return loads


def operating_point(
    netlist: FlatNetlist,
    physics: Mapping[str, Physics],
    clocking: Mapping[str, Clocking],
    clock: ClockNetwork,
    loads: Sequence[float],
) -> OperatingPoint:
    """The operating point of a netlist with these loads.

    A slew is the largest that a cell's inputs cause, as in static timing, where several conditions
    have tables their mean; ports have none. The clock network is ideal: no delay.
    """
    slews: list[Edges] = [STILL] * netlist.nets
    arrivals: list[Edges] = [STILL] * netlist.nets
    delays: list[ArcDelays] = [{}] * len(netlist.cells)
    tables = _Tables()
    every = [_arcs(cell, physics[cell.kind], clock) for cell in netlist.cells]
    for index in _order(netlist, every, clock):
        cell = netlist.cells[index]
        kind, found = clocking.get(cell.kind), {}
        for pin, arcs in every[index].items():
            net = cell.pins[pin]
            inputs = [
                slews[n] if (n := cell.pins.get(arc.related, -1)) >= 0 else STILL for arc in arcs
            ]
            slews[net], found[pin] = tables.output(cell.kind, pin, arcs, tuple(inputs), loads[net])
            if net in clock.nets:
                found[pin] = dict.fromkeys(found[pin], STILL)
            elif not (kind and kind.latch and cell.pins.get(kind.pin) in clock.gated):
                arrivals[net] = _arrival(cell, arcs, arrivals, found[pin])
        delays[index] = found
    return OperatingPoint(slews, delays, _longest(netlist, clocking, clock, physics, arrivals))


def _arcs(cell: FlatCell, physics: Physics, clock: ClockNetwork) -> dict[str, Arcs]:
    """The arcs to each wired output; of the clock network only those from other nets of it."""
    found: dict[str, Arcs] = {}
    for pin, arcs in physics.arcs.items():
        net = cell.pins.get(pin, -1)
        if net in clock.nets:
            arcs = tuple(a for a in arcs if cell.pins.get(a.related) in clock.nets)
        if net >= 0 and arcs:
            found[pin] = arcs
    return found


class _Tables:
    """Looks up an output's slews and delays, each question once: columns are alike."""

    def __init__(self) -> None:
        self._known: dict[tuple, tuple[Edges, dict[str, Edges]]] = {}

    def output(
        self, kind: str, pin: str, arcs: Sequence[DelayArc], inputs: tuple[Edges, ...], load: float
    ) -> tuple[Edges, dict[str, Edges]]:
        """The slews of output ``pin`` and its delays by related pin."""
        key = (kind, pin, len(arcs), inputs, load)
        if key not in self._known:
            self._known[key] = _look_up(arcs, inputs, load)
        return self._known[key]


def _look_up(
    arcs: Sequence[DelayArc], inputs: Sequence[Edges], load: float
) -> tuple[Edges, dict[str, Edges]]:
    slews = [0.0, 0.0]
    delays: dict[str, list[list[float]]] = defaultdict(lambda: [[], []])
    for arc, given in zip(arcs, inputs, strict=True):
        for place, edge in enumerate(EDGES):
            slew = _cause(given, arc.cause[edge])
            slews[place] = max(slews[place], _mean(arc.slews[edge], slew, load))
            if arc.delays[edge]:
                delays[arc.related][place].append(_mean(arc.delays[edge], slew, load))
    meant = {
        related: (_average(rise) or _average(fall), _average(fall) or _average(rise))
        for related, (rise, fall) in delays.items()
    }
    return (slews[0], slews[1]), meant


def _cause(slews: Edges, edge: str) -> float:
    """The slew of an input that makes an edge: of its own edge, or the larger of both."""
    return max(slews) if not edge else slews[EDGES.index(edge)]


def _mean(tables: Sequence[LookupTable], slew: float, load: float) -> float:
    """The mean of several tables; nothing that a table tells is below 0."""
    return max(0.0, _average([table.value(slew, load) for table in tables]))


def _average(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def _arrival(
    cell: FlatCell, arcs: Sequence[DelayArc], arrivals: Sequence[Edges], delays: Mapping[str, Edges]
) -> Edges:
    """When an output's edges arrive at the latest, by its arcs."""
    latest = [0.0, 0.0]
    for arc in arcs:
        net = cell.pins.get(arc.related, -1)
        if net < 0:
            continue
        for place, edge in enumerate(EDGES):
            before = _cause(arrivals[net], arc.cause[edge])
            latest[place] = max(latest[place], before + delays.get(arc.related, STILL)[place])
    return latest[0], latest[1]


def _order(
    netlist: FlatNetlist, arcs: Sequence[Mapping[str, Arcs]], clock: ClockNetwork
) -> list[int]:
    """The cells, those of the clock network first, each behind those that drive what its arcs begin
    at; a loop is cut at its first cell in the netlist."""
    tree = [
        index
        for index, cell in enumerate(netlist.cells)
        if any(cell.pins.get(pin) in clock.nets for pin in arcs[index])
    ]
    others = sorted(set(range(len(netlist.cells))) - set(tree))
    return [*_sorted(netlist, arcs, tree), *_sorted(netlist, arcs, others)]


def _sorted(
    netlist: FlatNetlist, arcs: Sequence[Mapping[str, Arcs]], indices: Sequence[int]
) -> list[int]:
    """Some of the cells, in that order."""
    makers: dict[int, int] = {}
    for index in indices:
        for pin in arcs[index]:
            makers[netlist.cells[index].pins[pin]] = index
    waiting = {}
    for index in indices:
        related = {
            netlist.cells[index].pins.get(a.related, -1) for g in arcs[index].values() for a in g
        }
        waiting[index] = {makers[net] for net in sorted(related) if net in makers}
    return _topological(waiting)


def _topological(before: Mapping[int, set[int]]) -> list[int]:
    """Cells behind those that they wait for; where all wait, the first goes."""
    behind: dict[int, list[int]] = defaultdict(list)
    missing = {index: len(others) for index, others in before.items()}
    for index, others in before.items():
        for other in others:
            behind[other].append(index)
    order: list[int] = []
    ready = deque(index for index, count in missing.items() if not count)
    left = iter(before)
    done: set[int] = set()
    while len(order) < len(before):
        index = ready.popleft() if ready else next(left)
        if index in done:
            continue
        done.add(index)
        order.append(index)
        for other in behind[index]:
            missing[other] -= 1
            if not missing[other]:
                ready.append(other)
    return order


def _longest(
    netlist: FlatNetlist,
    clocking: Mapping[str, Clocking],
    clock: ClockNetwork,
    physics: Mapping[str, Physics],
    arrivals: Sequence[Edges],
) -> float:
    """The latest arrival at what the clock opens or samples, registers and gates of its network;
    twice that where it is taken in mid-cycle."""
    longest = 0.0
    for cell in netlist.cells:
        kind, pins = clocking.get(cell.kind), physics[cell.kind].capacitance
        if kind is None and not any(net in clock.nets for net in cell.pins.values()):
            continue
        factor = 2.0 if kind and clock.acts_in_mid_cycle(cell, kind) else 1.0
        for pin, net in cell.pins.items():
            if net >= 0 and net not in clock.nets and pin in pins:
                longest = max(longest, factor * max(arrivals[net]))
    return longest
