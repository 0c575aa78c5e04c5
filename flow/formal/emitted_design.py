"""The emitted Verilog, read back by Yosys: its adder modules with their leaf cells, as JSON."""

import json
from collections.abc import Sequence
from pathlib import Path

from cimforge.flow.formal.leaf_laws import LEAF, Modules
from cimforge.hdl.netlist.yosys import run_yosys

__all__ = ["DESIGN", "read_design"]

DESIGN = "adders.il"  # the adder modules and leaf cells, for more runs of Yosys


def read_design(folder: Path, cells: str, sources: Sequence[str], adders: Sequence[str]) -> Modules:
    """All modules by name, as Yosys' JSON describes them, of Verilog files in ``folder``; ``cells``
    is the file of leaf cells.

    Leaf cells come as gates; what else stands below a module of ``adders`` is made part of it.
    Registers and operators stay as they are read: nothing is optimised. DESIGN is written beside.
    Raises YosysError.
    """
    script = [
        f"read_verilog {cells}",
        f"setattr -mod -set {LEAF} 1 *",
        f"read_verilog {' '.join(sources)}",
        "hierarchy -check",
        "proc -noopt",
        f"flatten -noscopeinfo A:{LEAF}",
        f"setattr -mod -set keep_hierarchy 1 A:{LEAF}",
        f"flatten -noscopeinfo {' '.join(adders)}",
        f"select {' '.join(adders)} A:{LEAF}\nwrite_rtlil -selected {DESIGN}\nselect -clear",
        f"techmap A:{LEAF}",
        "write_json adders.json",
    ]
    run_yosys("\n".join(script) + "\n", folder)
    return json.loads((folder / "adders.json").read_text())["modules"]
