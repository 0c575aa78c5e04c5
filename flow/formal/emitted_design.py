"""The emitted Verilog, read back by Yosys: its adder modules with their leaf cells, as JSON."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from cimforge.flow.formal.leaf_laws import LEAF, Modules
from cimforge.hdl.netlist.yosys import run_yosys

__all__ = ["DESIGN", "read_design"]

DRIVERS = "*cim_driver*"
DESIGN = "adders.il"  # the adder modules and leaf cells, for more runs of Yosys


def read_design(
    folder: Path,
    cells: str,
    sources: Sequence[str],
    adders: Sequence[str],
    tied: Mapping[str, tuple[Sequence[tuple[str, int]], int]] | None = None,
    plain: str = "",
) -> Modules:
    """All modules by name, as Yosys' JSON describes them, of Verilog files in ``folder``; ``cells``
    is the file of leaf cells.

    Leaf cells come as gates; what else stands below a module of ``adders`` is made part of it.
    Registers and operators stay as they are read: nothing is optimised, but in modules that have
    input ports ``tied`` to values, (ports and values, register ranks) by name: what these make
    constant is. DESIGN is written beside. Modules of the file ``plain`` stand in for those of their
    names. Raises YosysError.
    """
    script = [
        f"read_verilog {cells}",
        f"setattr -mod -set {LEAF} 1 *",
        f"read_verilog {' '.join(sources)}",
        *([f"read_verilog -overwrite {plain}"] if plain else []),
        "hierarchy -check",
        "proc -noopt",
        f"flatten -noscopeinfo A:{LEAF}",
        f"setattr -mod -set keep_hierarchy 1 A:{LEAF}",
        f"flatten -noscopeinfo {' '.join(adders)}",
        *(line for name, told in (tied or {}).items() for line in _tie(name, *told)),
        f"select {' '.join(adders)} A:{LEAF}\nwrite_rtlil -selected {DESIGN}\nselect -clear",
        f"techmap A:{LEAF}",
        "write_json adders.json",
    ]
    run_yosys("\n".join(script) + "\n", folder)
    return json.loads((folder / "adders.json").read_text())["modules"]


def _tie(module: str, ports: Sequence[tuple[str, int]], ranks: int) -> list[str]:
    """Commands that set input ports of a module to values, and fold what follows, rank by rank."""
    if not ports:
        return []
    drivers = f"setattr -mod -set keep_hierarchy {{}} {DRIVERS}"
    through = [drivers.format(0), f"flatten -noscopeinfo {module}", drivers.format(1)]
    tie = [f"connect -nomap -set {port} 1'b{value}" for port, value in ports]
    fold = ["opt_expr", "opt_dff -nosdff"] * (ranks + 1)
    return [*through, f"cd {module}", *tie, *fold, "opt_clean", "cd"]
