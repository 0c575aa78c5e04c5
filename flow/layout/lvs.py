"""Layout against netlist: Netgen compares what the shapes make with what was meant."""

import re
from pathlib import Path

from cimforge.flow.layout.technology import Technology
from cimforge.flow.layout.tool_run import ToolError, run_tool

__all__ = ["MATCH", "compare", "verdict"]

MATCH = "Circuits match uniquely."
ALIKE = "Cell pin lists are equivalent."
UNLIKE = re.compile(r"\*\*Mismatch\*\*|\(no matching pin\)")
RESULT = re.compile(r"^(?:Final result|Result): (.*)$", re.M)


def compare(name: str, folder: Path, technology: Technology) -> None:
    """Compare NAME.spice, the layout, and NAME_netlist.spice in ``folder``; Netgen's report is
    lvs.out there, its log lvs.log.

    Cells are black boxes, whose pins are compared by name. Raises ToolError where Netgen gives no
    verdict.
    """
    pair = [f"{name}.spice {name}", f"{name}_netlist.spice {name}"]
    setup = str(technology.folder / technology.netgen)
    command = ["netgen-lvs", "-batch", "lvs", *pair, setup, "lvs.out", "-blackbox"]
    log = run_tool(command, folder, "lvs", "lvs.out")
    if not RESULT.search(log.read_text(errors="replace")):
        raise ToolError(f"lvs: netgen-lvs gave no result; its messages are in {log}")


def verdict(folder: Path) -> str:
    """Netgen's last word in ``folder``: MATCH where all is well, ports under their names included,
    which that word alone does not tell."""
    said = RESULT.findall((folder / "lvs.log").read_text(errors="replace"))[-1].strip()
    report = (folder / "lvs.out").read_text(errors="replace")
    if said != MATCH:
        return said
    if wrong := [line.split()[0] for line in report.splitlines() if UNLIKE.search(line)]:
        return f"{said.rstrip('.')}, but ports differ: {', '.join(wrong[:4])}"
    return said if ALIKE in report else f"{said.rstrip('.')}, but ports differ"
