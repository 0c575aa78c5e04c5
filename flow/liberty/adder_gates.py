"""The gates that a full adder is built from where a library has none."""

from dataclasses import dataclass

from cimforge.flow.liberty.function import parse_function, truth_table
from cimforge.flow.liberty.leaf_cells import Match, smallest_gate
from cimforge.flow.liberty.library import Library

__all__ = ["AdderGates", "find_adder_gates"]

FUNCTIONS = {
    "inverter": "!a",
    "nand": "!(a & b)",
    "nor": "!(a | b)",
    "xor": "a ^ b",
    "xnor": "!(a ^ b)",
    "aoi21": "!((a & b) | c)",
    "aoi22": "!((a & b) | (c & d))",
}


@dataclass(frozen=True)
class AdderGates:
    """The smallest cell of each function; pins ``a``, ``b``, ``c``, ``d`` and ``y``: aoi21 is
    ``~(a & b | c)``, aoi22 ``~(a & b | c & d)``."""

    inverter: Match
    nand: Match
    nor: Match
    xor: Match
    xnor: Match
    aoi21: Match
    aoi22: Match


def find_adder_gates(library: Library) -> AdderGates | None:
    """The library's gates for adders, or None where it lacks one of them."""
    found = {}
    for name, function in FUNCTIONS.items():
        pins = tuple(sorted(parse_function(function).names()))
        match = smallest_gate(library, pins, truth_table(function, pins))
        if match is None:
            return None
        found[name] = match
    return AdderGates(**found)
