"""Static timing of a mapped macro through OpenSTA: shortest clock period, critical path by
block."""

import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from cimforge.flow.liberty.liberty_writer import has_delays, timing_library
from cimforge.flow.liberty.library import Cell, Library
from cimforge.flow.synth.blocks import BlockNames
from cimforge.flow.synth.period_search import period_search
from cimforge.flow.synth.synthesis import Netlist
from cimforge.hdl.emit.constraints import timing_constraints
from cimforge.hdl.macro.top import build_macro
from cimforge.hdl.netlist.yosys import ending
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import InputError

__all__ = ["STA", "Step", "Timing", "TimingError", "analyse_timing", "check_timed", "group_steps"]

STA = "sta"
HOP = re.compile(r"^ *(-?\d+\.\d+) +-?\d+\.\d+ [\^v] (\S+)/\S+ \(\S+\)$", re.M)


@dataclass(frozen=True)
class Step:
    """Consecutive cells of one block on a path: how many, and their delay in ns."""

    block: str
    cells: int
    delay: float

    def as_json(self) -> dict[str, Any]:
        """The step as plain data."""
        return {"block": self.block, "cells": self.cells, "delay_ns": round(self.delay, 3)}


@dataclass(frozen=True)
class Timing:
    """Shortest clock ``period`` in ns, the path that sets it, block by block, the library's wire
    load model that it counts (empty: no wires), and what it does not count."""

    period: float
    path: tuple[Step, ...]
    wires: str = ""
    notes: tuple[str, ...] = ()

    def as_json(self) -> list[dict[str, Any]]:
        """The path as plain data."""
        return [step.as_json() for step in self.path]


class TimingError(Exception):
    """Timing could not be analysed; the text says why, and the way to it."""


def analyse_timing(config: MacroConfig, netlist: Netlist, library: Library) -> Timing:
    """Timing of flat.v under the constraints that go with the macro.

    Raises TimingError without OpenSTA, where the library has no delays, and where OpenSTA fails.
    """
    program = shutil.which(STA)
    if program is None:
        raise TimingError("needs OpenSTA (Debian: apt install opensta)")
    used = sorted({name for name in netlist.cell_types if name in library.cells})
    parts = [
        part
        for index, part in enumerate(library.parts)
        if any(library.cells[name].part == index for name in used)
    ]
    _check_delays([library.cells[name] for name in used], library)
    for part in parts:
        if not part.time_unit:
            unit = part.header.values.get("time_unit", "")
            raise TimingError(f"{part.name} has a time unit of {unit!r}")
    scale = parts[0].time_unit
    script = []
    for index, part in enumerate(parts):
        name = f"timing{index or ''}.lib"
        (netlist.folder / name).write_text(timing_library(library, part, used))
        script.append(f"read_liberty {name}")
    script += [
        "read_verilog flat.v",
        f"link_design {config.module}",
        timing_constraints(config, "1", divider=".", gate_pin=None),
        period_search(10 / scale),
        "report_checks -path_delay max -digits 4",
    ]
    (netlist.folder / "timing.tcl").write_text("\n".join(script) + "\n")
    printed = _run(program, netlist.folder)
    found = re.search(r"^PERIOD (\S+)$", printed, re.M)
    paths = printed.split("Startpoint: ")[1:]
    log = netlist.folder / "timing.log"
    if not found:
        raise TimingError(f"OpenSTA found no period; its messages are in {log}")
    if not paths:
        raise TimingError(f"OpenSTA found no path with a delay; its messages are in {log}")
    worst = min(paths, key=_slack)  # of a path a path group
    names = BlockNames(build_macro(config))
    hops = [(names.of(cell), float(delay) * scale) for cell, delay in _hops(worst)]
    wires = parts[0].header.values.get("default_wire_load", "")
    untimed = [name for name in used if not _has_setup(library.cells[name])]
    note = f"{', '.join(untimed)}: no setup time, so paths that end there count without one"
    notes = (note,) if untimed else ()
    return Timing(float(found[1]) * scale, tuple(group_steps(hops)), wires, notes)


def _has_setup(cell: Cell) -> bool:
    """Whether a cell that keeps a state has a setup time; true for all others."""
    if cell.ff is None and cell.latch is None:
        return True
    arcs = [timing for pin in cell.pins for timing in pin.source.all("timing")]
    return any(arc.values.get("timing_type", "").startswith("setup") for arc in arcs)


def _check_delays(cells: Iterable[Cell], library: Library) -> None:
    """Raise TimingError where a cell's delays are missing: its paths would be too short."""
    known = {cell.name: [has_delays(pin) for pin in cell.outputs if cell.inputs] for cell in cells}
    missing = [name for name, found in known.items() if None in found]
    if missing and len(missing) == len(known):
        raise TimingError(f"{library.name} has no delays")
    if missing:
        raise TimingError(f"{', '.join(missing[:4])} of {library.name}: no delays")
    if not any(any(found) for found in known.values()):
        raise TimingError(f"all delays of {library.name} are 0")


def check_timed(library: Library) -> None:
    """Raise InputError where no cell of a library has delays, so that there are no periods."""
    usable = [cell for cell in library.cells.values() if cell.usable and cell.inputs]
    if not any(has_delays(pin) for cell in usable for pin in cell.outputs):
        raise InputError(f"--liberty: {library.name} has no delays, so no clock period")


def _run(program: str, folder: Path) -> str:
    """What OpenSTA prints for timing.tcl; TimingError with its own message where it fails."""
    log = folder / "timing.log"
    try:
        run = subprocess.run(
            (program, "-exit", "timing.tcl"),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
    except OSError as error:
        raise TimingError(f"OpenSTA ({program}) does not start: {error.strerror}") from None
    log.write_text(run.stdout + run.stderr)
    errors = re.findall(r"^Error: .*", run.stdout + run.stderr, re.M)
    if run.returncode or errors:
        last = [line.strip() for line in run.stderr.splitlines() if line.strip()][-1:]
        said = [*errors[:1], *(last if not errors else ()), ending(run.returncode)][0]
        raise TimingError(f"OpenSTA: {said}; its messages are in {log}")
    return run.stdout


def group_steps(hops: Iterable[tuple[str, float]]) -> list[Step]:
    """Consecutive hops (block, delay) of one block as one step."""
    groups = [(block, list(group)) for block, group in groupby(hops, key=lambda hop: hop[0])]
    return [Step(block, len(group), sum(delay for _, delay in group)) for block, group in groups]


def _slack(path: str) -> float:
    """The slack of a reported path."""
    found = re.search(r"(-?[\d.]+) +slack", path)
    return float(found[1]) if found else float("inf")


def _hops(text: str) -> Iterator[tuple[str, str]]:
    """(instance, delay) of each cell output on the reported path."""
    for delay, instance in HOP.findall(text):
        if float(delay):
            yield instance, delay
