"""Layers and engines to try plans on: small ones of every kind, plain loops that say what a layer
computes, and a plan's run on the golden engine."""

import random
from collections.abc import Iterator
from fractions import Fraction
from math import floor
from typing import Any

import numpy as np

from cimforge.golden.engine import EngineModel
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.engine_config import EngineConfig
from cimforge.host.engine_layer import ConvolutionLayer, LinearLayer, Requantisation
from cimforge.host.engine_plan import EnginePlan

__all__ = [
    *("ENGINES", "engine", "random_convolution", "random_inputs", "random_linear", "reference"),
    "run_plan",
]


def engine(macro: dict[str, Any], **more: Any) -> EngineConfig:
    """A small engine."""
    own = {"rows": 8, "cols": 4, "weight_bits": 4, "input_bits": 4, "banks": 2} | macro
    return EngineConfig(
        **{"macro": MacroConfig(**own), "act_bytes": 128, "acc_vectors": 12, "channels": 64} | more
    )


ENGINES = {
    "two banks": engine({}),
    "one bank": engine({"banks": 1}),
    "three banks, two macros": engine({"banks": 3}, macros=2, bus_bits=64, lanes=2),
    "banks that hold all": engine({"banks": 16}, acc_vectors=40),
    "odd": engine({"rows": 13, "cols": 3, "weight_bits": 5, "input_bits": 7}, act_bytes=256),
    "two bytes": engine({"rows": 6, "input_bits": 12}, acc_bits=48),
    "wide bus": engine({"rows": 5, "cols": 3}, bus_bits=512, act_bytes=256),
    "long rows, small buffer": engine({"rows": 70, "input_bits": 8}, act_bytes=64),
    "binary": engine({"multiply": "xnor", "weight_bits": 1, "input_bits": 1}),
    "slices": engine({"weight_bits": 8, "slice_bits": 2, "cols": 2}),
    "digits": engine({"multiply": "booth", "bits_per_cycle": 2}),
    "pairs": engine({"rows": 7, "group": 2, "storage": "latch"}),
    "tables": engine({"rows": 22, "storage": "hybrid", "group": 5, "ram_cols": 2}, acc_vectors=30),
    "weight zeros": engine({"cols": 5}, weight_zeros=True),
    "few channels": engine({}, channels=9, acc_vectors=5),
    "one of each": engine({"rows": 1, "cols": 1, "banks": 1}, acc_vectors=2, channels=1, burst=1),
}


def random_linear(rng: random.Random, config: EngineConfig) -> LinearLayer:
    """Any K, N and numbers that the engine takes."""
    inputs, outputs = rng.choice([1, rng.randint(1, 40)]), rng.choice([1, rng.randint(1, 24)])
    return LinearLayer(**_numbers(rng, config, (outputs, inputs)))


def random_convolution(rng: random.Random, config: EngineConfig) -> ConvolutionLayer:
    """Any kernel, stride, dilation and padding on small images."""
    height, width, channels = rng.randint(1, 9), rng.randint(1, 9), rng.randint(1, 4)
    dilation = rng.choice([1, (1, 2), (2, 1)])
    down, across = dilation if isinstance(dilation, tuple) else (1, 1)
    kernel_y = rng.randint(1, max(1, min(3, height // down)))
    kernel_x = rng.randint(1, max(1, min(3, width // across)))
    numbers = _numbers(rng, config, (rng.randint(1, 9), kernel_y, kernel_x, channels))
    if config.macro.binary:
        numbers["pad"] = rng.choice([-1, 1])
    numbers |= {"height": height, "width": width, "dilation": dilation}
    numbers["stride"] = rng.choice([1, 2, (1, 2), (3, 1)])
    numbers["padding"] = rng.choice([0, 1, (2, 0), ((0, 1), (1, 2)), 2])
    return ConvolutionLayer(**numbers)


def _numbers(rng: random.Random, config: EngineConfig, shape: tuple[int, ...]) -> dict[str, Any]:
    """Weights and all that goes with them."""
    macro, draw = config.macro, np.random.default_rng(rng.randrange(1 << 32))
    outputs = shape[0]
    if macro.binary:
        weights = draw.choice([-1, 1], shape)
    else:
        bits = rng.choice([mode.weight_bits for mode in macro.modes])
        low = rng.choice([0, -(1 << bits - 1)])
        weights = draw.integers(low, low + (1 << bits), shape)
    signed, bits = rng.random() < 0.5, rng.randint(1, macro.input_bits)
    bits = rng.choice([0, bits])
    width = bits or macro.input_bits
    zero = draw.integers(-(1 << width - 1), 1 << width - 1) if signed else draw.integers(1 << width)
    told: dict[str, Any] = {"weights": weights, "input_signed": signed, "input_bits": bits}
    told["input_zero"] = 0 if macro.binary else int(zero)
    told["bias"] = rng.choice([int(draw.integers(-99, 99)), draw.integers(-999, 999, outputs)])
    if rng.random() < 0.8:
        wide, lowest = rng.random() < 0.3, rng.choice([-128, -20, 0])
        highest = rng.choice([30, 127]) if lowest < 0 and not wide else rng.choice([200, 255])
        rule: dict[str, Any] = {"lowest": lowest, "highest": highest, "wide": wide}
        rule["multiplier"] = rng.choice([1 << 30, draw.integers(1 << 29, 1 << 31, outputs)])
        rule["shift"] = rng.choice([-3, draw.integers(-6, 2, outputs)])
        rule["zero"] = rng.randint(-30, 30)
        rule["rounding"] = rng.choice(["double", "single", "half_even"])
        told["requantise"] = Requantisation(**rule)
        if config.weight_zeros:
            told["weight_zeros"] = draw.integers(-8, 8, outputs)
    return told


def random_inputs(rng: random.Random, config: EngineConfig, layer: Any, batch: int) -> np.ndarray:
    """Inputs of the layer's precision."""
    draw, shape = np.random.default_rng(rng.randrange(1 << 32)), (batch, *layer.input_shape)
    if config.macro.binary:
        return draw.choice([-1, 1], shape)
    bits = layer.input_bits or config.macro.input_bits
    low = -(1 << bits - 1) if layer.input_signed else 0
    return draw.integers(low, low + (1 << bits), shape)


def reference(layer: Any, x: np.ndarray) -> np.ndarray:
    """What the layer's docstring says, patch by patch, and requantised in fractions."""
    zeros, bias = layer.each("", layer.weight_zeros), layer.each("", layer.bias)
    weights = layer.matrix - zeros[:, None]
    told, results = layer.requantise, []
    for patch in _patches(layer, x):
        sums = (weights * (patch.reshape(-1) - layer.input_zero)).sum(axis=1) + bias
        if told:
            factors = layer.each("", told.multiplier), layer.each("", told.shift)
            each = zip(*(values.tolist() for values in (sums, *factors)), strict=True)
            sums = [_requantised(told, *numbers) for numbers in each]
        results.append(sums)
    return np.array(results, np.int64).reshape(len(x), *layer.output_shape)


def _patches(layer: Any, x: np.ndarray) -> Iterator[np.ndarray]:
    """The inputs of each result's position, (kernel_y, kernel_x, channels) or (K,)."""
    if isinstance(layer, LinearLayer) and not isinstance(layer, ConvolutionLayer):
        yield from x
        return
    window = layer.window
    filled = np.full((window.kernel_y, window.kernel_x, window.channels), layer.padding_value)
    for image in x:
        for oy in range(window.count_y):
            for ox in range(window.count_x):
                patch = filled.copy()
                for ky in range(window.kernel_y):
                    for kx in range(window.kernel_x):
                        y = oy * window.stride_y - window.pad_y + ky * window.dilation_y
                        x0 = ox * window.stride_x - window.pad_x + kx * window.dilation_x
                        if 0 <= y < window.height and 0 <= x0 < window.width:
                            patch[ky, kx] = image[y, x0]
                yield patch


def _requantised(told: Requantisation, a: int, m: int, s: int) -> int:
    if told.rounding == "double":
        u = max(-(1 << 31), min((1 << 31) - 1, a << max(s, 0)))
        d = floor(Fraction(u * m, 1 << 31) + Fraction(1, 2))  # ties up, as VQRDMULH
        r = _away(Fraction(d, 1 << max(-s, 0)))
    elif told.rounding == "single":
        r = floor(Fraction(a * m, 1 << 31 - s) + Fraction(1, 2)) if s < 31 else a * m
    else:
        r = round(Fraction(a * m, 1) / Fraction(2) ** (31 - s))
    return max(told.lowest, min(told.highest, r + told.zero))


def _away(value: Fraction) -> int:
    """To the nearest, ties away from zero."""
    size = floor(abs(value) + Fraction(1, 2))
    return size if value >= 0 else -size


def run_plan(plan: EnginePlan, x: np.ndarray, model: EngineModel | None = None) -> np.ndarray:
    """The plan's results, memory and all, on the golden engine."""
    memory = bytearray(b"\xa5" * (plan.end + 64))
    for address, data in plan.segments():
        memory[address : address + len(data)] = data
    _, data = plan.image.inputs(x)
    memory[plan.inputs.address : plan.inputs.address + len(data)] = data
    model = model or EngineModel(plan.config, memory)
    result = model.run_queue(plan.queue.address, len(plan.commands))
    assert result.error is None, result
    assert result.ended == len(plan.commands)
    out = plan.outputs
    return plan.image.results(
        bytes(memory[out.address : out.address + out.size]), plan.batch, plan.output_pitch
    )
