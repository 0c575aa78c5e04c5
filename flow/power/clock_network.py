"""Which nets carry the clock, and which way up."""

from collections import defaultdict
from collections.abc import Mapping, Set
from dataclasses import dataclass

from cimforge.flow.liberty.characterisation import DelayArc, Physics
from cimforge.flow.power.clocking import Clocking
from cimforge.flow.power.flat_netlist import FlatCell, FlatNetlist

__all__ = ["ClockNetwork", "clock_network"]


@dataclass(frozen=True)
class ClockNetwork:
    """The nets that follow the clock, and whether they do so inverted; those of them that only do
    while something else allows it are ``gated``."""

    nets: Mapping[int, bool]
    gated: Set[int]

    def acts_in_mid_cycle(self, cell: FlatCell, kind: Clocking) -> bool:
        """Whether a register takes its inputs when the clock falls: a flip-flop or clock gate at
        that edge, a latch that is open before it."""
        inverted = self.nets.get(cell.pins.get(kind.pin, -1), False) != kind.inverted
        return inverted != kind.latch


def clock_network(
    netlist: FlatNetlist,
    physics: Mapping[str, Physics],
    clocking: Mapping[str, Clocking],
    clock: int,
) -> ClockNetwork:
    """The network of net ``clock``: through gates without a state, and through clock gates from
    their clock pin."""
    takers: dict[int, list[tuple[int, bool, bool]]] = defaultdict(list)
    for cell in netlist.cells:
        kind = clocking.get(cell.kind)
        if kind and not kind.gate:
            continue
        wired = [n for pin, n in cell.pins.items() if pin in physics[cell.kind].capacitance]
        gates = sum(net >= 0 for net in wired) > 1
        for pin, arcs in physics[cell.kind].arcs.items():
            for arc in arcs:
                if pin in cell.pins and (kind is None or arc.related == kind.pin):
                    source = cell.pins.get(arc.related, -1)
                    takers[source].append((cell.pins[pin], _inverts(arc), gates))
    nets, gated, waiting = {clock: False}, set[int](), [clock]
    while waiting:
        net = waiting.pop()
        for made, inverts, gates in takers.get(net, ()):
            if made >= 0 and made not in nets:
                nets[made] = nets[net] != inverts
                if gates or net in gated:
                    gated.add(made)
                waiting.append(made)
    return ClockNetwork(nets, gated)


def _inverts(arc: DelayArc) -> bool:
    return arc.cause["rise"] == "fall"
