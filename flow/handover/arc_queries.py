"""What OpenSTA is asked about a mapped macro's ports: one Tcl script, its answers marked."""

import re
from collections.abc import Iterator, Sequence

from cimforge.flow.handover.arc_axes import Axes
from cimforge.flow.handover.outline import bit_names
from cimforge.flow.synth.period_search import period_search
from cimforge.hdl.netlist.module import Port

__all__ = ["MARK", "PERIOD", "arc_script", "inside_script", "points_done"]

MARK = "@@"
PERIOD = 100.0  # ns: long enough that no latch is borrowed from, short enough for OpenSTA's floats
GATES = "**clock_gating_default**"
EDGES = ("rise", "fall")

# Ports are launched and captured by a virtual clock, so that what comes from clk comes from a
# register.
HEAD = """create_clock -name io -period {period}
set_input_delay 0 -clock io [get_ports {{{inputs}}}]
set_output_delay 0 -clock io [get_ports {{{outputs}}}]
"""
# Every arc is a path group, so that one report tells all of them.
ASK = """set latches [all_registers -data_pins -level_sensitive]
proc ask {{words args}} {{
  puts "{mark} $words"
  eval report_checks -digits 6 -fields slew $args
}}
proc ask_both {{words args}} {{
  foreach kind {{max min}} {{ eval ask {{"$kind $words"}} -path_delay $kind $args }}
}}
"""

# OpenSTA gives a path that ends at a clock gate no group of ours: these are asked for one by one.
GATED = """
set gated {{}}
foreach port {{{inputs}}} {{
  set found [find_timing_paths -from [get_ports $port] -path_group "{gates}"]
  if {{[llength $found]}} {{ lappend gated $port }}
}}
"""
# What a driver of an input sees: the pins inside, and the wires that the library's model adds.
NETS = """
foreach bit {{{bits}}} {{
  puts "{mark} net $bit"
  report_net -connections -verbose -digits 6 $bit
}}
"""
POINTS = """
foreach slew {{{slews}}} {{ foreach clock {{{slews}}} {{
  set_input_transition $slew [get_ports {{{inputs}}}]
  set_clock_transition $clock [get_clocks clk]
  ask_both "checks $slew $clock"
  foreach port $gated {{ foreach edge {{rise fall}} {{
    ask_both "gated $slew $clock $port $edge" -${{edge}}_from [get_ports $port] \\
      -path_group "{gates}"
  }} }}
}} }}
foreach slew {{{slews}}} {{ foreach load {{{loads}}} {{
  set_input_transition $slew [get_ports {{{inputs}}}]
  set_clock_transition $slew [get_clocks clk]
  set_load $load [all_outputs]
  ask_both "delays $slew $load"
}} }}
"""

# How long before the clock a latch of an enable must have its value, for the gate behind it: with
# the latch open all the cycle its data are what sets the path.
MARGIN = """
set_load 0 [all_outputs]
set_clock_transition 0 [get_clocks clk]
set_input_transition 0 [get_ports {{{inputs}}}]
create_clock -name clk -period {period} -waveform {{0 0.0001}} [get_ports clk]
set_clock_transition 0 [get_clocks clk]
if {{[llength $latches]}} {{
  ask margin -fall_from [get_clocks clk] -path_group "{gates}" -group_count 10000
}}
"""

# The shortest period inside: from register to register.
INSIDE = """
set_false_path -from [get_clocks io]
set_false_path -to [get_clocks io]
"""


def arc_script(
    top: str,
    constraints: str,
    libraries: Sequence[str],
    netlist: str,
    ports: Sequence[Port],
    axes: Axes,
) -> str:
    """The script for the module ``top`` in ``netlist`` on ``libraries``, files beside it;
    ``constraints`` are SDC for a clock ``clk`` of PERIOD ns.

    Each answer stands behind a line of MARK and words: ``KIND checks SLEW CLOCK`` and ``KIND delays
    SLEW LOAD``, whose paths have the groups of _groups; ``KIND gated SLEW CLOCK PORT EDGE``;
    ``net BIT``; ``margin``.
    """
    inputs, outputs = _names(ports)
    facts = {
        "period": PERIOD,
        "gates": GATES,
        "bits": " ".join(bit for p in ports if p.direction == "input" for bit in bit_names(p)),
        "inputs": " ".join(inputs),
        "outputs": " ".join(outputs),
        "slews": " ".join(map(_exact, axes.slews)),
        "loads": " ".join(map(_exact, axes.loads)),
        "mark": MARK,
    }
    lines = _read(top, constraints, libraries, netlist, ports)
    lines += [ASK.format(**facts), *_groups(inputs, outputs)]
    lines += [text.format(**facts) for text in (NETS, GATED, POINTS, MARGIN)]
    return "\n".join(lines) + "\n"


def inside_script(
    top: str, constraints: str, libraries: Sequence[str], netlist: str, ports: Sequence[Port]
) -> str:
    """The script for the shortest period from register to register, as period_search prints it;
    parameters are those of arc_script."""
    lines = [*_read(top, constraints, libraries, netlist, ports), INSIDE, period_search(PERIOD)]
    return "\n".join(lines) + "\n"


def points_done(printed: str) -> int:
    """How many points of arc_script have begun to be told in what it printed."""
    return len(re.findall(rf"^{MARK} max (?:checks|delays) ", printed, re.M))


def _read(
    top: str, constraints: str, libraries: Sequence[str], netlist: str, ports: Sequence[Port]
) -> list[str]:
    """What makes the design known, its ports clocked by the virtual clock."""
    inputs, outputs = _names(ports)
    return [
        *(f"read_liberty {name}" for name in libraries),
        f"read_verilog {netlist}",
        f"link_design {top}",
        "set_cmd_units -time ns -capacitance pF",
        constraints,
        HEAD.format(period=PERIOD, inputs=" ".join(inputs), outputs=" ".join(outputs)),
    ]


def _names(ports: Sequence[Port]) -> tuple[list[str], list[str]]:
    """The inputs but the clock, and the outputs."""
    inputs = [port.name for port in ports if port.direction == "input" and port.name != "clk"]
    return inputs, [port.name for port in ports if port.direction == "output"]


def _groups(inputs: Sequence[str], outputs: Sequence[str]) -> Iterator[str]:
    """A path group for each arc: ``input:PORT:EDGE``, ``held:PORT:EDGE`` (the same, to a latch),
    ``output:PORT:EDGE:LAUNCH`` and ``through:FROM:TO:CAUSE:EDGE``."""
    for port in inputs:
        for edge in EDGES:
            start = f"-{edge}_from [get_ports {port}]"
            yield f"group_path -name input:{port}:{edge} {start}"
            yield "if {[llength $latches]} {"
            yield f"  group_path -name held:{port}:{edge} {start} -to $latches"
            yield "}"
    for output in outputs:
        for edge in EDGES:
            end = f"-{edge}_to [get_ports {output}]"
            for other in EDGES:
                start = f"-{other}_from [get_clocks clk]"
                yield f"group_path -name output:{output}:{edge}:{other} {start} {end}"
                for port in inputs:
                    start = f"-{other}_from [get_ports {port}]"
                    yield f"group_path -name through:{port}:{output}:{other}:{edge} {start} {end}"


def _exact(value: float) -> str:
    return f"{value:.6g}"
