"""What a macro takes: energy a 1b-MAC by role, from the toggles of its mapped netlist."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil
from pathlib import Path
from typing import Any

from cimforge.flow.liberty.cell_models import ModelError
from cimforge.flow.power.energy import net_activity
from cimforge.flow.power.mapped_macro import MappedMacro, map_macro
from cimforge.flow.power.power_bench import power_bench
from cimforge.flow.power.timed_netlist import MARKS, timed_netlist
from cimforge.flow.power.toggle_run import count_toggles
from cimforge.flow.power.toggles import Toggles
from cimforge.flow.power.workload import Workload
from cimforge.flow.synth.census import BREAKDOWN
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
    def macs(self) -> float:
        """1b-MACs a cycle: those of its planes. Where planes make digits, unsigned vectors pass
        planes beyond their precision, which count nothing."""
        config, segments = self.config, self.workload.segments
        if not config.digits:
            return config.macs_1b
        planes = sum(len(s.inputs) * config.effective_x_bits(s.x_bits) for s in segments)
        cycles = sum(len(s.inputs) * config.cycles_per_pass(s.x_bits, s.x_signed) for s in segments)
        return config.rows * config.cols * config.weight_bits * planes / cycles

    @property
    def per_mac(self) -> float:
        """fJ a 1b-MAC, without leakage."""
        return sum(self.by_role.values()) / self.macs

    @property
    def leakage_per_mac(self) -> float:
        """fJ that leak in a cycle, a 1b-MAC."""
        return self.leakage * self.period * 1e-3 / self.macs

    @property
    def tops_per_w(self) -> float:
        """Binary operations, two a 1b-MAC, by energy, leakage at this period included."""
        return 2e3 / (self.per_mac + self.leakage_per_mac)

    def as_json(self) -> dict[str, Any]:
        """The JSON contract of ``cimforge power``."""
        macs = self.macs
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
            "macs_1b": self.config.macs_1b,
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
    announce(f"mapping {config.module}")
    mapped = map_macro(config, folder, liberty, overrides, wire_load)
    wanted = period * 1000 if period else _whole(SPARE * mapped.point.longest)
    half = ceil(wanted / 2 - 1e-6)
    when = f"at {2 * half / 1000:g} ns"
    announce(f"simulating {workload.vectors} vectors of {config.module} with delays {when}")
    kinds = _simulate(config, mapped, workload, half, progress)
    report = _report(config, mapped, workload, kinds)
    report.period, report.wire_load = 2 * half / 1000, wire_load
    report.libraries = tuple(liberty)
    report.seconds = time.perf_counter() - started
    return report


def _whole(nanoseconds: float) -> int:
    """A time in ps, rounded up to whole steps."""
    return max(1, ceil(nanoseconds * 1000 / STEP_PS - 1e-6)) * STEP_PS


def _simulate(
    config: MacroConfig,
    mapped: MappedMacro,
    workload: Workload,
    half: int,
    progress: Callable[[int, int], None],
) -> dict[str, Toggles]:
    """Toggles by the kind of cycle."""
    work = mapped.folder / "power"
    work.mkdir(exist_ok=True)
    try:
        lines = [*timed_netlist(mapped.netlist, mapped.library.cells, mapped.point)]
    except ModelError as error:
        raise InputError(f"--liberty: {mapped.library.name} has no model of {error}") from None
    (work / "core.v").write_text("\n".join(lines) + "\n")
    bench = power_bench(config, mapped.netlist, workload, half)
    return count_toggles(work, bench, mapped.netlist.nets, half, progress)


def _report(
    config: MacroConfig, mapped: MappedMacro, workload: Workload, kinds: Mapping[str, Toggles]
) -> PowerReport:
    """The report of what toggled, all but what it was measured at."""
    found, idle = (mapped.energies(net_activity(kinds[mark], mapped.clock.nets)) for mark in MARKS)
    total = max(float(found.dynamic.sum()), 1e-30)
    by_role = dict.fromkeys(BREAKDOWN, 0.0)
    for cell, energy in zip(mapped.netlist.cells, found.dynamic, strict=True):
        by_role[cell.role] += float(energy)
    unknown = kinds["computing"].unknown
    told = [f"{unknown} changes from or to an unknown value"] if unknown else []
    return PowerReport(
        config=config,
        workload=workload,
        period=0.0,
        by_role=by_role,
        glitch_share=float(found.glitch.sum()) / total,
        clock_share=float(found.clock.sum()) / total,
        idle_share=float(idle.dynamic.sum()) / total,
        leakage=float(found.leakage.sum()),
        cycles=kinds["computing"].cycles,
        libraries=(),
        folder=mapped.folder,
        notes=[*mapped.notes, *told],
    )
