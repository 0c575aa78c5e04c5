"""Reads a Liberty library: what its cells are and compute, without their timing tables."""

import gzip
import re
import zlib
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path

from cimforge.hdl.params.config_file import InputError

__all__ = ["Cell", "Group", "Library", "Pin", "read_library"]

SPACE = re.compile(r"(?:\s|\\\n|/\*.*?\*/|//[^\n]*)*", re.S)
LIBRARY = re.compile(r"library\s*(?=\()")
WORD = re.compile(r'"[^"]*"|[\w.$\[\]]+')
VALUE = re.compile(r'[:]\s*("(?:[^"\\]|\\.)*"|[^;\n}]*?)[ \t]*(?:;|(?=[\n}]))', re.S)
ARGUMENTS = re.compile(r'\(((?:"(?:[^"\\]|\\.)*"|[^()"])*)\)', re.S)
ARGUMENT = re.compile(r'"[^"]*"|[^\s,"\\]+')
NAME = re.compile(r"[A-Za-z_]\w*")
KEYWORDS = {"input", "output", "inout", "wire", "reg", "module", "and", "or", "not", "buf", "cell"}
BRACE = re.compile(r'[{}]|"(?:[^"\\]|\\.)*"|/\*.*?\*/', re.S)
SKIPPED = {  # groups of tables and power, of no use here
    *("timing", "internal_power", "leakage_power", "lu_table_template", "power_lut_template"),
    *("wire_load", "operating_conditions", "output_current_template", "pg_pin", "test_cell"),
}
# Cells and pins that only special circuits may use, besides dont_use and tri-state outputs.
SPECIAL = {
    *("is_isolation_cell", "isolation_cell_enable_pin", "isolation_cell_data_pin"),
    *("is_level_shifter", "level_shifter_type", "always_on", "retention_cell"),
    *("power_gating_cell", "switch_cell_type", "is_macro_cell", "interface_timing"),
}


@dataclass
class Group:
    """A Liberty group: its arguments, simple attributes and inner groups by kind."""

    args: tuple[str, ...] = ()
    values: dict[str, str] = field(default_factory=dict)
    groups: dict[str, list["Group"]] = field(default_factory=dict)
    span: tuple[int, int] = (0, 0)


@dataclass(frozen=True)
class Pin:
    """A pin: ``function`` as written (outputs), capacitances in the library's unit (0: not
    said)."""

    name: str
    direction: str
    function: str
    capacitance: float
    max_capacitance: float
    values: dict[str, str]


@dataclass(frozen=True)
class Cell:
    """A cell: area in the library's unit, signal pins in the order of the file.

    ``latch`` and ``ff`` are the state groups' attributes, with ``IQ`` and ``IQN`` as the names of
    the state and its inverse. ``usable`` is False for cells that a mapper must not take by itself:
    dont_use, tri-state, scan, isolation, level shifting and low power, and those with names that
    are no plain Verilog or begin as leaf cells do. An area that is not said is 0.
    """

    name: str
    area: float
    pins: tuple[Pin, ...]
    latch: dict[str, str] | None
    ff: dict[str, str] | None
    gate_kind: str  # clock_gating_integrated_cell, or empty
    usable: bool
    span: tuple[int, int]

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
class Library:
    """A library's cells by name (of equal names the last), its text, and all cells' places in
    it."""

    name: str
    cells: dict[str, Cell]
    text: str
    spans: tuple[tuple[int, int], ...]

    def only(self, names: list[str]) -> str:
        """The text of a library with just these cells: the others cut out, all else kept."""
        kept, parts, at = {self.cells[name].span for name in names}, [], 0
        for span in self.spans:
            if span not in kept:
                parts.append(self.text[at : span[0]])
                at = span[1]
        return "".join([*parts, self.text[at:]])


def read_library(path: Path) -> Library:
    """The library in a Liberty file, gzipped or not.

    Raises InputError where the file cannot be read, is no Liberty text or has no cells.
    """
    try:
        data = path.read_bytes()
        if data[:2] == b"\x1f\x8b":
            data = gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"--liberty {path}: {getattr(error, 'strerror', None) or error}") from None
    text = data.decode("utf-8-sig", errors="replace")
    try:
        top = _Reader(text).top()
    except (ValueError, RecursionError) as error:
        raise InputError(f"--liberty {path}: not a Liberty file: {error}") from None
    groups = top.groups.get("cell", [])
    if not groups:
        raise InputError(f"--liberty {path}: the library has no cells")
    cells = {cell.name: cell for cell in map(_cell, groups)}
    spans = tuple(group.span for group in groups)
    return Library((top.args or ("",))[0], cells, text, spans)


class _Reader:
    """A recursive reader of groups, by position in the text; what SKIPPED names is passed over."""

    def __init__(self, text: str):
        self._text = text
        self._at = 0

    def _match(self, pattern: re.Pattern[str]) -> str:
        """What ``pattern`` matches here, passed over; its first group where it has one."""
        found = pattern.match(self._text, self._at)
        if not found:
            line = self._text.count("\n", 0, self._at) + 1
            here = self._text[self._at : self._at + 20].split("\n")[0]
            raise ValueError(f"line {line}: {here!r} was not expected")
        self._at = found.end()
        return found[found.re.groups]

    def _sees(self, mark: str) -> bool:
        """Whether ``mark`` stands next, after space and comments."""
        self._match(SPACE)
        return self._text.startswith(mark, self._at)

    def top(self) -> Group:
        """The library, the one group of the file."""
        self._match(SPACE)
        self._match(LIBRARY)
        args = self._arguments()
        if not self._sees("{"):
            raise ValueError("no { behind library (...)")
        return self._group(args, 0)

    def _arguments(self) -> tuple[str, ...]:
        return tuple(word.strip('" ') for word in ARGUMENT.findall(self._match(ARGUMENTS)))

    def _group(self, args: tuple[str, ...], start: int) -> Group:
        """A group from its { on."""
        group = Group(args)
        self._at += 1
        while not self._sees("}"):
            if self._sees(";"):
                self._at += 1
                continue
            begin, name = self._at, self._match(WORD)
            if self._sees(":"):
                group.values[name] = self._match(VALUE).split("/*")[0].strip().strip('"')
                continue
            inner = self._arguments()
            if not self._sees("{"):
                group.values[name] = ",".join(inner)
            elif name in SKIPPED:
                group.groups.setdefault(name, [])
                self._skip()
            else:
                group.groups.setdefault(name, []).append(self._group(inner, begin))
        self._at += 1
        group.span = (start, self._at)
        return group

    def _skip(self) -> None:
        """Past a group's braces."""
        depth = 0
        for mark in BRACE.finditer(self._text, self._at):
            depth += (mark[0] == "{") - (mark[0] == "}")
            if depth == 0:
                self._at = mark.end()
                return
        raise ValueError("it ends in the middle of a group")


def _cell(group: Group) -> Cell:
    pins = [pin for named in group.groups.get("pin", []) for pin in _pins(named)]
    buses = "bus" in group.groups or "bundle" in group.groups
    tri_state = any("three_state" in pin.values for pin in pins)
    flags = {**group.values, **{key: value for pin in pins for key, value in pin.values.items()}}
    special = any(flags.get(key, "false") != "false" for key in SPECIAL)
    scan = "test_cell" in group.groups
    forbidden = group.values.get("dont_use", "false").lower() == "true"
    area = _number(group.values.get("area"))
    name = group.args[0] if group.args else ""
    names = [name, *(pin.name for pin in pins)]
    shared = any(len(named.args) != 1 for named in group.groups.get("pin", []))
    plain = all(NAME.fullmatch(each) and each not in KEYWORDS for each in names) and not shared
    plain &= not name.startswith("cim_")
    return Cell(
        name=name,
        area=area,
        pins=tuple(pin for pin in pins if pin.direction != "internal"),
        latch=_state(group, "latch"),
        ff=_state(group, "ff"),
        gate_kind=group.values.get("clock_gating_integrated_cell", ""),
        usable=not (buses or tri_state or special or scan or forbidden) and plain,
        span=group.span,
    )


def _pins(group: Group) -> list[Pin]:
    values = group.values
    return [
        Pin(
            name=name,
            direction=values.get("direction", ""),
            function=values.get("function", ""),
            capacitance=_number(values.get("capacitance")),
            max_capacitance=_number(values.get("max_capacitance")),
            values=values,
        )
        for name in group.args
    ]


def _state(group: Group, kind: str) -> dict[str, str] | None:
    """A latch or ff group's attributes with its two state names, or None; a cell with several such
    groups is no single latch or flip-flop, and has none with names."""
    found = group.groups.get(kind, [])
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
