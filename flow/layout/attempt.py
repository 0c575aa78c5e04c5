"""One attempt at a layout: a density, placed, routed, written as masks and compared."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from cimforge.flow.layout.def_file import RoutedDesign, read_def
from cimforge.flow.layout.done_steps import once
from cimforge.flow.layout.layout_netlist import LayoutNetlist
from cimforge.flow.layout.lef_file import Lef
from cimforge.flow.layout.lvs import MATCH, compare, verdict
from cimforge.flow.layout.mask_files import (
    BrokenRule,
    broken_rules,
    magic_script,
    metal_patches,
    write_masks,
)
from cimforge.flow.layout.placement import PLACER_SEED, place
from cimforge.flow.layout.routing import route, route_script, unrouted
from cimforge.flow.layout.step_clock import StepClock
from cimforge.flow.layout.technology import Technology
from cimforge.flow.layout.tool_run import ToolError

__all__ = ["Attempt", "attempt"]


@dataclass(frozen=True)
class Attempt:
    """What a placement of this ``density`` came to: its files in ``folder``, the netlist of what
    was routed, nets without a route, Netgen's verdict, broken design rules, and pieces
    of metal that were made longer."""

    density: float
    folder: Path
    netlist: LayoutNetlist
    design: RoutedDesign
    unrouted: int
    verdict: str
    rules: tuple[BrokenRule, ...]
    patches: int

    @property
    def faults(self) -> tuple[int, int, int]:
        """Nets without a route, whether layout and netlist differ, places that break a rule: the
        least is the best, all 0 where nothing is wrong."""
        return self.unrouted, int(self.verdict != MATCH), sum(each.places for each in self.rules)


def attempt(
    netlist: LayoutNetlist,
    folder: Path,
    technology: Technology,
    lef: Lef,
    density: float,
    clock: StepClock,
) -> Attempt:
    """Place and route ``netlist`` in ``folder`` and check it. Steps whose files are there are not
    taken again. Raises ToolError."""
    folder.mkdir(parents=True, exist_ok=True)
    told = "".join(path.read_text(errors="replace") for path in technology.files)
    with clock.step("place", f"placing {len(netlist.cells):,} cells at a density of {density:g}"):
        _place(netlist, folder, technology, density, told)
    with clock.step("route", f"routing {len(netlist.cells):,} cells"):
        _route(netlist.top, folder, technology, told)
    design = read_def(folder / f"{netlist.top}_route.def")
    routed = _read_back(netlist, design)
    with clock.step("masks", "writing and checking masks"):
        _write_masks(routed.top, folder, technology, told)
    with clock.step("lvs", "comparing layout and netlist"):
        _compare(routed, design, lef, folder, technology)
    checks = unrouted(folder), verdict(folder), broken_rules(folder), metal_patches(folder)
    return Attempt(density, folder, routed, design, *checks)


def _place(
    netlist: LayoutNetlist, folder: Path, technology: Technology, density: float, told: str
) -> None:
    name, blif = netlist.top, netlist.blif()
    (folder / f"{name}.blif").write_text(blif)
    asked = repr((density, PLACER_SEED, technology))
    inputs = {"netlist": blif, "technology": told, "asked": asked}
    wrote = [f"{name}.def", f"{name}.obs"]
    work = _call(place, name, folder, technology, density)
    once(folder, "place", inputs, ["graywolf", "qrouter"], wrote, work)


def _route(name: str, folder: Path, technology: Technology, told: str) -> None:
    script = route_script(name, (folder / f"{name}.obs").read_text(), technology)
    placed = (folder / f"{name}.def").read_text()
    inputs = {"placed": placed, "technology": told, "script": script}
    wrote = [f"{name}_route.def", "route.log"]
    once(folder, "route", inputs, ["qrouter"], wrote, _call(route, name, folder, script))


def _read_back(netlist: LayoutNetlist, design: RoutedDesign) -> LayoutNetlist:
    """The netlist of what was routed, from the DEF file's cells and nets alone, under the paths of
    ``netlist``. Raises ToolError unless it is the same."""
    nets: dict[str, dict[str, str]] = {}
    for net in design.nets.values():
        for cell, pin in net.ends:
            nets.setdefault(cell, {})[pin] = net.name
    ports = nets.pop("PIN", {})
    if wrong := [pin for pin, net in ports.items() if pin != net]:
        raise ToolError(f"route: port {wrong[0]} is on the net {ports[wrong[0]]}")
    cells = []
    for meant in netlist.cells:
        placed = design.cells.get(meant.name)
        kind = placed.kind if placed else "no cell"
        if kind != meant.kind or nets.get(meant.name) != dict(meant.nets):
            raise ToolError(f"route: {meant.name} ({meant.path}) is not as it was placed: {kind}")
        cells.append(replace(meant, kind=kind, nets=nets[meant.name]))
    if more := sorted(set(nets) - {cell.name for cell in cells}):
        raise ToolError(f"route: {more[0]} is in nets and was not placed")
    return replace(netlist, cells=tuple(cells))


def _write_masks(name: str, folder: Path, technology: Technology, told: str) -> None:
    script = magic_script(name, technology)
    routed = (folder / f"{name}_route.def").read_text()
    inputs = {"routed": routed, "technology": told, "script": script}
    wrote = [f"{name}.gds", f"{name}.spice", "masks.log"]
    work = _call(write_masks, name, folder, technology, script)
    once(folder, "masks", inputs, ["magic"], wrote, work)


def _compare(
    netlist: LayoutNetlist, design: RoutedDesign, lef: Lef, folder: Path, technology: Technology
) -> None:
    name, own = netlist.top, {cell.name for cell in netlist.cells}
    fillers = {cell.name: cell.kind for cell in design.cells.values() if cell.name not in own}
    spice = netlist.spice({kind: list(cell.pins) for kind, cell in lef.cells.items()}, fillers)
    (folder / f"{name}_netlist.spice").write_text(spice)
    setup = (technology.folder / technology.netgen).read_text()
    layout = (folder / f"{name}.spice").read_text()
    inputs = {"layout": layout, "netlist": spice, "setup": setup}
    work = _call(compare, name, folder, technology)
    once(folder, "lvs", inputs, ["netgen-lvs"], ["lvs.out", "lvs.log"], work)


def _call(function: Callable, *arguments: object) -> Callable[[], None]:
    return lambda: function(*arguments)
