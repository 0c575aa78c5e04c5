"""What each port of a macro means: one table for its datasheet and the document of the ports."""

from collections.abc import Mapping
from typing import NamedTuple

__all__ = ["PORTS", "STREAMS", "PortMeaning", "port_rows", "stream_of"]

STREAMS: Mapping[str, str] = {
    "clk": "clock and reset",
    "x": "x: vectors of inputs, into the macro",
    "y": "y: results, out of the macro",
    "w": "w: rows of weights, into the macro",
    "r": "r: requests to read a row back, into the macro",
    "q": "q: rows read back, out of the macro",
    "own": "of the storage alone",
}
OFFERED = "what is beside it is offered; it stays until it is taken"
TAKEN = "taken in a cycle in which valid and ready are both high"


class PortMeaning(NamedTuple):
    """A port: its ``width`` as a formula of the parameters, and what it means."""

    width: str
    meaning: str


PORTS: Mapping[str, PortMeaning] = {
    "clk": PortMeaning("1", "clock, of which rising edges count"),
    "rst": PortMeaning("1", "synchronous reset, active high"),
    "x_valid": PortMeaning("1", OFFERED),
    "x_ready": PortMeaning("1", TAKEN),
    "x_data": PortMeaning("rows·input_bits", "one vector, row r at bit r·input_bits"),
    "x_bits": PortMeaning(
        "for 0..input_bits",
        "bits of an element, sampled with the beat; those from x_bits up are ignored; 0 or too "
        "large means input_bits",
    ),
    "x_signed": PortMeaning("1", "elements are two's complement, sampled with the beat"),
    "x_bank": PortMeaning("for 0..banks - 1", "bank that computes, sampled with the beat"),
    "x_rows": PortMeaning(
        "for 0..rows",
        "`xnor` only, sampled with the beat: the first x_rows rows count; 0 or too large means "
        "rows",
    ),
    "y_valid": PortMeaning("1", OFFERED),
    "y_ready": PortMeaning("1", TAKEN),
    "y_data": PortMeaning(
        "cols·y_bits",
        "all columns, column 0 lowest, in the order of the vectors; with slices as wide as the "
        "widest mode, unused bits are 0",
    ),
    "w_valid": PortMeaning("1", OFFERED),
    "w_ready": PortMeaning("1", TAKEN),
    "w_bank": PortMeaning("for 0..banks - 1", "bank that is written"),
    "w_row": PortMeaning("for 0..rows - 1", "row that is written"),
    "w_data": PortMeaning("cols·weight_bits", "one row, weights side by side, column 0 lowest"),
    "w_signed": PortMeaning("1", "weights are two's complement: sets the sign of the whole bank"),
    "w_fuse": PortMeaning(
        "for a mode",
        "`slice_bits` below weight_bits only: number of the mode of the whole bank, 0 for whole "
        "weights; too large means 0",
    ),
    "w_fill": PortMeaning(
        "1",
        "`group` above 1, and tables: the rows of this bank follow in order, from the first of a "
        "group",
    ),
    "r_valid": PortMeaning("1", OFFERED),
    "r_ready": PortMeaning("1", TAKEN),
    "r_bank": PortMeaning("for 0..banks - 1", "bank that is read"),
    "r_row": PortMeaning("for 0..rows - 1", "row that is read"),
    "q_valid": PortMeaning("1", OFFERED),
    "q_ready": PortMeaning("1", TAKEN),
    "q_data": PortMeaning(
        "cols·weight_bits", "the row as written, under the bank's present sign, column 0 lowest"
    ),
    "test_en": PortMeaning(
        "1", "latch macros only: opens every clock gate in the low phase, for scan tests"
    ),
}


def stream_of(name: str) -> str:
    """The stream of a port, a key of STREAMS."""
    if name in ("clk", "rst"):
        return "clk"
    return name[0] if name[1:2] == "_" and name[0] in STREAMS else "own"


def port_rows() -> str:
    """The rows of the document's table: port, width, meaning."""
    return "".join(f"| {name} | {port.width} | {port.meaning} |\n" for name, port in PORTS.items())
