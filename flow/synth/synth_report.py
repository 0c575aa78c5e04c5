"""What a synthesis came to: total, by role, per 1b-MAC."""

import re
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cimforge.flow.liberty.leaf_cells import GATES, LeafCells, choose_cells
from cimforge.flow.liberty.library import Library, read_library
from cimforge.flow.synth.census import (
    area_roles,
    count_by_role,
    count_drivers,
    sum_cells,
)
from cimforge.flow.synth.ram_file import RamFile
from cimforge.flow.synth.ram_wrapper import assign_pins, wrapper_verilog
from cimforge.flow.synth.static_timing import Timing, TimingError, analyse_timing
from cimforge.flow.synth.storage_check import check_storage, plain_rival
from cimforge.flow.synth.synthesis import map_to_library, synthesise
from cimforge.flow.synth.targets import LIBERTY, TARGETS
from cimforge.hdl.emit.package import emit_macro
from cimforge.hdl.macro.pipeline import tree_plan
from cimforge.hdl.macro.top import build_macro
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import InputError

NO_PERIOD = "no clock period"
SET_CLEAR = "set_clear"  # a leaf of two cells

__all__ = ["NO_PERIOD", "SynthReport", "synth_macro"]


@dataclass
class SynthReport:
    """Size of a macro in ``unit`` (um2, luts or cells), in all and by role.

    ``breakdown`` is empty for a flattened netlist, whose cells serve several roles. ``timing`` is
    None without a library or OpenSTA. ``ram_blocks`` counts an FPGA's RAM cells by type; ``rival``
    is another storage style and its total, where that may be less.
    """

    config: MacroConfig
    target: str
    unit: str
    total: float
    ffs: int
    breakdown: dict[str, float]
    cells: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    drivers: int = 0
    libraries: tuple[Path, ...] = ()
    folder: Path = Path()
    timing: Timing | None = None
    seconds: float = 0.0
    ram: dict[str, Any] | None = None
    ram_blocks: dict[str, int] = field(default_factory=dict)
    rival: dict[str, Any] | None = None

    @property
    def per_1b_mac(self) -> float:
        """Units per 1-bit multiply-accumulate a cycle."""
        return self.total / self.config.macs_1b

    @property
    def tops(self) -> float | None:
        """Binary tera-operations a second at the shortest period, full precision, two a 1b-MAC: ``2
        rows cols weight_bits input_bits / (cycles_per_pass period)``; None without a period."""
        if self.timing is None:
            return None
        config = self.config
        macs = config.rows * config.cols * config.weight_bits * config.input_bits
        return 2 * macs / (config.cycles_per_pass() * self.timing.period) / 1000

    @property
    def tops_per_mm2(self) -> float | None:
        """``tops`` over the area of the cells, where that is in um2."""
        if self.tops is None or self.unit != "um2":
            return None
        return self.tops / (self.total * 1e-6)

    @property
    def adders(self) -> dict[str, int]:
        """Full and half adders, and 4:2 compressors if any, of the trees alone, whole macro."""
        counts: Counter = Counter()
        for part in self.config.parts:
            trees = part.cols * part.slices * part.trees
            for kind, count in tree_plan(part).counts().items():
                counts[kind] += count * trees
        return {kind: counts[kind] for kind in ("fa", "ha", *(["c42"] if counts["c42"] else []))}

    def as_json(self) -> dict[str, Any]:
        """The JSON contract of ``cimforge synth``."""
        return {
            "target": self.target,
            "macs_1b": self.config.macs_1b,
            "total": _tidy(self.total),
            "unit": self.unit,
            "ffs": self.ffs,
            "per_1b_mac": round(self.per_1b_mac, 4),
            "breakdown": {role: _tidy(size) for role, size in self.breakdown.items()} or None,
            "adders": self.adders,
            "cells": self.cells,
            "ranks": self.config.pipeline_stages,
            "library": ", ".join(map(str, self.libraries)) or None,
            "libraries": [str(path) for path in self.libraries],
            "netlist": str(self.folder / "netlist.v"),
            "notes": self.notes,
            "drivers": self.drivers,
            "min_period_ns": round(self.timing.period, 3) if self.timing else None,
            "tops": _rounded(self.tops),
            "tops_per_mm2": _rounded(self.tops_per_mm2),
            "wire_load": self.timing.wires or None if self.timing else None,
            "ram": self.ram,
            "ram_blocks": self.ram_blocks,
            "rival": self.rival,
            "critical_path": self.timing.as_json() if self.timing else None,
            "seconds": round(self.seconds, 2),
        }


def synth_macro(
    config: MacroConfig,
    folder: Path,
    target: str,
    *,
    liberty: Sequence[Path] = (),
    overrides: Mapping[str, str] | None = None,
    flatten: bool = False,
    ram: RamFile | None = None,
    ram_pins: Mapping[str, str] | None = None,
    announce: Callable[[str], None] = print,
) -> SynthReport:
    """Synthesise the macro emitted in ``folder`` and measure the netlist.

    RAMs stay instances; with ``ram`` its area counts, and sram_wrapper.v beside the netlist puts it
    in their place, with ``ram_pins`` where names do not tell a pin's role.

    Raises InputError where target and storage, library or RAM do not fit, YosysError where Yosys
    fails.
    """
    started = time.perf_counter()
    if target == LIBERTY:
        roles = assign_pins(config, ram, ram_pins or {}) if ram else None
        report = _library_report(config, folder, liberty, overrides, flatten, announce)
        if ram and roles:
            _count_ram(report, ram, roles)
    else:
        report = _target_report(config, folder, target, flatten, announce)
        if config.slice_width < config.storage_traits.rival_bits:
            _measure_rival(report, folder, flatten, announce)
    if config.storage_traits.memory:
        _tell_rams(report)
    report.seconds = time.perf_counter() - started
    return report


def _count_ram(report: SynthReport, ram: RamFile, roles: Mapping[str, str]) -> None:
    """Add the RAMs' area, and write the wrapper that puts them in the macro."""
    shape = report.config.memory
    area = shape.instances * ram.area
    report.total += area
    if report.breakdown:
        report.breakdown["storage"] += area
    wrapper = report.folder / "sram_wrapper.v"
    wrapper.write_text(wrapper_verilog(report.config, ram, roles))
    facts = {"cell": ram.name, "area": ram.area, "pins": dict(roles), "wrapper": str(wrapper)}
    report.ram = {**shape.as_json(), **facts}


def _tell_rams(report: SynthReport) -> None:
    """Say how many RAMs there are, and what of them is not counted."""
    shape = report.config.memory
    ports = shape.as_json()["ports"]
    told = f"{shape.instances} RAMs of {shape.words} x {shape.bits} bits ({ports})"
    if report.ram is None:
        keys = ("cell", "area", "pins", "wrapper")
        report.ram = {**shape.as_json(), **dict.fromkeys(keys)}
        report.notes.append(f"{told}: not counted; --sram FILE tells their area")
    if report.target == LIBERTY:
        report.notes.append("paths that begin or end in a RAM are not timed")


def _target_report(config, folder, target, flatten, announce) -> SynthReport:
    check_storage(config, target)
    announce(f"synthesising {config.module} for {target}")
    netlist = synthesise(config, folder, target, flatten=flatten)
    areas = area_roles(build_macro(config))
    counts = count_by_role(netlist.modules, netlist.top, areas)
    _drop_rams(config, counts)
    whole = sum(counts.values(), Counter())
    spec = TARGETS[target]
    sizes = sum_cells(counts, spec.size)
    return SynthReport(
        config=config,
        target=target,
        unit=spec.unit,
        total=sum(sizes.values()),
        ffs=sum(count for kind, count in whole.items() if spec.is_flip_flop(kind)),
        breakdown={} if flatten else sizes,
        folder=netlist.folder,
        ram_blocks={kind: whole[kind] for kind in sorted(whole) if spec.is_ram(kind)},
    )


def _measure_rival(report, folder, flatten, announce) -> None:
    """Measure the same macro in the storage that narrow weights may make smaller, and say both."""
    rival = plain_rival(report.config)
    if rival is None:
        return
    place = folder / "rival"
    emit_macro(rival, place)
    other = _target_report(rival, place, report.target, flatten, announce)
    report.rival = {"storage": rival.storage, "total": _tidy(other.total)}
    share = report.total / max(other.total, 1)
    told = f"{report.total:,.0f} LUTs are {share:.0%} of the {other.total:,.0f} that it has with"
    report.notes.append(f"{told} storage={rival.storage}")


def _library_report(config, folder, liberty, overrides, flatten, announce) -> SynthReport:
    library = read_library(*liberty)
    leaves = choose_cells(library, overrides, latches=bool(config.storage_traits.control_ports))
    announce(f"mapping {config.module} to {library.name}")
    netlist = map_to_library(config, folder, library, leaves, flatten=flatten)
    areas = area_roles(build_macro(config))
    counts = count_by_role(netlist.modules, netlist.top, areas)
    _drop_rams(config, counts)
    whole = sum(counts.values(), Counter())
    unknown = sorted(kind for kind in whole if kind not in library.cells)
    if unknown:
        raise InputError(f"--liberty: {library.name} has no cell for {', '.join(unknown[:4])}")
    sizes = sum_cells(counts, lambda kind: library.cells[kind].area)
    text = (folder / f"{config.module}.v").read_text()
    roles = [*leaves.cells, SET_CLEAR]
    used = {role for role in roles if re.search(rf"^\s*cim_{role} ", text, re.M)}
    announce("analysing timing")
    timing, notes = None, [*library.notes, *_fallbacks(used, leaves, library)]
    free = sorted(kind for kind in whole if not library.cells[kind].area)
    notes += [f"{kind} has no area in {library.name}: counted as 0" for kind in free]
    try:
        timing = analyse_timing(config, netlist, library)
        notes += timing.notes
    except TimingError as error:
        notes.append(f"{NO_PERIOD}: {error}")
    drivers = count_drivers(netlist.modules, netlist.top, areas)
    return SynthReport(
        config=config,
        target=LIBERTY,
        unit="um2",
        total=sum(sizes.values()),
        ffs=sum(count for kind, count in whole.items() if library.cells[kind].ff is not None),
        breakdown={} if flatten else sizes,
        cells=_cells_by_role(used, library, leaves, whole, set(drivers)),
        notes=notes,
        drivers=drivers.total(),
        libraries=tuple(liberty),
        folder=netlist.folder,
        timing=timing,
    )


def _drop_rams(config: MacroConfig, counts: dict[str, Counter]) -> None:
    """Take a memory compiler's RAMs out of the counts of cells by role: they are no cells of a
    library, nor of a target."""
    if config.storage_traits.memory:
        for cells in counts.values():
            for model in config.models:
                cells.pop(model, None)


def _cells_by_role(
    used: set[str], library: Library, leaves: LeafCells, whole: Counter, drivers: set[str]
) -> dict[str, str]:
    """The cell of each used role; ``gates`` where none was chosen."""
    named = {
        role: match.cell.name if match else GATES
        for role, match in leaves.cells.items()
        if role in used
    }
    if SET_CLEAR in used and leaves.aoi21:
        named[SET_CLEAR] = f"{leaves.nor.cell.name}, {leaves.aoi21.cell.name}"
    flops = [kind for kind in whole if library.cells[kind].ff is not None]
    named |= {"driver": ", ".join(sorted(drivers))} if drivers else {}
    return {**named, **({"dff": ", ".join(sorted(flops))} if flops else {})}


def _fallbacks(used: set[str], leaves: LeafCells, library: Library) -> list[str]:
    return [
        f"{library.name} has no usable cell for {role}: built from its gates"
        for role, match in leaves.cells.items()
        if role in used and match is None
    ]


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def _tidy(size: float) -> float:
    """Whole numbers as integers, areas to a hundredth."""
    return int(size) if size == int(size) else round(size, 2)
