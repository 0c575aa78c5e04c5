"""Plane register: the bit planes that the array sees, straight from flip-flops."""

from cimforge.hdl.netlist.drivers import held
from cimforge.hdl.netlist.structure import Structure
from cimforge.hdl.params.config import MacroConfig

__all__ = ["build_plane_register"]


def build_plane_register(config: MacroConfig) -> Structure:
    """``planes_n`` takes ``next_n`` (the lines of all rows, inverted) at the edge at which ``step``
    is high, and holds it: latency 1 cycle.

    The next planes are selected a cycle ahead, so all lines change at one time: what comes apart in
    front of the trees makes glitches in each of them. Not reset: control ignores planes until a
    vector or read-back is accepted.
    """
    sentence = "Holds the planes that the array sees; all change at one time."
    out = Structure(config.module, "plane_register", sentence, role="input", latency=1)
    out.port("input", "clk")
    step = out.port("input", "step")
    following = out.port("input", "next_n", config.rows * config.row_lines)
    planes = out.port("output", "planes_n", following.width)
    out.assign(planes, held(out, "planes_q", following, step))
    return out
