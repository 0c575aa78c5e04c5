"""What a Liberty file says of its cells' delays, energies and leakage, in ns, fF, fJ and nW."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cimforge.flow.liberty.function import Expression, FunctionError, parse_function
from cimforge.flow.liberty.liberty_text import POWER, Group, read_groups
from cimforge.flow.liberty.lookup_table import (
    LookupTable,
    TableError,
    read_table,
    scalar_table,
)

__all__ = ["EDGES", "DelayArc", "Energy", "Leakage", "Physics", "delay_arcs", "read_physics"]

EDGES = ("rise", "fall")
DELAY_TYPES = {"", "combinational", "combinational_rise", "combinational_fall"}
CLOCK_TYPES = {"rising_edge": "rise", "falling_edge": "fall"}
QUANTITY = re.compile(r"\s*(\d*\.?\d+(?:[eE][+-]?\d+)?)\s*([fpnumk]?)[sfwv]\s*", re.I)
PREFIXES = {"f": 1e-15, "p": 1e-12, "n": 1e-9, "u": 1e-6, "m": 1e-3, "": 1.0, "k": 1e3}
NANO, FEMTO = 1e9, 1e15


@dataclass(frozen=True)
class DelayArc:
    """Delay (ns) and slew (ns) of an output's edges, caused by pin ``related``, by its slew (ns)
    and the output's load (fF). Several tables (of several conditions) count as their mean.

    ``cause`` is the edge of ``related`` that makes each edge of the output: rise, fall, or empty
    where it may be either.
    """

    related: str
    cause: Mapping[str, str]
    delays: Mapping[str, tuple[LookupTable, ...]]
    slews: Mapping[str, tuple[LookupTable, ...]]


@dataclass(frozen=True)
class Energy:
    """Energy inside a cell (fJ) of one edge of a pin, by slew and load: of an output while pin
    ``related`` makes it (empty: whatever does), of an input (``related`` empty), each while
    ``when`` holds."""

    related: str
    when: Expression | None
    tables: Mapping[str, LookupTable]


@dataclass(frozen=True)
class Leakage:
    """Leakage (nW) while ``when`` holds, or in all states that no other entry names."""

    when: Expression | None
    value: float


@dataclass(frozen=True)
class Physics:
    """A cell: capacitances of its input pins (fF), arcs and energies by pin, leakage, and the
    voltage (V) that its energies are for."""

    name: str
    voltage: float
    capacitance: Mapping[str, float]
    arcs: Mapping[str, tuple[DelayArc, ...]]
    energies: Mapping[str, tuple[Energy, ...]]
    leakage: tuple[Leakage, ...]

    @property
    def timed(self) -> bool:
        """Whether any arc has a delay."""
        arcs = [arc for group in self.arcs.values() for arc in group]
        return any(arc.delays[edge] for arc in arcs for edge in EDGES)


@dataclass(frozen=True)
class _Units:
    time: float
    load: float
    energy: float
    leakage: float
    voltage: float
    templates: Mapping[str, Group] = field(default_factory=dict)


def read_physics(paths: Iterable[Path], kinds: Iterable[str]) -> dict[str, Physics]:
    """The named cells in these Liberty files; one that several define is the first's.

    Raises InputError where a file cannot be read, and TableError, naming the cell, for a table that
    is none.
    """
    wanted, found = set(kinds), dict[str, Physics]()
    for path in paths:
        for library in read_groups(path, POWER):
            units = _units(library)
            for group in library.all("cell"):
                name = group.args[0] if group.args else ""
                if name in wanted and name not in found:
                    found[name] = _cell(name, group, units)
    return found


def delay_arcs(pin: Group, library: Group) -> tuple[DelayArc, ...]:
    """The arcs of an output ``pin`` of a cell of ``library``; TableError for a table that is
    none."""
    return tuple(_arcs(pin, _units(library)))


def _units(library: Group) -> _Units:
    """A library's units and templates. Energies come in its unit of capacitance times volt
    squared (Liberty user guide, "internal_power")."""
    values = library.values
    load = _quantity("".join(library.arguments("capacitive_load_unit")), "1pF")
    volt = _quantity(values.get("voltage_unit", ""), "1V")
    kinds = ("lu_table_template", "power_lut_template")
    return _Units(
        time=_quantity(values.get("time_unit", ""), "1ns") * NANO,
        load=load * FEMTO,
        energy=load * volt * volt * FEMTO,
        leakage=_quantity(values.get("leakage_power_unit", ""), "1nW") * NANO,
        voltage=_number(values.get("nom_voltage", "0")) * volt,
        templates={t.args[0]: t for kind in kinds for t in library.all(kind) if t.args},
    )


def _quantity(text: str, usual: str) -> float:
    """A quantity such as 10ps in s, F, W or V; the ``usual`` one where none is given."""
    found = QUANTITY.fullmatch(text) or QUANTITY.fullmatch(usual)
    assert found
    return float(found[1]) * PREFIXES[found[2].lower()]


def _cell(name: str, group: Group, units: _Units) -> Physics:
    pins = {pin: one for one in group.all("pin") for pin in one.args}
    try:
        return Physics(
            name=name,
            voltage=units.voltage,
            capacitance={
                pin: _capacitance(one) * units.load
                for pin, one in pins.items()
                if one.values.get("direction", "").lower() != "output"
            },
            arcs={pin: tuple(_arcs(one, units)) for pin, one in pins.items()},
            energies={pin: tuple(_energies(one, units)) for pin, one in pins.items()},
            leakage=tuple(_leakages(group, units)),
        )
    except TableError as error:
        raise TableError(f"{name}: {error}") from None


def _capacitance(pin: Group) -> float:
    """A pin's capacitance, or the mean of those of its edges."""
    if "capacitance" in pin.values:
        return _number(pin.values["capacitance"])
    return sum(_number(pin.values.get(f"{edge}_capacitance", "0")) for edge in EDGES) / 2


def _arcs(pin: Group, units: _Units) -> Iterator[DelayArc]:
    """An output's arcs, one for each related pin and sense."""
    gathered: dict[tuple[str, str], list[Group]] = {}
    for timing in pin.all("timing"):
        kind = timing.values.get("timing_type", "")
        sense = CLOCK_TYPES.get(kind, timing.values.get("timing_sense", "non_unate"))
        if kind in DELAY_TYPES or kind in CLOCK_TYPES:
            for related in timing.values.get("related_pin", "").split():
                gathered.setdefault((related, sense), []).append(timing)
    for (related, sense), timings in gathered.items():
        delays = {edge: _tables(timings, f"cell_{edge}", units) for edge in EDGES}
        slews = {edge: _tables(timings, f"{edge}_transition", units) for edge in EDGES}
        yield DelayArc(related, _causes(sense), delays, slews)


def _causes(sense: str) -> dict[str, str]:
    """The edge of an input behind each edge of the output."""
    if sense in EDGES:
        return dict.fromkeys(EDGES, sense)
    if sense == "positive_unate":
        return {"rise": "rise", "fall": "fall"}
    if sense == "negative_unate":
        return {"rise": "fall", "fall": "rise"}
    return dict.fromkeys(EDGES, "")


def _tables(timings: Iterable[Group], kind: str, units: _Units) -> tuple[LookupTable, ...]:
    return tuple(
        read_table(table, units.templates, units.time, units.load, units.time)
        for timing in timings
        for table in timing.all(kind)
    )


def _energies(pin: Group, units: _Units) -> Iterator[Energy]:
    for power in pin.all("internal_power"):
        tables = {}
        for edge in EDGES:
            found = power.all(f"{edge}_power") or power.all("power")
            if found:
                scales = (units.time, units.load, units.energy)
                tables[edge] = read_table(found[0], units.templates, *scales)
        when = _condition(power)
        for related in power.values.get("related_pin", "").split() or [""]:
            if tables:
                yield Energy(related, when, {edge: _both(tables, edge) for edge in EDGES})


def _both(tables: Mapping[str, LookupTable], edge: str) -> LookupTable:
    """The table of an edge; an edge that is not told takes no energy."""
    return tables.get(edge) or scalar_table(0.0)


def _leakages(cell: Group, units: _Units) -> Iterator[Leakage]:
    """States first, then what holds in all others."""
    stated = [group for group in cell.all("leakage_power") if "value" in group.values]
    for group in sorted(stated, key=lambda group: "when" not in group.values):
        yield Leakage(_condition(group), _number(group.values["value"]) * units.leakage)
    if "cell_leakage_power" in cell.values:
        yield Leakage(None, _number(cell.values["cell_leakage_power"]) * units.leakage)


def _condition(group: Group) -> Expression | None:
    """When a group holds; a condition that is no function holds always."""
    if not (text := group.values.get("when", "").strip()):
        return None
    try:
        return parse_function(text)
    except FunctionError:
        return None


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise TableError(f"{text!r} is no number") from None
