"""Takes an emitted macro to a routed layout: mapped, placed, routed, checked, timed, drawn."""

from collections.abc import Callable
from pathlib import Path

from cimforge.flow.handover.macro_lef import macro_lef
from cimforge.flow.layout.attempt import Attempt, attempt
from cimforge.flow.layout.layout_netlist import LayoutNetlist, layout_netlist
from cimforge.flow.layout.layout_outline import layout_outline
from cimforge.flow.layout.layout_picture import layout_svg
from cimforge.flow.layout.layout_report import LayoutReport
from cimforge.flow.layout.lef_file import Lef, read_lef
from cimforge.flow.layout.routed_timing import routed_timing
from cimforge.flow.layout.step_clock import StepClock
from cimforge.flow.layout.technology import Technology
from cimforge.flow.layout.wire_tree import wire_tree
from cimforge.flow.liberty.cell_models import cell_models
from cimforge.flow.liberty.leaf_cells import choose_cells
from cimforge.flow.liberty.library import Library, read_library
from cimforge.flow.power.flat_netlist import FlatNetlist, flatten
from cimforge.flow.synth.census import area_roles
from cimforge.flow.synth.static_timing import TimingError, analyse_timing
from cimforge.flow.synth.synthesis import map_to_library
from cimforge.hdl.macro.ports import macro_ports
from cimforge.hdl.macro.top import build_macro
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import InputError

__all__ = ["lay_out"]

ABSTRACT = (
    "cells are what the LEF file tells, as the packages hold no other view: the GDS file has "
    "their pins and obstructions, LVS ends at their pins, rules are checked of metal"
)
LOADS = (
    "wires by LEF's figures, each to ground: no coupling, no resistance of vias; clock ideal, "
    "without a tree"
)


def lay_out(
    config: MacroConfig,
    folder: Path,
    technology: Technology,
    announce: Callable[[str], None] = print,
) -> LayoutReport:
    """Lay out the macro emitted in ``folder``; its files go to ``folder``/layout.

    Densities are tried, the highest first, until every net has a route, layout and netlist match
    and no design rule is broken; else the best attempt is reported. Equal input gives equal files,
    and steps whose files are there are not taken again. Raises InputError where the library lacks
    a cell, YosysError or ToolError where a tool fails.
    """
    clock = StepClock(announce)
    library, lef = read_library(technology.liberty), read_lef(technology.folder / technology.lef)
    with clock.step("map", f"mapping {config.module} to {technology.name}"):
        flat, estimate_period, notes = _mapped(config, folder, library)
    netlist = layout_netlist(flat, config.module, technology)
    if unknown := sorted({cell.kind for cell in netlist.cells} - set(lef.cells)):
        raise InputError(f"layout: {technology.lef} has no {', '.join(unknown[:4])}")
    attempts = []
    for density in technology.densities:
        work = folder / "layout" / f"density{round(100 * density)}"
        attempts.append(attempt(netlist, work, technology, lef, density, clock))
        if not any(attempts[-1].faults):
            break
    best = min(attempts, key=lambda each: each.faults)
    with clock.step("timing", "timing with the wires"):
        signals = [n for n in best.design.nets.values() if n.name not in netlist.supplies]
        trees = {net.name: wire_tree(net, best.design, lef) for net in signals}
        timing = routed_timing(config, best.netlist, best.design, trees, library, best.folder)
    return LayoutReport(
        config=config,
        technology=technology,
        attempt=best,
        tries=len(attempts),
        lef=lef,
        trees=trees,
        estimate=sum(library.cells[cell.kind].area for cell in flat.cells),
        estimate_period=estimate_period,
        timing=timing,
        files=_write(config, technology, best, lef, flat, library),
        seconds=clock.seconds,
        notes=[*notes, ABSTRACT, LOADS],
    )


def _mapped(
    config: MacroConfig, folder: Path, library: Library
) -> tuple[FlatNetlist, float | None, list[str]]:
    """The mapped macro, its period before the layout, and what is to be said."""
    leaves = choose_cells(library, latches=bool(config.storage_traits.control_ports))
    mapped = map_to_library(config, folder, library, leaves)
    flat = flatten(mapped.modules, mapped.top, area_roles(build_macro(config)))
    free = sorted({cell.kind for cell in flat.cells if not library.cells[cell.kind].area})
    notes = [f"{', '.join(free)}: no area in {library.name}, so 0 in the estimate"] if free else []
    try:
        period = analyse_timing(config, mapped, library).period
    except TimingError as error:
        return flat, None, [*notes, f"no clock period: {error}"]
    return flat, period, notes


def _write(
    config: MacroConfig,
    technology: Technology,
    best: Attempt,
    lef: Lef,
    flat: FlatNetlist,
    library: Library,
) -> dict[str, Path]:
    """Netlist, models, LEF of the macro and picture; where all files are, by what they hold."""
    netlist, work, name = best.netlist, best.folder, best.netlist.top
    (work / f"{name}.v").write_text(netlist.verilog())
    kinds = sorted({cell.kind for cell in netlist.cells})
    (work / "models.v").write_text(cell_models(library.cells[kind] for kind in kinds))
    outline = layout_outline(best.design, technology)
    (work / f"{name}.lef").write_text(macro_lef(name, macro_ports(config), outline))
    picture = layout_svg(best.design, lef, _roles(netlist, flat), name)
    (work / f"{name}.svg").write_text(picture)
    names = {
        "def": f"{name}_route.def",
        "gds": f"{name}.gds",
        "lef": f"{name}.lef",
        "netlist": f"{name}.v",
        "models": "models.v",
        "wires": "wires.spef",
        "lvs": "lvs.out",
        "picture": f"{name}.svg",
    }
    return {what: work / file for what, file in names.items() if (work / file).exists()}


def _roles(netlist: LayoutNetlist, flat: FlatNetlist) -> dict[str, str]:
    """The role of each cell that the macro has, by its name in the layout."""
    roles = {cell.name: cell.role for cell in flat.cells}
    return {cell.name: roles[cell.path] for cell in netlist.cells if cell.path in roles}
