"""What a configuration must know of each multiply style: pure data, no hardware."""

from collections.abc import Callable
from math import ceil
from typing import NamedTuple

from cimforge.hdl.params.registry import Registry

__all__ = ["MULTIPLY", "MultiplyTraits"]


def _largest_weight(weight_bits: int) -> int:
    return (1 << weight_bits) - 1


class MultiplyTraits(NamedTuple):
    """One way to make a tree's operands of bit planes and weights.

    A cycle takes ``bits_per_cycle / planes_per_operand`` trees, in which a row's operand is
    unsigned and at most ``most(weight_bits)``. ``sign_planes`` are further planes that an unsigned
    input needs.
    """

    about: str
    planes_per_operand: int = 1
    sign_planes: int = 0
    most: Callable[[int], int] = _largest_weight

    def cycles(self, x_bits: int, bits_per_cycle: int, x_signed: bool) -> int:
        """Cycles of a pass: ceil((x_bits + sign planes of an unsigned input) / bits_per_cycle)."""
        return ceil((x_bits + (0 if x_signed else self.sign_planes)) / bits_per_cycle)


MULTIPLY: Registry[MultiplyTraits] = Registry("multiply")

MULTIPLY.register("plain", MultiplyTraits("one product of a plane's bit and the weight a row"))
