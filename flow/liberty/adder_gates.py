"""The gates that a full adder is built from where a library has none."""

from dataclasses import dataclass
from itertools import product

from cimforge.flow.liberty.leaf_cells import Match, smallest_gate
from cimforge.flow.liberty.library import Library

__all__ = ["AdderGates", "find_adder_gates"]

FUNCTIONS = {
    "inverter": lambda a: not a,
    "nand": lambda a, b: not (a and b),
    "nor": lambda a, b: not (a or b),
    "xor": lambda a, b: a != b,
    "xnor": lambda a, b: a == b,
    "aoi21": lambda a, b, c: not ((a and b) or c),
    "aoi22": lambda a, b, c, d: not ((a and b) or (c and d)),
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
        pins = tuple("abcd"[: function.__code__.co_argcount])
        rows = [tuple(reversed(row)) for row in product((0, 1), repeat=len(pins))]
        table = sum(bool(function(*row)) << place for place, row in enumerate(rows))
        match = smallest_gate(library, pins, table)
        if match is None:
            return None
        found[name] = match
    return AdderGates(**found)
