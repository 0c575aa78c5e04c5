"""Places a netlist: Graywolf, and Qflow's scripts around it, down to a DEF file without wires."""

import re
import shutil
from pathlib import Path

from cimforge.flow.layout.technology import QFLOW, Technology
from cimforge.flow.layout.tool_run import run_tool

__all__ = ["PLACER_SEED", "place"]

PLACER_SEED = 12345
SEED = re.compile(r"^\*random\.seed\s*:.*$", re.M)


def place(name: str, folder: Path, technology: Technology, density: float) -> None:
    """Place NAME.blif in ``folder``: NAME.def there, and NAME.obs, where the router must not go.

    ``density`` is the share of the rows that cells may take; the rest is spread among them as
    fillers. Rows end in fillers, power stripes cross them, pins lie on the edges. The placer's
    seed is PLACER_SEED, so equal netlists are placed alike. Raises ToolError.
    """
    lef = str(technology.folder / technology.lef)
    parameters = (technology.folder / technology.placer).read_text()
    (folder / f"{name}.par").write_text(SEED.sub(f"*random.seed : {PLACER_SEED}", parameters))
    (folder / "layers.cfg").write_text(f"read_lef {lef}\n")
    info = f"{name}.info"
    run_tool(["qrouter", "-i", info, "-c", "layers.cfg"], folder, "layers", info)
    cells = f"{name}.cel"
    _script(folder, "cells", cells, "--blif", f"{name}.blif", "--lef", lef, "--cel", cells)
    if density < 1:
        units = re.search(r"units scale (\d+)", (folder / info).read_text())
        told = [technology.filler, f"{density:g}", f"--units={units[1] if units else 100}"]
        _script(folder, "spread", f"{name}.acel", name, lef, *told)
        shutil.move(folder / f"{name}.acel", folder / cells)
    run_tool(["graywolf", "-n", name], folder, "graywolf", f"{name}.pl1", f"{name}.pin")
    (folder / f"{name}.obs").unlink(missing_ok=True)  # the next script appends
    (folder / "fillcells.txt").unlink(missing_ok=True)
    _script(folder, "rows", f"{name}.def", name, technology.filler)
    width, pitch = technology.stripes
    stripes = ["-stripe", f"{width:g}", f"{pitch:g}", "PG"]
    _script(folder, "stripes", f"{name}_filled.def", *stripes, name, lef, technology.filler)
    shutil.move(folder / f"{name}_filled.def", folder / f"{name}.def")
    if (folder / f"{name}.obsx").exists():
        shutil.move(folder / f"{name}.obsx", folder / f"{name}.obs")
    _script(folder, "pins", f"{name}_mod.def", name)
    shutil.move(folder / f"{name}_mod.def", folder / f"{name}.def")


SCRIPTS = {
    "cells": "blif2cel",
    "spread": "decongest",
    "rows": "place2def",
    "stripes": "addspacers",
    "pins": "arrangepins",
}


def _script(folder: Path, step: str, writes: str, *words: str) -> None:
    """Run one of Qflow's scripts."""
    run_tool(["tclsh", str(QFLOW / f"{SCRIPTS[step]}.tcl"), *words], folder, step, writes)
