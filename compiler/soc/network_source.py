"""A quantised network as C, for programs of a system's core."""

from collections.abc import Sequence
from textwrap import wrap

import numpy as np
from numpy.typing import ArrayLike

from cimforge.compiler.digits import PIXEL_HIGH
from cimforge.compiler.quantise import QuantisedLayer, symmetric_limit

__all__ = ["HEADER", "c_array", "network_source", "pixel_levels"]

HEADER = "/* Generated with the network. SPDX-License-Identifier: Apache-2.0 */\n"


def c_array(kind: str, name: str, values: ArrayLike, storage: str = "", suffix: str = "") -> str:
    """The definition of an array ``name`` of ``kind`` in C, lines of 100 characters."""
    numbers = ", ".join(f"{int(value)}{suffix}" for value in np.asarray(values).reshape(-1))
    lines = wrap(numbers, 98, initial_indent="  ", subsequent_indent="  ")
    return "\n".join((f"{storage}const {kind} {name}[] = {{", *lines, "};")) + "\n"


def pixel_levels(input_bits: int) -> list[int]:
    """The inputs of ``input_bits`` that pixels become, by their value, as digits.predict has it."""
    twice = 2 * symmetric_limit(input_bits)
    return [(twice * pixel + PIXEL_HIGH) // (2 * PIXEL_HIGH) for pixel in range(PIXEL_HIGH + 1)]


def network_source(
    layers: Sequence[QuantisedLayer], levels: Sequence[int], batch: int
) -> dict[str, str]:
    """Texts by file name: ``network_sizes.h`` and ``network_data.c``, which firmware's network.h
    declares. ``levels`` are the inputs that pixels become, by their value; ``batch`` is the most
    images at a time, 1..255.
    """
    if not 1 <= batch <= 255:
        near = max(1, min(batch, 255))
        raise ValueError(f"batch must be in 1..255, not {batch} (nearest legal value: {near})")
    shapes = [layer.weights.shape for layer in layers]
    sizes = {
        **{"LAYERS": len(layers), "WIDTH": max(max(shape) for shape in shapes)},
        **{"PIXELS": shapes[0][0], "CLASSES": shapes[-1][1]},
        **{"LEVELS": len(levels), "BATCH": batch},
    }
    told = "".join(f"#define NETWORK_{name} {value}u\n" for name, value in sizes.items())
    guarded = f"#ifndef NETWORK_SIZES_H\n#define NETWORK_SIZES_H\n\n{told}\n#endif\n"
    parts = [f'{HEADER}#include "network.h"\n', c_array("int8_t", "network_levels", levels)]
    for number, layer in enumerate(layers):
        parts += [
            c_array("int8_t", f"weights_{number}", layer.weights.T, "static "),
            c_array("int32_t", f"bias_{number}", layer.bias, "static "),
        ]
    rows = "".join(f"  {_layer(number, layer)},\n" for number, layer in enumerate(layers))
    parts += [f"const dense_layer network_layers[] = {{\n{rows}}};\n"]
    return {"network_sizes.h": HEADER + guarded, "network_data.c": "\n".join(parts)}


def _layer(number: int, layer: QuantisedLayer) -> str:
    """The initialiser of a layer, as dense.h has its members."""
    (inputs, outputs), high = layer.weights.shape, symmetric_limit(layer.output_bits)
    clamp = 0 if layer.relu else -high
    own = (f"weights_{number}", f"bias_{number}", layer.multiplier, layer.shift, clamp, high)
    return "{" + ", ".join(map(str, (inputs, outputs, *own))) + "}"
