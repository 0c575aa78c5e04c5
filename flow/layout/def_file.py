"""A routed design as its DEF file tells it: die, cells, pins, wires and vias."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Component", "DefPin", "RoutedDesign", "RoutedNet", "Stripe", "Via", "Wire", "read_def"]

DIGITS = 4  # of a place in um: equal places are equal numbers
POINT = re.compile(r"\(\s*(\S+)\s+(\S+)(?:\s+\S+)?\s*\)")


@dataclass(frozen=True)
class Component:
    """A placed cell: kind, lower left corner in um, orientation (N, S, FN, FS)."""

    name: str
    kind: str
    x: float
    y: float
    orientation: str


@dataclass(frozen=True)
class DefPin:
    """A pin of the die on ``layer``: its rectangle in um."""

    name: str
    layer: str
    left: float
    bottom: float
    right: float
    top: float


@dataclass(frozen=True)
class Wire:
    """A straight wire on a layer between two points, in um."""

    layer: str
    x0: float
    y0: float
    x1: float
    y1: float

    @property
    def length(self) -> float:
        """Its length in um."""
        return abs(self.x1 - self.x0) + abs(self.y1 - self.y0)


@dataclass(frozen=True)
class Via:
    """A via by the names of LEF and DEF, at a point in um; ``layer`` is the wire's that it ends."""

    name: str
    layer: str
    x: float
    y: float


@dataclass(frozen=True)
class RoutedNet:
    """A net: (cell or PIN, pin) of all that it joins, wires, vias, and the stubs that lead to pins
    off the tracks."""

    name: str
    ends: tuple[tuple[str, str], ...]
    wires: tuple[Wire, ...]
    vias: tuple[Via, ...]
    stubs: tuple[Wire, ...] = ()


@dataclass(frozen=True)
class Stripe:
    """A wire of a supply, ``width`` um wide."""

    net: str
    wire: Wire
    width: float


@dataclass(frozen=True)
class RoutedDesign:
    """A design: die (left, bottom, right, top in um), cells, pins and nets by name, stripes of the
    supplies."""

    die: tuple[float, float, float, float]
    cells: Mapping[str, Component]
    pins: Mapping[str, DefPin]
    nets: Mapping[str, RoutedNet]
    stripes: tuple[Stripe, ...]

    @property
    def area(self) -> float:
        """The die's area in um2."""
        left, bottom, right, top = self.die
        return (right - left) * (top - bottom)


def read_def(path: Path) -> RoutedDesign:
    """Read what Qflow's tools write. Raises OSError, and ValueError where a section is missing."""
    text = path.read_text()
    units = re.search(r"^UNITS\s+DISTANCE\s+MICRONS\s+(\d+)", text, re.M)
    area = re.search(r"^DIEAREA\s+(.*?);", text, re.M | re.S)
    if not units or not area:
        raise ValueError(f"{path}: has no UNITS or no DIEAREA")
    scale = 1 / int(units[1])
    (left, bottom), (right, top) = (
        (_um(x, scale), _um(y, scale)) for x, y in POINT.findall(area[1])
    )
    special = {}
    stripes: list[Stripe] = []
    for name, body in _entries(text, "SPECIALNETS", path):
        routes = list(_routes(body, scale, wide=True))
        if "FIXED" in body:
            stripes += [Stripe(name, w, width) for w, width, _ in routes if w and w.length]
        else:
            special[name] = tuple(wire for wire, _, _ in routes if wire)
    nets = {}
    for name, body in _entries(text, "NETS", path):
        head, _, routed = body.partition("+ ROUTED")
        routes = list(_routes(routed, scale, wide=False))
        wires = tuple(wire for wire, _, _ in routes if wire and wire.length)
        vias = tuple(via for _, _, via in routes if via)
        ends = tuple(re.findall(r"\(\s*(\S+)\s+(\S+)\s*\)", head))
        nets[name] = RoutedNet(name, ends, wires, vias, special.get(name, ()))
    return RoutedDesign(
        (left, bottom, right, top),
        {cell.name: cell for cell in _components(text, path, scale)},
        {pin.name: pin for pin in _pins(text, path, scale)},
        nets,
        tuple(stripes),
    )


def _entries(text: str, section: str, path: Path) -> Iterator[tuple[str, str]]:
    """(name, text) of every ``- name text ;`` of a section."""
    found = re.search(rf"^{section}\s+\d+\s*;(.*?)^END {section}", text, re.M | re.S)
    if not found:
        raise ValueError(f"{path}: has no section {section}")
    for entry in re.split(r"^\s*- ", found[1], flags=re.M)[1:]:
        name, _, body = entry.strip().partition("\n" if section.endswith("NETS") else " ")
        yield name.strip().rstrip(";").strip(), body.rstrip().rstrip(";")


def _components(text: str, path: Path, scale: float) -> Iterator[Component]:
    for name, body in _entries(text, "COMPONENTS", path):
        place = POINT.search(body)
        if place:
            x, y = _um(place[1], scale), _um(place[2], scale)
            yield Component(name, body.split()[0], x, y, body.split()[-1])


def _pins(text: str, path: Path, scale: float) -> Iterator[DefPin]:
    for name, body in _entries(text, "PINS", path):
        layer = re.search(r"\+ LAYER (\S+)", body)
        points = [(_um(x, scale), _um(y, scale)) for x, y in POINT.findall(body)]
        if layer and len(points) == 3:
            (left, bottom), (right, top), (x, y) = points
            corners = (x + left, y + bottom, x + right, y + top)
            yield DefPin(name, layer[1], *(round(each, DIGITS) for each in corners))


def _routes(
    text: str, scale: float, *, wide: bool
) -> Iterator[tuple[Wire | None, float, Via | None]]:
    """(wire, its width, via) of every path: a wire between its points, a via where one is named."""
    for path in re.split(r"\bNEW\b|\+ ROUTED|\+ FIXED", text):
        words = path.split()
        if not words:
            continue
        layer, width = words[0], _um(words[1], scale) if wide else 0.0
        x = y = 0.0
        first = True
        for found in re.finditer(
            rf"{POINT.pattern}|(?<=\s)([A-Za-z]\w*)", path.partition(layer)[2]
        ):
            if found[3]:
                if found[3] not in ("SHAPE", "STRIPE"):
                    yield None, width, Via(found[3], layer, x, y)
                continue
            new_x = x if found[1] == "*" else _um(found[1], scale)
            new_y = y if found[2] == "*" else _um(found[2], scale)
            if not first:
                yield Wire(layer, x, y, new_x, new_y), width, None
            x, y, first = new_x, new_y, False


def _um(number: str, scale: float) -> float:
    return round(float(number) * scale, DIGITS)
