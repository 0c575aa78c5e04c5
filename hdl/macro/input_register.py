"""Input register: holds what is left of a vector while its planes are handed out."""

from cimforge.hdl.netlist.drivers import held
from cimforge.hdl.netlist.structure import Structure
from cimforge.hdl.params.config import MacroConfig

__all__ = ["build_input_register"]


def build_input_register(config: MacroConfig) -> Structure:
    """``element`` takes ``x`` (rows * held_bits: each element without the planes that are never
    handed out later, those of its top group) at the edge at which ``load`` is high, and holds it:
    latency 1 cycle. Not reset: control ignores planes until a load."""
    sentence = "Holds a vector, without its top planes, while these are handed out."
    out = Structure(config.module, "input_register", sentence, role="input", latency=1)
    out.port("input", "clk")
    load = out.port("input", "load")
    x = out.port("input", "x", config.rows * config.held_bits)
    element = out.port("output", "element", x.width)
    out.assign(element, held(out, "x_q", x, load))
    return out
