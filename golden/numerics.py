"""Numeric rules R1..R9 of the macro: patterns, values, precisions and weight codes (README.md).

A *pattern* is what a port carries: an unsigned integer of n bits. A *value* is what it stands for.
Both are held in int64 arrays of any shape; every function is elementwise and keeps the shape.
"""

import operator
from typing import Any, SupportsIndex, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "Ints",
    "binary_patterns",
    "binary_values",
    "check_array",
    "check_exact",
    "check_flag",
    "check_number",
    "check_shape",
    "code_values",
    "effective_bits",
    "flip_sign_bit",
    "input_values",
    "to_patterns",
    "to_values",
    "value_range",
]

Ints: TypeAlias = NDArray[np.int64]

MAX_BITS = 63  # the widest unsigned pattern an int64 holds
FLOAT64_EXACT = 2**53  # every integer of at most this magnitude is a float64


def value_range(bits: int, signed: bool) -> tuple[int, int]:
    """R1: least and greatest value of ``bits`` bits, 0..2^n-1 or -2^(n-1)..2^(n-1)-1.

    One signed bit holds {0, -1}: its only bit is the sign bit. Raises ValueError unless ``bits``
    is in 1..63.
    """
    check_number("bits", bits, 1, MAX_BITS)
    half = 1 << (bits - 1)
    return (-half, half - 1) if signed else (0, 2 * half - 1)


def to_values(patterns: ArrayLike, bits: int, signed: bool) -> Ints:
    """R2: values of ``bits``-wide patterns, in two's complement if ``signed``.

    ``value = pattern - 2^n * (top bit of pattern)`` if signed, else the pattern itself. Raises
    ValueError for a pattern outside 0..2^n-1.
    """
    return _decode(check_array("patterns", patterns, *value_range(bits, False)), bits, signed)


def to_patterns(values: ArrayLike, bits: int, signed: bool) -> Ints:
    """R3: ``bits``-wide patterns of values, ``pattern = value mod 2^n``; the inverse of to_values.

    Raises ValueError for a value outside the range of R1: nothing is wrapped or saturated.
    """
    return check_array("values", values, *value_range(bits, signed)) & ((1 << bits) - 1)


def effective_bits(x_bits: SupportsIndex, input_bits: int) -> int:
    """R4: precision of a pass, ``x_bits`` if in 1..input_bits, else (0 or above) ``input_bits``.

    Raises ValueError for a negative ``x_bits``.
    """
    wanted = check_number("x_bits", x_bits)
    return wanted if 1 <= wanted <= input_bits else input_bits


def input_values(
    patterns: ArrayLike, input_bits: int, x_bits: SupportsIndex = 0, signed: bool = False
) -> Ints:
    """R5: values of input elements at the precision of R4; pattern bits >= x_bits are ignored.

    ``patterns`` are ``input_bits`` wide and unsigned. A signed element's sign is bit x_bits-1.
    Raises ValueError for a pattern outside 0..2^input_bits-1 or a negative ``x_bits``.
    """
    used = effective_bits(x_bits, input_bits)
    words = check_array("x_patterns", patterns, *value_range(input_bits, False))
    return _decode(words & ((1 << used) - 1), used, signed)


def flip_sign_bit(words: ArrayLike, weight_bits: int, signed: bool) -> Ints:
    """R6, R8: ``word xor (signed << weight_bits-1)``: weight pattern to code, and code to pattern.

    Codes are offset binary for signed weights and plain binary for unsigned ones. Raises
    ValueError for a word outside 0..2^weight_bits-1.
    """
    numbers = check_array("w_patterns", words, *value_range(weight_bits, False))
    return numbers ^ (int(signed) << (weight_bits - 1))


def code_values(codes: ArrayLike, weight_bits: int, signed: bool) -> Ints:
    """R7: weight values under the bank's current sign, ``code - (signed << weight_bits-1)``.

    Raises ValueError for a code outside 0..2^weight_bits-1.
    """
    numbers = check_array("codes", codes, *value_range(weight_bits, False))
    return numbers - (int(signed) << (weight_bits - 1))


def binary_values(patterns: ArrayLike) -> Ints:
    """R22: values of bits that stand for -1 (0) and 1 (1); ValueError for another pattern."""
    return 2 * check_array("patterns", patterns, 0, 1) - 1


def binary_patterns(values: ArrayLike) -> Ints:
    """R22: the bits of values -1 and 1; the inverse of binary_values. Raises ValueError for others,
    0 among them."""
    numbers = check_array("values", values, -1, 1)
    for place in np.argwhere(numbers == 0)[:1]:
        where = place.tolist()
        raise ValueError(f"values{where} must be -1 or 1, not 0 (nearest legal value: 1)")
    return (numbers + 1) // 2


def check_exact(rows: int, input_bits: int, weight_bits: int) -> None:
    """R9: ValueError unless float64 sums of ``rows`` products of these widths are exact.

    No |x| exceeds 2^input_bits and no |w| 2^weight_bits, so no sum of any subset of the products
    exceeds rows * 2^(input_bits + weight_bits), which must be at most 2^53.
    """
    width = input_bits + weight_bits
    if rows << width > FLOAT64_EXACT:
        raise ValueError(
            f"rows must be at most 2^53 / 2^(input_bits + weight_bits) for exact float64 sums, "
            f"not {rows} (nearest legal value: {FLOAT64_EXACT >> width})"
        )


def check_array(name: str, array: ArrayLike, low: int, high: int) -> Ints:
    """``array`` as int64; ValueError unless it holds integers in low..high only."""
    numbers = np.asarray(array)
    if numbers.dtype.kind not in "iu":
        raise ValueError(
            f"{name} must be integers, not {numbers.dtype} (nearest legal value: int64)"
        )
    if numbers.size and not low <= int(numbers.min()) <= int(numbers.max()) <= high:
        where = np.argwhere((numbers < low) | (numbers > high))[0].tolist()
        wrong = int(numbers[tuple(where)])
        nearest = low if wrong < low else high
        element = f"{name}{where}" if where else name
        raise ValueError(
            f"{element} must be in {low}..{high}, not {wrong} (nearest legal value: {nearest})"
        )
    return numbers.astype(np.int64, copy=False)


def check_shape(name: str, array: ArrayLike, shape: tuple[int, ...], stack: bool = False) -> None:
    """ValueError unless ``array`` has this shape; a ``stack`` may have any leading dimensions."""
    found = np.shape(array)
    leading = found[: max(0, len(found) - len(shape))] if stack else ()
    if found != leading + shape:
        rule = f"(..., {', '.join(map(str, shape))})" if stack else shape
        raise ValueError(
            f"{name} must have shape {rule}, not {found} (nearest legal value: {leading + shape})"
        )


def check_number(name: str, value: Any, low: int = 0, high: int | None = None) -> int:
    """``value`` as int; ValueError unless it is an integer in low..high (no upper end if None)."""
    span = f"an integer in {low}..{high}" if high is not None else f"an integer >= {low}"
    try:
        number = operator.index(value)
    except TypeError:
        raise ValueError(
            f"{name} must be {span}, not {value!r} (nearest legal value: {low})"
        ) from None
    nearest = max(low, number if high is None else min(number, high))
    if number != nearest:
        raise ValueError(f"{name} must be {span}, not {number} (nearest legal value: {nearest})")
    return number


def check_flag(name: str, value: Any) -> bool:
    """``value`` as bool; ValueError unless it is False, True, 0 or 1."""
    # A NumPy bool is a flag but not an index.
    return bool(value) if isinstance(value, np.bool_) else bool(check_number(name, value, 0, 1))


def _decode(patterns: Ints, bits: int, signed: bool) -> Ints:
    """R2 on patterns already known to be ``bits`` wide."""
    sign = int(signed) << (bits - 1)
    return (patterns ^ sign) - sign
