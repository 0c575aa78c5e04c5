"""Kinds of cells in adder plans: what each computes, and what it becomes, in one table."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from cimforge.hdl.netlist.leaf import COMPRESSOR, FULL_ADDER, HALF_ADDER, Leaf

__all__ = ["KINDS", "CellKind"]

Function = Callable[[Sequence[Any], int], list[Any]]
Expression = Callable[[Sequence[str]], str]


def _sum_bits(words: Sequence[Any], count: int) -> list[Any]:
    """The low ``count`` bits of the words' sum."""
    total = sum(words)
    return [(total >> place) & 1 for place in range(count)]


def _compressor_bits(bits: Sequence[Any], _: int) -> list[Any]:
    """Sum and carry of all five, and the carry of the first three, which waits for no other."""
    first = bits[0] + bits[1] + bits[2]
    rest = (first & 1) + bits[3] + bits[4]
    return [rest & 1, rest >> 1, first >> 1]


@dataclass(frozen=True)
class CellKind:
    """One kind of cell.

    ``function(words, count)`` gives its ``count`` output bits for the values of its input words,
    elementwise in NumPy arrays. ``places[i]`` is the binary place of output i above the lowest
    input's (of a word adder: i itself, where places is empty). It becomes an instance of ``leaf``
    with ``pins`` in the order of inputs and outputs, or else the Verilog ``expression`` of its
    input nets. Where ``exact``, weighted outputs and inputs have the same sum, modulo what lies
    above the outputs.
    """

    about: str
    function: Function
    places: tuple[int, ...]
    leaf: Leaf | None = None
    pins: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
    expression: Expression = field(default=" + ".join)
    exact: bool = True


def _logic(about: str, gate: Callable[..., Any], verilog: str, place: int = 0) -> CellKind:
    """A gate of one output that keeps no sum."""
    return CellKind(
        about,
        lambda words, _: [gate(*words)],
        (place,),
        expression=lambda nets: verilog.format(*nets),
        exact=False,
    )


KINDS: dict[str, CellKind] = {
    "fa": CellKind("full adder", _sum_bits, (0, 1), FULL_ADDER, (("a", "b", "ci"), ("s", "co"))),
    "ha": CellKind("half adder", _sum_bits, (0, 1), HALF_ADDER, (("a", "b"), ("s", "co"))),
    "c42": CellKind(
        "4:2 compressor",
        _compressor_bits,
        (0, 1, 1),
        COMPRESSOR,
        (("a", "b", "c", "d", "ci"), ("s", "co", "cout")),
    ),
    "xor": CellKind("carry leaves", _sum_bits, (0,), expression=" ^ ".join),
    "add": CellKind("word adder", _sum_bits, ()),
    "ripple": CellKind("ripple adder", _sum_bits, ()),
    "split": CellKind("split adder", _sum_bits, ()),
    "prefix": CellKind("prefix adder", _sum_bits, ()),
    # Of a sign plane, whose sum is negated by inverting the bits that are left of it.
    "flip": _logic("inverted sign plane", lambda a, n: a ^ n, "{} ^ {}"),
    # Of approximate trees; e is high in a read-back.
    "or": _logic("OR pair", lambda a, b: a | b, "{} | {}", 1),
    "and": _logic(
        "AND pair", lambda a, b, e: a & b | e & (a | b), "{0} & {1} | {2} & ({0} | {1})", 1
    ),
    "hold": _logic("single row, computing", lambda a, e: a & (1 ^ e), "{} & ~{}"),
    "lift": _logic("single row, read back", lambda a, b, e: a | b & e, "{} | {} & {}"),
    "mux": _logic("place read back", lambda a, b, e: a & (1 ^ e) | b & e, "{2} ? {1} : {0}"),
}
