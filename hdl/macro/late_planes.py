"""Late planes: a register that brings planes as late as the words that RAMs deliver."""

from cimforge.hdl.netlist.drivers import held
from cimforge.hdl.netlist.structure import Structure, constant, expression
from cimforge.hdl.params.config import MacroConfig

__all__ = ["build_late_planes"]


def build_late_planes(config: MacroConfig) -> Structure:
    """``late_n`` takes ``planes_n`` (the lines of all rows, inverted) at the edges at which
    ``enable`` is high, all ones (no plane) while ``bank_exists`` is low, but for lines that invert
    operands: latency 1 enabled cycle.
    Not reset: control drops what was under way."""
    sentence = "Brings planes as late as the words of their bank."
    out = Structure(config.module, "late_planes", sentence, role="input", latency=1)
    out.port("input", "clk")
    enable, exists = out.port("input", "enable"), out.port("input", "bank_exists")
    planes = out.port("input", "planes_n", config.rows * config.row_lines)
    late = out.port("output", "late_n", planes.width)
    gated = out.wire("gated", planes.width)
    lines, kept = config.multiply_traits.lines, config.multiply_traits.inverting
    missing = f"{{{planes.width}{{~{exists}}}}}"
    if kept:  # lines that the correction counts too
        selecting = sum((1 << lines - kept) - 1 << low for low in range(0, planes.width, lines))
        missing += f" & {constant(selecting, planes.width)}"
    out.assign(gated, expression(f"{planes} | {missing}", planes.width))
    out.assign(late, held(out, "late_q", gated, enable))
    return out
