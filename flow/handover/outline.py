"""A macro's outline: its size and where its pins lie, from a layout or estimated."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, sqrt

from cimforge.flow.handover.tech_lef import RoutingLayer, TechLef
from cimforge.hdl.netlist.module import Port

__all__ = [
    "SIDES",
    "SUPPLIES",
    "UTILISATION",
    "Outline",
    "PinShape",
    "bit_names",
    "estimate_outline",
    "sides",
]

UTILISATION = 0.6  # of a placed core's area by cells: what open flows reach without care
SIDES = ("W", "N", "E", "S")
# What meets what: activations enter on the left, results leave on the right, weights come from
# above, and what is read back, clock and reset lie below.
STREAM_SIDES = {"x": "W", "y": "E", "w": "N", "r": "S", "q": "S"}
SUPPLIES = ("VDD", "VSS")


@dataclass(frozen=True)
class PinShape:
    """A rectangle of a pin (one bit, or a supply) on a layer: x and y of two corners in um."""

    pin: str
    layer: str
    box: tuple[float, float, float, float]


@dataclass(frozen=True)
class Outline:
    """Width and height in um and the shapes of all pins; ``told`` says where they are from, and
    ``estimated`` that no layout made them. ``blocked`` are the layers that nothing may cross."""

    width: float
    height: float
    pins: tuple[PinShape, ...]
    blocked: tuple[str, ...] = ()
    estimated: bool = True
    told: tuple[str, ...] = ()


def bit_names(port: Port) -> list[str]:
    """The pins of a port, the lowest bit first: NAME[BIT], or NAME where it has one bit."""
    if port.width == 1:
        return [port.name]
    return [f"{port.name}[{bit}]" for bit in range(port.width)]


def sides(ports: Sequence[Port]) -> Mapping[str, list[str]]:
    """The pins on each side, from left to right or from the bottom up, streams kept together."""
    found: dict[str, list[str]] = {side: [] for side in SIDES}
    for port in ports:
        side = STREAM_SIDES.get(port.name.partition("_")[0], "S")
        found[side] += bit_names(port)
    return found


def estimate_outline(
    ports: Sequence[Port], area: float, tech: TechLef, utilisation: float = UTILISATION
) -> Outline:
    """A square of ``area`` um2 of cells at ``utilisation``, in whole rows and sites, wide and high
    enough for its pins at every second track of ``tech``'s layers."""
    placed = sides(ports)
    flat, upright = tech.across("HORIZONTAL"), tech.across("VERTICAL")
    edge = sqrt(area / utilisation)
    margin = 4 * max(flat.pitch, upright.pitch)
    most_up = max(len(placed["W"]), len(placed["E"]))
    most_along = max(len(placed["N"]), len(placed["S"]))
    need_high, need_wide = 2 * flat.pitch * (most_up + 1), 2 * upright.pitch * (most_along + 1)
    height = _whole(max(edge, need_high + 2 * margin), tech.site[1])
    width = _whole(max(edge, area / utilisation / height, need_wide + 2 * margin), tech.site[0])
    pins = [
        shape
        for side, names in placed.items()
        for shape in _on_side(side, names, width, height, upright if side in "NS" else flat)
    ]
    limited = [
        way
        for way, need, got in (("height", need_high, height), ("width", need_wide, width))
        if need + 2 * margin > edge and got > edge
    ]
    told = [
        "size and pin places are estimates, from no layout",
        f"size: {area:.1f} um2 of cells at a utilisation of {utilisation}",
        *(f"the {way} is what the pins need" for way in limited),
        f"layers and tracks: {tech.source or 'made up, of no technology (give --lef FILE)'}",
    ]
    straps = [layer for layer in tech.layers if layer not in (flat, upright)] or [*tech.layers]
    supplies = list(_supplies(width, height, straps[-1]))
    low = tuple(layer.name for layer in tech.layers[:4] if layer != straps[-1])
    return Outline(width, height, (*pins, *supplies), low, True, tuple(told))


def _whole(length: float, step: float) -> float:
    return round(ceil(length / step - 1e-9) * step, 6)


def _on_side(
    side: str, names: Sequence[str], width: float, height: float, layer: RoutingLayer
) -> Iterator[PinShape]:
    """Pins on tracks, spread evenly over a side, as deep as four of the layer's widths."""
    span, depth = (width if side in "NS" else height), 4 * layer.width
    tracks = int((span - layer.offset) / layer.pitch)
    step = max(2, tracks // (len(names) + 1))
    first = max(1, (tracks - step * (len(names) - 1)) // 2)
    for place, name in enumerate(names):
        at = layer.offset + (first + place * step) * layer.pitch
        low, high = at - layer.width / 2, at + layer.width / 2
        box = {
            "W": (0.0, low, depth, high),
            "E": (width - depth, low, width, high),
            "S": (low, 0.0, high, depth),
            "N": (low, height - depth, high, height),
        }[side]
        yield PinShape(name, layer.name, _rounded(box))


def _supplies(width: float, height: float, layer: RoutingLayer) -> Iterator[PinShape]:
    """A strap of each supply on a layer, from edge to edge the way its wires run."""
    upright = layer.direction == "VERTICAL"
    half = 4 * layer.width / 2
    for place, name in enumerate(SUPPLIES, 1):
        middle = (width if upright else height) * place / (len(SUPPLIES) + 1)
        low, high = middle - half, middle + half
        box = (low, 0.0, high, height) if upright else (0.0, low, width, high)
        yield PinShape(name, layer.name, _rounded(box))


def _rounded(box: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    left, low, right, high = (round(value, 3) for value in box)
    return left, low, right, high
