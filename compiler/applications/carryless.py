"""Products of polynomials over GF(2), "carry-less" products of bit patterns, as one matrix product.

Of a and b of w bits, c of 2w - 1 bits: ``c[n] = xor over i of a[i] and b[n - i]``. The factor b,
shifted by one row after row, is the matrix; further factors stand beside it.
"""

from collections.abc import Sequence

import numpy as np

from cimforge.compiler.applications.bit_rows import from_bit_rows, to_bit_rows
from cimforge.compiler.applications.gf2 import gf2_product
from cimforge.compiler.matmul import Matmul
from cimforge.compiler.precision import Ints

__all__ = ["carryless_products", "shifted_factors"]


def shifted_factors(factors: Sequence[int], width: int) -> Ints:
    """(width, factors * (2 * width - 1)): row i of each factor's part holds its bits from bit i
    on."""
    bits = to_bit_rows("b", factors, width)
    parts = np.zeros((width, len(factors), 2 * width - 1), np.int64)
    for shift in range(width):
        parts[shift, :, shift : shift + width] = bits
    return parts.reshape(width, -1)


def carryless_products(
    a: Sequence[int], b: Sequence[int], width: int, matmul: Matmul
) -> list[list[int]]:
    """``[[x * y for y in b] for x in a]`` without carries, of numbers of ``width`` bits, by a
    ``matmul`` of integers.

    Raises ValueError for a number outside 0..2^width - 1 and for a width below 1.
    """
    if not b:
        return [[] for _ in a]
    sums = gf2_product(to_bit_rows("a", a, width), shifted_factors(b, width), matmul)
    return [from_bit_rows(row) for row in sums.reshape(len(a), len(b), 2 * width - 1)]
