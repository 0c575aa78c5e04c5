"""Routes a placed design: Qrouter, and how many nets it left."""

import re
from pathlib import Path

from cimforge.flow.layout.technology import Technology
from cimforge.flow.layout.tool_run import ToolError, run_tool

__all__ = ["route", "route_script", "unrouted"]

FAILED = re.compile(r"^Final: .*?(No failed|\d+)", re.M)


def route_script(name: str, obstructions: str, technology: Technology) -> str:
    """Qrouter's script: NAME.def and obstructions as placement left them, NAME_route.def out."""
    lines = [
        "verbose 1",
        f"read_lef {technology.folder / technology.lef}",
        f"via stack {technology.via_stack}",
        f"vdd {technology.power}",
        f"gnd {technology.ground}",
        *obstructions.splitlines(),
        f"read_def {name}.def",
        f"qrouter::standard_route {name}_route.def false",
        "quit",
    ]
    return "\n".join(lines) + "\n"


def route(name: str, folder: Path, script: str) -> None:
    """Route NAME.def in ``folder`` to NAME_route.def there; its log is route.log.

    Raises ToolError where the router fails otherwise than by nets without a route.
    """
    (folder / "route.cfg.tcl").write_text(script)
    for left in ("fail.out", "failed.out"):
        (folder / left).unlink(missing_ok=True)
    command = ["qrouter", "-nog", "-s", "route.cfg.tcl"]
    log = run_tool(command, folder, "route", f"{name}_route.def")
    if not FAILED.search(log.read_text(errors="replace")):
        raise ToolError(f"route: qrouter said nothing of its routes; its messages are in {log}")


def unrouted(folder: Path) -> int:
    """How many nets of the design routed in ``folder`` have no whole route."""
    found = FAILED.findall((folder / "route.log").read_text(errors="replace"))
    return 0 if found[-1] == "No failed" else int(found[-1])
