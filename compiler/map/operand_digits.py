"""Operands wider than a macro holds, as digits that it does hold: 16-bit inputs on 8-bit lines.

``value = sum over digits of digit * 2^shift``: all digits but the highest are unsigned and
``limit`` bits wide, the highest has the rest of the bits and the value's sign. Products of digits
are summed outside of the macro, so nothing is lost; each pair of digits is a product of its own.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cimforge.compiler.precision import Precision

__all__ = ["Digit", "digit_values", "digits_of"]

Ints = NDArray[np.int64]


class Digit(NamedTuple):
    """Bits ``shift`` .. ``shift + held.bits - 1`` of a value."""

    shift: int
    held: Precision


def digits_of(held: Precision, limit: int) -> tuple[Digit, ...]:
    """The digits of values of ``held``, lowest first, none wider than ``limit`` bits."""
    cuts = range(0, held.bits, limit)
    widths = [min(limit, held.bits - cut) for cut in cuts]
    signs = [False] * (len(widths) - 1) + [held.signed]
    return tuple(
        Digit(cut, Precision(width, signed))
        for cut, width, signed in zip(cuts, widths, signs, strict=True)
    )


def digit_values(values: Ints, digit: Digit, held: Precision) -> Ints:
    """The digit of each value of ``held``."""
    moved = values >> digit.shift
    if digit.shift + digit.held.bits >= held.bits:
        return moved
    return moved & ((1 << digit.held.bits) - 1)
