"""Literal vectors worked out by hand: port words in, port words out, in hexadecimal or octal.

They pin the order of rows, columns and bits as well as the arithmetic, so they hold whole port
words: row r of x_data at bit r*input_bits, column c of w_data and q_data at bit c*weight_bits,
column c of y_data at bit c*y_bits. Each comment derives the result without any program.
"""

from typing import Any, NamedTuple

__all__ = ["VECTORS", "Vector", "Write", "unpack"]


class Write(NamedTuple):
    """One beat of the weight stream."""

    bank: int
    row: int
    w_data: int
    w_signed: bool


class Vector(NamedTuple):
    """Writes in order, then one pass and one read-back."""

    name: str
    parameters: dict[str, Any]
    y_bits: int
    writes: tuple[Write, ...]
    x_data: int
    x_bits: int
    x_signed: bool
    x_bank: int
    y_data: int
    read: tuple[int, int]  # bank, row
    q_data: int


def unpack(word: int, width: int, count: int) -> list[int]:
    """The ``count`` unsigned fields of ``width`` bits in a port word, lowest first."""
    return [word // 2 ** (width * field) % 2**width for field in range(count)]


# 4 rows x 2 columns, 4b x 4b. Column 0 holds 1, 3, 5, 7 and column 1 holds 2, 4, 6, 8 (-8 signed).
# Extremes of y: 4 * 15 * 15 = 900 < 2^10 and 4 * 15 * -8 = -480 >= -2^10: 11 bits.
SMALL = {"rows": 4, "cols": 2, "weight_bits": 4, "input_bits": 4, "banks": 2}
WORDS = (0x21, 0x43, 0x65, 0x87)
UNSIGNED = tuple(Write(0, row, word, False) for row, word in enumerate(WORDS))
SIGNED = tuple(Write(0, row, word, True) for row, word in enumerate(WORDS))

# 3 rows x 3 columns, 3b weights (an octal digit each) x 5b inputs.
# Extremes: 3 * 31 * 7 = 651 < 2^10 and 3 * 31 * -4 = -372: 11 bits.
ODD = {"rows": 3, "cols": 3, "weight_bits": 3, "input_bits": 5}

# 8 rows x 1 column, 1b x 1b: extremes 8 and -8: 5 bits. Weight bits 1, 0, 1, 1, 0, 0, 1, 0.
BINARY = {"rows": 8, "cols": 1, "weight_bits": 1, "input_bits": 1}
BITS = (1, 0, 1, 1, 0, 0, 1, 0)

VECTORS = (
    # x = 1, 2, 3, 4. y0 = 1 + 6 + 15 + 28 = 50 = 0x32. y1 = 2 + 8 + 18 + 32 = 60.
    # 60 << 11 = 122880 = 0x1E000.
    Vector("unsigned", SMALL, 11, UNSIGNED, 0x4321, 0, False, 0, 0x1E032, (0, 3), 0x87),
    # Only the last weight of column 1 changes, 8 to -8: y1 = 2 + 8 + 18 - 32 = -4 = 0x7FC.
    # 0x7FC << 11 = 0x3FE000.
    Vector("signed", SMALL, 11, SIGNED, 0x4321, 0, True, 0, 0x3FE032, (0, 3), 0x87),
    # x = 1, -6, -8, -1. y0 = 1 - 18 - 40 - 7 = -64 = 0x7C0. y1 = 2 - 24 - 48 - 8 = -78 = 0x7B2.
    # 0x7B2 << 11 = 0x3D9000.
    Vector("signed_x", SMALL, 11, UNSIGNED, 0xF8A1, 4, True, 0, 0x3D97C0, (0, 0), 0x21),
    # x = 1, 10, 8, 15. y0 = 1 + 30 + 40 + 105 = 176 = 0xB0. y1 = 2 + 40 + 48 - 120 = -30 = 0x7E2.
    # 0x7E2 << 11 = 0x3F1000.
    Vector("signed_w", SMALL, 11, SIGNED, 0xF8A1, 7, False, 0, 0x3F10B0, (0, 1), 0x43),
    # Bit 0 of x only, signed: -1, 0, 0, -1. y0 = -1 - 7 = -8 = 0x7F8. y1 = -2 - 8 = -10 = 0x7F6.
    # 0x7F6 << 11 = 0x3FB000.
    Vector("one_bit_x", SMALL, 11, UNSIGNED, 0xF8A1, 1, True, 0, 0x3FB7F8, (0, 2), 0x65),
    # Bits 0..2 of x, signed: 001, 010, 000, 111 = 1, 2, 0, -1; the top bits F, 8, A carry are
    # ignored. y0 = 1 + 6 - 7 = 0. y1 = 2 + 8 - 8 = 2; 2 << 11 = 0x1000.
    Vector("three_bit_x", SMALL, 11, UNSIGNED, 0xF8A1, 3, True, 0, 0x1000, (0, 3), 0x87),
    # Row 3 written again, signed: the bank turns signed, and rows 0..2, whose codes are still
    # 1..6, lose 8 each. Column 0: -7, -5, -3, 7. Column 1: -6, -4, -2, -8. x = 1, 2, 3, 4.
    # y0 = -7 - 10 - 9 + 28 = 2. y1 = -6 - 8 - 6 - 32 = -52 = 0x7CC; 0x7CC << 11 = 0x3E6000.
    # Row 0 reads back as -7 = 0x9 and -6 = 0xA.
    Vector(
        "mixed_to_signed", SMALL, 11, (*UNSIGNED, SIGNED[3]), 0x4321, 0, False, 0, 0x3E6002,
        (0, 0), 0xA9,
    ),
    # The other way: signed rows 0..2 (codes 9, B, D and A, C, E) gain 8 each when row 3 is written
    # unsigned. Column 0: 9, 11, 13, 7. Column 1: 10, 12, 14, 8. x = 1, 2, 3, 4.
    # y0 = 9 + 22 + 39 + 28 = 98 = 0x62. y1 = 10 + 24 + 42 + 32 = 108; 108 << 11 = 0x36000.
    Vector(
        "mixed_to_unsigned", SMALL, 11, (*SIGNED, UNSIGNED[3]), 0x4321, 0, False, 0, 0x36062,
        (0, 1), 0xCB,
    ),
    # Bank 1 of another content and sign beside bank 0: all weights -1 (0xF), x = 1, 2, 3, 4:
    # y = -10 = 0x7F6 in both columns; 0x7F6 << 11 = 0x3FB000. Bank 0 stays as written.
    Vector(
        "second_bank", SMALL, 11, (*UNSIGNED, *(Write(1, row, 0xFF, True) for row in range(4))),
        0x4321, 0, False, 1, 0x3FB7F6, (0, 3), 0x87,
    ),
    # Row 4 and bank 2 do not exist: signed writes there leave bank 0 and its sign alone.
    Vector(
        "missing_writes", SMALL, 11, (*UNSIGNED, Write(0, 4, 0xFF, True), Write(2, 0, 0xFF, True)),
        0x4321, 0, False, 0, 0x1E032, (0, 3), 0x87,
    ),
    Vector("missing_bank", SMALL, 11, UNSIGNED, 0x4321, 0, False, 2, 0, (2, 0), 0),
    Vector("missing_row", SMALL, 11, UNSIGNED, 0x4321, 0, False, 0, 0x1E032, (0, 4), 0),
    # Column 0: 3, 6, 7. Column 1: 2, 5, 0. Column 2: 1, 4, 7. x = 1, 2, 31 = 1 + 2*2^5 + 31*2^10
    # = 31809 = 0x7C41. y = 3 + 12 + 217 = 232 = 0xE8, 2 + 10 + 0 = 12, 1 + 8 + 217 = 226 = 0xE2.
    # 12 << 11 = 0x6000 and 226 << 22 = 0x38800000.
    Vector(
        "odd_unsigned", ODD, 11,
        (Write(0, 0, 0o123, False), Write(0, 1, 0o456, False), Write(0, 2, 0o707, False)),
        0x7C41, 0, False, 0, 0x388060E8, (0, 1), 0o456,
    ),
    # Signed, 3 = 3, 6 = -2, 7 = -1; 2, 5 = -3, 0; 1, 4 = -4, 7 = -1. x = 1, 2, -1.
    # y = 3 - 4 + 1 = 0, 2 - 6 + 0 = -4 = 0x7FC, 1 - 8 + 1 = -6 = 0x7FA.
    # 0x7FC << 11 = 0x3FE000 and 0x7FA << 22 = 0x1FE800000.
    Vector(
        "odd_signed", ODD, 11,
        (Write(0, 0, 0o123, True), Write(0, 1, 0o456, True), Write(0, 2, 0o707, True)),
        0x7C41, 5, True, 0, 0x1FEBFE000, (0, 2), 0o707,
    ),
    # x bits of 0xF6: 0, 1, 1, 0, 1, 1, 1, 1. Both bits are 1 in rows 2 and 6: 2 unsigned, -2 =
    # 0x1E where the weights are {0, -1}, 2 again where the inputs are too.
    Vector(
        "binary_unsigned", BINARY, 5,
        tuple(Write(0, row, bit, False) for row, bit in enumerate(BITS)),
        0xF6, 0, False, 0, 0x02, (0, 0), 1,
    ),
    Vector(
        "binary_signed_w", BINARY, 5,
        tuple(Write(0, row, bit, True) for row, bit in enumerate(BITS)),
        0xF6, 1, False, 0, 0x1E, (0, 1), 0,
    ),
    Vector(
        "binary_signed", BINARY, 5,
        tuple(Write(0, row, bit, True) for row, bit in enumerate(BITS)),
        0xF6, 1, True, 0, 0x02, (0, 2), 1,
    ),
)  # fmt: skip
