"""What the trees of radix-4 digits add, bit by bit: what approximate ones make of it."""

import numpy as np

from cimforge.golden.approximation import approximate_sum
from cimforge.golden.numerics import Ints
from cimforge.hdl.params.config import MacroConfig

__all__ = ["approximate_digit_products", "fused_digit_products", "radix4_digits"]

BLOCK = 1 << 24  # most one-bit products held at a time


def radix4_digits(x: Ints, count: int) -> Ints:
    """R23: the ``count`` lowest digits of -2..2 of each value, lowest first, in a new last
    dimension: ``d_i = x[2i-1] + x[2i] - 2 x[2i+1]``, with x[-1] = 0 and x extended by its sign."""
    places = np.arange(-1, 2 * count)
    bits = np.where(places < 0, 0, x[..., None] >> np.maximum(places, 0) & 1)
    return bits[..., :-1:2] + bits[..., 1::2] - 2 * bits[..., 2::2]


def approximate_digit_products(
    x: Ints, codes: Ints, *, input_bits: int, weight_bits: int, pairings: int
) -> Ints:
    """R24: ``sum over digits i of 4^i (approximate_sum of the operands' bits - (2^(w+1) - 1)
    (number of negative digits))``: x values (vectors, rows) and stored codes (rows, cols) to
    (vectors, cols), w being weight_bits.

    A row's operand has w + 1 bits: |d| times its code, inverted where d is negative.
    """
    rows, cols = codes.shape
    size, ones = weight_bits + 1, (2 << weight_bits) - 1
    digits = radix4_digits(x, input_bits // 2 + 1)
    result = np.zeros((len(x), cols), np.int64)
    step = max(1, BLOCK // (rows * cols * size))
    for low in range(0, len(x), step):
        part = slice(low, low + step)
        for place in range(digits.shape[-1]):
            digit = digits[part, :, place].T[..., None]
            operands = np.abs(digit) * codes[:, None] ^ np.where(digit < 0, ones, 0)
            bits = ((operands[..., None] >> np.arange(size)) & 1).astype(np.bool_)
            sums = approximate_sum(bits, pairings) @ (np.int64(1) << np.arange(size))
            result[part] += (sums - ones * (digit < 0).sum(axis=0)) << 2 * place
    return result


def fused_digit_products(
    config: MacroConfig, x: Ints, codes: Ints, *, number: int, signed: bool
) -> Ints:
    """R24: results (vectors, outputs) of mode ``number`` of x values (vectors, rows) and the
    ``codes`` of single slices (rows, slices of all columns): each slice's approximate sums may not
    fit, and are fused as they come. What a ``signed`` bank's codes have too much is in the top
    slice of each weight, and taken off exactly.
    """
    mode, narrow = config.modes[number], config.modes[-1]
    sums = approximate_digit_products(
        x,
        codes,
        input_bits=config.input_bits,
        weight_bits=narrow.weight_bits,
        pairings=config.tree_traits.pairings,
    )
    excess = int(signed) << (narrow.weight_bits - 1)
    sums[:, mode.fused - 1 :: mode.fused] -= excess * x.sum(axis=1, keepdims=True)
    return _fuse(config, sums, number)


def _fuse(config: MacroConfig, sums: Ints, number: int) -> Ints:
    """R24: the results of mode ``number`` of those of single slices, which need not fit y_bits:
    (vectors, slices of all columns) to (vectors, outputs).

    A mode's result is the sum of those of the widest mode that divides it, each shifted by the
    weights below, and wraps at the mode's y_bits.
    """
    mode = config.modes[number]
    for part, narrower in enumerate(config.modes[number + 1 :], number + 1):
        if mode.fused % narrower.fused == 0:
            places = np.arange(0, mode.weight_bits, narrower.weight_bits)
            parts = _fuse(config, sums, part).reshape(len(sums), -1, len(places))
            sums = (parts << places).sum(axis=-1)
            break
    half = 1 << (mode.y_bits - 1)
    return (sums + half & 2 * half - 1) - half
