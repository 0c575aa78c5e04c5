"""What moves elements, and what changes their kind, as TensorFlow Lite's kernels do."""

import numpy as np
from numpy.typing import NDArray

from cimforge.compiler.graph.operator import Slice
from cimforge.compiler.reference.call import Call
from cimforge.compiler.reference.tflite_scaling import clamped, half_away, quantised, scaled

__all__ = [
    "concatenate",
    "gather",
    "pad",
    "quantise",
    "reshape",
    "resize_nearest",
    "slices",
    "stack",
    "transpose",
]


def _same_scales(call: Call) -> None:
    """Kernels copy integers as they are."""
    y = call.made[0]
    for tensor in call.read:
        if tensor is None or tensor.quantisation != y.quantisation:
            raise ValueError(f"{call.node}: inputs must have the output's scale and zero point")


def concatenate(call: Call) -> NDArray:
    """Inputs of one scale."""
    _same_scales(call)
    if call.operator.activation != "none":
        raise ValueError(f"{call.node}: an activation behind it is not computed here")
    return np.concatenate([array for array in call.arrays if array is not None], call.operator.axis)


def stack(call: Call) -> NDArray:
    """Along a new axis."""
    _same_scales(call)
    (axis,) = (value for name, value in call.operator.attributes if name == "axis")
    return np.stack([array for array in call.arrays if array is not None], axis)


def gather(call: Call) -> NDArray:
    """Those of an axis that the second input names."""
    axis = dict(call.operator.attributes)["axis"]
    x, places = call.array(0), call.array(1).astype(np.int64)
    if places.size and not 0 <= places.min() <= places.max() < x.shape[axis]:
        raise ValueError(f"{call.node}: indices must lie in 0..{x.shape[axis] - 1}")
    return np.take(x, places, axis)


def pad(call: Call) -> NDArray:
    """With a number that the input's scale turns into an integer."""
    operator, x = call.operator, call.tensor(0)
    fill = quantised(operator.value, x) if x.quantisation else operator.value
    return np.pad(call.array(0), operator.amounts, constant_values=fill)


def reshape(call: Call) -> NDArray:
    """The same elements."""
    return call.array(0).reshape(call.shape)


def transpose(call: Call) -> NDArray:
    """The same elements, their axes in another order."""
    return call.array(0).transpose(call.operator.order)


def slices(call: Call) -> NDArray:
    """Some of the elements."""
    told: Slice = call.operator
    spans = list(map(slice, told.begin, told.end, told.step))
    if call.items > 1:
        spans[0] = slice(None)  # each item's own
    return call.array(0)[tuple(spans)].reshape(call.shape)


def resize_nearest(call: Call) -> NDArray:
    """Of images: the element that lies nearest, by a scale in float32."""
    told = dict(call.operator.attributes)
    x = call.array(0)
    for axis, size in ((1, call.shape[1]), (2, call.shape[2])):
        corners = told["align_corners"] and size > 1
        scale = np.float32(x.shape[axis] - corners) / np.float32(size - corners)
        half = np.float32(0.5 if told["half_pixel_centres"] else 0)
        real = (np.arange(size).astype(np.float32) + half) * scale
        place = half_away(real) if told["align_corners"] else np.floor(real)
        x = np.take(x, np.clip(place.astype(np.int64), 0, x.shape[axis] - 1), axis)
    return x


def quantise(call: Call) -> NDArray:
    """Integers from floats, floats from integers, integers of another scale."""
    x, y, values = call.tensor(0), call.made[0], call.array(0)
    if y.quantisation is None:
        return (np.float32(x.scale) * (values.astype(np.int64) - x.zero)).astype(np.float32)
    if x.kind == "float32":
        ratio = half_away(values.astype(np.float32) / np.float32(y.scale))
        if not (np.abs(ratio) < 1 << 31).all():
            raise ValueError(f"{call.node}: floats must be numbers below 2^31 times the scale")
        bounded = np.clip(ratio.astype(np.float64) + y.zero, *y.limits)
        return bounded.astype(np.int64)
    return clamped(scaled(values.astype(np.int64) - x.zero, x.scale / y.scale), y)
