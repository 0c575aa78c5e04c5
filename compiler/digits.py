"""Digits: a two-layer network that reads handwritten digits, trained here and run in integers on a
macro.

The images are scikit-learn's ``load_digits``: 1797 digits of 8 x 8 pixels, each 0..16. They are
shuffled, so writers of the test images also wrote training images: the accuracies say what
quantisation and the macro cost, and are no benchmark of handwriting.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from cimforge.compiler.matmul import Matmul
from cimforge.compiler.precision import Ints, check_integers
from cimforge.compiler.quantise import MAX_BITS, QuantisedLayer, quantise_layer, symmetric_limit
from cimforge.hdl.params.config import MacroConfig

__all__ = [
    "Digits",
    "FloatNetwork",
    "QuantisedNetwork",
    "accuracy",
    "load",
    "network_bits",
    "predict",
    "predict_float",
    "quantise_network",
    "train",
]

Floats = NDArray[np.float64]

PIXELS, PIXEL_HIGH, HIDDEN, CLASSES = 64, 16, 32, 10
TEST_IMAGES = 400
SPLIT_SEED = 0

EPOCHS, BATCH, RATE = 60, 32, 3e-3
MOMENTUM, SQUARES, FLOOR = 0.9, 0.999, 1e-8  # Adam's usual beta1, beta2 and epsilon


@dataclass(frozen=True, eq=False)
class Digits:
    """The data, split: images int64 (count, 64) of pixels 0..16, labels int64 (count,) of 0..9."""

    train_images: Ints
    train_labels: Ints
    test_images: Ints
    test_labels: Ints


@dataclass(frozen=True, eq=False)
class FloatNetwork:
    """``logits = relu(pixels/16 @ weights[0] + biases[0]) @ weights[1] + biases[1]``.

    Weights (64, 32) and (32, 10), biases (32,) and (10,), float64.
    """

    weights: tuple[Floats, Floats]
    biases: tuple[Floats, Floats]


@dataclass(frozen=True, eq=False)
class QuantisedNetwork:
    """The same network in integers; ``input_bits`` are those of both layers' activations."""

    hidden: QuantisedLayer
    output: QuantisedLayer
    weight_bits: int
    input_bits: int


@cache
def load() -> Digits:
    """The images, read-only, always split alike: 1397 to train and calibrate, 400 to test."""
    # Takes a second, so only where needed.
    from sklearn.datasets import load_digits

    pixels, labels = load_digits(return_X_y=True)
    order = np.random.default_rng(SPLIT_SEED).permutation(len(labels))
    images, targets = pixels[order].astype(np.int64), labels[order].astype(np.int64)
    images.flags.writeable = targets.flags.writeable = False  # every caller shares them
    return Digits(
        images[TEST_IMAGES:], targets[TEST_IMAGES:], images[:TEST_IMAGES], targets[:TEST_IMAGES]
    )


def train(seed: int = 0) -> FloatNetwork:
    """A network trained on the training images: cross entropy, Adam, 60 epochs; under a second.

    The same seed gives the same network on the same machine; elsewhere BLAS may sum in another
    order.
    """
    data, random = load(), np.random.default_rng(seed)
    pixels = data.train_images / PIXEL_HIGH
    targets = np.eye(CLASSES)[data.train_labels]
    parameters = [
        random.normal(0, np.sqrt(2 / PIXELS), (PIXELS, HIDDEN)),
        np.zeros(HIDDEN),
        random.normal(0, np.sqrt(1 / HIDDEN), (HIDDEN, CLASSES)),
        np.zeros(CLASSES),
    ]
    optimiser = _Adam(parameters)
    for epoch in range(EPOCHS):
        for part in np.array_split(random.permutation(len(pixels)), len(pixels) // BATCH):
            optimiser.step(
                _gradients(parameters, pixels[part], targets[part]), RATE * (1 - epoch / EPOCHS)
            )
    first, first_bias, second, second_bias = parameters
    return FloatNetwork((first, second), (first_bias, second_bias))


def network_bits(config: MacroConfig) -> tuple[int, int]:
    """(weight bits, activation bits) of the network: those of the macro, at most 8.

    Raises ValueError for a macro of -1 and 1, and for one of 1-bit weights or inputs, which have no
    symmetric range.
    """
    check_integers(config, "digits")
    for name, bits in (("weight_bits", config.weight_bits), ("input_bits", config.input_bits)):
        if bits < 2:
            rule = f"digits needs {name} >= 2 for symmetric quantisation, not {bits}"
            raise ValueError(f"{rule} (nearest legal value: 2)")
    return min(MAX_BITS, config.weight_bits), min(MAX_BITS, config.input_bits)


def quantise_network(
    network: FloatNetwork, images: Ints, weight_bits: int = 8, input_bits: int = 8
) -> QuantisedNetwork:
    """``network`` in integers: weights and activations of 2..8 bits, calibrated on ``images``.

    The hidden layer's greatest activation over ``images`` sets its output scale; inputs have the
    known range 0..16.
    """
    hidden, logits = _forward(network, images)
    x_scale = 1 / symmetric_limit(input_bits)
    first = quantise_layer(
        network.weights[0],
        network.biases[0],
        x_scale=x_scale,
        y_max=float(hidden.max()),
        weight_bits=weight_bits,
        output_bits=input_bits,
        relu=True,
    )
    second = quantise_layer(
        network.weights[1],
        network.biases[1],
        x_scale=first.y_scale,
        y_max=float(np.abs(logits).max()),
        weight_bits=weight_bits,
        output_bits=input_bits,
        relu=False,
    )
    return QuantisedNetwork(first, second, weight_bits, input_bits)


def predict(network: QuantisedNetwork, images: Ints, matmul: Matmul) -> Ints:
    """Labels (count,) of ``images`` (count, 64), pixels 0..16, in integers throughout.

    Pixels become ``pixel * limit / 16``, ties up. The label is the greatest accumulator of the
    output layer, the lowest label of equals: all its columns share a scale, so requantising first
    could only lose.

    Raises ValueError where ``images`` has another shape, no integer dtype or a pixel outside 0..16.
    """
    pixels = _check_images(images)
    x = (2 * symmetric_limit(network.input_bits) * pixels + PIXEL_HIGH) // (2 * PIXEL_HIGH)
    hidden = network.hidden.run(x, matmul)
    return network.output.accumulate(hidden, matmul).argmax(axis=1)


def predict_float(network: FloatNetwork, images: Ints) -> Ints:
    """Labels (count,) of ``images`` (count, 64) by the float network."""
    return _forward(network, images)[1].argmax(axis=1)


def accuracy(predictions: Ints, labels: Ints) -> float:
    """Share of ``predictions`` that equal ``labels``, 0..1."""
    return float(np.mean(predictions == labels))


def _check_images(images: Ints) -> Ints:
    pixels = np.asarray(images)
    if pixels.ndim != 2 or pixels.shape[1] != PIXELS or pixels.dtype.kind not in "iu":
        raise ValueError(
            f"images must be integers (count, {PIXELS}), not {pixels.dtype} {pixels.shape}"
        )
    if pixels.size and not 0 <= pixels.min() <= pixels.max() <= PIXEL_HIGH:
        raise ValueError(f"pixels must be in 0..{PIXEL_HIGH}, not {pixels.min()}..{pixels.max()}")
    return pixels.astype(np.int64)


def _forward(network: FloatNetwork, images: Ints) -> tuple[Floats, Floats]:
    hidden = np.maximum(images / PIXEL_HIGH @ network.weights[0] + network.biases[0], 0)
    return hidden, hidden @ network.weights[1] + network.biases[1]


def _gradients(parameters: list[Floats], pixels: Floats, targets: Floats) -> list[Floats]:
    first, first_bias, second, second_bias = parameters
    hidden = np.maximum(pixels @ first + first_bias, 0)
    logits = hidden @ second + second_bias
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    error = (shares / shares.sum(axis=1, keepdims=True) - targets) / len(pixels)
    hidden_error = (error @ second.T) * (hidden > 0)
    return [pixels.T @ hidden_error, hidden_error.sum(axis=0), hidden.T @ error, error.sum(axis=0)]


class _Adam:
    """Kingma and Ba's optimiser (2015); steps ``parameters`` in place."""

    def __init__(self, parameters: list[Floats]):
        self._parameters = parameters
        self._means = [np.zeros_like(parameter) for parameter in parameters]
        self._squares = [np.zeros_like(parameter) for parameter in parameters]
        self._steps = 0

    def step(self, gradients: list[Floats], rate: float) -> None:
        self._steps += 1
        mean_share, square_share = 1 - MOMENTUM**self._steps, 1 - SQUARES**self._steps
        state = zip(self._parameters, self._means, self._squares, gradients, strict=True)
        for parameter, mean, square, gradient in state:
            mean += (1 - MOMENTUM) * (gradient - mean)
            square += (1 - SQUARES) * (gradient**2 - square)
            parameter -= rate * (mean / mean_share) / (np.sqrt(square / square_share) + FLOOR)
