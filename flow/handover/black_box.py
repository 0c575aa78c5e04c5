"""A macro as a black box in Verilog: its ports and nothing inside."""

from collections.abc import Sequence

from cimforge.hdl.netlist.module import Port

__all__ = ["black_box"]


def black_box(name: str, ports: Sequence[Port], comment: str = "") -> str:
    """A module without a body, in Verilog-2005, with the attribute ``blackbox``; its supplies are
    ports where USE_POWER_PINS is defined, as open flows define it."""
    supplies = ["`ifdef USE_POWER_PINS", "    inout wire VDD,", "    inout wire VSS,", "`endif"]
    lines = []
    for port in ports:
        bits = f"[{port.width - 1}:0] " if port.width > 1 else ""
        lines.append(f"    {port.direction} wire {bits}{port.name}")
    head = [f"// {comment}"] if comment else []
    body = [*head, "(* blackbox *)", f"module {name} (", *supplies, ",\n".join(lines), ");"]
    return "\n".join([*body, "endmodule", ""])
