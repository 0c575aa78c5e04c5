"""Rows of bits: integers of any size as arrays of 0 and 1, and back."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from cimforge.compiler.precision import Ints, integer_matrix

__all__ = ["bit_matrix", "from_bit_rows", "to_bit_rows"]


def bit_matrix(name: str, values: Any, axes: tuple[str, str]) -> Ints:
    """``values`` as int64 with two dimensions, all 0 or 1.

    Raises ValueError, naming the first culprit, for others.
    """
    array = integer_matrix(name, values, axes)
    wrong = (array != 0) & (array != 1)
    if wrong.any():
        where = np.argwhere(wrong)[0].tolist()
        value = int(array[tuple(where)])
        nearest = 0 if value < 0 else 1
        raise ValueError(f"{name}{where} = {value} must be 0 or 1 (nearest legal value: {nearest})")
    return array.astype(np.int64)


def to_bit_rows(name: str, numbers: Sequence[int], width: int) -> Ints:
    """Bits (count, width) of each number, the lowest first.

    Raises ValueError for a number that is negative or needs more bits, and a width below 1.
    """
    if width < 1:
        raise ValueError(f"width must be at least 1, not {width} (nearest legal value: 1)")
    for place, number in enumerate(numbers):
        if not 0 <= number < 1 << width:
            nearest = "0" if number < 0 else f"2^{width} - 1"
            rule = f"{name}[{place}] = {number} must be in 0..2^{width} - 1"
            raise ValueError(f"{rule} (nearest legal value: {nearest})")
    rows = [[number >> place & 1 for place in range(width)] for number in numbers]
    return np.array(rows, np.int64).reshape(len(rows), width)


def from_bit_rows(rows: Ints) -> list[int]:
    """The number of each row of bits (count, width), the lowest first."""
    return [sum(int(bit) << place for place, bit in enumerate(row)) for row in rows]
