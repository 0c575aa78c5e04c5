"""SDC of a macro and its wrappers, ready for a flow: clock, port delays, exceptions."""

from functools import lru_cache

from cimforge.hdl.bus.bus_wrapper import BUSES, bus_wrapper_modules
from cimforge.hdl.emit.constraints import timing_constraints
from cimforge.hdl.netlist.module import Module
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import canonical_command

__all__ = ["IO_SHARE", "constraint_files", "wrapper_tops"]

IO_SHARE = 0.2  # of the period: what the outside takes of an input's and of an output's path

FACTS = """
# What is no exception: rst is synchronous, and timed as every other input; there are no false
# paths. More than one cycle have only paths from weights (above, where there are any): a row's
# bank takes part in a pass no earlier. Holds are of the same edge, against ideal clocks.
"""


@lru_cache(maxsize=4)
def wrapper_tops(config: MacroConfig) -> tuple[Module, ...]:
    """The wrapper of the macro behind each bus of BUSES, built once."""
    return tuple(bus_wrapper_modules(config, bus)[-1] for bus in BUSES)


def constraint_files(config: MacroConfig, clock: float) -> dict[str, str]:
    """SDC by file name: NAME.sdc, and NAME_TAIL.sdc of each bus of BUSES, for a clock of ``clock``
    ns. Instances are those of the hierarchical Verilog, with ``/`` between them."""
    found = {f"{config.module}.sdc": _text(config, clock, None)}
    for top in wrapper_tops(config):
        found[f"{top.name}.sdc"] = _text(config, clock, top)
    return found


def _text(config: MacroConfig, clock: float, top: Module | None) -> str:
    """The constraints that stand beside the Verilog, with a period and delays of ports."""
    commands = timing_constraints(config, "$period", top=top).split("\n")
    ports = {
        way: next(line for line in commands if line.startswith(f"set_{way}_delay")).partition("clk")
        for way in ("input", "output")
    }
    shared = [
        f"set_{way}_delay -max [expr {{$io_share * $period}}] -clock clk{rest}"
        for way, (_, _, rest) in ports.items()
    ]
    return "\n".join(
        [
            f"# {canonical_command(config)}",
            "# SPDX-License-Identifier: Apache-2.0",
            f"if {{![info exists period]}} {{ set period {clock:g} }}  ;# ns",
            f"if {{![info exists io_share]}} {{ set io_share {IO_SHARE} }}",
            *commands,
            *shared,
            FACTS.strip("\n"),
            "",
        ]
    )
