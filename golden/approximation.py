"""What approximate trees make of products, bit by bit, and how far it is from the exact result."""

from typing import SupportsIndex

import numpy as np
from numpy.typing import NDArray

from cimforge.golden.numerics import Ints, effective_bits

__all__ = ["approximate_products", "approximate_sum", "error_distances"]

BLOCK = 1 << 24  # most one-bit products held at a time


def approximate_sum(products: NDArray[np.bool_], pairings: int) -> Ints:
    """R17: sum over rows, the first dimension, of the bits of one plane and weight bit.

    ``pairings`` times over, rows 4i and 4i+1 become a|b and rows 4i+2 and 4i+3 become a&b, one bit
    each of twice the weight; a row without partner stays as it is.
    """
    total = np.zeros(products.shape[1:], np.int64)
    for pairing in range(pairings):
        if len(products) % 2:
            total += products[-1].astype(np.int64) << pairing
            products = products[:-1]
        first, second = products[0::2], products[1::2]
        made = first & second
        made[0::2] = first[0::2] | second[0::2]
        products = made
    return total + (products.sum(axis=0, dtype=np.int64) << pairings)


def approximate_products(
    x_patterns: Ints,
    codes: Ints,
    *,
    x_bits: SupportsIndex,
    x_signed: bool,
    input_bits: int,
    weight_bits: int,
    pairings: int,
) -> Ints:
    """R17: ``sum over planes p and weight bits b of +-2^(p+b) approximate_sum(products)``: x
    (vectors, rows) and stored codes (rows, cols) to (vectors, cols).

    The sign plane of signed inputs counts negative. A product is the plane's bit and the code's.
    """
    planes = effective_bits(x_bits, input_bits)
    rows, cols = codes.shape
    weights = ((codes[..., None] >> np.arange(weight_bits)) & 1).astype(np.bool_)
    scale = np.int64(1) << np.arange(weight_bits)
    result = np.zeros((len(x_patterns), cols), np.int64)
    step = max(1, BLOCK // (rows * cols * weight_bits))
    for low in range(0, len(x_patterns), step):
        part = slice(low, low + step)
        for plane in range(planes):
            bits = ((x_patterns[part].T >> plane) & 1).astype(np.bool_)
            sums = approximate_sum(bits[:, :, None, None] & weights[:, None], pairings) @ scale
            negative = x_signed and plane == planes - 1
            result[part] += -(sums << plane) if negative else sums << plane
    return result


def error_distances(approximate: Ints, exact: Ints, largest: int) -> dict[str, float]:
    """Error of results: ``mred``, the mean of |error| / |exact| over all that are not 0 exactly;
    ``nmed``, the mean of |error| / ``largest``, the greatest |exact| there can be; ``bias``, the
    mean of error / ``largest``.

    (Liang, Han, Lombardi, "New metrics for the reliability of approximate and probabilistic
    adders", 2013.)
    """
    error = approximate.astype(np.float64) - exact
    told = exact != 0
    relative = np.abs(error[told] / exact[told]) if told.any() else np.zeros(1)
    return {
        "mred": float(relative.mean()),
        "nmed": float(np.abs(error).mean() / largest),
        "bias": float(error.mean() / largest),
    }
