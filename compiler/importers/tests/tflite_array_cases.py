"""Networks of one operator without weights each, drawn from a seed."""

from typing import Any

import numpy as np

from cimforge.compiler.importers.tests.tflite_layer_cases import Case
from cimforge.compiler.importers.tests.tflite_writer import Model

__all__ = ["ARRAY_CASES"]

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


ACTIVATIONS = {"relu": 1, "relu_n1": 2, "relu6": 3}
ADD, SUB, MUL = ("ADD", "AddOptions"), ("SUB", "SubOptions"), ("MUL", "MulOptions")
ROWS = (3, 37)
WIDE = (1, 256, 256)
MEAN = {"options": "ReducerOptions", "y_scale": 0.02, "y_zero": 9}
STRIDED = {"options": "StridedSliceOptions"}

ARRAY_CASES: dict[str, Case] = {
    **{f"{code.lower()}": two(code, options) for code, options in (ADD, SUB, MUL)},
    **{
        f"{code.lower()}_{kind}": two(code, options, kind=kind)
        for code, options in (ADD, SUB, MUL)
        for kind in ("uint8", "int16")
    },
    "mul_int16_wide": two(*MUL, a=WIDE, b=WIDE, kind="int16", scales=(0.0011, 0.0023, 0.037)),
    "add_int16_wide": two(*ADD, a=WIDE, b=WIDE, kind="int16", scales=(0.0011, 0.0023, 0.0031)),
    "mul_all_pairs": two(*MUL, a=(1, 999, 1), b=(1, 1, 999), scales=(0.0511, 0.0317, 0.213)),
    "requantise_int16_wide": one(
        "QUANTIZE", shape=WIDE, kind="int16", x_scale=0.00053, y_scale=0.00071, y_zero=0
    ),
    "relu_int16_wide": one("RELU", shape=WIDE, kind="int16", x_scale=0.00053, y_scale=0.00041),
    "leaky_relu_int16_wide": one(
        *("LEAKY_RELU", "LeakyReluOptions", WIDE),
        **{"kind": "int16", "x_scale": 0.00053, "y_scale": 0.00047, "Alpha": 0.23},
    ),
    "absolute_int16_wide": one("ABS", shape=WIDE, kind="int16", x_scale=0.00053, y_scale=0.00061),
    "mean_int16_wide": told(
        *("MEAN", [1]),
        **{**MEAN, "shape": (1, 3, 40000), "y_shapes": ((1, 40000),), "kind": "int16", "y_zero": 0},
    ),
    "softmax_int16_rows": one(
        *("SOFTMAX", "SoftmaxOptions", (99, 37)),
        **{"kind": "int16", "x_scale": 0.0002, "y_scale": 1 / 32768, "Beta": 1.0},
    ),
    **{
        f"{code.lower()}_int16_near_even": one(
            code, kind="int16", x_scale=1.0003 / 2048, y_scale=1 / 32768, shape=(9, 99)
        )
        for code in ("TANH", "LOGISTIC")
    },
    "prelu_pairs": two("PRELU", a=(1, 999, 5), b=(999, 1), scales=(0.0511, 0.00413, 0.0317)),
    **{
        f"{code.lower()}_{name}": two(code, options, FusedActivationFunction=number)
        for code, options in (ADD, SUB, MUL)
        for name, number in ACTIVATIONS.items()
    },
    **{
        f"{code.lower()}_broadcast": two(code, options, b=(3,), scales=(0.02, 0.09, 0.07))
        for code, options in (ADD, SUB, MUL)
    },
    **{
        f"{code.lower()}_ties": two(code, options, scales=scales)
        for (code, options), scales in (
            (ADD, (0.25, 0.25, 0.5)),
            (SUB, (0.25, 0.125, 0.5)),
            (MUL, (0.25, 0.25, 1.0)),
        )
    },
    "add_constant": two(*ADD, b=(1, 1, 1, 3), constant=True),
    "mul_constant": two(*MUL, b=(), constant=True),
    "mul_both_broadcast": two(*MUL, a=(1, 4, 1, 3), b=(1, 1, 5, 1)),
    "maximum": two("MAXIMUM", scales=(0.05,) * 3, b=(5, 1)),
    "minimum": two("MINIMUM", scales=(0.05,) * 3),
    "minimum_int16": two("MINIMUM", scales=(0.05,) * 3, kind="int16"),
    "squared_difference": two("SQUARED_DIFFERENCE", scales=(0.05, 0.031, 0.3), zero=-128),
    "squared_difference_broadcast": two(
        "SQUARED_DIFFERENCE", b=(1, 1, 1, 1), scales=(0.05, 0.05, 0.3), zero=-128
    ),
    "prelu": two("PRELU", b=(1, 1, 3), scales=(0.05, 0.004, 0.03)),
    "prelu_uint8": two("PRELU", kind="uint8", scales=(0.05, 0.004, 0.03), zero=99),
    "pool_average_same": pooled("AVERAGE_POOL_2D", True),
    "pool_average_valid": pooled("AVERAGE_POOL_2D", False, FusedActivationFunction=3),
    "pool_average_uint8": pooled("AVERAGE_POOL_2D", True, "uint8"),
    "pool_average_int16": pooled("AVERAGE_POOL_2D", True, "int16"),
    "pool_average_batch": pooled("AVERAGE_POOL_2D", True, shape=(3, 7, 6, 2)),
    "pool_max_same": pooled("MAX_POOL_2D", True),
    "pool_max_relu": pooled("MAX_POOL_2D", False, FusedActivationFunction=1),
    "pool_max_uint8": pooled("MAX_POOL_2D", True, "uint8"),
    "pool_max_int16": pooled("MAX_POOL_2D", True, "int16"),
    **{
        f"{name.lower()}_{kind}": one(name, kind=kind, x_scale=0.051, y_scale=0.037)
        for name in ("RELU", "RELU6")
        for kind in ("int8", "uint8", "int16")
    },
    "relu_ties": one("RELU", x_scale=0.25, y_scale=0.5),
    **{
        f"{name.lower()}_{kind}": one(name, kind=kind, x_scale=0.05, y_scale=0.02)
        for name in ("RELU_N1_TO_1", "RELU_0_TO_1")
        for kind in ("int8", "uint8")
    },
    **{
        f"leaky_relu_{kind}": one(
            "LEAKY_RELU", "LeakyReluOptions", kind=kind, y_scale=0.037, Alpha=0.23
        )
        for kind in ("int8", "uint8", "int16")
    },
    "leaky_relu_negative": one("LEAKY_RELU", "LeakyReluOptions", y_scale=0.037, Alpha=-0.3),
    "leaky_relu_ties": one("LEAKY_RELU", "LeakyReluOptions", x_scale=0.5, y_scale=1, Alpha=0.25),
    **{
        f"logistic_{kind}": one("LOGISTIC", kind=kind, y_scale=1 / 256, y_zero=zero, shape=ROWS)
        for kind, zero in (("int8", -128), ("uint8", 0))
    },
    "logistic_int16": one(
        "LOGISTIC", kind="int16", x_scale=0.00037, y_scale=1 / 32768, shape=(9, 99)
    ),
    "logistic_int16_coarse": one(
        "LOGISTIC", kind="int16", x_scale=0.0021, y_scale=1 / 32768, shape=(9, 99)
    ),
    "logistic_int16_even": one(
        "LOGISTIC", kind="int16", x_scale=1 / 4096, y_scale=1 / 32768, shape=(30, 99)
    ),
    **{
        f"tanh_{kind}": one("TANH", kind=kind, y_scale=1 / 128, y_zero=zero, shape=ROWS)
        for kind, zero in (("int8", 0), ("uint8", 128))
    },
    "tanh_int16": one("TANH", kind="int16", x_scale=0.00017, y_scale=1 / 32768, shape=(9, 99)),
    **{
        f"tanh_int16_{name}": one(
            "TANH", kind="int16", x_scale=scale, y_scale=1 / 32768, shape=(30, 99)
        )
        for name, scale in (("even", 1 / 4096), ("twice", 1 / 2048), ("half", 1 / 8192))
    },
    **{
        f"hard_swish_{name}": one(
            "HARD_SWISH", kind=kind, x_scale=x_scale, y_scale=y_scale, shape=(4, 256)
        )
        for name, kind, x_scale, y_scale in (
            *(("int8", "int8", 0.05, 0.03), ("uint8", "uint8", 0.05, 0.04)),
            *(("coarse", "int8", 0.5, 0.4), ("fine", "int8", 0.008, 0.005)),
        )
    },
    "gelu": one("GELU", "GeluOptions", y_scale=0.03, shape=ROWS),
    "gelu_uint8": one("GELU", "GeluOptions", kind="uint8", y_scale=0.03, shape=ROWS),
    "gelu_by_tanh": one("GELU", "GeluOptions", y_scale=0.03, shape=ROWS, Approximate=True),
    "exp": one("EXP", x_scale=0.02, y_scale=0.04, y_zero=-128, shape=ROWS),
    "absolute": one("ABS", y_scale=0.04),
    "absolute_same": one("ABS"),
    "absolute_int16": one("ABS", kind="int16", y_scale=0.06),
    "rsqrt": one("RSQRT", y_scale=0.02, x_zero=-128, y_zero=-128, shape=(3, 99)),
    "rsqrt_coarse": one("RSQRT", y_scale=0.1, x_scale=0.3, x_zero=-128, y_zero=-100, shape=(3, 99)),
    "rsqrt_int16": one(
        *("RSQRT", "", (3, 99)),
        **{"kind": "int16", "x_scale": 0.001, "y_scale": 0.0005, "within": (0, 32767)},
    ),
    "softmax": one("SOFTMAX", "SoftmaxOptions", ROWS, y_scale=1 / 256, y_zero=-128, Beta=1.0),
    "softmax_steep": one(
        "SOFTMAX", "SoftmaxOptions", ROWS, x_scale=0.4, y_scale=1 / 256, y_zero=-128, Beta=0.7
    ),
    "softmax_image": one(
        "SOFTMAX", "SoftmaxOptions", IMAGE, x_scale=0.01, y_scale=1 / 256, y_zero=-128, Beta=1.0
    ),
    "softmax_uint8": one(
        "SOFTMAX", "SoftmaxOptions", ROWS, kind="uint8", y_scale=1 / 256, y_zero=0, Beta=1.0
    ),
    "softmax_int16": one(
        *("SOFTMAX", "SoftmaxOptions", ROWS),
        **{"kind": "int16", "x_scale": 0.0002, "y_scale": 1 / 32768, "Beta": 1.0},
    ),
    "softmax_int16_flat": one(
        *("SOFTMAX", "SoftmaxOptions", (3, 200)),
        **{"kind": "int16", "x_scale": 0.00002, "y_scale": 1 / 32768, "Beta": 1.0},
    ),
    "mean": told("MEAN", [1, 2], y_shapes=((1, 3),), **MEAN),
    "mean_keeps": told("MEAN", [-2, 1], y_shapes=((1, 1, 1, 3),), KeepDims=True, **MEAN),
    "mean_last": told("MEAN", [3], y_shapes=((1, 4, 5),), **MEAN),
    "mean_of_7": told("MEAN", [1], shape=(2, 7, 9), y_shapes=((2, 9),), **MEAN),
    "mean_uint8": told("MEAN", [1, 2], y_shapes=((1, 3),), kind="uint8", **MEAN),
    "mean_int16": told("MEAN", [1, 2], y_shapes=((1, 3),), kind="int16", **{**MEAN, "y_zero": 0}),
    "mean_ties": told(
        *("MEAN", [1]),
        **{"shape": (9, 2, 9), "y_shapes": ((9, 9),), "options": "ReducerOptions"},
    ),
    "reduce_max": told("REDUCE_MAX", [1], y_shapes=((1, 5, 3),), options="ReducerOptions"),
    "reduce_min": told("REDUCE_MIN", [-1], y_shapes=((1, 4, 5),), options="ReducerOptions"),
    "quantise": one("QUANTIZE", kind="float32", y_kind="int8", y_scale=0.05, y_zero=-4),
    "quantise_uint8": one("QUANTIZE", kind="float32", y_kind="uint8", y_scale=0.05, y_zero=99),
    "quantise_int16": one("QUANTIZE", kind="float32", y_kind="int16", y_scale=0.0005),
    "requantise": one("QUANTIZE", x_scale=0.05, y_scale=0.031, y_zero=11),
    "requantise_ties": one("QUANTIZE", x_scale=0.25, y_scale=0.5, y_zero=11),
    "requantise_into_uint8": one("QUANTIZE", y_kind="uint8", x_scale=0.05, y_scale=0.07, y_zero=99),
    "requantise_into_int16": one(
        "QUANTIZE", y_kind="int16", x_scale=0.05, y_scale=0.0007, y_zero=0
    ),
    "requantise_from_int16": one(
        "QUANTIZE", kind="int16", y_kind="int8", x_scale=0.0005, y_scale=0.13, y_zero=-9
    ),
    "requantise_int16": one("QUANTIZE", kind="int16", x_scale=0.0005, y_scale=0.0007, y_zero=0),
    "dequantise": one("DEQUANTIZE", y_kind="float32", y_zero=0),
    "dequantise_uint8": one("DEQUANTIZE", kind="uint8", y_kind="float32", y_zero=0),
    "dequantise_int16": one("DEQUANTIZE", kind="int16", y_kind="float32"),
    "concatenate": several(
        *("CONCATENATION", "ConcatenationOptions", (IMAGE, (1, 4, 5, 2)), (1, 4, 5, 5)),
        **{"kind": "int8", "Axis": -1},
    ),
    "concatenate_three": several(
        *("CONCATENATION", "ConcatenationOptions", (IMAGE,) * 3, (1, 12, 5, 3)),
        **{"kind": "int16", "Axis": 1},
    ),
    "pack": several("PACK", "PackOptions", (ROWS,) * 3, (3, 3, 37), "int8", Axis=1, ValuesCount=3),
    "pack_last": several(
        *("PACK", "PackOptions", (ROWS,) * 2, (3, 37, 2), "int16"), **{"Axis": -1, "ValuesCount": 2}
    ),
    "unpack": told("UNPACK", options="UnpackOptions", y_shapes=((1, 5, 3),) * 4, Num=4, Axis=1),
    "split": told(
        *("SPLIT", 3),
        **{"options": "SplitOptions", "shape": (1, 4, 5, 6), "x_place": 1, "NumSplits": 2},
        y_shapes=((1, 4, 5, 3),) * 2,
    ),
    "split_by_sizes": told(
        *("SPLIT_V", [1, 3], 1),
        **{"options": "SplitVOptions", "NumSplits": 2},
        y_shapes=((1, 1, 5, 3), (1, 3, 5, 3)),
    ),
    "reshape": told("RESHAPE", [4, 15], options="ReshapeOptions", y_shapes=((4, 15),)),
    "squeeze": told("SQUEEZE", options="SqueezeOptions", y_shapes=((4, 5, 3),)),
    "expand": told("EXPAND_DIMS", [1], options="ExpandDimsOptions", y_shapes=((1, 1, 4, 5, 3),)),
    "transpose": told(
        "TRANSPOSE", [0, 3, 1, 2], options="TransposeOptions", y_shapes=((1, 3, 4, 5),)
    ),
    "pad": told(
        "PAD", [[0, 0], [1, 2], [0, 3], [0, 0]], options="PadOptions", y_shapes=((1, 7, 8, 3),)
    ),
    "pad_int16": told(
        *("PAD", [[0, 0], [1, 2], [0, 3], [0, 0]]),
        **{"options": "PadOptions", "y_shapes": ((1, 7, 8, 3),), "kind": "int16"},
    ),
    "pad_with": told(
        *("PADV2", [[0, 0], [1, 2], [0, 3], [1, 0]], ([17], "int8", 0.05, -3)),
        **{"options": "PadV2Options", "y_shapes": ((1, 7, 8, 4),)},
    ),
    "slice": told(
        "SLICE", [0, 1, 0, 1], [1, 2, -1, 2], options="SliceOptions", y_shapes=((1, 2, 5, 2),)
    ),
    "strided": told(
        "STRIDED_SLICE",
        [0, 1, 0, 0],
        [1, 4, 5, 3],
        [1, 2, 3, 1],
        y_shapes=((1, 2, 2, 3),),
        **STRIDED,
    ),
    "strided_masks": told(
        *("STRIDED_SLICE", [0, 9, -3, 1], [0, 9, -1, 0], [1, 1, 1, 1]),
        **{"y_shapes": ((4, 2),), "BeginMask": 2, "EndMask": 2, "ShrinkAxisMask": 9, **STRIDED},
    ),
    "gather": gathered("GATHER", "GatherOptions", (6, 7), (2, 3), (2, 3, 7), 0),
    "gather_last": gathered("GATHER", "GatherOptions", (6, 7), (4,), (6, 4), 1),
    "embedding": gathered("EMBEDDING_LOOKUP", "", (11, 6), (5,), (5, 6), 0),
    **{
        f"resize_{name}": told(
            *("RESIZE_NEAREST_NEIGHBOR", [7, 9]),
            **{"options": "ResizeNearestNeighborOptions", "y_shapes": ((1, 7, 9, 3),), **fields},
        )
        for name, fields in (
            *(("nearest", {}), ("corners", {"AlignCorners": True})),
            ("centres", {"HalfPixelCenters": True}),
        )
    },
}
