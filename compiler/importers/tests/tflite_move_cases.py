"""Networks of one operator each that moves elements, adds them up, or changes their kind."""

from cimforge.compiler.importers.tests.tflite_array_makers import (
    IMAGE,
    gathered,
    one,
    several,
    told,
)
from cimforge.compiler.importers.tests.tflite_layer_cases import Case

__all__ = ["MOVE_CASES"]

ROWS = (3, 37)
MEAN = {"options": "ReducerOptions", "y_scale": 0.02, "y_zero": 9}
STRIDED = {"options": "StridedSliceOptions"}
MOVE_CASES: dict[str, Case] = {
    "mean_int16_wide": told(
        *("MEAN", [1]),
        **{
            "options": "ReducerOptions",
            "shape": (1, 3, 40000),
            "y_shapes": ((1, 40000),),
            "kind": "int16",
        },
        # a multiplier divided by 3 is cut off, not rounded, and it shows
        **{"y_zero": 0, "y_scale": 0.04866262152791023},
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
