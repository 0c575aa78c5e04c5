"""Makes networks of one operator without weights, drawn from a seed."""

from typing import Any

import numpy as np

from cimforge.compiler.importers.tests.tflite_layer_cases import Case
from cimforge.compiler.importers.tests.tflite_writer import Model

__all__ = ["IMAGE", "gathered", "one", "pooled", "several", "told", "two"]

Shape = tuple[int, ...]
IMAGE = (1, 4, 5, 3)
ZEROS = {"int8": (-3, 7), "uint8": (120, 133), "int16": (0, 0)}


def two(
    code: str,
    options: str = "",
    a: Shape = IMAGE,
    b: Shape = IMAGE,
    kind: str = "int8",
    scales: tuple[float, float, float] = (0.05, 0.031, 0.06),
    zero: int = 5,
    constant: bool = False,
    **fields: Any,
) -> Case:
    """Two arrays into one, broadcast."""

    def case(draw: np.random.RandomState) -> Model:
        model = Model()
        first, second = ZEROS[kind]
        data = draw.randint(-9, 99, b) if constant else None
        inputs = [
            model.tensor(a, kind, scales[0], first),
            model.tensor(b, kind, scales[1], second, data=data),
        ]
        shape = np.broadcast_shapes(a, b)
        y = model.tensor(shape, kind, scales[2], 0 if kind == "int16" else zero)
        model.node(code, inputs, [y], options, **fields)
        return model

    return case


def one(
    code: str,
    options: str = "",
    shape: Shape = IMAGE,
    y_shape: Shape | None = None,
    kind: str = "int8",
    y_kind: str = "",
    x_scale: float = 0.05,
    y_scale: float | None = None,
    x_zero: int | None = None,
    y_zero: int | None = None,
    within: tuple[int, int] | None = None,
    **fields: Any,
) -> Case:
    """One array into one. Without a scale of its own y has that of x."""

    def case(draw: np.random.RandomState) -> Model:
        model = Model()
        first, second = ZEROS.get(kind, (0, 0))
        first = first if x_zero is None else x_zero
        second = (first if y_scale is None else second) if y_zero is None else y_zero
        x = model.tensor(shape, kind, () if kind == "float32" else x_scale, first)
        if within:
            model.ranges[x] = within
        told = y_kind or kind
        scale = () if told == "float32" else y_scale or x_scale
        y = model.tensor(shape if y_shape is None else y_shape, told, scale, second)
        model.node(code, [x], [y], options, **fields)
        return model

    return case


def told(
    code: str,
    *constants: Any,
    options: str = "",
    shape: Shape = IMAGE,
    y_shapes: tuple[Shape, ...] = (IMAGE,),
    kind: str = "int8",
    x_place: int = 0,
    y_scale: float = 0.05,
    y_zero: int | None = None,
    **fields: Any,
) -> Case:
    """One array and constants of int32, or of a kind given with them, into some."""

    def case(draw: np.random.RandomState) -> Model:
        model = Model()
        zero = ZEROS[kind][0]
        inputs = [
            model.constant(*value) if isinstance(value, tuple) else model.constant(value)
            for value in constants
        ]
        inputs.insert(x_place, model.tensor(shape, kind, 0.05, zero))
        second = zero if y_zero is None else y_zero
        made = [model.tensor(y_shape, kind, y_scale, second) for y_shape in y_shapes]
        model.node(code, inputs, made, options, **fields)
        return model

    return case


def several(
    code: str, options: str, shapes: tuple[Shape, ...], y_shape: Shape, kind: str, **fields: Any
) -> Case:
    """Some arrays of one scale into one."""

    def case(draw: np.random.RandomState) -> Model:
        model, zero = Model(), ZEROS[kind][0]
        inputs = [model.tensor(shape, kind, 0.05, zero) for shape in shapes]
        y = model.tensor(y_shape, kind, 0.05, zero)
        model.node(code, inputs, [y], options, **fields)
        return model

    return case


def gathered(code: str, options: str, x: Shape, places: Shape, y: Shape, axis: int) -> Case:
    """Places at run time in an array, or in a table that the file holds."""

    def case(draw: np.random.RandomState) -> Model:
        model = Model()
        by = model.tensor(places, "int32")
        model.ranges[by] = (0, x[axis] - 1)
        table = model.constant(draw.randint(-128, 128, x), "int8", 0.05, 3)
        made = model.tensor(y, "int8", 0.05, 3)
        inputs = [by, table] if code == "EMBEDDING_LOOKUP" else [table, by]
        fields = {"Axis": axis} if options else {}
        model.node(code, inputs, [made], options, **fields)
        return model

    return case


def pooled(
    code: str, same: bool, kind: str = "int8", shape: Shape = (1, 7, 6, 3), **f: Any
) -> Case:
    """A pool of 3 x 2 in steps of 2 x 1, at the edges too."""
    size = (-(-shape[1] // 2), shape[2]) if same else ((shape[1] - 3) // 2 + 1, shape[2] - 1)
    fields = {"FilterHeight": 3, "FilterWidth": 2, "StrideH": 2, "StrideW": 1, **f}
    fields["Padding"] = 0 if same else 1
    y_shape = (shape[0], *size, shape[3])
    return one(code, "Pool2DOptions", shape, y_shape, kind, **fields)
