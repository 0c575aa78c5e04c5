"""Files for the flows that take over: timing constraints (SDC) and a FuseSoC core."""

from collections.abc import Sequence
from importlib.metadata import version

from cimforge.hdl.bus.bus_wrapper import BUSES
from cimforge.hdl.emit.constraints import timing_constraints
from cimforge.hdl.emit.templates import render
from cimforge.hdl.netlist.module import Module
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import canonical_command

__all__ = ["render_core", "render_sdc"]


def render_sdc(config: MacroConfig, gate_pin: str | None = None, top: Module | None = None) -> str:
    """Constraints of the hierarchical macro, or of ``top`` around it; ``period`` is a Tcl variable
    to set before, in the unit of the tool (default 10). ``gate_pin`` as for timing_constraints."""
    return (
        f"# {canonical_command(config)}\n"
        "# SPDX-License-Identifier: Apache-2.0\n"
        "if {![info exists period]} { set period 10.0 }\n"
        f"{timing_constraints(config, '$period', gate_pin=gate_pin, top=top)}\n"
    )


def render_core(config: MacroConfig, buses: Sequence[str] = ()) -> str:
    """A FuseSoC core (CAPI2): targets default, lint (Verilator) and sim (Icarus, the plain
    testbench), and one named as each of ``buses`` (of BUSES), the macro behind it."""
    return render(
        "macro.core.j2",
        name=config.module,
        rows=config.rows,
        cols=config.cols,
        command=canonical_command(config),
        version=version("cimforge"),
        wrappers={bus: f"{config.module}_{BUSES[bus].tail}" for bus in buses},
        models=config.models,
    )
