"""Vectors, rows and results as the bus windows hold them."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

__all__ = ["from_fields", "to_fields"]


def to_fields(values: Iterable[int], bits: int) -> int:
    """One number with value i, two's complement or unsigned, in ``bits`` bits from bit i * bits."""
    mask = (1 << bits) - 1
    text = "".join(f"{int(value) & mask:0{bits}b}" for value in reversed(list(values)))
    return int(text, 2)


def from_fields(number: int, bits: int, count: int, signed: bool) -> NDArray[np.int64]:
    """The ``count`` fields of a number, as int64 (count,)."""
    mask, sign = (1 << bits) - 1, (1 << (bits - 1)) if signed else 0
    fields = (number >> (place * bits) & mask for place in range(count))
    return np.array([(field ^ sign) - sign for field in fields], np.int64)
