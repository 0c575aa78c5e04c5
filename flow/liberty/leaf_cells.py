"""The library cell for each leaf role, found by what it computes."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import permutations

from cimforge.flow.liberty.function import FunctionError, literal, truth_table
from cimforge.flow.liberty.library import Cell, Library, why_no_flip_flop
from cimforge.hdl.params.config_file import InputError
from cimforge.hdl.params.errors import shown
from cimforge.hdl.params.ranges import nearest_word

__all__ = [
    "CLOCK_GATES",
    "GATES",
    "LEAVES",
    "LeafCells",
    "Match",
    "choose_cells",
    "clock_gate_pins",
    "smallest_gate",
]

# Truth tables over the inputs, the first as bit 0 of the row.
ADDERS = {
    "fa": (("a", "b", "ci"), {"s": 0b10010110, "co": 0b11101000}),
    "ha": (("a", "b"), {"s": 0b0110, "co": 0b1000}),
    "c42": (("a", "b", "c", "d", "ci"), {"s": 0x96696996, "co": 0xFF969600, "cout": 0xE8E8E8E8}),
}
INVERTER, BUFFER, NOR2 = 0b01, 0b10, 0b0001
AOI21_PINS = ("a", "b", "c")
LEAVES = ("fa", "ha", "c42", "latch", "clkgate", "driver")
QUOTES = "'\""
GATES = "gates"  # a role without a cell of its own: built from the library's gates
CLOCK_GATES = {"latch_posedge": False, "latch_posedge_precontrol": True}  # kind: has a test pin
GATE_PINS = ("clk", "enable", "test_en", "gate")
GATE_ATTRIBUTES = ("clock", "enable", "test", "out")


@dataclass(frozen=True)
class Match:
    """A cell that can play a role: ``pins`` maps the role's pins to the cell's.

    Pins of ``inverted`` need an inverter; ``area`` includes it. ``tied`` are further pins of the
    cell, which a constant switches off.
    """

    cell: Cell
    pins: Mapping[str, str]
    inverted: frozenset[str] = frozenset()
    area: float = 0.0
    tied: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class LeafCells:
    """The chosen cells: one match a role, None where gates stand in; drivers by strength; ``named``
    are the overrides.

    No entry for ``c42`` where the library has no compressor: it is two full adders then.
    ``load`` is the input capacitance that a driver's pin is taken for: the largest of the latch's
    and the smallest NOR's inputs.
    """

    cells: Mapping[str, Match | None]
    inverter: Match
    nor: Match
    drivers: tuple[Match, ...]
    load: float
    named: Mapping[str, str] = field(default_factory=dict)
    aoi21: Match | None = None  # ~(a & b | c): with the NOR it holds a set-clear latch

    def driver(self, loads: int) -> Match:
        """The smallest buffer that drives ``loads`` pins with at most half its largest load, or
        the strongest."""
        need = 2 * loads * self.load

        def most(match: Match) -> float:
            return match.cell.pin(match.pins["y"]).max_capacitance

        strong = [match for match in self.drivers if most(match) >= need]
        if strong:
            return min(strong, key=_by_area)
        return max(self.drivers, key=lambda match: (most(match), -match.area, match.cell.name))


def choose_cells(
    library: Library, overrides: Mapping[str, str] | None = None, *, latches: bool = True
) -> LeafCells:
    """The smallest usable cell for each role, of the needed pins and what a constant switches off;
    overrides name others.

    Raises InputError where an override names no cell or role or a cell of another function, and
    where the library lacks an inverter, a NOR gate, a buffer or, with ``latches``, a latch.
    """
    wanted = dict(overrides or {})
    for role, name in wanted.items():
        _check_override(library, role, name)
    every = list(library.cells.values())
    usable = [cell for cell in every if cell.usable]
    inverters = _gates(usable, ("a",), INVERTER)
    nors, buffers = _gates(usable, ("a", "b"), NOR2), _gates(usable, ("a",), BUFFER)
    for kind, found, pins, table in (
        ("inverter", inverters, ("a",), INVERTER),
        ("two-input NOR", nors, ("a", "b"), NOR2),
        ("buffer", buffers, ("a",), BUFFER),
    ):
        if not found:
            others = {m.cell.name: m.cell.reason for m in _gates(every, pins, table)}
            raise _lack(library, kind, others)
    flops = {cell.name: why_no_flip_flop(cell) for cell in every if cell.ff is not None}
    if all(flops.values()):
        raise _lack(library, "flip-flop", flops)
    inverter = min(inverters, key=_by_area)
    nor = min(nors, key=_by_area)
    cells: dict[str, Match | None] = {}
    for role, search in _searches(inverter, nor).items():
        cells[role] = _choose(library, usable, role, search, wanted.get(role))
    if cells["c42"] is None:
        del cells["c42"]
    if latches and cells["latch"] is None:
        others = {
            cell.name: cell.reason or "needs more than data, enable and output"
            for cell in every
            if cell.latch is not None
        }
        kind = "latch of data, enable and output"
        raise _lack(library, kind, others, "; --cell latch=NAME takes one, storage=flop needs none")
    drivers = tuple(buffers)
    if "driver" in wanted:
        drivers = tuple(_only(library, "driver", wanted["driver"], _buffer_search))
    loads = [pin.capacitance for pin in nor.cell.pins if pin.direction == "input"]
    if cells["latch"]:
        latch = cells["latch"]
        loads += [latch.cell.pin(latch.pins[pin]).capacitance for pin in ("d", "gate")]
    aoi21 = smallest_gate(library, AOI21_PINS, truth_table("!((a & b) | c)", AOI21_PINS))
    return LeafCells(cells, inverter, nor, drivers, max(loads), wanted, aoi21)


def _lack(library: Library, kind: str, others: Mapping[str, str], way_out: str = "") -> InputError:
    """What to say where no cell of a kind is usable: those there are, and why each is left out."""
    named = [f"{name} ({reason})" for name, reason in list(others.items())[:4]]
    more = f" and {len(others) - 4} more" if len(others) > 4 else ""
    cause = f"left out: {', '.join(named)}{more}" if named else "no cell is one"
    return InputError(f"--liberty: {library.name} has no usable {kind}; {cause}{way_out}")


def _by_area(match: Match) -> tuple[bool, float, str]:
    """The smallest first; without an area only where nothing else will do."""
    return match.cell.area == 0, match.area, match.cell.name


Search = Callable[[Cell], Iterable[Match]]


def _searches(inverter: Match, nor: Match) -> dict[str, Search]:
    """How each role's matches are found in a cell."""
    return {
        "fa": lambda cell: _adder(cell, "fa", inverter),
        "ha": lambda cell: _adder(cell, "ha", inverter),
        "c42": lambda cell: _adder(cell, "c42", inverter),
        "latch": lambda cell: _latch(cell, inverter),
        "clkgate": lambda cell: _clock_gate(cell, nor.area + inverter.area),
    }


def _choose(
    library: Library, usable: Sequence[Cell], role: str, search: Search, name: str | None
) -> Match | None:
    if name is not None:
        return min(_only(library, role, name, search), key=_by_area)
    return min((match for cell in usable for match in search(cell)), key=_by_area, default=None)


def _only(library: Library, role: str, name: str, search: Search) -> list[Match]:
    """The matches of the named cell; InputError where it has none."""
    found = list(search(library.cells[name]))
    if not found:
        fitting = [c.name for c in library.cells.values() if c.usable and any(search(c))]
        hint = f"cells that do: {', '.join(fitting[:4])}" if fitting else "no cell here does"
        raise InputError(f"{_option(role, name)}: is no {DESCRIPTIONS[role]}; {hint}")
    return found


DESCRIPTIONS = {
    "fa": "full adder of 3 inputs, sum and carry",
    "ha": "half adder of 2 inputs, sum and carry",
    "c42": "4:2 compressor of 5 inputs, sum and two carries",
    "latch": "latch of data, enable and output",
    "clkgate": "positive-edge clock gating cell (latch_posedge, latch_posedge_precontrol)",
    "driver": "buffer",
}


def _option(role: str, name: str) -> str:
    """An override as it was given, shortened where it is long."""
    return f"--cell {shown(f'{role}={name}').strip(QUOTES)}"


def _check_override(library: Library, role: str, name: str) -> None:
    told = _option(role, name)
    if role not in LEAVES:
        raise InputError(f"{told}: no role {shown(role)}; leaves: {', '.join(LEAVES)}")
    if name not in library.cells:
        close = nearest_word(name, list(library.cells))
        hint = f"; did you mean {close!r}?" if close else ""
        raise InputError(f"{told}: no cell {shown(name)} in {library.name}{hint}")


def _gates(cells: Iterable[Cell], pins: tuple[str, ...], table: int) -> list[Match]:
    """Single-output cells that compute ``table`` of ``pins`` in some order."""
    return [match for cell in cells for match in _functions(cell, pins, {"y": table})]


def smallest_gate(library: Library, pins: tuple[str, ...], table: int) -> Match | None:
    """The smallest usable gate that computes ``table`` of ``pins`` (output y), or None."""
    usable = [cell for cell in library.cells.values() if cell.usable and cell.area]
    return min(_gates(usable, pins, table), key=_by_area, default=None)


def _buffer_search(cell: Cell) -> list[Match]:
    return _gates([cell], ("a",), BUFFER)


def _adder(cell: Cell, role: str, inverter: Match) -> list[Match]:
    pins, tables = ADDERS[role]
    return _functions(cell, pins, tables, inverter.area)


def _functions(
    cell: Cell, pins: tuple[str, ...], tables: dict[str, int], inverter: float | None = None
) -> list[Match]:
    """Matches of a combinational cell with exactly these inputs and outputs; an output may come
    inverted where an inverter's area is given."""
    if not cell.combinational or len(cell.inputs) != len(pins) or len(cell.outputs) != len(tables):
        return []
    full = (1 << (1 << len(pins))) - 1
    for order in permutations(cell.inputs):
        try:
            found = {pin.name: truth_table(pin.function, order) for pin in cell.outputs}
        except FunctionError:
            return []
        for names in permutations(found):
            leaves = dict(zip(tables, names, strict=True))
            inverted = {role for role, name in leaves.items() if found[name] == full ^ tables[role]}
            exact = {role for role, name in leaves.items() if found[name] == tables[role]}
            if len(exact) + len(inverted) == len(tables) and (inverter is not None or not inverted):
                area = cell.area + len(inverted) * (inverter or 0.0)
                mapping = {**dict(zip(pins, order, strict=True)), **leaves}
                return [Match(cell, mapping, frozenset(inverted), area)]
    return []


def _latch(cell: Cell, inverter: Match) -> list[Match]:
    """A latch with data, enable and one output, whatever their polarity; what clears or presets it
    is tied off."""
    state = cell.latch
    if not state or cell.gate_kind or len(cell.outputs) != 1:
        return []
    if not {"data_in", "enable", "IQ", "IQN"} <= set(state):
        return []
    tied = _tied(cell, [state[key] for key in ("clear", "preset") if key in state])
    if tied is None:
        return []
    output = cell.outputs[0]
    for d, gate in permutations([pin for pin in cell.inputs if pin not in tied], 2):
        try:
            data = truth_table(state["data_in"], (d,))
            enable = truth_table(state["enable"], (gate,))
            q = truth_table(output.function, (state["IQ"], state["IQN"]))
        except FunctionError:
            continue
        follows = _q_follows(q)
        if follows is None or {data, enable} - {INVERTER, BUFFER}:
            continue
        wrong = {"gate"} if enable == INVERTER else set()
        if follows == (data == INVERTER):
            wrong.add("q")
        area = cell.area + len(wrong) * inverter.area
        mapping = {"d": d, "gate": gate, "q": output.name}
        return [Match(cell, mapping, frozenset(wrong), area, tied)]
    return []


def _tied(cell: Cell, functions: Sequence[str]) -> dict[str, int] | None:
    """The constants that keep ``functions`` of one pin each at 0; None where there are none, or
    where the cell has not two inputs besides."""
    tied: dict[str, int] = {}
    for function in functions:
        pin = literal(function)
        if pin is None or tied.get(pin[0], int(pin[1])) != int(pin[1]):
            return None
        tied[pin[0]] = int(pin[1])
    return tied if len(cell.inputs) == 2 + len(tied) else None


def _q_follows(table: int) -> bool | None:
    """Whether an output that is a function of a state and its inverse, ``table`` over both, is the
    state (True), its inverse (False), or neither."""
    one, zero = table >> 0b01 & 1, table >> 0b10 & 1  # state 1 and inverse 0; state 0 and inverse 1
    return None if one == zero else bool(one)


def _clock_gate(cell: Cell, test_or: float) -> list[Match]:
    """A clock gate whose output is high in the high phase of an enabled clock; ``test_or`` is the
    area of the gates that add test_en to the enable of one without a test pin."""
    if cell.gate_kind not in CLOCK_GATES:
        return []
    pins = clock_gate_pins(cell)
    needed = {"clk", "enable", "gate"} | ({"test_en"} if CLOCK_GATES[cell.gate_kind] else set())
    if set(pins) != needed or len(cell.inputs) != len(needed) - 1 or len(cell.outputs) != 1:
        return []
    return [Match(cell, pins, frozenset(), cell.area + (0 if "test_en" in pins else test_or))]


def clock_gate_pins(cell: Cell) -> dict[str, str]:
    """The pins of an integrated clock gate by their role in cim_clkgate: clk, enable, gate and, of
    some, test_en."""
    return {
        role: pin.name
        for role, attribute in zip(GATE_PINS, GATE_ATTRIBUTES, strict=True)
        for pin in cell.pins
        if pin.values.get(f"clock_gate_{attribute}_pin", "false").lower() == "true"
    }
