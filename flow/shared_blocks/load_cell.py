"""Cells that stand for the input capacitances of others, and for nothing else."""

from dataclasses import replace

from cimforge.flow.liberty.liberty_text import Group
from cimforge.flow.liberty.library import Cell, Pin

__all__ = ["load_cell", "load_name"]

# What makes a pin one of a clock or of a clock gate.
CLOCK = ("clock", *(f"clock_gate_{kind}_pin" for kind in ("clock", "enable", "test")))


def load_name(kind: str) -> str:
    """What the load of a cell of this kind is called."""
    return f"load_of_{kind}"


def load_cell(cell: Cell) -> Cell:
    """The input pins of ``cell`` without arcs, checks, state or outputs: a net with it has the same
    load, and static timing computes nothing behind it."""
    inputs = tuple(_bare(pin) for pin in cell.pins if pin.direction == "input")
    name = load_name(cell.name)
    return replace(cell, name=name, pins=inputs, latch=None, ff=None, gate_kind="")


def _bare(pin: Pin) -> Pin:
    values = {key: text for key, text in pin.values.items() if key not in CLOCK}
    return replace(pin, values=values, source=Group("pin", (pin.name,), values))
