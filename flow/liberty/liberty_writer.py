"""Writes Liberty text for other tools: plain, complete and of one style, whatever was read."""

import re
from collections.abc import Iterable, Iterator

from cimforge.flow.liberty.function import parse_function
from cimforge.flow.liberty.liberty_text import Group
from cimforge.flow.liberty.library import STATE_FUNCTIONS, Cell, Library, Part, Pin

__all__ = ["has_delays", "mapper_library", "timing_library"]

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
BOTH_AT_ONCE = ("clear_preset_var1", "clear_preset_var2")
# What of a library's header static timing needs: units, thresholds, defaults, wire loads.
HEADER = re.compile(
    r"delay_model|nom_\w+|\w+_unit|\w+_threshold_pct_\w+|slew_derate_from_library|"
    r"default_(max_transition|max_fanout|max_capacitance|fanout_load|\w+_pin_cap|wire_load\w*)|"
    r"default_(intrinsic|slope|inout_pin|input_pin|output_pin)_\w+"
)
THRESHOLDS = {
    f"{kind}_threshold_pct_{edge}": value
    for kind, value in (
        *(("input", "50"), ("output", "50")),
        *(("slew_lower", "20"), ("slew_upper", "80")),
    )
    for edge in ("rise", "fall")
}
PIN = re.compile(
    r"direction|clock|max_capacitance|max_transition|max_fanout|fanout_load|capacitance|"
    r"(rise|fall)_capacitance|min_capacitance"
)
TIMING = re.compile(
    r"timing_sense|timing_type|when|sdf_\w+|intrinsic_\w+|slope_\w+|(rise|fall)_resistance"
)
TABLE = ("index_1", "index_2", "index_3", "values")
TEMPLATES = ("lu_table_template", "wire_load", "wire_load_selection")


def mapper_library(library: Library, cells: Iterable[Cell]) -> str:
    """One library for logic mapping, of these cells of ``library``: areas, pins, functions, states.

    Gates keep their delays where these are complete tables in the first library's units; others get
    equal ones: the mapping is for area, and a gate without delays, or with those of a model that
    the mapper does not know, would end it.
    """
    first = library.parts[0]
    lines = ["library (mapper) {", "  delay_model : table_lookup;", *_indented(_units(first))]
    lines += _indented(EQUAL_TEMPLATE)
    tables = {}
    for index, part in enumerate(library.parts):
        templates = {t.args[0]: t for t in part.header.all("lu_table_template") if t.args}
        if _units(part) == _units(first):
            tables[index] = templates
            for template in templates.values():
                lines += _indented(_whole(template, f"p{index}_"))
    for cell in cells:
        known = tables.get(cell.part)
        tabled = known is not None and all(_tabled(cell, pin, known) for pin in cell.outputs)
        lines += _indented(_mapper_cell(cell, tabled))
    return "\n".join([*lines, "}", ""])


UNITS = ("time_unit", "voltage_unit", "current_unit", "pulling_resistance_unit")
EQUAL_TEMPLATE = (
    "lu_table_template (same) {",
    "  variable_1 : input_net_transition;",
    "  variable_2 : total_output_net_capacitance;",
    '  index_1 ("0.01, 1.0");',
    '  index_2 ("0.001, 1.0");',
    "}",
)
DELAYS = ("cell_rise", "cell_fall", "rise_transition", "fall_transition")
EQUAL = (
    "timing_sense : non_unate;",
    *(f'{table} (same) {{ values ("0.1, 1.0", "0.1, 1.0"); }}' for table in DELAYS),
)


def _units(part: Part) -> list[str]:
    """A library's units, as statements."""
    values = part.header.values
    load = part.header.arguments("capacitive_load_unit") or ("1", "pf")
    return [
        *(_simple(name, values[name]) for name in UNITS if name in values),
        _complex("capacitive_load_unit", [load[0], "".join(load[1:]).lower()]),
    ]


def _tabled(cell: Cell, pin: Pin, templates: dict[str, Group]) -> bool:
    """Whether each input has tables of two dimensions to this output, and nothing else."""
    related = set()
    for timing in pin.source.all("timing"):
        tables = {table.kind: table for table in timing.groups}
        if not set(DELAYS) <= set(tables):
            return False
        if not all(_is_square(tables[kind], templates) for kind in DELAYS):
            return False
        related |= set(timing.values.get("related_pin", "").split())
    return related == set(cell.inputs)


def _is_square(table: Group, templates: dict[str, Group]) -> bool:
    """Whether a table has as many numbers as its two indices say."""
    template = templates.get(table.args[0]) if table.args else None
    if template is None:
        return False
    indices = [_numbers(table.arguments(index) or template.arguments(index)) for index in TABLE[:2]]
    count = len(_numbers(table.arguments("values")))
    return min(map(len, indices)) > 1 and count == len(indices[0]) * len(indices[1])


def _numbers(args: Iterable[str]) -> list[float]:
    """The numbers in lists of them; none at all where one is no number."""
    try:
        return [float(word) for arg in args for word in arg.replace(",", " ").split()]
    except ValueError:
        return []


def _mapper_cell(cell: Cell, tabled: bool) -> Iterator[str]:
    yield f"cell ({cell.name}) {{"
    yield f"  area : {cell.area!r};"
    for kind, state in (("ff", cell.ff), ("latch", cell.latch)):
        if state:
            yield from _indented(_state(kind, state))
    for pin in cell.pins:
        if cell.combinational and tabled:
            yield from _indented(_timing_pin(pin, f"p{cell.part}_"))
        else:
            equal = cell.inputs if cell.combinational and pin.direction == "output" else ()
            yield from _indented(_plain_pin(pin, equal))
    yield "}"


def _plain_pin(pin: Pin, related: Iterable[str]) -> Iterator[str]:
    """A pin with equal delays from the ``related`` ones."""
    yield f"pin ({pin.name}) {{"
    yield f"  direction : {pin.direction};"
    yield "  max_capacitance : 1.0;" if pin.direction == "output" else "  capacitance : 0.001;"
    if pin.function:
        yield f'  function : "{_function(pin.function)}";'
    for name in related:
        yield "  timing () {"
        yield f'    related_pin : "{name}";'
        yield from _indented(EQUAL, 4)
        yield "  }"
    yield "}"


def timing_library(library: Library, part: Part, names: Iterable[str]) -> str:
    """A library of those named cells that come from ``part``, for static timing: what it says of
    their pins, arcs and tables, and its units, thresholds and wire loads."""
    index = library.parts.index(part)
    header = part.header
    lines = [f"library ({_word(part.name or 'unnamed')}) {{"]
    values = THRESHOLDS | header.values  # a reader ends, or takes 0, without them
    lines += [f"  {_simple(*item)}" for item in values.items() if HEADER.fullmatch(item[0])]
    lines += [f"  {_complex(*item)}" for item in header.lists if HEADER.fullmatch(item[0])]
    for group in header.groups:
        if group.kind in TEMPLATES:
            lines += _indented(_whole(group))
    for name in names:
        if library.cells[name].part == index:
            lines += _indented(_timing_cell(library.cells[name]))
    return "\n".join([*lines, "}", ""])


def has_delays(pin: Pin) -> bool | None:
    """Whether an output's arcs have delays other than 0; None where they have none at all."""
    found = []
    for timing in pin.source.all("timing"):
        for table in timing.groups:
            found += _numbers(table.arguments("values")) if table.kind in DELAYS[:2] else []
        found += _numbers([timing.values.get(f"intrinsic_{edge}", "") for edge in ("rise", "fall")])
    return any(found) if found else None


def _timing_cell(cell: Cell) -> Iterator[str]:
    yield f"cell ({cell.name}) {{"
    yield f"  area : {cell.area!r};"
    if cell.gate_kind:
        yield f"  clock_gating_integrated_cell : {cell.gate_kind};"
    for kind, state in (("ff", cell.ff), ("latch", cell.latch)):
        if state:
            yield from _indented(_state(kind, state))
    for pin in cell.pins:
        yield from _indented(_timing_pin(pin))
    yield "}"


def _timing_pin(pin: Pin, prefix: str = "") -> Iterator[str]:
    """A pin with its arcs, one related pin each; ``prefix`` is that of the templates' names."""
    yield f"pin ({pin.name}) {{"
    for key, text in pin.values.items():
        if PIN.fullmatch(key) or key.startswith("clock_gate_"):
            yield f"  {_simple(key, text)}"
    if pin.function:
        yield f'  function : "{_function(pin.function)}";'
    for timing in pin.source.all("timing"):
        for related in timing.values.get("related_pin", "").split():
            yield "  timing () {"
            yield f'    related_pin : "{related}";'
            values = timing.values.items()
            yield from (
                f"    {_simple(key, text)}" for key, text in values if TIMING.fullmatch(key)
            )
            for table in timing.groups:
                yield from _indented(_table(table, prefix), 4)
            yield "  }"
    yield "}"


def _table(table: Group, prefix: str) -> Iterator[str]:
    named = [arg if arg == "scalar" else f"{prefix}{arg}" for arg in table.args]
    yield f"{table.kind} ({', '.join(_word(arg) for arg in named)}) {{"
    for key, args in table.lists:
        if key in TABLE:
            yield f"  {_complex(key, args)}"
    yield "}"


def _state(kind: str, state: dict[str, str]) -> Iterator[str]:
    yield f"{kind} ({', '.join(state[key] for key in ('IQ', 'IQN') if key in state)}) {{"
    for key in STATE_FUNCTIONS:
        if key in state:
            yield f'  {key} : "{_function(state[key])}";'
    for key in BOTH_AT_ONCE:
        if key in state:
            yield f"  {key} : {state[key]};"
    yield "}"


def _function(text: str) -> str:
    """A function as every reader takes it."""
    expression = parse_function(text).text()
    return expression[1:-1] if expression.startswith("(") else expression


def _whole(group: Group, prefix: str = "") -> Iterator[str]:
    """A group with all it holds, its name behind ``prefix``."""
    yield f"{group.kind} ({', '.join(_word(f'{prefix}{arg}') for arg in group.args)}) {{"
    yield from (f"  {_simple(key, text)}" for key, text in group.values.items())
    yield from (f"  {_complex(key, args)}" for key, args in group.lists)
    yield "}"


def _simple(name: str, text: str) -> str:
    return f"{name} : {_word(text)};"


def _complex(name: str, args: Iterable[str]) -> str:
    """A complex attribute; lists of numbers in quotes, as index and values have them."""
    words = (f'"{_spaced(arg)}"' if name in TABLE else _word(arg) for arg in args)
    return f"{name} ({', '.join(words)});"


def _word(text: str) -> str:
    """A number or name as it is, anything else in quotes."""
    plain = NUMBER.fullmatch(text) or re.fullmatch(r"[A-Za-z_]\w*", text)
    return text if plain else f'"{_spaced(text)}"'


def _spaced(text: str) -> str:
    return " ".join(text.replace('"', "'").replace("\\", "/").split())


def _indented(lines: Iterable[str], by: int = 2) -> Iterator[str]:
    return (" " * by + line for line in lines)
