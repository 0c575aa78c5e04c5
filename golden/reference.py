"""Reference results in three loops over Python ints: what checks the vectorised model.

Nothing here is shared with macro.py or numerics.py, and nothing is clever: a pattern's value is
the sum of its bits' place values, and a result is a sum of products in program order.
"""

from collections.abc import Sequence

__all__ = [
    "pattern_value",
    "reference_approximate_mvm",
    "reference_approximate_sum",
    "reference_digit_mvm",
    "reference_matches",
    "reference_mvm",
    "reference_read",
    "reference_sliced_digit_mvm",
    "reference_turned",
    "weight_value",
]

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


def reference_approximate_sum(products: Sequence[int], pairings: int) -> int:
    """What an approximate tree makes of one plane's one-bit products of one weight bit, row by row.

    Rows 4i and 4i+1 become an OR, 4i+2 and 4i+3 an AND, one bit of twice the weight; one without
    partner counts as it is. ``pairings`` 2 repeats it on the results.
    """
    if pairings == 0:
        return sum(products)
    total, results = 0, []
    for row, product in enumerate(products):
        if row % 2 == 0 and row + 1 == len(products):
            total += product
        elif row % 4 == 0:
            results.append(max(product, products[row + 1]))
        elif row % 4 == 2:
            results.append(min(product, products[row + 1]))
    return total + 2 * reference_approximate_sum(results, pairings - 1)


def reference_approximate_mvm(
    vectors: Sequence[Sequence[int]],
    bank: Sequence[Row],
    *,
    weight_bits: int,
    input_bits: int,
    x_bits: int,
    x_signed: bool,
    bank_signed: bool,
    pairings: int,
) -> list[list[int]]:
    """reference_mvm with approximate trees.

    They add products of stored codes, which are 2^(weight_bits-1) above a signed bank's weights;
    what that adds too much is taken off exactly.
    """
    precision = x_bits if 0 < x_bits <= input_bits else input_bits
    half_range: int = 2 ** (weight_bits - 1)
    results = []
    for vector in vectors:
        columns = []
        for column in range(len(bank[0][0])):
            codes = [
                weight_value(weights[column], weight_bits, written_signed, False)
                for weights, written_signed in bank
            ]
            total = 0
            for plane in range(precision):
                place = pattern_value(2**plane, precision, x_signed)
                for bit in range(weight_bits):
                    products = [
                        (x // 2**plane % 2) * (code // 2**bit % 2)
                        for x, code in zip(vector, codes, strict=True)
                    ]
                    total += place * 2**bit * reference_approximate_sum(products, pairings)
            if bank_signed:
                total -= half_range * sum(pattern_value(x, precision, x_signed) for x in vector)
            columns.append(total)
        results.append(columns)
    return results


def reference_digit_mvm(
    vectors: Sequence[Sequence[int]],
    bank: Sequence[Row],
    *,
    weight_bits: int,
    input_bits: int,
    x_bits: int,
    x_signed: bool,
    bank_signed: bool,
    pairings: int,
    y_bits: int,
) -> list[list[int]]:
    """reference_mvm by radix-4 digits of the inputs, with approximate trees (exact ones where
    ``pairings`` is 0), as y_bits of two's complement.

    A digit is the plane below it, plus its lower plane, less twice its upper one; it makes an
    operand of weight_bits + 1 bits, its multiple of the stored code, all bits inverted where it is
    negative, which is too much by all ones then.
    """
    precision = x_bits if 0 < x_bits <= input_bits else input_bits
    half_range: int = 2 ** (weight_bits - 1)
    ones: int = 2 ** (weight_bits + 1) - 1
    results = []
    for vector in vectors:
        values = [pattern_value(pattern, precision, x_signed) for pattern in vector]
        columns = []
        for column in range(len(bank[0][0])):
            codes = [
                weight_value(weights[column], weight_bits, written_signed, False)
                for weights, written_signed in bank
            ]
            total = 0
            for place in range(input_bits // 2 + 1):
                operands = []
                for value, code in zip(values, codes, strict=True):
                    below = value * 2 // 4**place % 2 if place else 0
                    lower, upper = value // 4**place % 2, value // (2 * 4**place) % 2
                    digit = below + lower - 2 * upper
                    operands.append(digit * code if digit >= 0 else ones + digit * code)
                    total -= 4**place * ones if digit < 0 else 0
                for bit in range(weight_bits + 1):
                    bits = [operand // 2**bit % 2 for operand in operands]
                    total += 4**place * 2**bit * reference_approximate_sum(bits, pairings)
            if bank_signed:
                total -= half_range * sum(values)
            columns.append((total + 2 ** (y_bits - 1)) % 2**y_bits - 2 ** (y_bits - 1))
        results.append(columns)
    return results


def reference_sliced_digit_mvm(
    vectors: Sequence[Sequence[int]],
    bank: Sequence[Row],
    *,
    steps: Sequence[tuple[int, int]],
    input_bits: int,
    x_bits: int,
    x_signed: bool,
    bank_signed: bool,
    pairings: int,
) -> list[list[int]]:
    """reference_digit_mvm where slices make a weight: each slice is a column of its own, without
    sign but the top one of a weight, and results are fused step by step.

    ``steps`` hold the bits of weight and result from one slice up to the whole weight; a step's
    results are made of the one's before it, in so many bits of two's complement.
    """
    bits, y_bits = steps[0]
    fused = steps[-1][0] // bits
    slices = [reference_turned(row, steps[-1][0], bits) for row in bank]
    plain, signed = (
        reference_digit_mvm(
            vectors,
            slices,
            weight_bits=bits,
            input_bits=input_bits,
            x_bits=x_bits,
            x_signed=x_signed,
            bank_signed=sign,
            pairings=pairings,
            y_bits=y_bits,
        )
        for sign in (False, bank_signed)
    )
    results = []
    for unsigned_parts, signed_parts in zip(plain, signed, strict=True):
        parts = [
            signed_parts[place] if place % fused == fused - 1 else unsigned_parts[place]
            for place in range(len(unsigned_parts))
        ]
        for step in range(1, len(steps)):
            narrow, each = steps[step - 1][0], steps[step][0] // steps[step - 1][0]
            sums = [
                sum(parts[first + i] * 2 ** (i * narrow) for i in range(each))
                for first in range(0, len(parts), each)
            ]
            half: int = 2 ** (steps[step][1] - 1)
            parts = [(total + half) % (2 * half) - half for total in sums]
        results.append(parts)
    return results


def reference_matches(
    vectors: Sequence[Sequence[int]],
    bank: Sequence[Sequence[int]],
    x_rows: int,
    pairings: int = 0,
) -> list[list[int]]:
    """Of each vector and column how many of the first ``x_rows`` rows (all where it is 0 or above
    their number) hold the input's bit, less those that do not; with ``pairings`` as many matches as
    an approximate tree finds, twice, less all that count."""
    counted = x_rows if 0 < x_rows <= len(bank) else len(bank)
    results = []
    for vector in vectors:
        columns = []
        for column in range(len(bank[0])):
            same = [
                int(row < counted and vector[row] == weights[column])
                for row, weights in enumerate(bank)
            ]
            columns.append(2 * reference_approximate_sum(same, pairings) - counted)
        results.append(columns)
    return results


def reference_turned(row: Row, written_bits: int, weight_bits: int) -> Row:
    """A row written with weights of ``written_bits`` as the bank's present mode, of weights of
    ``weight_bits``, finds it: the row that an unsigned write of this mode had left.

    A signed write inverts the top bit of each weight. The bits then lie side by side, the lowest of
    the first weight first, and make new weights of as many bits as the mode has.
    """
    patterns, written_signed = row
    line = []
    for pattern in patterns:
        for bit in range(written_bits):
            value = pattern // 2**bit % 2
            if written_signed and bit == written_bits - 1:
                value = 1 - value
            line.append(value)
    turned = []
    for first in range(0, len(line), weight_bits):
        pattern = 0
        for bit in range(weight_bits):
            pattern += line[first + bit] * 2**bit
        turned.append(pattern)
    return turned, False
