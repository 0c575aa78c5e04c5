"""Reads what a macro's outline needs of a technology LEF: grid, routing layers, site, sizes."""

import gzip
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cimforge.hdl.params.config_file import InputError

__all__ = ["GENERIC", "RoutingLayer", "TechLef", "read_tech_lef"]

LAYER = re.compile(r"^\s*LAYER\s+(\S+)\s*$(.*?)^\s*END\s+\1\s*$", re.M | re.S)
SITE = re.compile(r"^\s*SITE\s+(\S+)\s*$(.*?)^\s*END\s+\1\s*$", re.M | re.S)
MACRO = re.compile(r"^\s*MACRO\s+(\S+)\s*$(.*?)^\s*END\s+\1\s*$", re.M | re.S)
SIZE = re.compile(r"^\s*SIZE\s+([\d.]+)\s+BY\s+([\d.]+)\s*;", re.M)


@dataclass(frozen=True)
class RoutingLayer:
    """A routing layer: its direction (HORIZONTAL or VERTICAL), the pitch of its tracks across it,
    where the first one lies, and its wires' width, in um."""

    name: str
    direction: str
    pitch: float
    offset: float
    width: float


@dataclass(frozen=True)
class TechLef:
    """Routing layers from the lowest up, the manufacturing grid and the core site's width and
    height in um, and the area in um2 of each cell that the file describes; ``source`` is its name,
    empty where the numbers are made up."""

    layers: tuple[RoutingLayer, ...]
    grid: float
    site: tuple[float, float]
    sizes: Mapping[str, float] = field(default_factory=dict)
    source: str = ""

    def across(self, direction: str) -> RoutingLayer:
        """The layer of a direction for pins: the lowest above the two that cells are wired with."""
        fitting = [layer for layer in self.layers if layer.direction == direction]
        return next((layer for layer in fitting if layer not in self.layers[:2]), fitting[-1])


# For an outline without a technology: of no process, and its LEF says so.
GENERIC = TechLef(
    layers=tuple(
        RoutingLayer(f"metal{number}", "VERTICAL" if number % 2 == 0 else "HORIZONTAL", 1, 0.5, 0.5)
        for number in range(1, 6)
    ),
    grid=0.005,
    site=(1.0, 10.0),
)


def read_tech_lef(path: Path) -> TechLef:
    """The technology in a LEF file (gzip too), with cells or without.

    Raises InputError where it cannot be read, or names no routing layers of both directions.
    """
    where = f"--lef {path}"
    try:
        data = path.read_bytes()
        data = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{where}: {getattr(error, 'strerror', None) or error}") from None
    text = re.sub(r"#[^\n]*", "", data.decode("utf-8", errors="replace"))
    layers = tuple(
        layer for name, body in LAYER.findall(text) if (layer := _routing(name, body)) is not None
    )
    missing = {"HORIZONTAL", "VERTICAL"} - {layer.direction for layer in layers}
    if missing:
        rule = f"has no routing layer with a pitch and direction {' or '.join(sorted(missing))}"
        raise InputError(f"{where}: {rule}; give the technology's LEF")
    grid = _number(text, "MANUFACTURINGGRID") or GENERIC.grid
    sizes = {name: SIZE.search(body) for name, body in MACRO.findall(text)}
    areas = {name: float(s[1]) * float(s[2]) for name, s in sizes.items() if s}
    return TechLef(layers, grid, _site(text), areas, path.name)


def _routing(name: str, body: str) -> RoutingLayer | None:
    direction = re.search(r"\bDIRECTION\s+(HORIZONTAL|VERTICAL)\s*;", body)
    if not re.search(r"\bTYPE\s+ROUTING\s*;", body) or direction is None:
        return None
    both = re.search(r"\bPITCH\s+([\d.]+)\s+([\d.]+)\s*;", body)
    pitch = float(both[2 if direction[1] == "HORIZONTAL" else 1]) if both else 0.0
    pitch = pitch or _number(body, "PITCH")
    width = _number(body, "WIDTH")
    if not pitch or not width:
        return None
    pair = re.search(r"\bOFFSET\s+([\d.]+)\s+([\d.]+)\s*;", body)
    offset = float(pair[2 if direction[1] == "HORIZONTAL" else 1]) if pair else 0.0
    return RoutingLayer(name, direction[1], pitch, offset or _number(body, "OFFSET"), width)


def _site(text: str) -> tuple[float, float]:
    """The size of the first site of class CORE, or of the first at all."""
    sites = [body for _, body in SITE.findall(text) if SIZE.search(body)]
    core = [body for body in sites if re.search(r"\bCLASS\s+CORE\b", body, re.I)]
    found = SIZE.search((core or sites or [""])[0])
    return (float(found[1]), float(found[2])) if found else GENERIC.site


def _number(text: str, key: str) -> float:
    found = re.search(rf"\b{key}\s+([\d.]+)\s*;", text)
    return float(found[1]) if found else 0.0
