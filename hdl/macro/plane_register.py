"""Plane register: the select lines that the array sees, straight from flip-flops."""

from cimforge.hdl.cells.pair_multiply import PairSelector
from cimforge.hdl.netlist.drivers import held
from cimforge.hdl.netlist.structure import Bus, Net, Structure, concat, expression
from cimforge.hdl.params.config import MacroConfig

__all__ = ["build_plane_register"]


def build_plane_register(config: MacroConfig) -> Structure:
    """``planes_n`` takes ``next_n`` (the lines of all rows, inverted) at the edge at which ``step``
    is high, and holds it: latency 1 cycle.

    The next planes are selected a cycle ahead, so all lines change at one time: what comes apart in
    front of the trees makes glitches in each of them. For the same reason the lines that select in
    pairs of rows, ``alone`` and ``both_n`` (PairSelector; a last odd row's own plane among those
    alone), are registered in place of the planes, which are then made of them for whoever counts
    them. Not reset: control ignores planes until a vector or read-back is accepted.
    """
    sentence = "Holds the lines that select in the array; all change at one time."
    out = Structure(config.module, "plane_register", sentence, role="input", latency=1)
    out.port("input", "clk")
    step = out.port("input", "step")
    following = out.port("input", "next_n", config.rows * config.row_lines)
    planes = out.port("output", "planes_n", following.width)
    if config.pairs:
        _place_pairs(config, out, step, following, planes)
    else:
        out.assign(planes, held(out, "planes_q", following, step))
    return out


def _place_pairs(
    config: MacroConfig, out: Structure, step: Bus, following: Bus, planes: Bus
) -> None:
    """The select lines of each pair of rows in front of the register, their planes behind it."""
    k, selector = config.bits_per_cycle, PairSelector(config)
    alone = out.port("output", "alone", following.width)
    both_n = out.port("output", "both_n", config.pairs * k)
    lines = out.wire("next_lines", alone.width + both_n.width)
    for pair in range(config.pairs):
        row, both = 2 * pair * k, lines.bits(alone.width + pair * k, k)
        rows = {"planes_n": following.bits(row, 2 * k), "alone": lines.bits(row, 2 * k)}
        out.place(selector, f"selector{pair}", **rows, both_n=both)
    low = 2 * config.pairs * k
    if config.rows % 2:
        out.assign(lines.bits(low, k), expression(f"~{following.bits(low, k)}", k))
    register = held(out, "lines_q", lines, step)
    out.assign(alone, register.bits(0, alone.width))
    out.assign(both_n, register.bits(alone.width, both_n.width))
    others: list[Net] = [both_n.bits(pair * k, k) for pair in range(config.pairs) for _ in range(2)]
    if config.rows % 2:
        others.append(expression(f"{{{k}{{1'b1}}}}", k))
    out.assign(planes, expression(f"~{alone} & {concat(others)}", planes.width))
