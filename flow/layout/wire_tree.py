"""The wires of a routed net as resistors and capacitors between its pins, from LEF's figures."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations, pairwise

from cimforge.flow.layout.def_file import RoutedDesign, RoutedNet, Wire
from cimforge.flow.layout.lef_file import Lef, Rect

__all__ = ["WireTree", "pin_shapes", "wire_tree"]

NEAR = 1e-3  # um: less apart is one place

Place = tuple[str, float, float]  # layer, x, y in um


@dataclass(frozen=True)
class WireTree:
    """Nodes 0, 1, ... of a net: ``capacitances`` of each in pF, ``resistors`` (node, node, ohms),
    the node of each of its ends. ``gaps`` counts ends that no wire reached and that were joined to
    the nearest node: 0 where the net is whole."""

    capacitances: tuple[float, ...]
    resistors: tuple[tuple[int, int, float], ...]
    ends: tuple[int, ...]
    gaps: int

    @property
    def capacitance(self) -> float:
        """Of all its wires, in pF."""
        return sum(self.capacitances)


def wire_tree(net: RoutedNet, design: RoutedDesign, lef: Lef) -> WireTree:
    """The resistors and capacitors of a net.

    A wire of length l is its layer's resistance a square times l over its width, and half of its
    capacitance at either end (RoutingLayer); vias and what lies inside cells have neither, as the
    LEF file tells none.
    """
    if not net.wires and not net.vias:  # of a pin that nothing takes
        return WireTree((0.0,), (), (0,) * len(net.ends), max(0, len(net.ends) - 1))
    joined = _Joined()
    for via in net.vias:
        low, high = lef.vias[via.name]
        joined.join((low, via.x, via.y), (high, via.x, via.y))
    for wire in net.wires:
        joined.add((wire.layer, wire.x0, wire.y0))
        joined.add((wire.layer, wire.x1, wire.y1))
    places = list(joined.parent)
    for a, b in combinations(places, 2):
        if a[0] == b[0] and max(abs(a[1] - b[1]), abs(a[2] - b[2])) <= lef.layers[a[0]].width / 2:
            joined.join(a, b)  # the router moves ends of wires a little, off their track
    found = [_touched(net, end, design, lef, places) for end in net.ends]
    for touched in found:
        for place in touched[1:]:
            joined.join(touched[0], place)
    resistors, loads = [], dict.fromkeys(places, 0.0)
    for wire in net.wires:
        for a, b, length in _pieces(wire, places):
            layer = lef.layers[wire.layer]
            resistors.append((a, b, layer.ohms(length)))
            for place in (a, b):
                loads[place] += layer.picofarads(length) / 2
    return _numbered(joined, resistors, loads, found)


def pin_shapes(end: tuple[str, str], design: RoutedDesign, lef: Lef) -> list[Rect]:
    """The shapes of an end of a net where they lie on the die, in um."""
    name, pin = end
    if name == "PIN":
        port = design.pins[pin]
        return [(port.layer, port.left, port.bottom, port.right, port.top)]
    placed = design.cells[name]
    cell = lef.cells[placed.kind]
    shapes = []
    for layer, left, bottom, right, top in cell.pins[pin]:
        if placed.orientation in ("FN", "S"):
            left, right = cell.width - right, cell.width - left
        if placed.orientation in ("FS", "S"):
            bottom, top = cell.height - top, cell.height - bottom
        x, y = placed.x, placed.y
        shapes.append((layer, x + left, y + bottom, x + right, y + top))
    return shapes


def _touched(
    net: RoutedNet, end: tuple[str, str], design: RoutedDesign, lef: Lef, places: Iterable[Place]
) -> list[Place]:
    """The places of a net that lie on a pin's shapes, or on stubs that touch them."""
    shapes = pin_shapes(end, design, lef)
    stubs = [_outline(stub, lef.layers[stub.layer].width) for stub in net.stubs]
    shapes += [stub for stub in stubs if any(_overlap(stub, shape) for shape in shapes)]
    return [p for p in places if any(_overlap(_metal(p, lef), shape) for shape in shapes)]


def _outline(wire: Wire, width: float) -> Rect:
    xs, ys = sorted((wire.x0, wire.x1)), sorted((wire.y0, wire.y1))
    half = width / 2 + 0.05  # stubs are as wide as a via's metal
    return (wire.layer, xs[0] - half, ys[0] - half, xs[1] + half, ys[1] + half)


def _overlap(a: Rect, b: Rect) -> bool:
    apart = a[1] > b[3] + NEAR or b[1] > a[3] + NEAR or a[2] > b[4] + NEAR or b[2] > a[4] + NEAR
    return a[0] == b[0] and not apart


def _metal(place: Place, lef: Lef) -> Rect:
    """The square of a wire's end at a place."""
    layer, x, y = place
    half = lef.layers[layer].width / 2
    return (layer, x - half, y - half, x + half, y + half)


def _pieces(wire: Wire, places: Iterable[Place]) -> Iterator[tuple[Place, Place, float]]:
    """(place, place, length) of what lies between a net's places on a wire."""
    (x0, x1), (y0, y1) = sorted((wire.x0, wire.x1)), sorted((wire.y0, wire.y1))
    on = [p for p in places if p[0] == wire.layer and x0 <= p[1] <= x1 and y0 <= p[2] <= y1]
    on.sort()
    for a, b in pairwise(on):
        yield a, b, b[1] - a[1] + b[2] - a[2]


class _Joined:
    """Places that are one node."""

    def __init__(self) -> None:
        self.parent: dict[Place, Place] = {}

    def add(self, place: Place) -> None:
        self.parent.setdefault(place, place)

    def root(self, place: Place) -> Place:
        while self.parent[place] != place:
            place = self.parent[place]
        return place

    def join(self, a: Place, b: Place) -> None:
        self.add(a)
        self.add(b)
        self.parent[self.root(b)] = self.root(a)


def _numbered(
    joined: _Joined,
    resistors: list[tuple[Place, Place, float]],
    loads: dict[Place, float],
    found: list[list[Place]],
) -> WireTree:
    """The tree with its nodes as numbers; ends in no part of it, and parts in which no end lies
    alone, are joined to the first end's."""
    numbers: dict[Place, int] = {}

    def number(place: Place) -> int:
        return numbers.setdefault(joined.root(place), len(numbers))

    pairs = [(number(a), number(b), ohms) for a, b, ohms in resistors]
    ends = [number(touched[0]) if touched else -1 for touched in found]
    caps = [0.0] * (len(numbers) + len(loads))
    for place, load in loads.items():
        caps[number(place)] += load
    caps = caps[: max(1, len(numbers))]
    part = list(range(len(caps)))
    for a, b, _ in pairs:
        old, new = part[b], part[a]
        part = [new if each == old else each for each in part]
    first = next((end for end in ends if end >= 0), 0)
    whole, gaps = {part[first]}, 0
    for index, end in enumerate(ends):
        if end < 0:
            ends[index], gaps = first, gaps + 1
        elif part[end] not in whole:
            pairs.append((first, end, 0.0))
            whole.add(part[end])
            gaps += 1
    return WireTree(tuple(caps), tuple(pairs), tuple(ends), gaps)
