"""Timing constraints of a macro: clock, latches and ports, as SDC."""

from hdl.config import MacroConfig
from hdl.macro.ports import macro_ports

__all__ = ["timing_constraints"]


def timing_constraints(config: MacroConfig, period: str, *, flat: bool = False) -> str:
    """SDC commands for a clock of ``period`` (a number or a Tcl variable, in the tool's unit).

    Weight latches are written in the low phase of the cycle after a row is accepted, and their bank
    takes part in a pass in the cycle after that at the earliest (write_landing): so a latch's
    output has two cycles. ``flat``: instance names of a flattened netlist.
    """
    dot = "." if flat else "/"
    ports = macro_ports(config)
    inputs = [port.name for port in ports if port.direction == "input" and port.name != "clk"]
    outputs = [port.name for port in ports if port.direction == "output"]
    commands = [
        f"create_clock -name clk -period {period} [get_ports clk]",
        f"set_input_delay 0 -clock clk {_matching(inputs)}",
        f"set_output_delay 0 -clock clk {_matching(outputs)}",
    ]
    if config.has_clock_gates:
        latches = f"[get_cells {{col*{dot}row*{dot}bank*{dot}bit*}}]"
        commands += [
            "set_case_analysis 0 [get_ports test_en]",
            f"set_multicycle_path 2 -setup -from {latches}",
            f"set_multicycle_path 1 -hold -from {latches}",
        ]
    return "\n".join(commands)


def _matching(names: list[str]) -> str:
    """The ports of these names, whether a tool sees each as a bus or bit by bit."""
    return f"[get_ports {{{' '.join(f'{name}*' for name in names)}}}]"
