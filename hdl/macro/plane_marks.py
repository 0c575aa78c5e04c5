"""Which planes of a vector some row needs: where a pass with zero_skip may begin."""

from itertools import pairwise

from cimforge.hdl.netlist.structure import Net, Structure, concat, constant
from cimforge.hdl.params.config import MacroConfig

__all__ = ["build_plane_marks"]


def build_plane_marks(config: MacroConfig) -> Structure:
    """``marks[b - k] = any row of (x[b] ^ (x_signed & x[b - 1]))``, b = k .. input_bits - 1.

    An unsigned vector needs plane b where a row has a one there; a signed one where in some row the
    plane is not what extending the sign of the planes below it gives. Of all planes below the
    precision the highest with a mark decides where the pass begins; planes of group 0 are always
    applied, so they have none. ``x`` holds the planes k - 1 .. input_bits - 1 of each row.

    Digits of unsigned vectors end one plane above the highest one: there ``marks[b - k] = any row
    of x[b - 1]``, for b up to input_bits.
    Combinational (latency 0), from the vector that is offered: the pass begins in the next cycle as
    without zero_skip.
    """
    sentence = "The planes above group 0 that some row needs: where a pass may begin."
    out = Structure(config.module, "plane_marks", sentence, role="input")
    rows, count = config.rows, config.input_bits - config.bits_per_cycle + 1
    digits = config.digits
    x = out.port("input", "x", rows * count)
    signed = out.port("input", "x_signed")
    marks = out.port("output", "marks", config.mark_bits)
    planes: list[Net] = [out.wire(f"plane{place}", rows) for place in range(count)]
    for place, plane in enumerate(planes):
        out.assign(plane, concat(x.bits(row * count + place) for row in range(rows)))
    planes += [constant(0, rows)] if digits else []
    mark = _build_mark(config)
    for place, (below, plane) in enumerate(pairwise(planes)):
        pins = {"plane": plane, "below": below, "mark": marks.bits(place)}
        out.place(mark, f"mark{place}", x_signed=signed, **pins)
    return out


def _build_mark(config: MacroConfig) -> Structure:
    """``mark``: whether any row needs ``plane``, given the plane ``below`` it (latency 0)."""
    sentence = "Whether any row needs a plane: has a one, or ends the sign's extension there."
    ones = "below" if config.digits else "plane"
    out = Structure(config.module, "plane_mark", sentence, role="input")
    plane = out.port("input", "plane", config.rows)
    below = out.port("input", "below", config.rows)
    signed = out.port("input", "x_signed")
    mark = out.port("output", "mark")
    out.assign(mark, f"{signed} ? (|({plane} ^ {below})) : (|{ones})")
    return out
