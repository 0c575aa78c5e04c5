"""Measures a mapped macro's port arcs with OpenSTA."""

import time
from collections.abc import Callable
from pathlib import Path

from cimforge.flow.handover.arc_answers import read_arcs
from cimforge.flow.handover.arc_axes import Axes
from cimforge.flow.handover.arc_queries import PERIOD, arc_script, inside_script, points_done
from cimforge.flow.handover.opensta_runs import run_together
from cimforge.flow.handover.port_arcs import PortArcs
from cimforge.flow.handover.timed_part import timed_part
from cimforge.flow.handover.whole_netlist import WHOLE, WholeNetlist
from cimforge.hdl.emit.constraints import timing_constraints
from cimforge.hdl.macro.ports import macro_ports
from cimforge.hdl.params.config import MacroConfig

__all__ = ["measure_ports"]

POINTS, INSIDE = "arcs", "inside"  # names of scripts and of the netlists they read
TOLD = 5.0  # s between two words on how far it is


def measure_ports(
    config: MacroConfig,
    whole: WholeNetlist,
    axes: Axes,
    announce: Callable[[str], None] = print,
) -> PortArcs:
    """The arcs of the ports of ``whole``, each the worst of its bus's bits, at the points of
    ``axes``; clocks are ideal, wires count as the library's default wire load says.

    Raises TimingError without OpenSTA, and where it fails.
    """
    announce("measuring the arcs of the ports")
    files = _netlists(config, whole)
    ports = macro_ports(config)
    # Flattening left names with dots; OpenSTA follows the clock through the gates by itself.
    constraints = timing_constraints(config, str(PERIOD), divider=".", gate_pin=None)
    own = (config.module, constraints, whole.libraries)
    scripts = {
        POINTS: arc_script(*own, files[POINTS], ports, axes),
        INSIDE: inside_script(*own, files[INSIDE], ports),
    }
    watch = _Progress(whole.folder / f"{POINTS}.log", axes, announce)
    return read_arcs("".join(run_together(scripts, whole.folder, watch)), axes)


def _netlists(config: MacroConfig, whole: WholeNetlist) -> dict[str, str]:
    """The Verilog that each script reads: the part that it needs, or the whole."""
    names = {}
    for name in (POINTS, INSIDE):
        part = None
        if whole.complete:
            own = (config.module, whole.netlist, whole.library, macro_ports(config))
            part = timed_part(*own, inside=name == INSIDE)
        if part is None:
            whole.write_verilog()
            return dict.fromkeys((POINTS, INSIDE), WHOLE)
        names[name] = f"{name}.v"
        (whole.folder / names[name]).write_text(part)
    return names


class _Progress:
    """Tells now and then how many points are measured, and the time left at their pace."""

    def __init__(self, log: Path, axes: Axes, announce: Callable[[str], None]):
        self._log, self._announce = log, announce
        self._total = len(axes.slews) * (len(axes.slews) + len(axes.loads))
        self._read = self._done = 0
        self._begun = self._told = time.monotonic()

    def __call__(self) -> None:
        now = time.monotonic()
        if now - self._told < TOLD:
            return
        self._told = now
        with self._log.open("rb") as log:
            log.seek(self._read)
            fresh = log.read()
        fresh = fresh[: fresh.rfind(b"\n") + 1]
        self._read += len(fresh)
        self._done += points_done(fresh.decode(errors="replace"))
        done = min(max(0, self._done - 1), self._total)  # the last is under way
        if done:
            left = (now - self._begun) * (self._total - done) / done
            ahead = f"{done} of {self._total} points, about {left:,.0f} s left"
            self._announce(f"measuring the arcs of the ports: {ahead}")
