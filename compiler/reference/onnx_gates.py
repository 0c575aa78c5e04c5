"""ONNX's LSTM and GRU, and onnxruntime's DynamicQuantizeLSTM: matrix products and gates.

x (T, B, I), a direction's W (G H, I), R (G H, H), bias (2 G H,), state (B, H); G gates: of an LSTM
input, output, forget, cell; of a GRU update, reset, hidden. Products of all steps' x are one part,
those with the state one part a step.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cimforge.compiler.reference.call import Call, folded
from cimforge.compiler.reference.lowering import Part
from cimforge.compiler.reference.onnx_dynamic import dynamically_quantised
from cimforge.compiler.reference.onnx_functions import FUNCTIONS
from cimforge.compiler.reference.stored import optional, stored

__all__ = ["GATES", "recurrent", "recurrent_integers"]

Floats = NDArray[np.floating]
Times = Callable[[Floats], Floats]  # (rows, K) times weights that it knows


class Direction(NamedTuple):
    """One direction's products, bias (2, G H) of x's and of the state's, and first states."""

    of_x: Times
    of_h: Times
    bias: Floats
    h: Floats
    c: Floats
    peepholes: Floats | None


def _logistic(x: Floats) -> Floats:
    return FUNCTIONS["logistic"](x, 0, 0)


def _lstm(x: Floats, told: Direction, linear: bool) -> tuple[Floats, Floats, Floats]:
    """``i, o, f = logistic(..), g = tanh(..); c = f c + i g; h = o tanh(c)``."""
    steps, batch, _ = x.shape
    driven = told.of_x(x.reshape(steps * batch, -1)).reshape(steps, batch, -1)
    h, c, found = told.h, told.c, []
    bias = told.bias.sum(axis=0)
    zero = np.zeros_like(h[0])
    at_i, at_o, at_f = np.split(told.peepholes, 3) if told.peepholes is not None else (zero,) * 3
    for step in driven:
        i, o, f, g = np.split(step + told.of_h(h) + bias, 4, axis=1)
        i, f = _logistic(i + at_i * c), _logistic(f + at_f * c)
        c = f * c + i * np.tanh(g)
        h = _logistic(o + at_o * c) * np.tanh(c)
        found.append(h)
    return np.stack(found) if found else np.zeros((0, *h.shape), h.dtype), h, c


def _gru(x: Floats, told: Direction, linear: bool) -> tuple[Floats, Floats, Floats]:
    """``z, r = logistic(..), n = tanh(..); h = (1 - z) n + z h``; ``linear``: r is applied behind
    the product with the state, not before."""
    steps, batch, _ = x.shape
    driven = told.of_x(x.reshape(steps * batch, -1)).reshape(steps, batch, -1)
    h, found, size = told.h, [], told.h.shape[1]
    for step in driven:
        z, r, n = np.split(step + told.bias[0], 3, axis=1)
        from_h = told.of_h(h)
        z = _logistic(z + from_h[:, :size] + told.bias[1, :size])
        r = _logistic(r + from_h[:, size : 2 * size] + told.bias[1, size : 2 * size])
        if linear:
            n = np.tanh(n + r * (from_h[:, 2 * size :] + told.bias[1, 2 * size :]))
        else:
            n = np.tanh(n + told.of_h(r * h)[:, 2 * size :] + told.bias[1, 2 * size :])
        h = (1 - z) * n + z * h
        found.append(h)
    return np.stack(found) if found else np.zeros((0, *h.shape), h.dtype), h, h


CELLS = {"GRU": (_gru, 3), "LSTM": (_lstm, 4)}
X, W, R, B, LENGTHS, H, C, P = range(8)  # inputs


def _run(
    call: Call,
    kind: str,
    direction: str,
    linear: bool,
    products: Callable[[int], tuple[Times, Times]],
    x: NDArray,
    hidden: int,
    dtype: np.dtype,
) -> tuple[NDArray, ...]:
    """(Y, Y_h, Y_c) of all directions; those of the node. x is what its products read."""
    cell, gates = CELLS[kind]
    batch, ways = x.shape[1], 2 if direction == "bidirectional" else 1
    bias, peepholes = optional(call, B), optional(call, P)
    zero = np.zeros((ways, batch, hidden), dtype)
    first = [optional(call, place) for place in (H, C)]
    h, c = (zero if given is None else given for given in first)
    held = np.zeros((ways, 2 * gates * hidden), dtype) if bias is None else bias
    ends = []
    for way in range(ways):
        back = direction == "reverse" or way == 1
        told = Direction(
            *products(way),
            bias=held[way].reshape(2, -1),
            h=h[way],
            c=c[way],
            peepholes=None if peepholes is None else peepholes[way],
        )
        y, last, state = cell(x[::-1] if back else x, told, linear)
        ends.append((y[::-1] if back else y, last, state))
    whole = tuple(np.stack(each, axis=axis) for each, axis in zip(zip(*ends), (1, 0, 0)))  # noqa: B905
    return whole[: len(call.made)] if call.made else whole


def recurrent(
    call: Call, *, kind: str, direction: str, linear: int, hidden: int, made: int
) -> tuple[NDArray, ...]:
    """Of floats on the host, but for integers x and W with scales; ``linear`` is GRU's
    linear_before_reset."""
    w, r = stored(call, W), stored(call, R)

    def products(way: int) -> tuple[Times, Times]:
        of_x = _scaled_product(call, way) if call.tensor(X).quantisation else _times(w[way].T)
        return of_x, _times(r[way].T)

    x = stored(call, X)
    return _run(call, kind, direction, bool(linear), products, x, hidden, r.dtype)[:made]


def _times(w: Floats) -> Times:
    return lambda x: x @ w


def _scaled_product(call: Call, way: int) -> Times:
    """Integers x times W's, scaled."""
    x, w = call.tensor(X), call.tensor(W)
    assert w.quantisation is not None
    held = call.array(W)[way].T.astype(np.int64)
    zeros = np.broadcast_to(np.array(w.quantisation.zeros, np.int64), (held.shape[1],))
    scales = np.float32(x.scale) * np.array(w.quantisation.scales, np.float32)

    def times(rows: NDArray) -> Floats:
        part = Part(rows.astype(np.int64), held, 0)
        (sums,) = call.products(call, [part])
        return folded(sums, part, x.zero, zeros).astype(np.float32) * scales

    return times


W_SCALE, W_ZERO, R_SCALE, R_ZERO = range(8, 12)  # inputs


def recurrent_integers(
    call: Call, *, direction: str, hidden: int, made: int
) -> tuple[NDArray, ...]:
    """DynamicQuantizeLSTM: W (D, I, 4 H), R (D, H, 4 H) are integers with scales; x and the state
    become uint8 with a scale of their own before each product."""

    def products(way: int) -> tuple[Times, Times]:
        return (
            _quantised_product(call, way, W, W_SCALE, W_ZERO),
            _quantised_product(call, way, R, R_SCALE, R_ZERO),
        )

    x = stored(call, X)
    return _run(call, "LSTM", direction, False, products, x, hidden, x.dtype)[:made]


def _quantised_product(call: Call, way: int, place: int, scale: int, zero: int) -> Times:
    w = call.array(place)[way].astype(np.int64)
    scales = call.array(scale)[way].astype(np.float32).ravel()
    zeros = np.broadcast_to(call.array(zero)[way].astype(np.int64).ravel(), (w.shape[1],))
    kinds = ("uint8", call.tensor(place).kind)

    def times(x: Floats) -> Floats:
        held, x_scale, x_zero = dynamically_quantised(x)
        part = Part(held.astype(np.int64), w, 0, kinds)
        (sums,) = call.products(call, [part])
        return folded(sums, part, int(x_zero), zeros).astype(np.float32) * (x_scale * scales)

    return times


GATES: dict[str, Any] = {"DynamicQuantizeLSTM": recurrent_integers, "Recurrent": recurrent}
