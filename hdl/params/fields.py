"""How elements lie in the one wide number that a port holds: element i at bit i * bits."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["from_fields", "to_field_rows", "to_fields"]

Ints = NDArray[np.int64]


def to_fields(values: ArrayLike, bits: int) -> int:
    """One number with value i, two's complement or unsigned, in ``bits`` bits from bit i * bits.

    Bits of a value above ``bits`` are dropped: who takes values from a user checks them first.
    """
    return to_field_rows(np.asarray(values, np.int64)[np.newaxis], bits)[0]


def to_field_rows(values: ArrayLike, bits: int) -> list[int]:
    """The number of each row of ``values`` (n, count), as to_fields makes it."""
    rows = np.asarray(values, np.int64)
    places = (rows[..., np.newaxis] >> np.arange(bits)) & 1
    octets = np.packbits(places.reshape(len(rows), -1).astype(np.uint8), axis=1, bitorder="little")
    return [int.from_bytes(row.tobytes(), "little") for row in octets]


def from_fields(number: int, bits: int, count: int, signed: bool) -> Ints:
    """The ``count`` fields of a number, lowest first, as int64 (count,)."""
    mask, sign = (1 << bits) - 1, (1 << (bits - 1)) if signed else 0
    fields = (number >> (place * bits) & mask for place in range(count))
    return np.array([(field ^ sign) - sign for field in fields], np.int64)
