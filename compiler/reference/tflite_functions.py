"""Functions of each element, as TensorFlow Lite's kernels compute them."""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from cimforge.compiler.reference.call import Call
from cimforge.compiler.reference.fixed_point import (
    fixed_multiplier,
    high_product,
    inverse_root,
    multiplied,
    saturated,
    shifted_right,
)
from cimforge.compiler.reference.tflite_elementwise import prelu
from cimforge.compiler.reference.tflite_lookup import (
    Real,
    each_element,
    interpolated,
    sigmoid_table,
    sparse_table,
)
from cimforge.compiler.reference.tflite_scaling import Ints, clamped, offset, quotient, scaled

__all__ = ["function"]


def function(call: Call) -> NDArray:
    """Of integers, by multipliers or by tables."""
    kind = call.operator.kind
    if kind == "prelu":
        return prelu(call)
    if kind in TABLES and call.tensor().kind != "int16":
        return each_element(call.array(0), TABLES[kind], call.tensor(), call.made[0])
    if kind not in RULES:
        told = f"{kind} of {call.tensor().kind}"
        raise ValueError(f"{call.node}: {told} is not computed here")
    return RULES[kind](call)


def _sigmoid(real: float) -> float:
    """In float32, as the kernel has it."""
    grown = np.float32(np.exp(-np.float64(real)))
    return float(np.float32(1) / (np.float32(1) + grown))


def _gelu(real: float) -> float:
    x = np.float32(real)
    tail = np.float32(math.erfc(float(x * np.float32(-math.sqrt(0.5)))))
    return float(np.float32(0.5) * x * tail)


def _gelu_by_tanh(real: float) -> float:
    x = np.float32(real)
    inner = np.float32(math.sqrt(2 / math.pi)) * (x + np.float32(0.044715) * x * x * x)
    return float(np.float32(0.5) * x * (np.float32(1) + np.float32(math.tanh(float(inner)))))


TABLES: dict[str, Real] = {
    **{
        "exp": lambda real: float(np.exp(np.float64(real))),  # infinite where it must be
        "gelu": _gelu,
        "gelu_tanh": _gelu_by_tanh,
        "logistic": _sigmoid,
        "tanh": math.tanh,
    },
}


def _relu(call: Call) -> NDArray:
    y = call.made[0]
    return clamped(scaled(offset(call), quotient(y, call.tensor().scale)), y, call.operator.kind)


def _leaky_relu(call: Call) -> NDArray:
    x, y, values = call.tensor(), call.made[0], offset(call)
    alpha = quotient(y, x.scale, call.operator.alpha)
    below = scaled(values, abs(alpha)) * (-1 if alpha < 0 else 1)
    return clamped(np.where(values < 0, below, scaled(values, quotient(y, x.scale))), y)


def _absolute(call: Call) -> NDArray:
    x, y, values = call.tensor(), call.made[0], np.abs(offset(call))
    return clamped(values if x.scale == y.scale else scaled(values, quotient(y, x.scale)), y)


def _hard_swish(call: Call) -> NDArray:
    """x relu6(x + 3) / 6 in int16: x with 7 bits more, times a share in [0, 1]."""
    x, y = call.tensor(), call.made[0]
    factor, right = _narrow(quotient(y, 1 / 128, x.scale))
    share, left = _narrow(float(np.float32(x.scale) / np.float32(128 * 3 / 32768)))
    if right > 0:
        raise ValueError(f"{call.node}: the input's scale must be below 128 of the output's")
    values = offset(call) << 7
    value = high_product(values, factor, 16)
    part = high_product(saturated(values << max(0, left - 1), 16), share, 16)
    part = saturated(part << 1, 16) if left > 0 else shifted_right(part, -left)
    product = (part + (1 << 15) >> 1) * value
    cut = np.sign(product) * (np.abs(product) >> 15)  # towards zero, unlike the others
    return clamped(shifted_right(cut, -right), y)


def _narrow(real: float) -> tuple[int, int]:
    """A multiplier of 16 bits, and its shift (DownScaleInt32ToInt16Multiplier)."""
    multiplier, shift = fixed_multiplier(real)
    return (0x7FFF if multiplier >= 0x7FFF0000 else multiplier + (1 << 15) >> 16), shift


def _sigmoid_wide(call: Call) -> NDArray:
    """Of int16, between places of a table in steps of 1/24."""
    steps = _steps(call, (0,))
    size = np.abs(steps)
    found = _between(size >> 9, size & 511, 9, 0x7FFF << 10)
    return np.where(steps >= 0, found + (1 << 9), (1 << 25) - found + (1 << 9) - 1) >> 10


def _tanh_wide(call: Call) -> NDArray:
    """2 sigmoid(2 x) - 1, by the same table."""
    steps = _steps(call, (0, 1))
    size = np.abs(steps)
    found = _between(size >> 8, size & 255, 8, 0xFFFF << 8)
    above, half = found - (1 << 23), 1 << 7
    return np.where(steps >= 0, above + half, half - 1 - above) >> 8


def _steps(call: Call, powers: tuple[int, ...]) -> Ints:
    """An int16 in units of 1 / (3 * 4096): exact where its scale is 2^-12 times 2 to one of
    ``powers``."""
    scale = call.tensor().scale
    if call.tensor().zero or call.made[0].zero or call.made[0].scale != 1 / 32768:
        rule = "must have zero points of 0, and the output a scale of 1/32768"
        raise ValueError(f"{call.node}: int16 {rule}")
    power, multiplier, right = math.log2(scale) + 12, scale * 4096.0 * 3.0, 0
    if abs(power - round(power)) < 1e-3 and round(power) in powers:
        return call.array(0).astype(np.int64) * (3 << round(power))
    while multiplier <= 32767 / 2 and right <= 30:
        multiplier, right = multiplier * 2, right + 1
    if multiplier >= 1 << 16:
        raise ValueError(f"{call.node}: the input's scale must be below 5.3, not {scale:g}")
    return (call.array(0).astype(np.int64) * int(multiplier) + ((1 << right) >> 1)) >> right


def _between(place: Ints, rest: Ints, bits: int, most: int) -> Ints:
    """``rest`` of 2^bits behind a place of the sigmoids; ``most`` from the last on."""
    table = sigmoid_table()
    inside = np.minimum(place, 254)
    found = (table[inside] << bits) + rest * (table[inside + 1] - table[inside])
    return np.where(place >= 255, most, found)


def _inverse_root(call: Call) -> NDArray:
    """1 / sqrt(x): of 8 bits by Newton's steps for each of the 256 values, of int16 by a table."""
    x, y = call.tensor(), call.made[0]
    if x.kind == "int16":
        most = float(np.float32(32767) * np.float32(y.scale))
        table = sparse_table(
            lambda real: float(np.float32(1) / np.sqrt(np.float32(real))) if real > 0 else most,
            *(x.scale, x.zero, y.scale, np.float32),
        )
        return interpolated(call.array(0).astype(np.int64), table)
    values = offset(call)
    if values.min(initial=0) < 0:
        raise ValueError(f"{call.node}: rsqrt is only defined for positive values")
    root = np.sqrt(np.float32(x.scale)) * np.float32(y.scale)
    factor, shift = fixed_multiplier(1.0 / float(root))
    if shift - FINE < -31:
        raise ValueError(
            f"{call.node}: the output's scale must be below 2^11 / sqrt of the input's"
        )
    table = np.array([y.limits[1] - y.zero, *map(_fine_inverse_root, range(1, 256))])
    table[1:] = multiplied(table[1:], factor, shift - FINE)
    return clamped(table[values], y)


FINE = 20  # bits behind the point of an inverse root


def _fine_inverse_root(value: int) -> int:
    multiplier, shift = inverse_root(value)
    return int(multiplied(np.array(1), multiplier, shift + FINE))


RULES: dict[str, Callable[[Call], NDArray]] = {
    **dict.fromkeys(("relu", "relu6", "relu_n1_to_1", "relu_0_to_1"), _relu),
    **{"absolute": _absolute, "hard_swish": _hard_swish, "leaky_relu": _leaky_relu},
    **{"logistic": _sigmoid_wide, "rsqrt": _inverse_root},
    "tanh": _tanh_wide,
}
