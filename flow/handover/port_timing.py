"""Measures a mapped macro's port arcs with OpenSTA."""

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from cimforge.flow.handover.arc_answers import read_arcs
from cimforge.flow.handover.arc_axes import Axes
from cimforge.flow.handover.arc_queries import PERIOD, arc_script
from cimforge.flow.handover.port_arcs import PortArcs
from cimforge.flow.handover.whole_netlist import WHOLE, WholeNetlist
from cimforge.flow.synth.static_timing import STA, TimingError
from cimforge.hdl.emit.constraints import timing_constraints
from cimforge.hdl.macro.ports import macro_ports
from cimforge.hdl.netlist.yosys import ending
from cimforge.hdl.params.config import MacroConfig

__all__ = ["measure_ports", "run_opensta"]


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
    # Flattening left names with dots; OpenSTA follows the clock through the gates by itself.
    constraints = timing_constraints(config, str(PERIOD), divider=".", gate_pin=None)
    own = (config.module, constraints, whole.libraries, WHOLE, macro_ports(config), axes)
    return read_arcs(run_opensta(arc_script(*own), whole.folder, "arcs"), axes)


def run_opensta(script: str, folder: Path, name: str) -> str:
    """What OpenSTA prints for ``script``, which is kept as NAME.tcl beside NAME.log in ``folder``.

    Raises TimingError where there is no OpenSTA, and with its own message where it fails.
    """
    program, log = shutil.which(STA), folder / f"{name}.log"
    if program is None:
        raise TimingError("needs OpenSTA (Debian: apt install opensta)")
    (folder / f"{name}.tcl").write_text(script)
    try:
        run = subprocess.run(
            (program, "-exit", f"{name}.tcl"),
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
        said = errors[0] if errors else ending(run.returncode)
        raise TimingError(f"OpenSTA: {said}; its messages are in {log}")
    return run.stdout
