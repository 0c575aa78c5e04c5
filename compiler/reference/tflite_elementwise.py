"""Two arrays element by element, as TensorFlow Lite's kernels combine them."""

import numpy as np
from numpy.typing import NDArray

from cimforge.compiler.reference.call import Call
from cimforge.compiler.reference.tflite_scaling import Ints, clamped, offset, quotient, scaled

__all__ = ["elementwise", "prelu"]


def elementwise(call: Call) -> NDArray:
    """Of integers with scales; the greater and the lesser of any."""
    kind = call.operator.kind
    if kind in ("maximum", "minimum"):
        return getattr(np, kind)(call.array(0), call.array(1))
    rules = {
        "add": lambda: _sum(call, 1),
        "subtract": lambda: _sum(call, -1),
        "multiply": lambda: _product(call),
        "squared_difference": lambda: _squared_difference(call),
    }
    if kind not in rules:
        raise ValueError(f"{call.node}: {kind} of integers is not computed here")
    return clamped(rules[kind](), call.made[0], call.operator.activation)


def _aligned(call: Call, left: int) -> tuple[Ints, Ints, float]:
    """Both inputs ``left`` bits up, at twice the greater scale; and that scale."""
    twice = 2.0 * max(call.tensor(0).scale, call.tensor(1).scale)
    a, b = (
        scaled(offset(call, place) << left, call.tensor(place).scale / twice) for place in (0, 1)
    )
    return a, b, twice


def _sum(call: Call, sign: int) -> Ints:
    y = call.made[0]
    left = 15 if y.kind == "int16" else 20
    a, b, twice = _aligned(call, left)
    return scaled(a + sign * b, twice / ((1 << left) * y.scale))


def _squared_difference(call: Call) -> Ints:
    a, b, twice = _aligned(call, 7)
    return scaled((a - b) ** 2, twice * twice / ((1 << 14) * call.made[0].scale))


def _product(call: Call) -> Ints:
    factor = quotient(call.made[0], call.tensor(0).scale, call.tensor(1).scale)
    return scaled(offset(call, 0) * offset(call, 1), factor)


def prelu(call: Call) -> NDArray:
    """x from 0 up, else alpha x."""
    x, alpha, y = call.tensor(0), call.tensor(1), call.made[0]
    values = offset(call)
    below = scaled(values * offset(call, 1), quotient(y, x.scale, alpha.scale))
    return clamped(np.where(values < 0, below, scaled(values, quotient(y, x.scale))), y)
