"""Size and pins of a laid-out macro as plain data: what a LEF file of it says."""

import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cimforge.flow.layout.def_file import RoutedDesign, read_def
from cimforge.flow.layout.technology import Technology

__all__ = ["MacroOutline", "PlacedPin", "outline_of", "read_outline"]


@dataclass(frozen=True)
class PlacedPin:
    """A pin, by its name in Verilog (``x_data[3]``), and its rectangle on a layer: left, bottom,
    right and top in um from the macro's lower left corner. ``use`` is SIGNAL, CLOCK, POWER or
    GROUND."""

    name: str
    use: str
    layer: str
    box: tuple[float, float, float, float]


@dataclass(frozen=True)
class MacroOutline:
    """A macro's size in um, its pins, and the layers that its wires take."""

    width: float
    height: float
    pins: tuple[PlacedPin, ...]
    layers: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)


def outline_of(design: RoutedDesign, technology: Technology) -> MacroOutline:
    """The outline of a routed design, pins in the order of its DEF file."""
    left, bottom, right, top = design.die
    uses = {technology.power: "POWER", technology.ground: "GROUND", "clk": "CLOCK"}
    pins = tuple(
        PlacedPin(
            re.sub(r"<(\d+)>", r"[\1]", pin.name),
            uses.get(pin.name, "SIGNAL"),
            pin.layer,
            _moved((pin.left, pin.bottom, pin.right, pin.top), left, bottom),
        )
        for pin in design.pins.values()
    )
    used = {wire.layer for net in design.nets.values() for wire in net.wires}
    used |= {wire.layer for wire, _ in design.stripes}
    width, height = round(right - left, 4), round(top - bottom, 4)
    return MacroOutline(width, height, pins, tuple(sorted(used)))


def read_outline(path: Path, technology: Technology) -> MacroOutline:
    """The outline of a DEF file that ``cimforge layout`` wrote. Raises OSError, ValueError."""
    return outline_of(read_def(path), technology)


def _moved(
    box: tuple[float, float, float, float], left: float, bottom: float
) -> tuple[float, float, float, float]:
    x0, y0, x1, y1 = box
    return round(x0 - left, 4), round(y0 - bottom, 4), round(x1 - left, 4), round(y1 - bottom, 4)
