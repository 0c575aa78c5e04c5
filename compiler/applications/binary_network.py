"""A binary network that reads handwritten digits: every product is of -1 and 1.

A pixel is compared with a few levels, and each answer is an input (a thermometer code):
``x[p * levels + l] = 1 if pixel[p] > level[l] else -1``. Behind it two layers,

    h = sign(x @ w1 + b1)          sign(0) = 1
    y = h @ w2 + b2                label = argmax y, the lowest of equals

with w1, w2 of -1 and 1 and b1, b2 integers, which whoever takes a macro's results adds. Training
keeps real weights and takes their signs in each step; the gradient passes a sign as though it were
clip(v, -1, 1) (straight-through: Courbariaux et al., Binarized Neural Networks, arXiv 1602.02830).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cimforge.compiler.digits import CLASSES, PIXELS, Digits
from cimforge.compiler.matmul import Matmul
from cimforge.compiler.precision import Ints

__all__ = ["LEVELS", "BinaryNetwork", "binary_inputs", "predict_binary", "sign", "train_binary"]

Floats = NDArray[np.float64]

LEVELS = (2, 6, 10, 14)  # of pixels 0..16
HIDDEN = 128
EPOCHS, BATCH, RATE, MOMENTUM = 30, 50, 0.5, 0.9


@dataclass(frozen=True, eq=False)
class BinaryNetwork:
    """``w1`` (64 * levels, hidden) and ``w2`` (hidden, 10) of -1 and 1; integers ``b1`` (hidden,)
    and ``b2`` (10,)."""

    w1: Ints
    b1: Ints
    w2: Ints
    b2: Ints


def sign(values: Floats | Ints) -> Ints:
    """1 where a value is 0 or more, else -1."""
    return np.where(np.asarray(values) >= 0, 1, -1).astype(np.int64)


def binary_inputs(images: Ints) -> Ints:
    """-1 and 1 (count, 64 * levels) of ``images`` (count, 64), pixels 0..16.

    Raises ValueError where ``images`` has another shape.
    """
    pixels = np.asarray(images)
    if pixels.ndim != 2 or pixels.shape[1] != PIXELS:
        raise ValueError(f"images must have shape (count, {PIXELS}), not {pixels.shape}")
    return sign(pixels[:, :, None] - np.array(LEVELS) - 0.5).reshape(len(pixels), -1)


def predict_binary(network: BinaryNetwork, images: Ints, matmul: Matmul) -> Ints:
    """Labels (count,) of ``images`` (count, 64) by a ``matmul`` of -1 and 1."""
    hidden = sign(matmul(binary_inputs(images), network.w1) + network.b1)
    return (matmul(hidden, network.w2) + network.b2).argmax(axis=1)


def train_binary(data: Digits, seed: int = 0, epochs: int = EPOCHS) -> BinaryNetwork:
    """A network trained on the training images: cross entropy, momentum; a second or two.

    The same seed gives the same network on the same machine; elsewhere BLAS may sum in another
    order.
    """
    random = np.random.default_rng(seed)
    x, targets = binary_inputs(data.train_images).astype(float), np.eye(CLASSES)[data.train_labels]
    shapes = ((x.shape[1], HIDDEN), (HIDDEN,), (HIDDEN, CLASSES), (CLASSES,))
    values = [random.uniform(-0.1, 0.1, shape) for shape in shapes]
    speeds = [np.zeros(shape) for shape in shapes]
    for epoch in range(epochs):
        rate = RATE * (1 - epoch / epochs)
        for part in np.array_split(random.permutation(len(x)), len(x) // BATCH):
            gradients = _gradients(values, x[part], targets[part])
            for value, speed, gradient in zip(values, speeds, gradients, strict=True):
                speed += gradient - (1 - MOMENTUM) * speed
                value -= rate * speed
                np.clip(value, -1, 1, out=value)
    first, first_bias, second, second_bias = values
    return BinaryNetwork(
        sign(first), _units(first_bias, x.shape[1]), sign(second), _units(second_bias, HIDDEN)
    )


def _scale(inputs: int) -> float:
    """What a sum of so many -1 and 1 is divided by: its standard deviation, were they drawn."""
    return float(np.sqrt(inputs))


def _units(bias: Floats, inputs: int) -> Ints:
    """A bias in units of the sum that it is added to."""
    return np.rint(bias * _scale(inputs)).astype(np.int64)


def _gradients(values: list[Floats], x: Floats, targets: Floats) -> list[Floats]:
    first, first_bias, second, second_bias = values
    w1, w2 = sign(first).astype(float), sign(second).astype(float)
    before = x @ w1 / _scale(len(w1)) + first_bias
    hidden = sign(before).astype(float)
    logits = hidden @ w2 / _scale(len(w2)) + second_bias
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    error = (shares / shares.sum(axis=1, keepdims=True) - targets) / len(x)
    hidden_error = (error @ w2.T) / _scale(len(w2)) * (np.abs(before) <= 1)
    return [
        x.T @ hidden_error / _scale(len(w1)),
        hidden_error.sum(axis=0),
        hidden.T @ error / _scale(len(w2)),
        error.sum(axis=0),
    ]
