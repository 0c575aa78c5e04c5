"""Writes a macro's LEF from its outline."""

from collections.abc import Iterator, Sequence

from cimforge.flow.handover.outline import SUPPLIES, Outline, PinShape, bit_names
from cimforge.hdl.netlist.module import Port

__all__ = ["macro_lef"]

USES = {"VDD": "POWER", "VSS": "GROUND"}
GAP = 2.0  # um that obstructions leave free along the edges, for the pins


def macro_lef(name: str, ports: Sequence[Port], outline: Outline) -> str:
    """LEF 5.8 of the macro NAME: size, a PIN for each bit of ``ports`` and each supply, and
    obstructions. Where the outline is estimated the first lines and the property ``estimated``
    (1) say so.

    Raises ValueError where the outline has no shape for a pin, or one for what is no pin.
    """
    directions = {bit: port.direction for port in ports for bit in bit_names(port)}
    shapes: dict[str, list[PinShape]] = {pin: [] for pin in (*directions, *SUPPLIES)}
    for shape in outline.pins:
        if shape.pin not in shapes:
            raise ValueError(f"{name} has no pin {shape.pin}")
        shapes[shape.pin].append(shape)
    missing = [pin for pin, found in shapes.items() if not found]
    if missing:
        raise ValueError(f"the outline of {name} has no shape for {', '.join(missing[:4])}")
    lines = [
        *(f"# {note}" for note in outline.told),
        "VERSION 5.8 ;",
        'BUSBITCHARS "[]" ;',
        'DIVIDERCHAR "/" ;',
        "PROPERTYDEFINITIONS",
        "  MACRO estimated INTEGER ;",
        "END PROPERTYDEFINITIONS",
        f"MACRO {name}",
        "  CLASS BLOCK ;",
        f"  FOREIGN {name} 0 0 ;",
        "  ORIGIN 0 0 ;",
        f"  SIZE {outline.width:.3f} BY {outline.height:.3f} ;",
        "  SYMMETRY X Y R90 ;",
        f"  PROPERTY estimated {int(outline.estimated)} ;",
    ]
    for pin, found in shapes.items():
        lines += _pin(pin, directions.get(pin, "inout"), found)
    lines += _obstructions(outline)
    return "\n".join([*lines, f"END {name}", "END LIBRARY", ""])


def _pin(pin: str, direction: str, shapes: Sequence[PinShape]) -> Iterator[str]:
    use = USES.get(pin, "CLOCK" if pin == "clk" else "SIGNAL")
    yield f"  PIN {pin}"
    yield f"    DIRECTION {direction.upper()} ;"
    yield f"    USE {use} ;"
    yield "    PORT"
    for shape in shapes:
        yield f"      LAYER {shape.layer} ;"
        yield f"        RECT {' '.join(f'{value:.3f}' for value in shape.box)} ;"
    yield "    END"
    yield f"  END {pin}"


def _obstructions(outline: Outline) -> Iterator[str]:
    """All of the blocked layers but a rim, where the pins are, and but the layers of supplies."""
    supplied = {shape.layer for shape in outline.pins if shape.pin in SUPPLIES}
    blocked = [layer for layer in outline.blocked if layer not in supplied]
    deepest = max((_depth(shape, outline) for shape in outline.pins), default=0.0)
    rim = max(GAP, 2 * deepest)
    if not blocked or min(outline.width, outline.height) <= 2 * rim:
        return
    box = (rim, rim, outline.width - rim, outline.height - rim)
    yield "  OBS"
    for layer in blocked:
        yield f"    LAYER {layer} ;"
        yield f"      RECT {' '.join(f'{value:.3f}' for value in box)} ;"
    yield "  END"


def _depth(shape: PinShape, outline: Outline) -> float:
    """How far a pin of the edge reaches inward; 0 for what crosses the macro."""
    left, low, right, high = shape.box
    if right - left >= outline.width or high - low >= outline.height:
        return 0.0
    reach = (right, outline.width - left, high, outline.height - low)
    return min(reach)
