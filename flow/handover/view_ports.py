"""Reads the ports back from every view that has them, and compares them with the macro's."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from cimforge.flow.handover.outline import SUPPLIES
from cimforge.flow.liberty.liberty_text import read_groups
from cimforge.hdl.netlist.module import Port

__all__ = ["SeenPort", "compare_ports", "read_ports", "view_kind"]


class SeenPort(NamedTuple):
    """A port as a view shows it; direction empty or width 0 where the view tells neither."""

    direction: str
    width: int


Seen = dict[str, SeenPort]


def view_kind(path: Path) -> str:
    """How a view's ports are read, by its file's name; empty where it has none."""
    ends = {"_bb.v": "verilog", "_pins.cfg": "pins", "_scan.md": "scan"}
    for end, kind in ends.items():
        if path.name.endswith(end):
            return kind
    return {".lef": "lef", ".lib": "liberty", ".sdc": "sdc", ".upf": "upf"}.get(path.suffix, "")


def read_ports(path: Path) -> Seen:
    """The ports that the view in a file shows, supplies left out.

    Raises KeyError where it is no view with ports.
    """
    return READERS[view_kind(path)](path)


def compare_ports(ports: Sequence[Port], seen: Mapping[str, SeenPort]) -> list[str]:
    """What is missing, too much or otherwise in a view, a line each; none where it agrees."""
    known = {port.name: port for port in ports}
    lines = [f"no port {name}" for name in known if name not in seen]
    lines += [f"{name} is no port" for name in seen if name not in known]
    for name, port in known.items():
        told = seen.get(name)
        if told and told.direction and told.direction != port.direction:
            lines.append(f"{name} is {told.direction}, not {port.direction}")
        if told and told.width and told.width != port.width:
            lines.append(f"{name} has {told.width} bits, not {port.width}")
    return lines


def _verilog(path: Path) -> Seen:
    text = re.sub(r"`ifdef.*?`endif", "", path.read_text(), flags=re.S)
    found = re.findall(r"^\s*(input|output|inout) wire (?:\[(\d+):0\] )?(\w+)", text, re.M)
    return {name: SeenPort(way, int(high or 0) + 1) for way, high, name in found}


def _lef(path: Path) -> Seen:
    found = re.findall(r"^\s*PIN (\S+)\s*\n\s*DIRECTION (\w+) ;", path.read_text(), re.M)
    return _of_bits((pin, way.lower()) for pin, way in found if pin not in SUPPLIES)


def _liberty(path: Path) -> Seen:
    found: Seen = {}
    for library in read_groups(path, {"type"}):
        widths = {t.args[0]: int(t.values.get("bit_width", "0")) for t in library.all("type")}
        for cell in library.all("cell"):
            for pin in (*cell.all("pin"), *cell.all("bus")):
                width = widths.get(pin.values.get("bus_type", ""), 1)
                found[pin.args[0]] = SeenPort(pin.values.get("direction", ""), width)
    return found


def _sdc(path: Path) -> Seen:
    """The clock, and what has a delay; a pattern NAME* stands for the port NAME."""
    text = path.read_text()
    found: Seen = {}
    for clock in re.findall(r"^create_clock .*\[get_ports (\w+)\]", text, re.M):
        found[clock] = SeenPort("input", 1)
    for way in ("input", "output"):
        for names in re.findall(rf"^set_{way}_delay .*\[get_ports \{{(.*?)\}}\]", text, re.M):
            found |= {name.rstrip("*"): SeenPort(way, 0) for name in names.split()}
    return found


def _upf(path: Path) -> Seen:
    found: Seen = {}
    for names, kind in re.findall(
        r"^set_port_attributes -ports \{(.*?)\} -(receiver|driver)_supply", path.read_text(), re.M
    ):
        way = "input" if kind == "receiver" else "output"
        found |= {name: SeenPort(way, 0) for name in names.split()}
    return found


def _pins(path: Path) -> Seen:
    lines = [line.replace("\\", "") for line in path.read_text().splitlines()]
    return _of_bits((line, "") for line in lines if line and not line.startswith("#"))


def _scan(path: Path) -> Seen:
    found = re.findall(r"^\| (\w+) \| (input|output) \| (\d+) \|", path.read_text(), re.M)
    return {name: SeenPort(way, int(width)) for name, way, width in found}


def _of_bits(bits: Iterable[tuple[str, str]]) -> Seen:
    """Ports of pins that are one bit each: NAME or NAME[BIT], of a bus every bit from 0 up."""
    ways: dict[str, str] = {}
    places: dict[str, set[int]] = {}
    for bit, way in bits:
        name, _, place = bit.partition("[")
        ways[name] = way
        places.setdefault(name, set()).add(int(place.rstrip("]")) if place else 0)
    gaps = {name: found != set(range(len(found))) for name, found in places.items()}
    return {n: SeenPort(ways[n], -1 if gaps[n] else len(places[n])) for n in ways}


READERS: dict[str, Callable[[Path], Seen]] = {
    "verilog": _verilog,
    "lef": _lef,
    "liberty": _liberty,
    "sdc": _sdc,
    "upf": _upf,
    "pins": _pins,
    "scan": _scan,
}
