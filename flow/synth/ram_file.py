"""A memory compiler's RAM as its LEF or Liberty file tells it: name, pins, area."""

import re
from dataclasses import dataclass
from pathlib import Path

from cimforge.flow.liberty.liberty_text import Group, read_groups
from cimforge.hdl.params.config_file import InputError

__all__ = ["RamFile", "RamPin", "read_ram"]

WIDTH = re.compile(r"(.+?)[\[<](\d+)[\]>]")
SUPPLIES = ("POWER", "GROUND")


@dataclass(frozen=True)
class RamPin:
    """A pin, or a bus of ``width``: ``direction`` is input or output."""

    name: str
    direction: str
    width: int


@dataclass(frozen=True)
class RamFile:
    """A RAM: its ``area`` in um2, its pins by name, supplies left out."""

    path: Path
    name: str
    area: float
    pins: dict[str, RamPin]


def read_ram(path: Path) -> RamFile:
    """The RAM in a LEF file (a name that ends in .lef) or else in a Liberty file.

    Raises InputError where the file cannot be read, or holds no RAM or several.
    """
    found = _from_lef(path) if path.suffix.lower() == ".lef" else _from_liberty(path)
    if len(found) != 1:
        what = ", ".join(ram.name for ram in found[:4]) or "none"
        raise InputError(f"--sram {path}: must hold one RAM, holds {what}")
    if found[0].area <= 0:
        raise InputError(f"--sram {path}: {found[0].name} has no area")
    return found[0]


def _from_lef(path: Path) -> list[RamFile]:
    try:
        text = path.read_text(errors="replace")
    except OSError as error:
        raise InputError(f"--sram {path}: {error.strerror}") from None
    text = re.sub(r"#.*", "", text)
    macros = re.findall(r"^\s*MACRO\s+(\S+)(.*?)^\s*END\s+\1\s*$", text, re.M | re.S)
    return [_lef_macro(path, name, body) for name, body in macros]


def _lef_macro(path: Path, name: str, body: str) -> RamFile:
    size = re.search(r"\bSIZE\s+([\d.]+)\s+BY\s+([\d.]+)", body)
    bits = []
    for pin, told in re.findall(r"^\s*PIN\s+(\S+)(.*?)^\s*END\s+\1\s*$", body, re.M | re.S):
        use = re.search(r"\bUSE\s+(\w+)", told)
        if use and use[1].upper() in SUPPLIES:
            continue
        direction = re.search(r"\bDIRECTION\s+(\w+)", told)
        bits.append((pin, direction[1].lower() if direction else ""))
    area = float(size[1]) * float(size[2]) if size else 0.0
    return RamFile(path, name, area, _buses(bits))


def _buses(bits: list[tuple[str, str]]) -> dict[str, RamPin]:
    """Pins, those of one bus together: a bus is as wide as it has bits."""
    pins: dict[str, RamPin] = {}
    for pin, direction in bits:
        found = WIDTH.fullmatch(pin)
        name = found[1] if found else pin
        width = pins[name].width + 1 if name in pins else 1
        pins[name] = RamPin(name, direction, width)
    return pins


def _from_liberty(path: Path) -> list[RamFile]:
    try:
        libraries = read_groups(path, {"type", "memory"})
    except InputError as error:
        raise InputError(str(error).replace("--liberty", "--sram", 1)) from None
    found = []
    for library in libraries:
        widths = {t.args[0]: int(t.values.get("bit_width", "0")) for t in library.all("type")}
        for cell in library.all("cell"):
            if cell.all("memory") or cell.all("bus"):
                area = float(cell.values.get("area", "0") or 0)
                found.append(RamFile(path, cell.args[0], area, _liberty_pins(cell, widths)))
    return found


def _liberty_pins(cell: Group, widths: dict[str, int]) -> dict[str, RamPin]:
    own = {t.args[0]: int(t.values.get("bit_width", "0")) for t in cell.all("type")}
    pins = {}
    for group in (*cell.all("pin"), *cell.all("bus")):
        width = {**widths, **own}.get(group.values.get("bus_type", ""), 1)
        name = group.args[0]
        pins[name] = RamPin(name, group.values.get("direction", ""), width)
    return pins
