"""Liberty libraries as plain data: what their cells are and compute, and what was left out."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import isfinite
from pathlib import Path

from cimforge.flow.liberty.function import FunctionError, literal, parse_function
from cimforge.flow.liberty.liberty_text import Group, read_groups
from cimforge.flow.liberty.special_cells import reason_to_leave
from cimforge.hdl.params.config_file import InputError

__all__ = ["STATE_FUNCTIONS", "Cell", "Library", "Part", "Pin", "read_library", "why_no_flip_flop"]

FARADS = {"f": 1e-3, "p": 1.0, "n": 1e3}  # in pF
TIMES = {"f": 1e-6, "p": 1e-3, "n": 1.0, "u": 1e3, "m": 1e6}  # in ns
STATE_FUNCTIONS = ("next_state", "clocked_on", "data_in", "enable", "clear", "preset")
SETS = ("clear", "preset")
FLIP_FLOP, LATCH = {"clocked_on", "next_state"}, {"enable", "data_in"}
MASTER_SLAVE = {"clocked_on_also", "enable_also"}
UNIT = re.compile(r"\s*([\d.]+(?:[eE][+-]?\d+)?)\s*([a-zA-Z])[sSfF]\s*")


@dataclass(frozen=True)
class Pin:
    """A pin: ``function`` as written (outputs), capacitances in pF (0: not said)."""

    name: str
    direction: str
    function: str
    capacitance: float
    max_capacitance: float
    values: dict[str, str]
    source: Group


@dataclass(frozen=True)
class Cell:
    """A cell: area in the library's unit (0: not said), signal pins in the order of the file.

    ``latch`` and ``ff`` are the state groups' attributes, with ``IQ`` and ``IQN`` as the names of
    the state and its inverse. ``reason`` says why no mapper may take it by itself, or is empty.
    ``part`` is the place of its library in Library.parts.
    """

    name: str
    area: float
    pins: tuple[Pin, ...]
    latch: dict[str, str] | None
    ff: dict[str, str] | None
    gate_kind: str  # clock_gating_integrated_cell, or empty
    reason: str
    part: int = 0

    @property
    def usable(self) -> bool:
        """Whether a mapper may take it by itself."""
        return not self.reason

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the input pins."""
        return tuple(pin.name for pin in self.pins if pin.direction == "input")

    @property
    def outputs(self) -> tuple[Pin, ...]:
        """The output pins."""
        return tuple(pin for pin in self.pins if pin.direction == "output")

    @property
    def combinational(self) -> bool:
        """Whether every output is a function of the inputs alone."""
        stateless = self.latch is None and self.ff is None and not self.gate_kind
        return stateless and bool(self.outputs) and all(pin.function for pin in self.outputs)

    def pin(self, name: str) -> Pin:
        """The pin ``name``."""
        return next(pin for pin in self.pins if pin.name == name)


@dataclass(frozen=True)
class Part:
    """One library as a file holds it: its name, its header (a group without cells) and its time
    unit in ns (0: not understood)."""

    name: str
    header: Group
    time_unit: float


@dataclass(frozen=True)
class Library:
    """One library or several together: cells by name, and what was left out, for a report."""

    cells: dict[str, Cell]
    parts: tuple[Part, ...]
    notes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The libraries' names."""
        return " + ".join(dict.fromkeys(part.name for part in self.parts))

    @property
    def digest(self) -> str:
        """Eight hex digits of what was read."""
        return hashlib.sha256(repr((self.parts, self.cells)).encode()).hexdigest()[:8]


def read_library(*paths: Path) -> Library:
    """The libraries in these Liberty files as one; a cell that several define is the first's.

    Raises InputError where a file cannot be read, is no Liberty text or has no cells.
    """
    parts: list[Part] = []
    cells: dict[str, Cell] = {}
    hidden: dict[tuple[str, str], list[str]] = {}
    for path in paths:
        found = read_groups(path)
        if not any(group.all("cell") for group in found):
            raise InputError(f"--liberty {path}: the library has no cells")
        for group in found:
            part = _part(group)
            for cell in _cells(group, len(parts)):
                taken = cells.setdefault(cell.name, cell)
                if taken is not cell:
                    where = parts[taken.part].name if taken.part < len(parts) else part.name
                    hidden.setdefault((part.name, where), []).append(cell.name)
            parts.append(part)
    notes = [
        f"{_few(names)} of {here} left out: {there} has {'it' if len(names) == 1 else 'them'}"
        for (here, there), names in hidden.items()
    ]
    notes += _left_out(cells.values(), parts)
    return Library(cells, tuple(parts), tuple(notes))


def why_no_flip_flop(cell: Cell) -> str:
    """Why a cell with an ff group is no flip-flop that a mapper can take, or empty: it needs an
    area, a clock, a data pin, and nothing else but clear and preset."""
    if cell.reason or not cell.area:
        return cell.reason or "has no area"
    state = cell.ff or {}
    pins = [literal(state[key]) for key in ("clocked_on", "next_state", *SETS) if key in state]
    if None in pins[:1]:
        return "its clock is no pin"
    further = sorted(set(cell.inputs) - {pin[0] for pin in pins if pin})
    data = literal(state["next_state"])
    if data is not None and data[0] in cell.inputs and not further:
        return ""
    names = sorted(parse_function(state["next_state"]).names())
    return f"next state of {', '.join(names)}: scan or enable, no plain data"


def _few(names: Sequence[str]) -> str:
    """Some of the names, and how many more there are."""
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"{', '.join(names[:3])}{more}"


def _left_out(cells: Iterable[Cell], parts: Sequence[Part]) -> list[str]:
    """For each library, how many cells no mapper may take, and why."""
    notes = []
    every = list(cells)
    for index, part in enumerate(parts):
        here = [cell for cell in every if cell.part == index]
        why = Counter(cell.reason for cell in here if cell.reason)
        if why:
            text = ", ".join(f"{count} {reason}" for reason, count in sorted(why.items()))
            total = f"{why.total()} of {len(here)} cells"
            notes.append(f"{part.name}: {total} not for general use ({text})")
    return notes


def _part(group: Group) -> Part:
    header = Group(group.kind, group.args, group.values, group.lists)
    header.groups = [inner for inner in group.groups if inner.kind != "cell"]
    time = group.values.get("time_unit", "1ns")
    return Part((group.args or ("",))[0], header, _scaled(time, TIMES))


def _scaled(text: str, units: dict[str, float]) -> float:
    """A quantity such as 10ps in the unit of ``units``; 0 where it is none."""
    found = UNIT.fullmatch(text)
    return _number(found[1]) * units.get(found[2].lower(), 0) if found else 0.0


def _cells(library: Group, part: int) -> list[Cell]:
    unit = _scaled("".join(library.arguments("capacitive_load_unit")) or "1pf", FARADS) or 1.0
    return [_cell(group, unit, part) for group in library.all("cell")]


def _cell(group: Group, unit: float, part: int) -> Cell:
    pins = [pin for named in group.all("pin") for pin in _pins(named, unit)]
    name = group.args[0] if group.args else ""
    cell = Cell(
        name=name,
        area=_number(group.values.get("area")),
        pins=tuple(pin for pin in pins if pin.direction != "internal"),
        latch=_state(group, "latch"),
        ff=_state(group, "ff"),
        gate_kind=group.values.get("clock_gating_integrated_cell", ""),
        reason=reason_to_leave(group) or _odd_area(group),
        part=part,
    )
    return cell if cell.reason else _checked(cell)


def _odd_area(group: Group) -> str:
    """Why a cell whose area is said, and is no size, is left."""
    text = group.values.get("area", "0")
    try:
        odd = not (isfinite(float(text)) and float(text) >= 0)
    except ValueError:
        odd = True
    return f"with an area of {text}" if odd else ""


def _checked(cell: Cell) -> Cell:
    """The cell, with a reason to leave it where its functions are none of its inputs and state."""
    states = [state for state in (cell.latch, cell.ff) if state is not None]
    if len(states) > 1 or not all({"IQ", "IQN"} <= set(state) for state in states):
        return replace(cell, reason="of several bits")
    functions = [pin.function for pin in cell.outputs if pin.function]
    names = set(cell.inputs)
    for state in states:
        names |= {state["IQ"], state["IQN"]}
        functions += [state[key] for key in STATE_FUNCTIONS if key in state]
    try:
        strange = [f for f in functions if not parse_function(f).names() <= names]
    except FunctionError:
        return replace(cell, reason="with a function that is none")
    if strange:
        return replace(cell, reason="whose function is not of their pins")
    if any(set(state) & MASTER_SLAVE for state in states):
        return replace(cell, reason="with two clocks")
    for found, kind in ((cell.ff, FLIP_FLOP), (cell.latch, LATCH)):
        if found is not None and not kind <= set(found):
            return replace(cell, reason="whose state is not described")
    return cell


def _pins(group: Group, unit: float) -> list[Pin]:
    values = group.values
    return [
        Pin(
            name=name,
            direction=values.get("direction", "").lower(),
            function=values.get("function", ""),
            capacitance=_number(values.get("capacitance")) * unit,
            max_capacitance=_number(values.get("max_capacitance")) * unit,
            values=values,
            source=group,
        )
        for name in group.args
    ]


def _state(group: Group, kind: str) -> dict[str, str] | None:
    """A latch or ff group's attributes with its two state names, or None; a cell with several such
    groups is no single latch or flip-flop, and has none with names."""
    found = group.all(kind)
    if not found:
        return None
    if len(found) > 1:
        return {}
    names = dict(zip(("IQ", "IQN"), found[0].args, strict=False))
    return {**found[0].values, **names}


def _number(text: str | None) -> float:
    """A number that is finite and not negative, else 0."""
    try:
        number = float(text or 0)
    except ValueError:
        return 0.0
    return number if isfinite(number) and number > 0 else 0.0
