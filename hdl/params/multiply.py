"""What a configuration must know of each multiply style: pure data, no hardware."""

from collections.abc import Callable
from typing import NamedTuple

from cimforge.hdl.params.registry import Registry

__all__ = ["MULTIPLY", "MultiplyTraits"]


def _largest_weight(weight_bits: int) -> int:
    return (1 << weight_bits) - 1


def _largest_digit_product(weight_bits: int) -> int:
    return (2 << weight_bits) - 1


class MultiplyTraits(NamedTuple):
    """One way to make a tree's operands of bit planes and weights.

    Each plane has a tree, in which a row's operand is unsigned and at most ``most(weight_bits)``.
    ``grouped``: rows in groups of several may make their operand together, of stored sums.
    ``lines`` are the select lines a row has for each tree. ``binary``: inputs and weights are bits
    that stand for -1 and 1, so there are neither signs nor precisions, and a pass is one plane.

    ``digit_bits`` planes share a tree: with 2 each row's planes make a digit of -2..2 (radix 4),
    that carries its sign. An unsigned vector then needs one plane more, of zeros. The last
    ``inverting`` of a row's lines invert its operand, whatever the weights, which the correction
    takes back.
    """

    about: str
    most: Callable[[int], int] = _largest_weight
    grouped: bool = False
    lines: int = 1
    binary: bool = False
    digit_bits: int = 1
    inverting: int = 0


MULTIPLY: Registry[MultiplyTraits] = Registry("multiply")

MULTIPLY.register(
    "plain", MultiplyTraits("one product of a plane's bit and the weight a row", grouped=True)
)
MULTIPLY.register(
    "xnor",
    MultiplyTraits("1b x 1b, each -1 or 1: counts rows that match", lines=2, binary=True),
)
MULTIPLY.register(
    "booth",
    MultiplyTraits(
        "two planes make a digit of -2..2 (radix 4), which selects a row's operand",
        most=_largest_digit_product,
        lines=3,
        digit_bits=2,
        inverting=1,
    ),
)
