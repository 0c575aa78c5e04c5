"""Writes the Liberty abstract of a mapped macro: one cell with pins, checks and delay arcs."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from cimforge.flow.handover.outline import bit_names
from cimforge.flow.handover.port_arcs import Check, Delay, PortArcs
from cimforge.flow.liberty.lookup_table import LookupTable
from cimforge.hdl.netlist.module import Port

__all__ = ["POWER_PINS", "MacroCell", "abstract_library"]

POWER_PINS = (("VDD", "primary_power"), ("VSS", "primary_ground"))

# Of the cells' library: what the abstract's own numbers mean, so it must be the same.
KEPT_HEADER = (
    *("nom_process", "nom_temperature", "nom_voltage", "slew_derate_from_library"),
    *(f"{kind}_threshold_pct_{edge}" for kind in ("input", "output") for edge in ("fall", "rise")),
    *(
        f"slew_{end}_threshold_pct_{edge}"
        for end in ("lower", "upper")
        for edge in ("fall", "rise")
    ),
)


@dataclass(frozen=True)
class MacroCell:
    """A macro as a library tells it: ``area`` in um2, ``leakage`` in nW (None: not told), inputs'
    capacitances by bit and outputs' largest loads by port, in pF (0: not told); ``notes`` are lines
    of a comment; ``header`` is that of the library its cells come from."""

    name: str
    ports: Sequence[Port]
    area: float
    leakage: float | None
    capacitances: Mapping[str, float]
    largest_loads: Mapping[str, float]
    arcs: PortArcs
    header: Mapping[str, str] = field(default_factory=dict)
    notes: Sequence[str] = ()


def abstract_library(cell: MacroCell) -> str:
    """The library NAME_abstract with the one cell NAME, in ns, pF, nW and um2.

    Buses are ``bus`` groups, whose arcs are the worst of their bits. Each delay arc stands twice,
    as the longest and (``min_delay_flag``, mode shortest) as the shortest way. Equal input gives
    equal text.
    """
    lines = [
        *(f"/* {note} */" for note in cell.notes),
        f"library ({cell.name}_abstract) {{",
        *_indented(_header(cell)),
        *_indented(_templates(cell.arcs)),
        *_indented(_types(cell.ports)),
        f"  cell ({cell.name}) {{",
        *_indented(_cell(cell), 4),
        *("  }", "}", ""),
    ]
    return "\n".join(lines)


def _header(cell: MacroCell) -> Iterator[str]:
    yield "delay_model : table_lookup;"
    yield 'time_unit : "1ns";'
    yield 'voltage_unit : "1V";'
    yield 'current_unit : "1uA";'
    yield 'pulling_resistance_unit : "1kohm";'
    yield 'leakage_power_unit : "1nW";'
    yield "capacitive_load_unit (1, pf);"
    yield 'bus_naming_style : "%s[%d]";'
    for key in KEPT_HEADER:
        if key in cell.header:
            yield f"{key} : {cell.header[key]};"
    volt = cell.header.get("nom_voltage", "1.0")
    yield "operating_conditions (of_cells) {"
    yield f"  process : {cell.header.get('nom_process', '1')};"
    yield f"  temperature : {cell.header.get('nom_temperature', '25')};"
    yield f"  voltage : {volt};"
    yield "}"
    yield "default_operating_conditions : of_cells;"
    for name, kind in POWER_PINS:
        yield f"voltage_map ({name}, {volt if kind == 'primary_power' else '0'});"


def _templates(arcs: PortArcs) -> Iterator[str]:
    """The axes of all tables: they were measured at the same points."""
    for name, table, axes in (
        ("checks", _first(c.tables for each in arcs.checks.values() for c in each), CHECK_AXES),
        ("delays", _first(d.delays for each in arcs.delays.values() for d in each), DELAY_AXES),
    ):
        if table:
            yield f"lu_table_template ({name}) {{"
            for number, (axis, points) in enumerate(
                zip(axes, (table.slews, table.loads), strict=True), 1
            ):
                yield f"  variable_{number} : {axis};"
                yield f'  index_{number} ("{_numbers(points)}");'
            yield "}"


CHECK_AXES = ("constrained_pin_transition", "related_pin_transition")
DELAY_AXES = ("input_net_transition", "total_output_net_capacitance")


def _first(tables: Iterator[Mapping[str, LookupTable]]) -> LookupTable | None:
    return next((table for each in tables for table in each.values()), None)


def _types(ports: Sequence[Port]) -> Iterator[str]:
    for width in sorted({port.width for port in ports if port.width > 1}):
        yield f"type (bus{width}) {{"
        yield "  base_type : array;"
        yield "  data_type : bit;"
        yield f"  bit_width : {width};"
        yield f"  bit_from : {width - 1};"
        yield "  bit_to : 0;"
        yield "  downto : true;"
        yield "}"


def _cell(cell: MacroCell) -> Iterator[str]:
    yield f"area : {cell.area:.4f};"
    yield "dont_touch : true;"
    yield "dont_use : true;"
    yield "is_macro_cell : true;"
    yield "interface_timing : true;"
    if cell.leakage is not None:
        yield f"cell_leakage_power : {cell.leakage:.6g};"
    yield "mode_definition (path) { mode_value (shortest) { } }"
    for name, kind in POWER_PINS:
        yield f"pg_pin ({name}) {{"
        yield f"  pg_type : {kind};"
        yield f"  voltage_name : {name};"
        yield "}"
    for port in cell.ports:
        yield from _port(cell, port)


def _port(cell: MacroCell, port: Port) -> Iterator[str]:
    wide = port.width > 1
    yield f"{'bus' if wide else 'pin'} ({port.name}) {{"
    if wide:
        yield f"  bus_type : bus{port.width};"
    yield f"  direction : {port.direction};"
    yield "  related_power_pin : VDD;"
    yield "  related_ground_pin : VSS;"
    if port.direction == "input":
        loads = [cell.capacitances.get(bit, 0.0) for bit in bit_names(port)]
        yield f"  capacitance : {max(loads):.6f};"
        if len(set(loads)) > 1:
            for bit, load in zip(bit_names(port), loads, strict=True):
                yield f"  pin ({bit}) {{ capacitance : {load:.6f}; }}"
    elif cell.largest_loads.get(port.name):
        yield f"  max_capacitance : {cell.largest_loads[port.name]:.6f};"
    if port.name == "clk":
        yield "  clock : true;"
        if cell.arcs.period:
            yield f"  min_period : {cell.arcs.period:.6f};"
    for check in cell.arcs.checks.get(port.name, ()):
        yield from _indented(_check(check))
    related = {each.name: each for each in cell.ports}
    for delay in cell.arcs.delays.get(port.name, ()):
        yield from _indented(_delay(delay, related[delay.related]))
    yield "}"


def _check(check: Check) -> Iterator[str]:
    yield "timing () {"
    yield '  related_pin : "clk";'
    yield f"  timing_type : {check.kind}_{check.edge};"
    for edge, table in check.tables.items():
        yield from _indented(_table(f"{edge}_constraint", "checks", table))
    yield "}"


def _delay(delay: Delay, related: Port) -> Iterator[str]:
    yield "timing () {"
    yield f'  related_pin : "{" ".join(bit_names(related))}";'
    if delay.related == "clk":
        yield f"  timing_type : {delay.sense};"
        yield "  timing_sense : non_unate;"
    else:
        yield "  timing_type : combinational;"
        yield f"  timing_sense : {delay.sense};"
    if delay.kind == "min":  # the mode keeps OpenSTA from taking it for the same arc again
        yield "  min_delay_flag : true;"
        yield '  mode ("path", "shortest");'
    for edge, table in delay.delays.items():
        yield from _indented(_table(f"cell_{edge}", "delays", table))
    for edge, table in delay.slews.items():
        yield from _indented(_table(f"{edge}_transition", "delays", table))
    yield "}"


def _table(kind: str, template: str, table: LookupTable) -> Iterator[str]:
    yield f"{kind} ({template}) {{"
    rows = [f'"{_numbers(row)}"' for row in table.values]
    yield f"  values ({', '.join(rows)});"
    yield "}"


def _numbers(values: Sequence[float]) -> str:
    return ", ".join(f"{value:.6f}" for value in values)


def _indented(lines: Iterator[str], by: int = 2) -> Iterator[str]:
    return (" " * by + line for line in lines)
