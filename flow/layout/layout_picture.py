"""The picture of a layout: cells by role, wires by layer, as SVG."""

from collections.abc import Iterator, Mapping

from cimforge.flow.layout.def_file import RoutedDesign, Wire
from cimforge.flow.layout.lef_file import Lef

__all__ = ["layout_svg"]

ROLES = {
    "storage": "#4c78a8",
    "multiply": "#f58518",
    "tree": "#54a24b",
    "accumulate": "#b279a2",
    "input": "#e45756",
    "control": "#eeca3b",
}
OTHER = "#9d9d9d"  # buffers of ports
WIRES = ("#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#17becf")
MARGIN, LINE = 6.0, 5.0  # um


def layout_svg(design: RoutedDesign, lef: Lef, roles: Mapping[str, str], title: str) -> str:
    """The die in um, y upwards: cells (of which ``roles`` tells the role by name) filled, fillers
    left out, wires over them, pins as squares, a legend below."""
    left, bottom, right, top = design.die
    width, height = right - left + 2 * MARGIN, top - bottom + 5 * MARGIN
    view = f"{left - MARGIN:g} {-top - MARGIN:g} {width:g} {height:g}"
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{view}" '
            f'width="{3 * width:.0f}" height="{3 * height:.0f}" font-family="sans-serif">',
            f"<title>{title}</title>",
            f'<rect x="{left - MARGIN:g}" y="{-top - MARGIN:g}" width="{width:g}" '
            f'height="{height:g}" fill="#fff"/>',
            '<g transform="scale(1 -1)">',
            f'<path d="{_box(left, bottom, right, top)}" fill="#fafafa" stroke="#000" '
            'stroke-width="0.4"/>',
            *_cells(design, lef, roles),
            *_stripes(design),
            *_wires(design, lef),
            *_pins(design),
            "</g>",
            *_legend(design, lef, roles),
            "</svg>",
            "",
        ]
    )


def _box(left: float, bottom: float, right: float, top: float) -> str:
    return f"M{left:g} {bottom:g}H{right:g}V{top:g}H{left:g}Z"


def _cells(design: RoutedDesign, lef: Lef, roles: Mapping[str, str]) -> Iterator[str]:
    boxes: dict[str, list[str]] = {}
    for cell in design.cells.values():
        size = lef.cells[cell.kind]
        if "gnd" in size.pins and len(size.pins) == 2:
            continue  # a filler: supplies alone
        colour = ROLES.get(roles.get(cell.name, ""), OTHER)
        box = _box(cell.x, cell.y, cell.x + size.width, cell.y + size.height)
        boxes.setdefault(colour, []).append(box)
    for colour, paths in boxes.items():
        drawn = 'fill-opacity="0.45" stroke="#fff" stroke-width="0.25"'
        yield f'<path d="{"".join(paths)}" fill="{colour}" {drawn}/>'


def _stripes(design: RoutedDesign) -> Iterator[str]:
    for stripe in design.stripes:
        drawn = f'stroke="#000" stroke-opacity="0.25" stroke-width="{stripe.width:g}"'
        yield f'<path d="{_line(stripe.wire)}" {drawn}/>'


def _wires(design: RoutedDesign, lef: Lef) -> Iterator[str]:
    lines: dict[str, list[str]] = {}
    for net in design.nets.values():
        for wire in net.wires:
            lines.setdefault(wire.layer, []).append(_line(wire))
    for colour, (name, layer) in zip(WIRES, lef.layers.items(), strict=False):
        if name in lines:
            drawn = f'fill="none" stroke="{colour}" stroke-width="{layer.width:g}"'
            yield f'<path d="{"".join(lines[name])}" {drawn}/>'


def _line(wire: Wire) -> str:
    step = f"V{wire.y1:g}" if wire.x0 == wire.x1 else f"H{wire.x1:g}"
    return f"M{wire.x0:g} {wire.y0:g}{step}"


def _pins(design: RoutedDesign) -> Iterator[str]:
    boxes = []
    for pin in design.pins.values():
        x, y = (pin.left + pin.right) / 2, (pin.bottom + pin.top) / 2
        boxes.append(_box(x - 0.6, y - 0.6, x + 0.6, y + 0.6))
    yield f'<path d="{"".join(boxes)}" fill="#000"/>'


def _legend(design: RoutedDesign, lef: Lef, roles: Mapping[str, str]) -> Iterator[str]:
    """Roles in one line, layers in the next."""
    present = set(roles.values())
    used = {wire.layer for net in design.nets.values() for wire in net.wires}
    first = [(colour, role) for role, colour in ROLES.items() if role in present]
    second = [(c, n) for c, n in zip(WIRES, lef.layers, strict=False) if n in used]
    left, bottom = design.die[0], -design.die[1]
    for row, entries in enumerate((first, second)):
        y = bottom + MARGIN + (row + 0.5) * 1.6 * LINE
        for column, (colour, text) in enumerate(entries):
            x = left + column * 8.5 * LINE
            box = _box(x, y - LINE, x + LINE, y)
            yield f'<path d="{box}" fill="{colour}"/>'
            yield f'<text x="{x + 1.4 * LINE:g}" y="{y:g}" font-size="{LINE}">{text}</text>'
