"""What a user hands to the driver, checked before anything is sent."""

from collections.abc import Mapping
from operator import index
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["checked_matrix", "checked_number", "checked_signs"]


def checked_number(name: str, value: Any, least: int, most: int) -> int:
    """``value`` as an int; ValueError where it is no integer in least..most (True is none)."""
    try:
        number = None if isinstance(value, (bool, np.bool_)) else index(value)
    except TypeError:
        number = None
    if number is None or not least <= number <= most:
        raise ValueError(f"{name} must be an integer in {least}..{most}, not {value!r}")
    return number


def checked_matrix(
    name: str, values: ArrayLike, shape: Mapping[str, int | None], bits: int, signed: bool
) -> NDArray[np.int64]:
    """``values`` as int64, of ``shape`` (names and sizes of the axes; None: any) and within
    ``bits`` bits, ``signed`` or not.

    Raises ValueError with the place and the value of the first that is none, and the range.
    """
    if not isinstance(signed, (bool, np.bool_)):
        raise ValueError(f"{name}: signed must be True or False, not {signed!r}")
    if np.ma.is_masked(values):
        raise ValueError(f"{name} must be all there: a masked value has none; fill it in first")
    try:
        given = np.asarray(values)
    except ValueError as error:  # rows of different lengths
        raise ValueError(f"{name} must be a matrix of {_form(shape)}: {error}") from None
    sizes = shape.values()
    fits = given.ndim == len(shape) and all(
        size is None or size == found for size, found in zip(sizes, given.shape, strict=True)
    )
    if not fits:
        raise ValueError(f"{name} must have shape {_form(shape)}, not {given.shape}")
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    rule = f"must be an integer in {low}..{high} ({bits} bits, {'' if signed else 'un'}signed)"
    for place in np.argwhere(~_legal(given, low, high))[:1]:
        value = given[tuple(place)]
        raise ValueError(f"{name}[{', '.join(map(str, place))}] {rule}, not {value!s}")
    return given.astype(np.int64)


def checked_signs(
    name: str, values: ArrayLike, shape: Mapping[str, int | None]
) -> NDArray[np.int64]:
    """``values`` of -1 and 1 as the bits 0 and 1 that stand for them, int64, of ``shape``.

    Raises ValueError as checked_matrix does, also where a value is 0.
    """
    given = checked_matrix(name, values, shape, 2, True)
    for place in np.argwhere((given != -1) & (given != 1))[:1]:
        value = given[tuple(place)]
        raise ValueError(f"{name}[{', '.join(map(str, place))}] must be -1 or 1, not {value!s}")
    return (given + 1) // 2


def _legal(given: NDArray[Any], low: int, high: int) -> NDArray[np.bool_]:
    """Which elements are integers in low..high; floats that are whole numbers count."""
    if given.dtype.kind in "iu":
        return (given >= low) & (given <= high)
    if given.dtype.kind == "f":
        return (given == np.floor(given)) & (given >= low) & (given <= high)
    if given.dtype.kind == "O":  # Python integers beyond 64 bits, or anything
        return np.vectorize(lambda v: _is_integer(v) and low <= v <= high, [bool])(given)
    return np.zeros(given.shape, bool)


def _is_integer(value: Any) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def _form(shape: Mapping[str, int | None]) -> str:
    axes = (name if size is None else f"{name} = {size}" for name, size in shape.items())
    return f"({', '.join(axes)})"
