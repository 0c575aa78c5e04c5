"""The nets inside a macro's array: planes, selects, tree inputs and outputs of every column."""

import re
from dataclasses import replace

from cimforge.flow.simulate.simulator import Design

__all__ = ["VISIBLE", "column_nets", "observed"]

NET = re.compile(r"^ *(?:input |wire |reg )+(?:\[[^]]*\] )?(\w+)[;,]?$", re.M)
COLUMN_NETS = re.compile(r"planes_n|both_n|bank_select|products_\d+|totals|entries|joined")
VISIBLE = "array_nets.vlt"


def column_nets(text: str, name: str) -> list[str]:
    """Nets of the column module of macro ``name`` in its Verilog ``text`` that carry planes, a
    bank's select, and the trees' inputs and outputs, or entries of tables and what joins."""
    body = re.search(rf"^module {name}_column\b.*?^endmodule", text, re.M | re.S)
    if body is None:
        raise ValueError(f"must hold a module {name}_column")
    nets = [net for net in NET.findall(body[0]) if COLUMN_NETS.fullmatch(net)]
    return sorted(set(nets))


def observed(design: Design) -> Design:
    """An emitted macro whose array nets a test can read; Icarus shows all, Verilator those that a
    control file names."""
    text = (design.folder / f"{design.config.module}.v").read_text()
    lines = [
        f'public_flat_rd -module "{part.module}_column" -var "{net}"'
        for part in design.config.parts
        for net in column_nets(text, part.module)
    ]
    (design.folder / VISIBLE).write_text("\n".join(["`verilator_config", *lines]) + "\n")
    return replace(design, sources=(VISIBLE, *design.sources))
