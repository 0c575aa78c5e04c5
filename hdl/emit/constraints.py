"""Timing constraints of a macro: clock, generated clocks, latches and ports, as SDC."""

import re
from collections.abc import Sequence

from cimforge.hdl.cells.array_style import ARRAY_STYLES
from cimforge.hdl.macro.top import build_macro
from cimforge.hdl.netlist.leaf import CLOCK_GATE, LATCH, SET_CLEAR, Leaf
from cimforge.hdl.netlist.module import Module
from cimforge.hdl.params.config import MacroConfig

__all__ = ["instance_patterns", "timing_constraints"]


def timing_constraints(
    config: MacroConfig,
    period: str,
    *,
    divider: str = "/",
    gate_pin: str | None = None,
    top: Module | None = None,
) -> str:
    """SDC commands for a clock of ``period`` (a number or a Tcl variable, in the tool's unit).

    Weight latches are written in the low phase of the cycle after a row is accepted, and their bank
    takes part in a pass in the cycle after that at the earliest (write_landing): so a latch's
    output has 1 + write_landing cycles. A tool follows the clock through clock gates of logic by
    itself; those that are cells of a library are generated clocks at ``gate_pin`` (behind their
    instance's name): clk inverted. On a pin of a module, which is none of a cell, a generated clock
    would end the clock there, and leave the latches without one. ``divider`` stands between the
    instances of a path. ``top`` is what stands around the macro and is constrained instead, without
    the style's own commands.
    """
    own = ARRAY_STYLES[config.storage].constraints(config) if top is None else []
    top = top or build_macro(config)
    ports = top.ports.values()
    inputs = [port.name for port in ports if port.direction == "input" and port.name != "clk"]
    outputs = [port.name for port in ports if port.direction == "output"]
    commands = [
        f"create_clock -name clk -period {period} [get_ports clk]",
        f"set_input_delay 0 -clock clk {_matching(inputs)}",
        f"set_output_delay 0 -clock clk {_matching(outputs)}",
    ]
    gates = instance_patterns(top, CLOCK_GATE)
    if gates and gate_pin:
        source = "-source [get_ports clk] -divide_by 1 -invert"
        pins = " ".join(f"{divider.join(path)}{gate_pin}" for path in gates)
        commands.append(f"create_generated_clock -name weight_gate {source} [get_pins {{{pins}}}]")
    for name, _ in config.storage_traits.control_ports:
        commands.append(f"set_case_analysis 0 [get_ports {name}]")
    latches = instance_patterns(top, LATCH)
    if latches:
        cells = f"[get_cells {{{' '.join(divider.join(path) for path in latches)}}}]"
        cycles = 1 + config.write_landing
        commands += [
            f"set_multicycle_path {cycles} -setup -from {cells}",
            f"set_multicycle_path {cycles - 1} -hold -from {cells}",
        ]
    loops = instance_patterns(top, SET_CLEAR)
    if loops:  # set in the low phase; a vector of the bank comes in the next cycle
        cells = f"[get_cells {{{' '.join(divider.join(path) for path in loops)}}}]"
        commands += [
            f"set_multicycle_path 2 -setup -through {cells}",
            f"set_multicycle_path 1 -hold -through {cells}",
        ]
    return "\n".join([*commands, *own])


def instance_patterns(top: Module, leaf: Leaf) -> Sequence[tuple[str, ...]]:
    """Where ``leaf`` stands below ``top``: paths of instance names, numbers in them as ``*``."""
    found: dict[int, list[tuple[str, ...]]] = {}

    def visit(module: Module) -> list[tuple[str, ...]]:
        if id(module) not in found:
            paths = {
                (re.sub(r"\d+", "*", child.instance), *below): None
                for child in module.children
                for below in ([()] if child.module is leaf else visit(child.module))
            }
            found[id(module)] = list(paths)
        return found[id(module)]

    return visit(top)


def _matching(names: list[str]) -> str:
    """The ports of these names, whether a tool sees each as a bus or bit by bit."""
    return f"[get_ports {{{' '.join(f'{name}*' for name in names)}}}]"
