"""What a configuration must know of each multiply style: pure data, no hardware."""

from collections.abc import Callable
from typing import NamedTuple

from cimforge.hdl.params.registry import Registry

__all__ = ["MULTIPLY", "MultiplyTraits"]


def _largest_weight(weight_bits: int) -> int:
    return (1 << weight_bits) - 1


class MultiplyTraits(NamedTuple):
    """One way to make a tree's operands of bit planes and weights.

    Each plane has a tree, in which a row's operand is unsigned and at most ``most(weight_bits)``.
    ``grouped``: rows in groups of several may make their operand together, of stored sums.
    """

    about: str
    most: Callable[[int], int] = _largest_weight
    grouped: bool = False


MULTIPLY: Registry[MultiplyTraits] = Registry("multiply")

MULTIPLY.register(
    "plain", MultiplyTraits("one product of a plane's bit and the weight a row", grouped=True)
)
