"""Port patterns: how vectors, rows and results lie on the macro's wide ports (row r or column c
lowest first)."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["as_patterns", "pack", "pack_all", "unpack", "unpack_signed"]

Ints = NDArray[np.int64]


def as_patterns(values: ArrayLike, bits: int) -> Ints:
    """Two's complement or unsigned values as unsigned patterns of ``bits``."""
    return np.asarray(values, np.int64) & ((1 << bits) - 1)


def pack(elements: Iterable[int], bits: int) -> int:
    """One port value from unsigned patterns: element i at bit i * bits."""
    return pack_all(np.array(list(elements), np.int64)[np.newaxis], bits)[0]


def pack_all(patterns: Ints, bits: int) -> list[int]:
    """The port value of each row of ``patterns`` (n, count)."""
    planes = (patterns[..., np.newaxis] >> np.arange(bits)) & 1
    octets = np.packbits(
        planes.reshape(len(patterns), -1).astype(np.uint8), axis=1, bitorder="little"
    )
    return [int.from_bytes(row.tobytes(), "little") for row in octets]


def unpack(value: int, bits: int, count: int) -> Ints:
    """The ``count`` unsigned patterns of a port value, as int64 (count,)."""
    size = (bits * count + 7) // 8
    octets = np.frombuffer(value.to_bytes(size, "little"), np.uint8)
    planes = np.unpackbits(octets, bitorder="little")[: bits * count]
    return planes.reshape(count, bits).astype(np.int64) @ (1 << np.arange(bits))


def unpack_signed(value: int, bits: int, count: int) -> Ints:
    """The ``count`` two's complement values of a port value, as int64 (count,)."""
    patterns = unpack(value, bits, count)
    return np.where(patterns >> (bits - 1) & 1, patterns - (1 << bits), patterns)
