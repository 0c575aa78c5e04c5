"""What a leaf cell adds: its law, found from its truth table, against what its name promises."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import gcd, lcm

from cimforge.flow.formal.truth_table import TruthTable

__all__ = ["LAWS", "Law", "LawError", "find_law"]


@dataclass(frozen=True)
class Law:
    """A weighted sum that a cell keeps: ``sum inputs[p] * p = sum outputs[p] * p + constant``, over
    the values 0 and 1 of its pins, for every pattern at its inputs.

    Weights may be negative: an inverter's law is ``a = -y + 1``. With ``overflow``, a whole number
    of at least 0 times this weight is lost besides: what is above the top bit of a word adder. A
    ``parity`` is the lowest bit of the sum, inverted where ``constant`` is 1. A ``pair`` (``and``,
    ``or``) keeps no sum: it makes an operand of two bits where a claim says so.
    """

    inputs: Mapping[str, int]
    outputs: Mapping[str, int]
    constant: int = 0
    overflow: int = 0
    parity: bool = field(default=False, kw_only=True)
    pair: str = field(default="", kw_only=True)

    def __str__(self) -> str:
        """The equation: ``a + b + ci = s + 2 co``."""
        right = _sum_text(self.outputs)
        return f"{_sum_text(self.inputs)} = {right}{f' + {self.constant}' * bool(self.constant)}"


class LawError(ValueError):
    """A cell that does not compute what its law says, or keeps no weighted sum."""


ADDS_3 = {"a": 1, "b": 1, "ci": 1}
ADDS_2 = {"a": 1, "b": 1}
SUM = {"s": 1, "co": 2}
ADDS_5 = {"a": 1, "b": 1, "c": 1, "d": 1, "ci": 1}

# What each leaf cell by this name must do. A cell that is not listed is taken at its truth table:
# an entry here is a second opinion, written without looking at the cell.
LAWS = {
    "cim_fa": Law(ADDS_3, SUM),
    "cim_ha": Law(ADDS_2, SUM),
    "cim_c42": Law(ADDS_5, {**SUM, "cout": 2}),
}
PAIRS: dict[tuple[int, ...], str] = {(0, 0, 0, 1): "and", (0, 1, 1, 1): "or"}


def find_law(name: str, table: TruthTable) -> Law:
    """The law of the cell ``name``: the only weighted sum its truth table keeps, a parity's, or a
    pair's.

    Raises LawError where it breaks its entry of LAWS, or has no law.
    """
    if name in LAWS:
        return _checked(name, LAWS[name], table)
    law = _kept_sum(table)
    if law is not None:
        return law
    odd = table.parity()
    if odd is not None:
        return Law(dict.fromkeys(table.inputs, 1), {table.outputs[0]: 1}, odd, 2, parity=True)
    kind = PAIRS.get(tuple(row[-1] for row in table.rows)) if len(table.outputs) == 1 else None
    if kind:
        return Law(dict.fromkeys(table.inputs, 1), {table.outputs[0]: 1}, pair=kind)
    raise LawError(f"{name} keeps no weighted sum of its inputs")


def _checked(name: str, law: Law, table: TruthTable) -> Law:
    """``law``, or LawError with the first pattern that breaks it."""
    pins = (*table.inputs, *table.outputs)
    if set(pins) != {*law.inputs, *law.outputs}:
        raise LawError(f"{name} must have the pins of {law}, not {', '.join(pins)}")
    for values in table.rows:
        value = dict(zip(pins, values, strict=True))
        left = sum(weight * value[pin] for pin, weight in law.inputs.items())
        right = sum(weight * value[pin] for pin, weight in law.outputs.items()) + law.constant
        if left != right:
            shown = " ".join(f"{pin}={value[pin]}" for pin in pins)
            raise LawError(f"{name} breaks {law} at {shown}")
    return law


def _kept_sum(table: TruthTable) -> Law | None:
    """The one weighted sum that all rows of the table keep, in whole numbers, the first input's
    weight positive and no pin left out; None where there is none, or more than one."""
    rows = [[*map(Fraction, row), Fraction(1)] for row in table.rows]
    vector = _null_vector(rows)
    if vector is None or not all(vector[:-1]) or not table.inputs:
        return None
    scale = lcm(*(value.denominator for value in vector)) * (1 if vector[0] > 0 else -1)
    whole = [int(value * scale) for value in vector]
    whole = [value // gcd(*whole) for value in whole]
    count = len(table.inputs)
    inputs = dict(zip(table.inputs, whole[:count], strict=True))
    outputs = {p: -w for p, w in zip(table.outputs, whole[count:-1], strict=True)}
    return Law(inputs, outputs, -whole[-1])


def _null_vector(rows: Sequence[list[Fraction]]) -> list[Fraction] | None:
    """The vector that all rows multiply to 0, where it is unique up to a factor (Gauss-Jordan)."""
    matrix = [list(row) for row in rows]
    pivots: list[int] = []
    width = len(matrix[0])
    for column in range(width):
        done = len(pivots)
        found = next((r for r in range(done, len(matrix)) if matrix[r][column]), None)
        if found is None:
            continue
        matrix[done], matrix[found] = matrix[found], matrix[done]
        matrix[done] = [value / matrix[done][column] for value in matrix[done]]
        for other, row in enumerate(matrix):
            if other != done and row[column]:
                matrix[other] = [
                    a - row[column] * b for a, b in zip(row, matrix[done], strict=True)
                ]
        pivots.append(column)
    free = [column for column in range(width) if column not in pivots]
    if len(free) != 1:
        return None
    vector = [Fraction(0)] * width
    vector[free[0]] = Fraction(1)
    for row, column in zip(matrix, pivots, strict=False):
        vector[column] = -row[free[0]]
    return vector


def _sum_text(weights: Mapping[str, int]) -> str:
    return " + ".join(f"{w} {pin}" if w != 1 else pin for pin, w in weights.items())
