"""Size and pins of a laid-out macro, as what a LEF file of it says."""

import re
from pathlib import Path

from cimforge.flow.handover.outline import SUPPLIES, Outline, PinShape
from cimforge.flow.layout.def_file import RoutedDesign, read_def
from cimforge.flow.layout.technology import Technology

__all__ = ["layout_outline", "read_outline"]


def layout_outline(design: RoutedDesign, technology: Technology) -> Outline:
    """The outline of a routed design, in um from its lower left corner: pins by their names in
    Verilog, the supplies as SUPPLIES with all their stripes, the layers that its wires take."""
    left, bottom, right, top = design.die
    supplies = dict(zip((technology.power, technology.ground), SUPPLIES, strict=True))
    boxes = [
        (
            re.sub(r"<(\d+)>", r"[\1]", pin.name),
            pin.layer,
            (pin.left, pin.bottom),
            (pin.right, pin.top),
        )
        for pin in design.pins.values()
        if pin.name not in supplies
    ]
    for stripe in design.stripes:
        wire, half = stripe.wire, stripe.width / 2
        across = half if wire.x0 == wire.x1 else 0.0
        along = 0.0 if wire.x0 == wire.x1 else half
        low = (min(wire.x0, wire.x1) - across, min(wire.y0, wire.y1) - along)
        high = (max(wire.x0, wire.x1) + across, max(wire.y0, wire.y1) + along)
        boxes.append((supplies[stripe.net], wire.layer, low, high))
    pins = tuple(
        PinShape(
            name,
            layer,
            (
                round(low[0] - left, 4),
                round(low[1] - bottom, 4),
                round(high[0] - left, 4),
                round(high[1] - bottom, 4),
            ),
        )
        for name, layer, low, high in boxes
    )
    used = {wire.layer for net in design.nets.values() for wire in net.wires}
    told = (f"size and pin places are those of a layout in {technology.name}",)
    width, height = round(right - left, 4), round(top - bottom, 4)
    return Outline(width, height, pins, tuple(sorted(used)), False, told)


def read_outline(path: Path, technology: Technology) -> Outline:
    """The outline of a DEF file that ``cimforge layout`` wrote. Raises OSError, ValueError."""
    return layout_outline(read_def(path), technology)
