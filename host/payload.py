"""What frames carry for a macro: rows, vectors and results, each in whole bytes."""

import numpy as np
from numpy.typing import NDArray

from cimforge.hdl.bus.registers import WORD_BITS, RegisterMap
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.fields import to_field_rows

__all__ = ["WORD_BYTES", "packed", "result_bytes", "row_bytes", "unpacked", "vector_bytes"]

Ints = NDArray[np.int64]

WORD_BYTES = WORD_BITS // 8


def vector_bytes(config: MacroConfig) -> int:
    """Bytes of a vector: row r at bit r * input_bits."""
    return -(-config.rows * config.input_bits // 8)


def row_bytes(config: MacroConfig) -> int:
    """Bytes of a row of weights: as in w_data."""
    return -(-max(mode.row_width for mode in config.modes) // 8)


def result_bytes(config: MacroConfig, fuse: int) -> int:
    """Bytes of each result of mode ``fuse``: the least that hold it, but one of each word that it
    takes in the Y window."""
    words = RegisterMap(config).result_words
    return max(-(-config.modes[fuse].y_bits // 8), WORD_BYTES * (words - 1) + 1)


def packed(values: Ints, bits: int) -> list[bytes]:
    """The bytes of each row of ``values`` (n, count): value i, two's complement or unsigned, in
    ``bits`` bits from bit i * bits."""
    size = -(-values.shape[1] * bits // 8)
    rows = to_field_rows(values, bits) if len(values) else []
    return [row.to_bytes(size, "little") for row in rows]


def unpacked(data: bytes, config: MacroConfig, fuse: int, size: int) -> Ints:
    """Results (batch, outputs of mode ``fuse``), each two's complement in ``size`` bytes."""
    octets = np.frombuffer(data, np.uint8).reshape(-1, config.modes[fuse].outputs, size)
    whole = np.zeros((*octets.shape[:2], 8), np.uint8)
    whole[..., 8 - size :] = octets
    return whole.view("<i8")[..., 0].astype(np.int64) >> 8 * (8 - size)
