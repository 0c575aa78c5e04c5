"""Drivers of nets with many loads: the levels of a driver tree as data, then its instances."""

from dataclasses import dataclass
from itertools import groupby
from math import ceil

from cimforge.hdl.netlist.leaf import driver
from cimforge.hdl.netlist.structure import Bus, Structure

__all__ = ["LOADS", "SPREAD", "DriverTree", "driver_levels", "held", "root_pins", "spread"]

LOADS = 32  # most pins of users behind one driver
SPREAD = 16  # drivers behind one driver, or behind the cell that makes the signal


def driver_levels(leaves: int, pins: int) -> tuple[int, ...]:
    """Drivers in each level, root first, for ``leaves`` users of a net with ``pins`` each.

    A leaf driver serves as many users as have LOADS pins together (at least one), any other driver
    SPREAD drivers. No level where the net has at most LOADS in all.
    """
    if leaves * pins <= LOADS:
        return ()
    counts = [ceil(leaves / _users(pins))]
    while counts[0] > SPREAD:
        counts.insert(0, ceil(counts[0] / SPREAD))
    return tuple(counts)


def root_pins(leaves: int, pins: int) -> int:
    """Pins that the net's source sees: the first level's, or the users' own without drivers."""
    levels = driver_levels(leaves, pins)
    return levels[0] if levels else leaves * pins


@dataclass(frozen=True)
class DriverTree:
    """A placed driver tree: ``nets`` of the last level, each behind ``users`` of the leaves."""

    nets: tuple[Bus, ...]
    users: int

    def __call__(self, leaf: int) -> Bus:
        """The net that user ``leaf`` takes."""
        return self.nets[leaf // self.users]


def spread(out: Structure, bus: Bus, leaves: int, pins: int, role: str) -> DriverTree:
    """Place the driver tree of ``bus`` in ``out``, for ``leaves`` users with ``pins`` each; the
    drivers serve ``role``.

    Drivers are ``cim_driver`` cells as wide as the bus, combinational and without function; their
    LOADS parameter tells a technology which strength to take.
    """
    nets: tuple[Bus, ...] = (bus,)
    levels = driver_levels(leaves, pins)
    for level, below in enumerate([*levels[1:], leaves] if levels else []):
        last = level == len(levels) - 1
        most = _users(pins) if last else SPREAD
        served = [min(most, below - low) for low in range(0, below, most)]
        loads = [count * (pins if last else 1) for count in served]
        nets = _place_level(out, bus, level, nets, loads, role)
    return DriverTree(nets, _users(pins) if levels else leaves)


def held(out: Structure, name: str, value: Bus, enable: Bus) -> Bus:
    """A register ``name`` of ``out`` that takes ``value`` at the edges of clk at which ``enable``
    is high: LOADS bits behind each driver of it."""
    register = out.register(name, value.width)
    line = spread(out, enable, value.width, 1, out.role)
    for source, places in groupby(range(value.width), key=line):
        first, *others = places
        kept, taken = (bus.bits(first, 1 + len(others)) for bus in (register, value))
        out.line(f"always @(posedge clk) if ({source}) {kept} <= {taken};")
    return register


def _place_level(
    out: Structure, bus: Bus, level: int, sources: tuple[Bus, ...], loads: list[int], role: str
) -> tuple[Bus, ...]:
    """Place one level's drivers of these loads, each behind the source that serves it."""
    nets = []
    for index, load in enumerate(loads):
        net = out.wire(f"{bus}_{level}_{index}", bus.width)
        source = sources[index // SPREAD if level else 0]
        cell = driver(bus.width, load)
        out.place(cell, f"drive_{net}", role=role, about=f"driver of {bus}", a=source, y=net)
        nets.append(net)
    return tuple(nets)


def _users(pins: int) -> int:
    """Users behind one leaf driver."""
    return max(1, LOADS // pins)
