"""Networks of one operator without weights each, element by element, drawn from a seed."""

from cimforge.compiler.importers.tests.tflite_array_makers import IMAGE, one, pooled, two
from cimforge.compiler.importers.tests.tflite_layer_cases import Case

__all__ = ["ARRAY_CASES"]

ACTIVATIONS = {"relu": 1, "relu_n1": 2, "relu6": 3}
ADD, SUB, MUL = ("ADD", "AddOptions"), ("SUB", "SubOptions"), ("MUL", "MulOptions")
ROWS = (3, 37)
WIDE = (1, 256, 256)
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
    "prelu_pairs": two(
        *("PRELU", "", (1, 400, 400), (400,)),
        # the factor in float32 is another than in float64, and it shows
        scales=(0.012291228398680687, 0.007067511323839426, 0.013030841015279293),
    ),
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
}
