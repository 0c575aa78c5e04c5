"""What readers of TensorFlow Lite's operators share: tensors by their place, tables of options."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from cimforge.compiler.graph.operator import Operator
from cimforge.compiler.graph.tensor import Tensor

__all__ = [
    "Pair",
    "Parts",
    "Reader",
    "Tensors",
    "UnsupportedError",
    "activation",
    "axis_of",
    "constant",
    "positive",
    "present",
    "required",
    "same_padding",
    "shape_of",
]

Tensors = list[Tensor | None]
Pair = tuple[int, int]
ACTIVATIONS = {0: "none", 1: "relu", 2: "relu_n1_to_1", 3: "relu6"}
SAME = 0  # of Padding


class UnsupportedError(ValueError):
    """What an operator asks for that is not computed here."""


class Parts(NamedTuple):
    """A node of an operator of the file: its inputs and outputs by their place in the file's, and
    what becomes of its weights."""

    operator: Operator
    inputs: tuple[int, ...]
    outputs: tuple[int, ...] = (0,)
    turned: bool = False  # weights (1, KY, KX, N) of a depthwise convolution → (N, KY, KX, 1)


# A reader takes the table of options, what the operator reads and what it makes.
Reader = Callable[[Any, Tensors, list[Tensor]], Parts | list[Parts]]


def activation(table: Any) -> str:
    """The activation behind an operator."""
    code = table.FusedActivationFunction()
    if code not in ACTIVATIONS:
        raise UnsupportedError(f"fused activation {code} is not computed here")
    return ACTIVATIONS[code]


def required(tensors: Tensors, place: int) -> Tensor:
    """An input that must be there."""
    found = tensors[place] if place < len(tensors) else None
    if found is None:
        raise UnsupportedError(f"input {place} is missing")
    return found


def shape_of(tensors: Tensors, place: int, rank: int) -> tuple[int, ...]:
    """The shape of an input of so many axes."""
    tensor = required(tensors, place)
    if len(tensor.shape) != rank:
        raise UnsupportedError(f"{tensor.name!r} must have {rank} axes, not shape {tensor.shape}")
    return tensor.shape


def constant(tensors: Tensors, place: int) -> list[int]:
    """The integers of an input that the file holds."""
    tensor = required(tensors, place)
    if tensor.data is None:
        raise UnsupportedError(f"{tensor.name!r} must be a constant")
    if tensor.data.size > MOST_NUMBERS:
        rule = f"must have at most {MOST_NUMBERS} numbers, not {tensor.data.size}"
        raise UnsupportedError(f"{tensor.name!r} {rule}")
    return [int(value) for value in np.ravel(tensor.data)]


MOST_PADDING = 64  # more than a side's own length, before it and behind it
MOST_NUMBERS = 64  # of sizes, axes and amounts


def present(tensors: Tensors, *places: int) -> tuple[int, ...]:
    """Those of the places that hold a tensor."""
    return tuple(place for place in places if place < len(tensors) and tensors[place] is not None)


def positive(**values: int) -> None:
    """Numbers that must be above 0."""
    for name, value in values.items():
        if value < 1:
            raise UnsupportedError(f"{name} must be at least 1, not {value}")


def axis_of(axis: int, rank: int) -> int:
    """An axis, counted from the end where it is below 0."""
    told = axis + rank * (axis < 0)
    if not 0 <= told < rank:
        raise UnsupportedError(f"axis {axis} is none of {rank}")
    return told


def same_padding(
    code: int, size: Pair, kernel: Pair, stride: Pair, dilation: Pair = (1, 1)
) -> tuple[Pair, Pair]:
    """Explicit padding: with SAME as much as ceil(size / stride) outputs need, the odd one behind
    (TensorFlow's rule); else none."""
    if code != SAME:
        return (0, 0), (0, 0)
    pairs = []
    for length, taps, step, apart in zip(size, kernel, stride, dilation, strict=True):
        outputs = -(-length // step)
        needed = max(0, (outputs - 1) * step + (taps - 1) * apart + 1 - length)
        if needed > 2 * (length + MOST_PADDING):
            told = f"{needed} of padding around a side of {length}"
            raise UnsupportedError(f"{told} is more than is computed here; make the window smaller")
        pairs.append((needed // 2, needed - needed // 2))
    return pairs[0], pairs[1]
