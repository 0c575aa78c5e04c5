"""Reference results in three loops over Python ints: what checks the vectorised model.

Nothing here is shared with macro.py or numerics.py, and nothing is clever: a pattern's value is
the sum of its bits' place values, and a result is a sum of products in program order.
"""

from collections.abc import Sequence

__all__ = ["pattern_value", "reference_mvm", "reference_read", "weight_value"]

Row = tuple[Sequence[int], bool]
"""One row of a bank: its weight patterns (a column each) and the sign they were written with."""


def pattern_value(pattern: int, bits: int, signed: bool) -> int:
    """Sum of the place values of a pattern's low ``bits`` bits: 2^b, and -2^b for a sign bit."""
    value = 0
    for bit in range(bits):
        place: int = 2**bit
        if signed and bit == bits - 1:
            place = -place
        value += place * (pattern // 2**bit % 2)
    return value


def weight_value(pattern: int, weight_bits: int, written_signed: bool, bank_signed: bool) -> int:
    """Value of a weight written with one sign and used under another (any two signs).

    The value as written moves by half the range: up when a signed weight is used in an unsigned
    bank, down when an unsigned one is used in a signed bank.
    """
    half_range: int = 2 ** (weight_bits - 1)
    value = pattern_value(pattern, weight_bits, written_signed)
    if written_signed and not bank_signed:
        return value + half_range
    if bank_signed and not written_signed:
        return value - half_range
    return value


def reference_read(row: Row, weight_bits: int, bank_signed: bool) -> list[int]:
    """Read-back of one row: the patterns of its values under the bank's sign."""
    patterns, written_signed = row
    values = [weight_value(p, weight_bits, written_signed, bank_signed) for p in patterns]
    return [value % 2**weight_bits for value in values]


def reference_mvm(
    vectors: Sequence[Sequence[int]],
    bank: Sequence[Row],
    *,
    weight_bits: int,
    input_bits: int,
    x_bits: int,
    x_signed: bool,
    bank_signed: bool,
) -> list[list[int]]:
    """``y[c] = sum over r of x[r] * w[r][c]`` for each vector of input patterns.

    ``vectors`` holds input_bits-wide unsigned patterns, one a row, of which the low ``x_bits``
    count (all where ``x_bits`` is 0 or above input_bits); ``bank`` holds every row as written.
    Returns signed ints, one list of columns a vector.
    """
    precision = x_bits if 0 < x_bits <= input_bits else input_bits
    results = []
    for vector in vectors:
        columns = []
        for column in range(len(bank[0][0])):
            total = 0
            for pattern, (weights, written_signed) in zip(vector, bank, strict=True):
                x = pattern_value(pattern, precision, x_signed)
                total += x * weight_value(weights[column], weight_bits, written_signed, bank_signed)
            columns.append(total)
        results.append(columns)
    return results
