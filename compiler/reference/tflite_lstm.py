"""Long short-term memory over a sequence, as TensorFlow Lite's kernel of int8 with a cell of int16
computes it: products by the caller's means, gates and cell on the host."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cimforge.compiler.graph.tensor import Tensor
from cimforge.compiler.reference.call import Call
from cimforge.compiler.reference.fixed_point import (
    fixed_multiplier,
    logistic,
    multiplied,
    saturated,
    shifted_right,
    tanh,
)
from cimforge.compiler.reference.lowering import Part
from cimforge.compiler.reference.tflite_scaling import Ints

__all__ = ["GATES", "lstm"]

GATES = ("input", "forget", "cell", "output")  # of weights and biases, in the file's order
GATE_BITS = 12  # behind the point of a gate's argument
ONE = 15  # bits behind the point of a gate, and of the cell's tanh


class _Side(NamedTuple):
    """Weights of all gates side by side (K, 4 cells), what their zero point and their bias add, and
    the factors into a gate's argument."""

    w: Ints
    added: Ints
    factors: list[tuple[int, int]]


def lstm(call: Call) -> NDArray:
    """x (B, T, I) to y (B, T, cells), from a state of zeros: for each step

    ``i, f, o = logistic(W x + R h + b)``, ``g = tanh(W x + R h + b)``, ``c = f c + i g``,
    ``h = o tanh(c)``.

    Inputs are x, W and R (cells, K) of each gate, b of each gate, h and c before the first step.
    Products of x are one part of all steps, those of h one part a step.
    """
    told = dict(call.operator.attributes)
    x = call.array(0).astype(np.int64)
    x = np.swapaxes(x, 0, 1) if told["time_major"] else x
    batch, steps, depth = x.shape
    cells = call.tensor(1).shape[0]
    given, back = _side(call, 1, call.tensor(0), 9), _side(call, 5, call.tensor(13), None)
    (sums,) = call.products(call, [Part(x.reshape(-1, depth), given.w, 0)])
    driven = saturated(_arguments(sums, given), 16).reshape(batch, steps, 4 * cells)
    h = _state(call, 13, batch)
    c = _state(call, 14, batch)
    power = _power(call, call.tensor(14))
    clip = min(told["cell_clip"] / call.tensor(14).scale, 32767.0)
    hidden = fixed_multiplier(float(np.float32(2.0**-15 / told["hidden_scale"] * 2.0**-15)))
    made = np.empty((batch, steps, cells), np.int64)
    for step in range(steps):
        (sums,) = call.products(call, [Part(h, back.w, 0)])
        argument = saturated(_arguments(sums, back) + driven[:, step], 16)
        i, f, g, o = _gates(argument, cells)
        c = saturated(_half(shifted_right(f * c, ONE)) + _half(_shifted(i * g, -power)), 16)
        c = np.clip(c, -int(clip), int(clip)) if clip > 0 else c
        shown = tanh(c, ONE + power, 16)
        h = np.clip(multiplied(o * shown, *hidden) + told["hidden_zero"], -128, 127)
        made[:, step] = h
    return np.swapaxes(made, 0, 1) if told["time_major"] else made


def _half(values: Ints) -> Ints:
    """As an int16, which wraps."""
    return values.astype(np.int16).astype(np.int64)


def _shifted(values: Ints, power: int) -> Ints:
    """A product of two gates in the cell's units of 2^-power."""
    return shifted_right(values, 2 * ONE - power)


def _power(call: Call, cell: Tensor) -> int:
    """The cell's scale is two to this."""
    power = round(math.log2(cell.scale))
    if abs(math.log2(cell.scale) - power) >= 1e-3 or not -ONE <= power <= 6 - ONE:
        rule = f"must be a power of two from 2^-{ONE} to 2^{6 - ONE}, not {cell.scale:g}"
        raise ValueError(f"{call.node}: the cell's scale {rule}")
    return power


def _state(call: Call, place: int, batch: int) -> Ints:
    """What the file's one item begins with, for each item."""
    start = call.array(place).astype(np.int64)
    return np.tile(start, (batch // len(start), 1))


def _side(call: Call, first: int, source: Tensor, bias: int | None) -> _Side:
    """Weights of the four gates from input ``first`` on, of a source of values."""
    weights = [call.array(first + gate).astype(np.int64) for gate in range(4)]
    added = [-source.zero * w.sum(axis=1) for w in weights]
    if bias is not None:
        added = [told + call.array(bias + gate) for gate, told in enumerate(added)]
    scale = np.float32(source.scale)
    factors = [
        fixed_multiplier(
            float(np.float32(call.tensor(first + gate).scale) * scale * np.float32(1 << GATE_BITS))
        )
        for gate in range(4)
    ]
    return _Side(np.concatenate(weights).T, np.concatenate(added), factors)


def _arguments(sums: Ints, side: _Side) -> Ints:
    """Sums (rows, 4 cells) with GATE_BITS bits behind the point. The kernel cuts those of x to
    int16, and then what they make with those of h."""
    cells = sums.shape[1] // 4
    multiplier, shift = (np.repeat(column, cells) for column in zip(*side.factors, strict=True))
    return multiplied(sums + side.added, multiplier, shift)


def _gates(argument: Ints, cells: int) -> list[Ints]:
    """Of arguments (batch, 4 cells) in the order of GATES."""
    of = [argument[:, gate * cells : (gate + 1) * cells] for gate in range(4)]
    return [
        tanh(told, 15 - GATE_BITS, 16) if gate == "cell" else logistic(told, 15 - GATE_BITS, 16)
        for gate, told in zip(GATES, of, strict=True)
    ]
