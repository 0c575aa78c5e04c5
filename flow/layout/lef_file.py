"""What a LEF file tells of a technology: its routing layers, and size and pins of its cells."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

__all__ = ["Lef", "LefCell", "Rect", "RoutingLayer", "read_lef"]

Rect = tuple[str, float, float, float, float]  # layer, left, bottom, right, top; in um

SECTION = r"^\s*{}\s+(\S+)\s*$(.*?)^\s*END\s+\1\s*$"
VIA = r"^\s*VIA\s+(\S+)\b[^\n]*$(.*?)^\s*END\s+\1\s*$"
NUMBER = r"(-?[\d.]+(?:[eE][-+]?\d+)?)"


@dataclass(frozen=True)
class RoutingLayer:
    """A routing layer: ``width`` and ``pitch`` of its wires in um, ohms a square, pF a um2, pF a um
    of edge."""

    name: str
    horizontal: bool
    width: float
    pitch: float
    resistance: float
    area_capacitance: float
    edge_capacitance: float

    def ohms(self, length: float) -> float:
        """The resistance of a wire of ``length`` um."""
        return self.resistance * length / self.width

    def picofarads(self, length: float) -> float:
        """The capacitance of a wire of ``length`` um to all around it: its area, and both edges (of
        LEF's formula only the ends are left out, as they touch the next wire)."""
        return length * (self.width * self.area_capacitance + 2 * self.edge_capacitance)


@dataclass(frozen=True)
class LefCell:
    """A cell: its size in um, and the shapes of each pin, supplies included, in the file's
    order."""

    name: str
    width: float
    height: float
    pins: Mapping[str, tuple[Rect, ...]]


@dataclass(frozen=True)
class Lef:
    """The routing layers from the lowest, the cells, and the two routing layers that each via
    joins, all by name."""

    layers: Mapping[str, RoutingLayer]
    cells: Mapping[str, LefCell]
    vias: Mapping[str, tuple[str, str]]


@cache
def read_lef(path: Path) -> Lef:
    """Read a LEF file with both. Raises OSError."""
    text = re.sub(r"#.*", "", path.read_text(errors="replace"))
    layers = {
        name: _layer(name, body)
        for name, body in re.findall(SECTION.format("LAYER"), text, re.M | re.S)
        if re.search(r"\bTYPE\s+ROUTING\b", body)
    }
    cells = {
        name: _cell(name, body)
        for name, body in re.findall(SECTION.format("MACRO"), text, re.M | re.S)
    }
    vias = {}
    for name, body in re.findall(VIA, text, re.M | re.S):
        joined = [layer for layer in re.findall(r"\bLAYER\s+(\S+)", body) if layer in layers]
        if len(joined) == 2:
            vias[name] = (joined[0], joined[1])
    return Lef(layers, cells, vias)


def _layer(name: str, body: str) -> RoutingLayer:
    def number(key: str) -> float:
        found = re.search(rf"^\s*{key}\s+{NUMBER}", body, re.M)
        return float(found[1]) if found else 0.0

    return RoutingLayer(
        name=name,
        horizontal=re.search(r"\bDIRECTION\s+HORIZONTAL\b", body) is not None,
        width=number("WIDTH"),
        pitch=number("PITCH"),
        resistance=number(r"RESISTANCE\s+RPERSQ"),
        area_capacitance=number(r"CAPACITANCE\s+CPERSQDIST"),
        edge_capacitance=number("EDGECAPACITANCE"),
    )


def _cell(name: str, body: str) -> LefCell:
    size = re.search(rf"^\s*SIZE\s+{NUMBER}\s+BY\s+{NUMBER}", body, re.M)
    width, height = (float(size[1]), float(size[2])) if size else (0.0, 0.0)
    pins = {
        pin: tuple(_rects(told))
        for pin, told in re.findall(SECTION.format("PIN"), body, re.M | re.S)
    }
    return LefCell(name, width, height, pins)


def _rects(text: str) -> list[Rect]:
    found, layer = [], ""
    for line in text.splitlines():
        words = line.split()
        if words[:1] == ["LAYER"]:
            layer = words[1]
        elif words[:1] == ["RECT"]:
            left, bottom, right, top = map(float, words[1:5])
            found.append((layer, left, bottom, right, top))
    return found
