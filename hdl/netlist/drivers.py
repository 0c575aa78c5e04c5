"""Drivers of nets with many loads: the levels of a driver tree as data, then its instances."""

from collections.abc import Callable
from math import ceil

from cimforge.hdl.netlist.structure import Bus, Structure, parametrised

__all__ = ["LOADS", "SPREAD", "driver_levels", "root_pins", "spread"]

LOADS = 32  # leaf pins behind one driver
SPREAD = 16  # drivers behind one driver, or behind the cell that makes the signal


def driver_levels(leaves: int, loads: int) -> tuple[int, ...]:
    """Drivers in each level, root first, for ``leaves`` users of a net with ``loads`` pins each.

    A leaf driver serves as many users as have LOADS pins together (at least one), any other driver
    SPREAD drivers. No level where the net has at most LOADS pins in all.
    """
    if leaves * loads <= LOADS:
        return ()
    counts = [ceil(leaves / max(1, LOADS // loads))]
    while counts[0] > SPREAD:
        counts.insert(0, ceil(counts[0] / SPREAD))
    return tuple(counts)


def root_pins(leaves: int, loads: int) -> int:
    """Pins that the net's source sees: the first level's, or the users' own without drivers."""
    levels = driver_levels(leaves, loads)
    return levels[0] if levels else leaves * loads


def spread(out: Structure, bus: Bus, leaves: int, loads: int) -> Callable[[int], Bus]:
    """Place the driver tree of ``bus`` in ``out``; returns the net of each user 0..leaves-1.

    Drivers are ``cim_driver`` cells as wide as the bus, combinational and without function; their
    LOADS parameter tells a technology which strength to take.
    """
    levels = driver_levels(leaves, loads)
    nets = [bus]
    for level, count in enumerate(levels):
        last = level == len(levels) - 1
        below, share, pins = (
            (leaves, _users(loads), loads) if last else (levels[level + 1], SPREAD, 1)
        )
        sources, nets = nets, []
        for index in range(count):
            net = out.wire(f"{bus.name}_{level}_{index}", bus.width)
            served = min(share, below - index * share)
            driver = parametrised("cim_driver", WIDTH=bus.width, LOADS=served * pins)
            source = sources[index // SPREAD] if level else bus
            out.instance(driver, f"drive_{net}", a=source, y=net)
            nets.append(net)
    return (lambda leaf: nets[leaf // _users(loads)]) if levels else (lambda leaf: bus)


def _users(loads: int) -> int:
    """Users behind one leaf driver."""
    return max(1, LOADS // loads)
