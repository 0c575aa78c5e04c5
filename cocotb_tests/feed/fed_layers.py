"""Layers by a few numbers, so that a job can name them."""

import random
from collections.abc import Mapping
from typing import Any

import numpy as np

from cimforge.hdl.params.engine_config import EngineConfig
from cimforge.host.engine_layer import ConvolutionLayer, Layer, LinearLayer, Requantisation

__all__ = ["layer_of"]


def layer_of(config: EngineConfig, spec: Mapping[str, Any]) -> tuple[Layer, int]:
    """The layer of a ``kind`` and its batch: ``linear`` (``inputs``, ``outputs``), ``convolution``
    (``shape`` of the weights, ``height``, ``width``, ``padding``, ``stride``), or of any numbers,
    which ``seed`` decides, ``any linear`` and ``any convolution``."""
    kind, batch = spec["kind"], spec.get("batch", 1)
    rng = random.Random(f"{kind} {spec.get('seed')}")
    told = Requantisation(multiplier=1 << 30, shift=-9, rounding="single")
    if kind == "linear":
        weights = _weights(config, (spec["outputs"], spec["inputs"]))
        return LinearLayer(weights=weights, requantise=told), batch
    if kind == "convolution":
        own = {key: spec[key] for key in ("height", "width", "padding", "stride") if key in spec}
        weights = _weights(config, tuple(spec["shape"]))
        return ConvolutionLayer(weights=weights, requantise=told, **own), batch
    return (_any_linear if kind == "any linear" else _any_convolution)(config, rng)


def _any_linear(config: EngineConfig, rng: random.Random) -> tuple[Layer, int]:
    """Up to four tiles of rows and three of columns, and a batch."""
    inputs = rng.randint(1, 4 * config.macro.rows)
    outputs = rng.randint(1, 3 * config.outputs)
    weights = _weights(config, (outputs, inputs))
    layer = LinearLayer(
        weights=weights, requantise=_requantisation(rng), input_bits=_bits(config, rng)
    )
    return layer, rng.choice([1, rng.randint(2, 9), rng.randint(10, 40)])


def _any_convolution(config: EngineConfig, rng: random.Random) -> tuple[Layer, int]:
    """Kernels, strides, dilations and padding on small images, one or two."""
    height, width, channels = rng.randint(3, 9), rng.randint(3, 9), rng.randint(1, 6)
    kernel_y, kernel_x = rng.randint(1, 3), rng.randint(1, 3)
    shape = (rng.randint(1, 2 * config.outputs), kernel_y, kernel_x, channels)
    layer = ConvolutionLayer(
        weights=_weights(config, shape),
        requantise=_requantisation(rng),
        input_bits=_bits(config, rng),
        height=height,
        width=width,
        stride=(rng.randint(1, 2), rng.randint(1, 2)),
        padding=rng.choice([0, 1]),
        dilation=2 if max(kernel_y, kernel_x) < 3 and rng.random() < 0.2 else 1,
        pad=1 if config.macro.binary else None,
    )
    return layer, rng.randint(1, 2)


def _requantisation(rng: random.Random) -> Requantisation | None:
    """None, one in five: sums as they are; else bytes, or pairs of them."""
    if rng.random() < 0.2:
        return None
    shift, wide = rng.randint(-12, -4), rng.random() < 0.3
    rounding = rng.choice(["single", "double", "half_even"])
    return Requantisation(multiplier=1 << 30, shift=shift, rounding=rounding, wide=wide)


def _bits(config: EngineConfig, rng: random.Random) -> int:
    return rng.choice([0, 0, rng.randint(1, config.macro.input_bits)])


def _weights(config: EngineConfig, shape: tuple[int, ...]) -> np.ndarray:
    draw = np.random.default_rng(1)
    if config.macro.binary:
        return draw.choice([-1, 1], shape)
    half = 1 << config.macro.modes[0].weight_bits - 1
    return draw.integers(-half, half, shape)
