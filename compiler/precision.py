"""Precision: how many bits, signed or unsigned, and which integers fit."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.multiply import MULTIPLY

__all__ = ["Ints", "Precision", "check_integers", "choose_precision", "integer_matrix"]

Ints = NDArray[np.int64]
IntegerArray = NDArray[np.integer[Any]]


@dataclass(frozen=True)
class Precision:
    """A range of integers, by bits and sign.

    ``0 .. 2^bits - 1`` unsigned, ``-2^(bits-1) .. 2^(bits-1) - 1`` signed: one signed bit holds
    {0, -1}.

    Raises ValueError where ``bits`` is no integer >= 1 or ``signed`` no bool.
    """

    bits: int
    signed: bool

    def __post_init__(self) -> None:
        if not isinstance(self.bits, int) or self.bits < 1:
            raise ValueError(
                f"bits must be an integer >= 1, not {self.bits!r} (nearest legal value: 1)"
            )
        if not isinstance(self.signed, bool):
            raise ValueError(f"signed must be True or False, not {self.signed!r}")

    @classmethod
    def least(cls, values: IntegerArray) -> "Precision":
        """The fewest bits that hold ``values``: unsigned if none is negative, 1 bit if empty."""
        low, high = (int(values.min()), int(values.max())) if values.size else (0, 0)
        if low >= 0:
            return cls(max(1, high.bit_length()), False)
        return cls(1 + max((-low - 1).bit_length(), high.bit_length() if high > 0 else 0), True)

    @property
    def low(self) -> int:
        """Least legal integer."""
        return -(2 ** (self.bits - 1)) if self.signed else 0

    @property
    def high(self) -> int:
        """Greatest legal integer."""
        return 2 ** (self.bits - self.signed) - 1

    def __str__(self) -> str:
        return f"{self.bits}-bit {'signed' if self.signed else 'unsigned'}"


def check_integers(config: MacroConfig, who: str) -> None:
    """Raise ValueError for a macro of -1 and 1, on which ``who`` cannot run."""
    if config.binary:
        rule = f"{who} needs integers, and multiply = {config.multiply} has -1 and 1 alone"
        legal = next(name for name, style in MULTIPLY.items() if not style.binary)
        raise ValueError(f"{rule} (nearest legal value: --set multiply={legal})")


def integer_matrix(name: str, values: Any, axes: tuple[str, str]) -> IntegerArray:
    """``values`` as a two-dimensional integer array in its own dtype; bool becomes 0 and 1.

    Raises ValueError, naming the first culprit, for another number of dimensions, for floats
    (converting them is a decision about rounding, which is the caller's) and for any dtype that is
    not an integer.
    """
    if isinstance(values, np.ma.MaskedArray):
        raise ValueError(
            f"{name} is a masked array; give the masked elements a value first: .filled(0)"
        )
    try:
        array = np.asarray(values)
    except ValueError:
        raise ValueError(
            f"{name} must be a rectangular array ({', '.join(axes)}) of integers"
        ) from None
    if array.ndim != 2:
        raise ValueError(
            f"{name} must have 2 dimensions ({', '.join(axes)}), not {array.ndim}:"
            f" shape {array.shape}"
        )
    if array.dtype.kind == "f":
        raise ValueError(_why_not_float(name, array))
    if array.dtype.kind not in "iub":
        raise ValueError(f"{name} must have an integer dtype, not {array.dtype}")
    return array.astype(np.uint8) if array.dtype.kind == "b" else array


def choose_precision(
    name: str, values: IntegerArray, limit: int, parameter: str, explicit: Precision | None = None
) -> Precision:
    """``explicit`` if given, else the least precision of ``values``; at most ``limit`` bits.

    ``parameter`` is the macro's that sets the limit; it is named in the message.

    Raises ValueError with the first element that does not fit, the legal range, the nearest legal
    value and the least precision that would hold every element.
    """
    least = Precision.least(values)
    if explicit is None:
        held = Precision(min(least.bits, limit), least.signed)
        source = f"{parameter} = {limit}"
    else:
        held, source = explicit, f"{name}_precision"
        if held.bits > limit:
            rule = f"must have at most {parameter} = {limit} bits, not {held.bits}"
            raise ValueError(f"{source} {rule} (nearest legal value: {limit})")
    outside = (values < held.low) | (values > held.high)
    if outside.any():
        where = np.argwhere(outside)[0].tolist()
        value = int(values[tuple(where)])
        nearest = max(held.low, min(value, held.high))
        wider = f", a macro with --set {parameter}={least.bits}" if limit < least.bits <= 16 else ""
        raise ValueError(
            f"{name}{where} = {value} does not fit {source}: {held} holds {held.low}..{held.high}"
            f" (nearest legal value: {nearest}; least precision of {name}: {least}{wider})"
        )
    return held


def _why_not_float(name: str, array: NDArray[Any]) -> str:
    finite = np.isfinite(array)
    odd = ~finite if not finite.all() else array != np.trunc(array)
    if not odd.any():
        rule = f"{name} must have an integer dtype, not {array.dtype}"
        return f"{rule}; its values are whole: convert with .astype(int)"
    where = np.argwhere(odd)[0].tolist()
    rule = f"{name}{where} = {array[tuple(where)]} is not an integer"
    return f"{rule}; quantise or round first, then convert with .astype(int)"
