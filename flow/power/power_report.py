"""What a macro takes: energy a 1b-MAC by role, from the toggles of its mapped netlist."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil
from pathlib import Path
from typing import Any

from cimforge.flow.liberty.cell_models import ModelError
from cimforge.flow.liberty.characterisation import Physics, read_physics
from cimforge.flow.liberty.leaf_cells import choose_cells
from cimforge.flow.liberty.library import Library, read_library
from cimforge.flow.liberty.lookup_table import TableError
from cimforge.flow.power.cell_kinds import clocking
from cimforge.flow.power.clock_network import clock_network
from cimforge.flow.power.energy import CellEnergies, cell_energies, net_activity
from cimforge.flow.power.flat_netlist import FlatNetlist, flatten
from cimforge.flow.power.operating_point import net_loads, operating_point
from cimforge.flow.power.power_bench import power_bench
from cimforge.flow.power.timed_netlist import timed_netlist
from cimforge.flow.power.toggle_run import count_toggles
from cimforge.flow.power.workload import Workload
from cimforge.flow.synth.census import BREAKDOWN, area_roles
from cimforge.flow.synth.synthesis import Netlist, map_to_library
from cimforge.hdl.macro.top import build_macro
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import InputError

__all__ = ["CONTRACT", "PowerReport", "measure_power"]

SPARE = 1.1  # of the longest path, for what it leaves out: setup times, uncertainty
STEP_PS = 10
CONTRACT = (
    *("fj_per_1b_mac", "by_role", "leakage_uw", "glitch_share", "clock_share", "idle_share"),
    *("tops_per_w", "data", "library", "period_ns"),
)


@dataclass
class PowerReport:
    """Energy of a macro in a window of back-to-back vectors, in fJ a cycle by role (dynamic), and
    shares of it: glitches, clock, and what an idle cycle takes of a computing one's. ``leakage`` is
    in nW."""

    config: MacroConfig
    workload: Workload
    period: float
    by_role: Mapping[str, float]
    glitch_share: float
    clock_share: float
    idle_share: float
    leakage: float
    cycles: int
    libraries: tuple[Path, ...]
    folder: Path
    wire_load: float = 0.0
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def per_mac(self) -> float:
        """fJ a 1b-MAC, without leakage."""
        return sum(self.by_role.values()) / self.config.macs_1b

    @property
    def leakage_per_mac(self) -> float:
        """fJ that leak in a cycle, a 1b-MAC."""
        return self.leakage * self.period * 1e-3 / self.config.macs_1b

    @property
    def tops_per_w(self) -> float:
        """Binary operations, two a 1b-MAC, by energy, leakage at this period included."""
        return 2e3 / (self.per_mac + self.leakage_per_mac)

    def as_json(self) -> dict[str, Any]:
        """The JSON contract of ``cimforge power``."""
        macs = self.config.macs_1b
        return {
            "fj_per_1b_mac": round(self.per_mac, 4),
            "by_role": {role: round(fj / macs, 4) for role, fj in self.by_role.items()},
            "leakage_uw": round(self.leakage * 1e-3, 4),
            "leakage_fj_per_1b_mac": round(self.leakage_per_mac, 4),
            "glitch_share": round(self.glitch_share, 4),
            "clock_share": round(self.clock_share, 4),
            "idle_share": round(self.idle_share, 5),
            "tops_per_w": round(self.tops_per_w, 3),
            "data": self.workload.name,
            "vectors": self.workload.vectors,
            "cycles": self.cycles,
            "macs_1b": macs,
            "library": ", ".join(map(str, self.libraries)),
            "period_ns": round(self.period, 4),
            "wire_ff": self.wire_load,
            "netlist": str(self.folder / "netlist.v"),
            "notes": self.notes,
            "seconds": round(self.seconds, 2),
        }


def measure_power(
    config: MacroConfig,
    folder: Path,
    workload: Workload,
    *,
    liberty: Sequence[Path],
    overrides: Mapping[str, str] | None = None,
    period: float | None = None,
    wire_load: float = 0.0,
    announce: Callable[[str], None] = print,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> PowerReport:
    """Map the macro emitted in ``folder`` to the libraries ``liberty``, simulate it with delays on
    a workload, and sum what its toggles take.

    ``period`` is in ns (default: 1.1 times the longest path between registers), ``wire_load`` in fF
    a pin. Raises InputError where the libraries lack what is needed, YosysError and CommandError
    where a tool fails, WrongResultsError where the netlist at that period does not compute what
    golden does.
    """
    started = time.perf_counter()
    library = read_library(*liberty)
    leaves = choose_cells(library, overrides, latches=bool(config.storage_traits.control_ports))
    announce(f"mapping {config.module} to {library.name}")
    netlist = map_to_library(config, folder, library, leaves)
    flat = flatten(netlist.modules, netlist.top, area_roles(build_macro(config)))
    physics = _physics(flat, library, liberty)
    kinds = {kind: found for kind in physics if (found := clocking(library.cells[kind]))}
    clock = clock_network(flat, physics, kinds, flat.ports["clk"][0])
    loads = net_loads(flat, physics, wire_load)
    point = operating_point(flat, physics, kinds, clock, loads)
    half = ceil((period * 1000 if period else _whole(SPARE * point.longest)) / 2 - 1e-6)
    work = netlist.folder / "power"
    work.mkdir(exist_ok=True)
    announce(f"building {config.module} with delays")
    try:
        text = "\n".join(timed_netlist(flat, library.cells, point)) + "\n"
    except ModelError as error:
        raise InputError(f"--liberty: {library.name} has no model of {error}") from None
    (work / "core.v").write_text(text)
    bench = power_bench(config, flat, workload, half)
    announce(f"simulating {workload.vectors} vectors of {config.module} at {2 * half / 1000:g} ns")
    marks = count_toggles(work, bench, flat.nets, half, progress)
    energies = {}
    for mark, toggles in marks.items():
        activity = net_activity(toggles, clock.nets)
        energies[mark] = cell_energies(
            flat, library.cells, physics, kinds, clock.nets, activity, loads, point.slews
        )
    report = _report(config, workload, netlist, flat, energies)
    report.period, report.wire_load = 2 * half / 1000, wire_load
    report.cycles, report.libraries = marks["computing"].cycles, tuple(liberty)
    report.notes = [*library.notes, *_notes(list(physics.values()))]
    if marks["computing"].unknown:
        report.notes.append(f"{marks['computing'].unknown} changes from or to an unknown value")
    report.seconds = time.perf_counter() - started
    return report


def _whole(nanoseconds: float) -> int:
    """A time in ps, rounded up to whole steps."""
    return max(1, ceil(nanoseconds * 1000 / STEP_PS - 1e-6)) * STEP_PS


def _physics(flat: FlatNetlist, library: Library, liberty: Iterable[Path]) -> dict[str, Physics]:
    """What the libraries say of the netlist's cells; InputError where that is not enough."""
    used = sorted({cell.kind for cell in flat.cells})
    unknown = [kind for kind in used if kind not in library.cells]
    if unknown:
        raise InputError(f"--liberty: {library.name} has no cell for {', '.join(unknown[:4])}")
    try:
        physics = read_physics(liberty, used)
    except TableError as error:
        raise InputError(f"--liberty: {library.name}: {error}") from None
    if not all(each.voltage for each in physics.values()):
        raise InputError(f"--liberty: {library.name} says no nom_voltage, which energy needs")
    still = [kind for kind in used if library.cells[kind].inputs and not _delays(physics[kind])]
    if still:
        raise InputError(f"--liberty: {library.name} has no delays of {', '.join(still[:4])}")
    return physics


def _delays(physics: Physics) -> bool:
    arcs = [arc for group in physics.arcs.values() for arc in group]
    return any(arc.delays["rise"] or arc.delays["fall"] for arc in arcs)


def _notes(physics: Sequence[Physics]) -> list[str]:
    """What the libraries leave out."""
    notes = []
    for what, lacks in (
        ("internal power", lambda each: not any(each.energies.values())),
        ("leakage", lambda each: not each.leakage),
    ):
        names = sorted(each.name for each in physics if lacks(each))
        if names:
            more = f" and {len(names) - 4} more" if len(names) > 4 else ""
            notes.append(f"no {what} of {', '.join(names[:4])}{more}: counted as 0")
    return notes


def _report(
    config: MacroConfig,
    workload: Workload,
    netlist: Netlist,
    flat: FlatNetlist,
    energies: Mapping[str, CellEnergies],
) -> PowerReport:
    """The report of the energies by mark, all but what it was measured at."""
    found = energies["computing"]
    dynamic = found.internal + found.switching
    idle = energies["idle"].internal + energies["idle"].switching
    total = max(dynamic.sum(), 1e-30)
    by_role = dict.fromkeys(BREAKDOWN, 0.0)
    for cell, energy in zip(flat.cells, dynamic, strict=True):
        by_role[cell.role] += float(energy)
    return PowerReport(
        config=config,
        workload=workload,
        period=0.0,
        by_role=by_role,
        glitch_share=float(found.glitch.sum() / total),
        clock_share=float(found.clock.sum() / total),
        idle_share=float(idle.sum() / total),
        leakage=float(found.leakage.sum()),
        cycles=0,
        libraries=(),
        folder=netlist.folder,
    )
