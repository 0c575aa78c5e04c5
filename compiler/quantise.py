"""Quantisation: a fully connected layer in int8, with integer-only requantisation.

The rules Q1..Q7 are listed in README.md. Floats appear only where a layer is made, never where it
runs.
"""

import math
from dataclasses import dataclass
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from cimforge.compiler.matmul import Matmul
from cimforge.compiler.precision import Ints

__all__ = [
    "QuantisedLayer",
    "quantise_layer",
    "quantise_multiplier",
    "quantise_values",
    "requantise",
    "symmetric_limit",
    "symmetric_scale",
]

Floats = NDArray[np.float64]
Numbers = TypeVar("Numbers", Ints, Floats)

INT32_LOW, INT32_HIGH = -(2**31), 2**31 - 1
MAX_BITS = 8
MAX_SHIFT = 31


@dataclass(frozen=True, eq=False)
class QuantisedLayer:
    """A fully connected layer ``y = requantise(x @ weights + bias)``, integers throughout.

    ``weights`` int8 (K, N) within ±(2^(weight_bits-1) - 1), ``bias`` int32 (N,). The accumulator is
    worth ``x_scale * w_scale`` a unit, the output ``y_scale``; ``multiplier`` / 2^31 * 2^-``shift``
    is the ratio of the two, rounded. The output is clamped to ±(2^(output_bits-1) - 1), from 0 up
    with ``relu``. The scales describe the layer; nothing here computes with them.
    """

    weights: NDArray[np.int8]
    bias: NDArray[np.int32]
    multiplier: int
    shift: int
    relu: bool
    weight_bits: int
    output_bits: int
    x_scale: float
    w_scale: float
    y_scale: float
    rounding: Literal["tflite_double"] = "tflite_double"

    def accumulate(self, x: Ints, matmul: Matmul) -> Ints:
        """``x @ weights + bias`` for integer ``x`` (batch, K): int64 (batch, N), int32 values.

        Raises ValueError where a sum leaves int32.
        """
        sums = matmul(np.asarray(x, np.int64), self.weights.astype(np.int64)) + self.bias
        return _check_int32("accumulator", sums)

    def run(self, x: Ints, matmul: Matmul) -> Ints:
        """The output for integer ``x`` (batch, K): int64 (batch, N) of ``output_bits`` bits."""
        high = symmetric_limit(self.output_bits)
        y = requantise(self.accumulate(x, matmul), self.multiplier, self.shift)
        return np.clip(y, 0 if self.relu else -high, high)


def symmetric_limit(bits: int) -> int:
    """Q1: the greatest magnitude of ``bits`` symmetric bits, 2^(bits-1) - 1; -2^(bits-1) stays
    unused.

    Raises ValueError outside 2..8 bits: one signed bit has no positive number.
    """
    if not 2 <= bits <= MAX_BITS:
        nearest = max(2, min(bits, MAX_BITS))
        raise ValueError(
            f"symmetric quantisation needs 2..8 bits, not {bits} (nearest legal value: {nearest})"
        )
    return 2 ** (bits - 1) - 1


def symmetric_scale(values: Floats, bits: int) -> float:
    """Q2: the scale of a tensor, max |value| / symmetric_limit(bits); 1.0 where all values are 0.

    Raises ValueError where a value is NaN or infinite.
    """
    limit, most = symmetric_limit(bits), float(np.abs(values).max(initial=0.0))
    if not math.isfinite(most):
        raise ValueError(f"values must be finite to have a scale, not {most}")
    return most / limit if most else 1.0


def quantise_values(values: Floats, scale: float, bits: int) -> Ints:
    """Q3: ``value / scale`` to the nearest integer, ties away from zero, clamped to
    ±symmetric_limit(bits)."""
    limit = symmetric_limit(bits)
    return np.clip(_round_half_away(values / scale), -limit, limit).astype(np.int64)


def quantise_multiplier(real: float) -> tuple[int, int]:
    """Q5: (multiplier, shift) with ``real`` about multiplier / 2^31 * 2^-shift, multiplier in 2^30
    .. 2^31 - 1.

    The relative error is at most 2^-31. ``shift`` is to the right, and negative where ``real`` is 1
    or more.

    Raises ValueError unless ``real`` is in 2^-32 .. 2^31, whose shifts are within ±31.
    """
    if not (math.isfinite(real) and real > 0):
        raise ValueError(f"a multiplier must be positive and finite, not {real}")
    fraction, exponent = math.frexp(real)
    multiplier = math.floor(fraction * 2**31 + 0.5)
    if multiplier == 2**31:
        multiplier, exponent = multiplier // 2, exponent + 1
    if abs(exponent) > MAX_SHIFT:
        raise ValueError(
            f"a multiplier must be in 2^-32..2^31, not {real}: its shift would be {-exponent}"
        )
    return multiplier, -exponent


def requantise(accumulators: Ints, multiplier: int, shift: int) -> Ints:
    """Q6: ``accumulators * multiplier / 2^31 * 2^-shift`` in TFLite's double rounding; int64 of the
    same shape.

    First the saturating rounding doubling high multiply: ``floor((a * multiplier + 2^30) / 2^31)``,
    ties up; it needs no saturation, as multiplier is never -2^31. Then the rounding shift right by
    ``shift``, ties away from zero. A negative shift multiplies by 2^-shift before the first step.

    Raises ValueError for an accumulator (shifted left, if it is) outside int32, for a multiplier
    outside 1..2^31-1 and for a shift outside ±31.
    """
    if not 1 <= multiplier <= INT32_HIGH:
        raise ValueError(f"multiplier must be in 1..{INT32_HIGH}, not {multiplier}")
    if abs(shift) > MAX_SHIFT:
        raise ValueError(f"shift must be in -{MAX_SHIFT}..{MAX_SHIFT}, not {shift}")
    values = _check_int32("accumulator", np.asarray(accumulators, np.int64))
    if shift < 0:
        values = _check_int32(f"accumulator << {-shift}", values << -shift)
    high = (values * multiplier + 2**30) >> 31
    return _shift_right_half_away(high, max(shift, 0))


def quantise_layer(
    weights: Floats,
    bias: Floats,
    *,
    x_scale: float,
    y_max: float,
    weight_bits: int,
    output_bits: int,
    relu: bool,
) -> QuantisedLayer:
    """The integer layer of a float one: ``weights`` (K, N), ``bias`` (N,), inputs of ``x_scale`` a
    unit.

    ``y_max`` is the greatest |output| seen in calibration; greater ones are clamped when the layer
    runs.

    Raises ValueError for what the functions above refuse, and where a bias leaves int32 (Q4).
    """
    w_scale = symmetric_scale(weights, weight_bits)
    y_scale = symmetric_scale(np.array([y_max]), output_bits)
    multiplier, shift = quantise_multiplier(x_scale * w_scale / y_scale)
    units = _check_int32("bias", _round_half_away(bias / (x_scale * w_scale)))
    return QuantisedLayer(
        weights=quantise_values(weights, w_scale, weight_bits).astype(np.int8),
        bias=units.astype(np.int32),
        multiplier=multiplier,
        shift=shift,
        relu=relu,
        weight_bits=weight_bits,
        output_bits=output_bits,
        x_scale=x_scale,
        w_scale=w_scale,
        y_scale=y_scale,
    )


def _round_half_away(values: Floats) -> Floats:
    # Adding 0.5 first would carry 0.49999999999999994 up to 1.
    whole = np.trunc(values)
    return whole + np.copysign(np.abs(values - whole) >= 0.5, values)


def _shift_right_half_away(values: Ints, shift: int) -> Ints:
    remainder = values & (2**shift - 1)
    threshold = (2**shift - 1) // 2 + (values < 0)
    return (values >> shift) + (remainder > threshold)


def _check_int32(name: str, values: Numbers) -> Numbers:
    outside = ~((values >= INT32_LOW) & (values <= INT32_HIGH))
    if outside.any():
        where = np.argwhere(outside)[0].tolist()
        raise ValueError(
            f"{name}{where} = {values[tuple(where)]} leaves int32 ({INT32_LOW}..{INT32_HIGH})"
        )
    return values
