"""Approximate trees: rows in pairs, each pair one bit of twice the weight, before an exact tree."""

from collections.abc import Sequence
from typing import NamedTuple

from cimforge.hdl.arith.compression import RIPPLE, Compression
from cimforge.hdl.arith.plan import Bit, Operand, Plan

__all__ = ["EXACT", "plan_pairs"]

EXACT = "exact"  # the control that is high in a read-back


class Paired(NamedTuple):
    """A bit that stands for 2**pairings rows, made at ``level``."""

    bit: int
    pairings: int
    level: int


def plan_pairs(pairings: int, operands: Sequence[Operand], width: int, final: str = RIPPLE) -> Plan:
    """Sum of a column's rows in which, ``pairings`` times over, operands 4i, 4i+1 become a|b and
    4i+2, 4i+3 become a&b in each place, of twice the weight; one without partner stays as it is.

    (The single and double approximate hardware of Wang et al., "DIMC: 2219TOPS/W 2569F2/b digital
    in-memory computing macro in 28nm based on approximate arithmetic hardware", ISSCC 2022.)

    While the control ``exact`` is high the plan is exact for operands of which all but one are 0:
    an AND lets either bit pass, a row without partner is lifted to the weight of the pairs, and the
    sum is taken that much lower, in as many places as an operand has. All operands have one width.
    """
    inputs, places = 1 + max(operands[-1].bits), len(operands[0].bits)
    depth = min(pairings, len(operands).bit_length() - 1)  # pairings that find two operands
    columns = Compression(width, inputs + (1 if depth else 0))
    for place in range(places):
        bits = [operand.bits[place] for operand in operands]
        for made in _pair_up(columns, bits, depth, control=inputs):
            columns.add(place + made.pairings, made.bit, made.level, made.level)
    left = columns.run(final)
    result: list[Bit] = [bit and bit.bit for bit in left]
    if depth:
        level = 1 + max(bit.level for bit in left if bit)
        for place in range(places):
            pins = (result[place], result[place + depth], inputs)
            (result[place],) = columns.place("mux", pins, 1, level)
    return Plan(inputs, tuple(columns.cells), tuple(result), (EXACT,) if depth else ())


def _pair_up(columns: Compression, bits: Sequence[int], depth: int, control: int) -> list[Paired]:
    """One place's bits of all rows as what the exact tree adds: the pairs, and what had no
    partner."""
    values, single = list(bits), []
    for level in range(1, depth + 1):
        if len(values) % 2:
            single.append((values.pop(), level))
        pairs = [values[low : low + 2] for low in range(0, len(values), 2)]
        values = [_pair(columns, pair, number, level, control) for number, pair in enumerate(pairs)]
    made = [Paired(bit, depth, depth) for bit in values]
    for bit, level in single:
        (kept,) = columns.place("hold", (bit, control), 1, level)
        made.append(Paired(kept, level - 1, level))
        target = made[0]
        (lifted,) = columns.place("lift", (target.bit, bit, control), 1, target.level + 1)
        made[0] = Paired(lifted, depth, target.level + 1)
    return made


def _pair(columns: Compression, pair: list[int], number: int, level: int, control: int) -> int:
    """The bit of a pair: an OR; of every second one an AND, which ``control`` makes an OR."""
    kind, inputs = ("and", [*pair, control]) if number % 2 else ("or", pair)
    return columns.place(kind, inputs, 1, level)[0]
