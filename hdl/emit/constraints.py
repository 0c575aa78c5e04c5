"""Timing constraints of a macro: clock, generated clocks, latches and ports, as SDC."""

from cimforge.hdl.macro.ports import macro_ports
from cimforge.hdl.params.config import MacroConfig

__all__ = ["GATES", "LATCHES", "timing_constraints"]

LATCHES = "col*/row*/bank*/bit*"
GATES = "write*/bank*/gate"


def timing_constraints(
    config: MacroConfig, period: str, latches: str = LATCHES, gates: str | None = GATES
) -> str:
    """SDC commands for a clock of ``period`` (a number or a Tcl variable, in the tool's unit).

    Weight latches are written in the low phase of the cycle after a row is accepted, and their bank
    takes part in a pass in the cycle after that at the earliest (write_landing): so a latch's
    output has two cycles. ``latches`` and ``gates`` match the latches' instances and the output
    pins of the clock gates, which are generated clocks: clk inverted. Without ``gates`` the tool
    follows the clock through the gates by itself.
    """
    ports = macro_ports(config)
    inputs = [port.name for port in ports if port.direction == "input" and port.name != "clk"]
    outputs = [port.name for port in ports if port.direction == "output"]
    commands = [
        f"create_clock -name clk -period {period} [get_ports clk]",
        f"set_input_delay 0 -clock clk {_matching(inputs)}",
        f"set_output_delay 0 -clock clk {_matching(outputs)}",
    ]
    if config.storage_traits.control_ports:
        if gates:
            source = "-source [get_ports clk] -divide_by 1 -invert"
            pins = f"[get_pins {{{gates}}}]"
            commands.append(f"create_generated_clock -name weight_gate {source} {pins}")
        commands += [
            "set_case_analysis 0 [get_ports test_en]",
            f"set_multicycle_path 2 -setup -from [get_cells {{{latches}}}]",
            f"set_multicycle_path 1 -hold -from [get_cells {{{latches}}}]",
        ]
    return "\n".join(commands)


def _matching(names: list[str]) -> str:
    """The ports of these names, whether a tool sees each as a bus or bit by bit."""
    return f"[get_ports {{{' '.join(f'{name}*' for name in names)}}}]"
