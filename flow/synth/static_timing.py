"""Static timing of a mapped macro through OpenSTA: shortest clock period, critical path by
block."""

import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from cimforge.flow.liberty.library import Library
from cimforge.flow.synth.blocks import BlockNames
from cimforge.flow.synth.synthesis import Netlist
from cimforge.hdl.emit.constraints import timing_constraints
from cimforge.hdl.macro.top import build_macro
from cimforge.hdl.params.config import MacroConfig

__all__ = ["STA", "Step", "Timing", "TimingError", "analyse_timing", "group_steps"]

STA = "sta"
HOP = re.compile(r"^ *(-?\d+\.\d+) +-?\d+\.\d+ [\^v] (\S+)/\S+ \(\S+\)$", re.M)
TIME_UNITS = {"f": 1e-6, "p": 1e-3, "n": 1.0, "u": 1e3}  # in ns


# Narrows the interval between a period with a violation and one without: by the slack, which is the
# answer where the worst path has a whole cycle, else by halves. Paths of half a cycle (clock gates)
# and of two (latches) are why one slack does not tell it. The path is shown at the period that it
# violates: at the other, latches that borrow time have no slack either.
SEARCH = """
proc slack_at {period} {
  create_clock -name clk -period $period [get_ports clk]
  return [worst_slack]
}
set high @START@
for {set i 0} {[set spare [slack_at $high]] < 0 && $i < 20} {incr i} { set high [expr 2 * $high] }
set low 0.0
set next [expr $high - $spare]
for {set i 0} {$i < 12 && $high - $low > 0.002 * $high} {incr i} {
  if {$next <= $low || $next >= $high} { set next [expr ($low + $high) / 2] }
  set slack [slack_at $next]
  if {$slack < 0} { set low $next } else { set high $next }
  set next [expr $next - $slack + ($slack < 0 ? 0.0005 : -0.0005) * $high]
}
puts "PERIOD $high"
slack_at $low
report_checks -path_delay max -digits 4
"""


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
    """Shortest clock ``period`` in ns without wires, and the path that sets it, block by block."""

    period: float
    path: tuple[Step, ...]

    def as_json(self) -> list[dict[str, Any]]:
        """The path as plain data."""
        return [step.as_json() for step in self.path]


class TimingError(Exception):
    """Timing could not be analysed; the text says why, and the way to it."""


def analyse_timing(config: MacroConfig, netlist: Netlist, library: Library) -> Timing:
    """Timing of flat.v under the constraints that go with the macro.

    Raises TimingError without OpenSTA, where the library has no delays, and where OpenSTA fails.
    """
    if shutil.which(STA) is None:
        raise TimingError("needs OpenSTA (Debian: apt install opensta)")
    if "timing" not in library.text:
        raise TimingError(f"{library.name} has no delays")
    scale = _nanoseconds(library)
    (netlist.folder / "library.lib").write_text(library.text)
    script = [
        "read_liberty library.lib",
        "read_verilog flat.v",
        f"link_design {config.module}",
        timing_constraints(config, "1", divider=".", gate_pin=None),
        SEARCH.replace("@START@", str(10 / scale)),
    ]
    (netlist.folder / "timing.tcl").write_text("\n".join(script) + "\n")
    run = subprocess.run(
        (STA, "-exit", "timing.tcl"),
        cwd=netlist.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    (netlist.folder / "timing.log").write_text(run.stdout + run.stderr)
    found = re.search(r"^PERIOD (\S+)$", run.stdout, re.M)
    if run.returncode or not found:
        raise TimingError(f"OpenSTA failed; its messages are in {netlist.folder / 'timing.log'}")
    worst = min(run.stdout.split("Startpoint: ")[1:], key=_slack)  # of a path a path group
    names = BlockNames(build_macro(config))
    hops = [(names.of(cell), float(delay) * scale) for cell, delay in _hops(worst)]
    return Timing(float(found[1]) * scale, tuple(group_steps(hops)))


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


def _nanoseconds(library: Library) -> float:
    """The library's time unit in ns."""
    found = re.search(r'time_unit\s*:\s*"?\s*(\d+)\s*([fpnu])s', library.text)
    scale = int(found[1]) * TIME_UNITS[found[2]] if found else 1.0
    if not scale:
        raise TimingError(f"{library.name} has a time unit of 0")
    return scale
