"""Static timing of a routed macro: OpenSTA with the resistors and capacitors of its wires."""

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from cimforge.flow.layout.def_file import RoutedDesign
from cimforge.flow.layout.layout_netlist import LayoutNetlist
from cimforge.flow.layout.spef import spef_text
from cimforge.flow.layout.tool_run import run_tool
from cimforge.flow.layout.wire_tree import WireTree
from cimforge.flow.liberty.liberty_writer import timing_library
from cimforge.flow.liberty.library import Library
from cimforge.flow.synth.blocks import BlockNames
from cimforge.flow.synth.period_search import period_search
from cimforge.flow.synth.static_timing import HOP, STA, Step, group_steps
from cimforge.hdl.emit.constraints import timing_constraints
from cimforge.hdl.macro.top import build_macro
from cimforge.hdl.params.config import MacroConfig

__all__ = ["RoutedTiming", "routed_timing"]

CELLS = re.compile(r"\[get_cells \{([^}]*)\}\]")


@dataclass(frozen=True)
class RoutedTiming:
    """The shortest clock period in ns with the wires (``period``), without them (``unloaded``), and
    the path that sets it, block by block. The clock is ideal: it has no tree yet."""

    period: float
    unloaded: float
    path: tuple[Step, ...]


def routed_timing(
    config: MacroConfig,
    netlist: LayoutNetlist,
    design: RoutedDesign,
    trees: Mapping[str, WireTree],
    library: Library,
    folder: Path,
) -> RoutedTiming | None:
    """Time the netlist of the layout in ``folder``, with ``trees`` on its nets and without.

    The constraints are those of synth. None where OpenSTA is not installed or finds no period.
    Raises ToolError where it fails.
    """
    if shutil.which(STA) is None:
        return None
    kinds = {cell.name: cell.kind for cell in netlist.cells}
    used = sorted(set(kinds.values()))
    part = library.parts[0]
    scale = part.time_unit
    (folder / "timing.lib").write_text(timing_library(library, part, used))
    (folder / "timed.v").write_text(netlist.timed_verilog())
    outputs = {kind: {pin.name for pin in library.cells[kind].outputs} for kind in used}
    nets = [(design.nets[name], tree) for name, tree in trees.items()]
    spef = spef_text(
        netlist.top,
        nets,
        netlist.pins(outward=True),
        lambda cell, pin: pin in outputs[kinds[cell]],
        netlist.plain,
    )
    (folder / "wires.spef").write_text(spef)
    constraints = timing_constraints(config, "1", divider=".", gate_pin=None)
    read = [
        "read_liberty timing.lib",
        "read_verilog timed.v",
        f"link_design {netlist.top}",
        CELLS.sub(lambda found: _cells(found[1].split(), netlist), constraints),
    ]
    search = period_search(10 / scale)
    report = "report_checks -path_delay max -digits 4"
    unloaded = _run(folder, "unloaded", [*read, search])
    loaded = _run(folder, "timing", [*read, "read_spef wires.spef", search, report])
    periods = [re.search(r"^PERIOD (\S+)$", text, re.M) for text in (loaded, unloaded)]
    if periods[0] is None or periods[1] is None:
        return None
    paths = {cell.name: cell.path for cell in netlist.cells}
    names = BlockNames(build_macro(config))
    worst = loaded.split("Startpoint: ")[-1]
    hops = [
        (names.of(paths[cell]), float(delay) * scale)
        for delay, cell in HOP.findall(worst)
        if float(delay) and cell in paths
    ]
    found = [float(period[1]) * scale for period in periods if period]
    return RoutedTiming(found[0], found[1], tuple(group_steps(hops)))


def _run(folder: Path, name: str, script: list[str]) -> str:
    """What OpenSTA prints for a script."""
    (folder / f"{name}.tcl").write_text("\n".join(script) + "\n")
    log = run_tool([STA, "-exit", f"{name}.tcl"], folder, name)
    return log.read_text(errors="replace")


def _cells(patterns: list[str], netlist: LayoutNetlist) -> str:
    """The cells of the layout whose paths match, where the constraints name paths."""
    found = [
        cell.name
        for cell in netlist.cells
        if any(fnmatchcase(cell.path, f"{pattern}*") for pattern in patterns)
    ]
    return f"[get_cells {{{' '.join(found)}}}]"
