"""Products over GF(2): the low bit of an integer dot product.

Over GF(2) a sum is an exclusive or and a product an and. A macro's tree adds the ands of bits as
integers, and the lowest bit of that sum is their exclusive or:

    y[c] = (sum over r of x[r] * w[r][c]) mod 2

Sums of blocks of rows add up first; their lowest bits alone would do.
"""

from typing import Any

from cimforge.compiler.applications.bit_rows import bit_matrix
from cimforge.compiler.matmul import Matmul
from cimforge.compiler.precision import Ints

__all__ = ["gf2_product"]


def gf2_product(x: Any, w: Any, matmul: Matmul) -> Ints:
    """``x @ w`` over GF(2): bits (batch, N) of bits ``x`` (batch, K) and ``w`` (K, N), by a
    ``matmul`` of integers, whose inputs and weights take one bit each.

    Raises ValueError for values other than 0 and 1.
    """
    bits = bit_matrix("x", x, ("batch", "K")), bit_matrix("w", w, ("K", "N"))
    return matmul(*bits) & 1
