"""Energy of a window of cycles: what toggles, times what the library says of it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cimforge.flow.liberty.characterisation import EDGES, Energy, Physics
from cimforge.flow.liberty.library import Cell
from cimforge.flow.power.cell_states import CellStates
from cimforge.flow.power.clocking import Clocking
from cimforge.flow.power.flat_netlist import ONE, ZERO, FlatNetlist
from cimforge.flow.power.operating_point import STILL, Edges
from cimforge.flow.power.toggles import Toggles

__all__ = ["CellEnergies", "NetActivity", "cell_energies", "net_activity"]

Floats = NDArray[np.float64]
CLOCK_DUTY = 0.25  # of a net's toggles a cycle: two a cycle are high half of it


@dataclass(frozen=True, eq=False)
class NetActivity:
    """Of each net: toggles a cycle, the share of them that are glitches, and how much of the time
    it is 1."""

    rate: Floats
    glitches: Floats
    duty: Floats


@dataclass(frozen=True, eq=False)
class CellEnergies:
    """Of each cell, in the order of the netlist: fJ a cycle inside it and on the nets that it
    drives, the glitches' part and the clock's part of both, and leakage in nW."""

    internal: Floats
    switching: Floats
    glitch: Floats
    clock: Floats
    leakage: Floats

    @property
    def dynamic(self) -> Floats:
        """What toggles take, inside the cells and on their nets."""
        return self.internal + self.switching


def net_activity(toggles: Toggles, clock: Mapping[int, bool]) -> NetActivity:
    """The activity of a window. A net has one functional transition a cycle at most: where it ends
    the cycle at another value than it began; all other toggles are glitches. Nets of the ``clock``
    (and whether they follow it inverted) have none: they rise and fall in a cycle."""
    cycles = max(toggles.cycles, 1)
    rate = toggles.all / cycles
    glitches = (toggles.all - toggles.functional) / np.maximum(toggles.all, 1)
    duty = toggles.high / cycles
    nets = np.array(sorted(clock), np.int64)
    inverted = np.array([clock[net] for net in nets])
    glitches[nets] = 0.0
    # At a cycle's end the clock is low; a net that follows it was high for half of each cycle in
    # which it toggled, twice.
    duty[nets] += np.where(inverted, -CLOCK_DUTY, CLOCK_DUTY) * rate[nets]
    return NetActivity(rate, glitches, duty)


def cell_energies(
    netlist: FlatNetlist,
    cells: Mapping[str, Cell],
    physics: Mapping[str, Physics],
    clocking: Mapping[str, Clocking],
    clock: Mapping[int, bool],
    activity: NetActivity,
    loads: Sequence[float],
    slews: Sequence[Edges],
) -> CellEnergies:
    """The energies of every cell of a netlist with these loads (fF) and slews (ns).

    The clock's part is what registers take at their clock pin, and all of the cells that drive the
    nets of the ``clock``.
    """
    sums = CellEnergies(*(np.zeros(len(netlist.cells)) for _ in range(5)))
    places: dict[str, list[int]] = defaultdict(list)
    for index, cell in enumerate(netlist.cells):
        places[cell.kind].append(index)
    for kind, indices in places.items():
        group = _Group(netlist, indices, cells[kind], physics[kind], activity, loads, slews)
        where = np.array(indices)
        group.add_internal(sums, where, clocking.get(kind))
        group.add_switching(sums, where)
        sums.leakage[where] = group.leakage()
    for index, cell in enumerate(netlist.cells):
        pins = physics[cell.kind].capacitance
        if any(net in clock for pin, net in cell.pins.items() if pin not in pins):
            sums.clock[index] = sums.internal[index] + sums.switching[index]
    return sums


class _Group:
    """All cells of one kind: a row each, a column for each variable of their functions."""

    def __init__(
        self,
        netlist: FlatNetlist,
        indices: Sequence[int],
        cell: Cell,
        physics: Physics,
        activity: NetActivity,
        loads: Sequence[float],
        slews: Sequence[Edges],
    ):
        self._physics = physics
        self._activity = activity
        self._loads = np.array(loads)
        self._slews = slews
        instances = [netlist.cells[index] for index in indices]
        named = dict.fromkeys(pin for one in instances for pin in one.pins)
        self._energies: dict[tuple, float] = {}
        self._nets = {
            pin: np.array([one.pins.get(pin, ZERO) for one in instances], np.int64) for pin in named
        }
        self._states = CellStates(cell, self._duties(), len(instances))

    def _duties(self) -> dict[str, Floats]:
        """How much of the time each connected pin is 1."""
        duties = {}
        for pin, nets in self._nets.items():
            wired = self._activity.duty[np.maximum(nets, 0)]
            duties[pin] = np.where(nets >= 0, wired, np.where(nets == ONE, 1.0, 0.0))
        return duties

    def _of_nets(self, pin: str, values: Floats) -> Floats:
        """A value of each cell's net at a pin; 0 where it is none."""
        nets = self._nets.get(pin)
        if nets is None:
            return np.zeros(self._states.count)
        return np.where(nets >= 0, values[np.maximum(nets, 0)], 0.0)

    def add_internal(self, sums: CellEnergies, where: NDArray, kind: Clocking | None) -> None:
        """Add what the library says of the edges of each pin."""
        for pin, entries in self._physics.energies.items():
            if not entries or pin not in self._nets:
                continue
            if pin in self._physics.capacitance:
                energy = self._input_energy(pin, entries)
            else:
                energy = self._output_energy(pin, entries)
            energy = energy * self._of_nets(pin, self._activity.rate)
            sums.internal[where] += energy
            sums.glitch[where] += energy * self._of_nets(pin, self._activity.glitches)
            if kind and pin == kind.pin:
                sums.clock[where] += energy

    def add_switching(self, sums: CellEnergies, where: NDArray) -> None:
        """Add half the load times voltage squared for each toggle of an output."""
        for pin in self._nets:
            if pin in self._physics.capacitance:
                continue
            rate = self._of_nets(pin, self._activity.rate)
            energy = 0.5 * self._of_nets(pin, self._loads) * self._physics.voltage**2 * rate
            sums.switching[where] += energy
            sums.glitch[where] += energy * self._of_nets(pin, self._activity.glitches)

    def _input_energy(self, pin: str, entries: Sequence[Energy]) -> Floats:
        """fJ an edge of an input: of each entry while its condition holds."""
        total = np.zeros(self._states.count)
        for entry in entries:
            share = self._states.probability(self._states.mask(entry.when))
            total += share * self._edge_energy(entry, pin, pin)
        return total

    def _output_energy(self, pin: str, entries: Sequence[Energy]) -> Floats:
        """fJ an edge of an output: the entries' mean, weighted by how often what they belong to
        happens: their input toggles, the output follows it, their condition holds."""
        weights, energies = [], []
        for entry in entries:
            mask = self._states.mask(entry.when) & self._states.follows(pin, entry.related)
            rate = self._of_nets(entry.related, self._activity.rate) if entry.related else 1.0
            weights.append(self._states.probability(mask) * rate)
            energies.append(self._edge_energy(entry, entry.related or pin, pin))
        weight, energy = np.array(weights), np.array(energies)
        total = weight.sum(0)
        even = np.where(total > 0, weight, 1.0)
        return (even * energy).sum(0) / even.sum(0)

    def _edge_energy(self, entry: Energy, source: str, pin: str) -> Floats:
        """The mean energy of a rising and a falling edge at ``pin``, made by ``source``."""
        return np.array(
            [
                self._mean(entry, slews, load)
                for slews, load in zip(
                    self._pin_slews(source), self._of_nets(pin, self._loads), strict=True
                )
            ]
        )

    def _mean(self, entry: Energy, slews: Edges, load: float) -> float:
        key = (id(entry), slews, load)  # columns are alike
        if key not in self._energies:
            rise, fall = (entry.tables[edge] for edge in EDGES)
            both = rise.value(slews[0], load) + fall.value(slews[1], load)
            self._energies[key] = both / 2
        return self._energies[key]

    def _pin_slews(self, pin: str) -> list[Edges]:
        nets = self._nets.get(pin)
        if nets is None:
            return [STILL] * self._states.count
        return [self._slews[net] if net >= 0 else STILL for net in nets]

    def leakage(self) -> Floats:
        """nW: each state's, by how much of the time the cell is in it."""
        total, left = np.zeros(self._states.count), np.ones(self._states.count)
        for entry in self._physics.leakage:
            share = self._states.probability(self._states.mask(entry.when)) if entry.when else left
            total += np.minimum(share, left) * entry.value
            left = np.maximum(left - share, 0.0)
        return total
