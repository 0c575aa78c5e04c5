"""Networks of one layer with weights each, drawn from a seed."""

from collections.abc import Callable
from typing import Any

import numpy as np

from cimforge.compiler.importers.tests.tflite_writer import KIND_NUMBERS, Model

__all__ = ["LAYER_CASES", "Case"]

Case = Callable[[np.random.RandomState], Model]


def _scale(draw: np.random.RandomState, low: float, high: float) -> float:
    return float(np.float32(draw.uniform(low, high)))


def _weights(
    model: Model,
    draw: np.random.RandomState,
    shape: tuple[int, ...],
    kind: str = "int8",
    axis: int | None = 0,
    zero: int = 0,
) -> int:
    """Drawn weights, with a scale an output of ``axis``, or one for all."""
    low, high = {"int8": (-127, 128), "int4": (-7, 8), "uint8": (0, 256)}[kind]
    count = 1 if axis is None else shape[axis]
    scales = tuple(_scale(draw, 0.001, 0.01) for _ in range(count))
    data = draw.randint(low, high, shape)
    return model.constant(data, kind, scales, (zero,) * count, axis=axis or 0)


def _even(model: Model, *places: int) -> None:
    """Scales of 2^-6."""
    for place in places:
        model.tensors[place] = model.tensors[place]._replace(scales=(2.0**-6,))


def _bias(
    model: Model,
    draw: np.random.RandomState,
    w: int,
    x: int,
    count: int,
    most: int,
    kind: str = "",
) -> int:
    """A bias in the scales of its sums."""
    kind = kind or ("int64" if model.tensors[x].kind == "int16" else "int32")
    scales = tuple(
        float(np.float32(model.tensors[x].scales[0]) * np.float32(scale))
        for scale in model.tensors[w].scales
    )
    return model.constant(draw.randint(-most, most, count), kind, scales)


def _zero(kind: str, zero: int) -> int:
    return {"int8": zero, "uint8": zero + 128, "int16": 0}[kind]


def _sum_scale(model: Model, x: int, w: int, terms: int) -> float:
    """A scale of outputs at which few of them are clipped."""
    told, weights = model.tensors[x], model.tensors[w]
    spread = {"int8": 73, "uint8": 73, "int16": 19000}[told.kind]
    reach = {"int8": 73, "int4": 4, "uint8": 73}[weights.kind]
    real = spread * told.scales[0] * reach * max(weights.scales) * terms**0.5
    return float(np.float32(real / (16000 if told.kind == "int16" else 60)))


def layer(
    code: str,
    options: str,
    *,
    x_shape: tuple[int, ...],
    w_shape: tuple[int, ...],
    y_shape: tuple[int, ...],
    terms: int,
    axis: int | None = 0,
    kind: str = "int8",
    w_kind: str = "int8",
    w_zero: int = 0,
    bias: int = 1000,
    bias_kind: str = "",
    ties: int = 0,
    **fields: Any,
) -> Case:
    """One layer; a bias up to ``bias``, or none with 0. With ``ties`` a sum counts 2^-ties of an
    output, so that many lie half between two."""

    def case(draw: np.random.RandomState) -> Model:
        model = Model()
        x = model.tensor(x_shape, kind, _scale(draw, 0.01, 0.1), _zero(kind, -3))
        w = _weights(model, draw, w_shape, w_kind, None if ties else axis, w_zero)
        if ties:
            _even(model, x, w)
        outputs = y_shape[-1]
        inputs = [x, w]
        if bias:
            inputs.append(_bias(model, draw, w, x, outputs, bias, bias_kind))
        scale = _sum_scale(model, x, w, terms) * (1 + bias / 1e5)
        scale = 2.0 ** (ties - 12) if ties else scale
        y = model.tensor(y_shape, kind, scale, _zero(kind, 5))
        model.node(code, inputs, [y], options, **fields)
        return model

    return case


def convolution(
    height: int = 6,
    width: int = 5,
    channels: int = 4,
    kernel: tuple[int, int] = (3, 3),
    outputs: int = 7,
    stride: tuple[int, int] = (1, 1),
    dilation: tuple[int, int] = (1, 1),
    same: bool = True,
    groups: int = 1,
    batch: int = 1,
    **more: Any,
) -> Case:
    """CONV_2D, or DEPTHWISE_CONV_2D with ``groups`` of 0."""
    spans = [(kernel[n] - 1) * dilation[n] + 1 for n in (0, 1)]
    size = [
        -(-length // step) if same else (length - span) // step + 1
        for length, step, span in zip((height, width), stride, spans, strict=True)
    ]
    depth = channels // max(1, groups)
    fields = {
        **{"StrideH": stride[0], "StrideW": stride[1], "Padding": 0 if same else 1},
        **{"DilationHFactor": dilation[0], "DilationWFactor": dilation[1], **more.pop("told", {})},
    }
    common = {
        "x_shape": (batch, height, width, channels),
        "y_shape": (batch, *size, outputs),
        **fields,
        **more,
    }
    if not groups:
        shape, terms = (1, *kernel, outputs), kernel[0] * kernel[1]
        fields["DepthMultiplier"] = common["DepthMultiplier"] = outputs // channels
        axis = common.pop("axis", 3)
        name = "DepthwiseConv2DOptions"
        return layer("DEPTHWISE_CONV_2D", name, w_shape=shape, terms=terms, axis=axis, **common)
    shape, terms = (outputs, *kernel, depth), kernel[0] * kernel[1] * depth
    return layer("CONV_2D", "Conv2DOptions", w_shape=shape, terms=terms, **common)


def connected(
    x_shape: tuple[int, ...], outputs: int, *, keep: bool = False, depth: int = 0, **more: Any
) -> Case:
    """FULLY_CONNECTED."""
    depth = depth or x_shape[-1]
    rows = int(np.prod(x_shape)) // depth
    y_shape = (*x_shape[:-1], outputs) if keep else (rows, outputs)
    shape = (outputs, depth)
    return layer(
        "FULLY_CONNECTED",
        "FullyConnectedOptions",
        **{"x_shape": x_shape, "w_shape": shape, "y_shape": y_shape, "terms": depth},
        KeepNumDims=keep,
        **more,
    )


def transposed(
    x_size: tuple[int, int],
    size: tuple[int, int],
    *,
    stride: int,
    same: bool,
    kind: str,
    **more: Any,
) -> Case:
    """TRANSPOSE_CONV of 3 channels to 5."""

    def case(draw: np.random.RandomState) -> Model:
        model = Model()
        shape = model.constant([1, *size, 5])
        x = model.tensor((1, *x_size, 3), kind, _scale(draw, 0.01, 0.1), _zero(kind, -3))
        axis = None if kind == "uint8" else 0
        axis = None if more.get("ties") else axis
        w = _weights(model, draw, (5, 3, 3, 3), "uint8" if kind == "uint8" else "int8", axis)
        inputs = [shape, w, x]
        if more.get("bias", True):
            inputs.append(_bias(model, draw, w, x, 5, 1000))
        scale = _sum_scale(model, x, w, 12)
        if more.get("ties"):
            _even(model, x, w)
            scale = 2.0 ** (more["ties"] - 12)
        y = model.tensor((1, *size, 5), kind, scale, _zero(kind, 5))
        fields = {"StrideH": stride, "StrideW": stride, "Padding": 0 if same else 1}
        fields["FusedActivationFunction"] = more.get("activation", 0)
        model.node("TRANSPOSE_CONV", inputs, [y], "TransposeConvOptions", **fields)
        return model

    return case


def matrices(
    a_shape: tuple[int, ...],
    b_shape: tuple[int, ...],
    y_shape: tuple[int, ...],
    kind: str = "int8",
    constant: bool = False,
    ties: int = 0,
    scales: tuple[float, float, float] | None = None,
    **turned: bool,
) -> Case:
    """BATCH_MATMUL; both at run time unless ``constant``."""

    def case(draw: np.random.RandomState) -> Model:
        model = Model()
        a = model.tensor(a_shape, kind, _scale(draw, 0.01, 0.1), _zero(kind, -3))
        if constant:
            b = model.constant(draw.randint(-127, 128, b_shape), kind, 0.02)
        else:
            b = model.tensor(b_shape, kind, _scale(draw, 0.01, 0.1), _zero(kind, 7))
        a_scale, b_scale = model.tensors[a].scales[0], model.tensors[b].scales[0]
        reach = 19000.0**2 / 16000 if kind == "int16" else 73.0**2 / 60
        scale = float(np.float32(a_scale * b_scale * reach * a_shape[-1] ** 0.5))
        if ties:
            _even(model, a, b)
            scale = 2.0 ** (ties - 12)
        if scales:
            for place, told in ((a, scales[0]), (b, scales[1])):
                model.tensors[place] = model.tensors[place]._replace(scales=(told,))
            scale = scales[2]
        y = model.tensor(y_shape, kind, scale, _zero(kind, 5))
        model.node("BATCH_MATMUL", [a, b], [y], "BatchMatMulOptions", **turned)
        return model

    return case


def given(case: Case) -> Case:
    """The same layer with its weights at run time."""

    def changed(draw: np.random.RandomState) -> Model:
        model = case(draw)
        model.tensors[1] = model.tensors[1]._replace(octets=b"")
        return model

    return changed


RELU, RELU_N1, RELU6 = ({"FusedActivationFunction": code} for code in (1, 2, 3))
NARROW = {"QuantizedBiasType": KIND_NUMBERS["int32"]}
LAYER_CASES: dict[str, Case] = {
    "convolution": convolution(),
    "convolution_valid_stride": convolution(7, 8, same=False, stride=(2, 3)),
    "convolution_same_stride": convolution(7, 8, stride=(2, 2), told=RELU),
    "convolution_even_kernel": convolution(7, 6, kernel=(4, 2), stride=(3, 2), told=RELU_N1),
    "convolution_dilated": convolution(9, 9, dilation=(2, 3), told=RELU6),
    "convolution_groups": convolution(channels=6, groups=3, outputs=9),
    "convolution_one_scale": convolution(axis=None),
    "convolution_ties": convolution(ties=9, bias=100),
    "convolution_ties_int16": convolution(ties=17, bias=100, kind="int16"),
    "convolution_greatest_bias": convolution(bias=1 << 30, outputs=40),
    "convolution_batch": convolution(batch=3),
    "convolution_uint8": convolution(kind="uint8", w_kind="uint8", axis=None, w_zero=119),
    "convolution_int16": convolution(kind="int16"),
    "convolution_int16_narrow": convolution(kind="int16", bias_kind="int32", told=NARROW),
    "convolution_int16_relu": convolution(kind="int16", told=RELU, stride=(2, 1)),
    "convolution_int4": convolution(w_kind="int4", channels=3),
    "depthwise": convolution(outputs=4, groups=0),
    "depthwise_multiplier": convolution(outputs=12, groups=0, stride=(2, 2), told=RELU),
    "depthwise_dilated": convolution(9, 9, outputs=4, groups=0, dilation=(2, 2), same=False),
    "depthwise_one_scale": convolution(outputs=8, groups=0, axis=None),
    "depthwise_no_bias": convolution(outputs=8, groups=0, bias=0),
    "depthwise_ties": convolution(outputs=8, groups=0, ties=7, bias=100),
    "depthwise_ties_int16": convolution(outputs=8, groups=0, ties=15, bias=100, kind="int16"),
    "depthwise_int16_no_bias": convolution(outputs=8, groups=0, kind="int16", bias=0),
    "depthwise_int16": convolution(outputs=8, groups=0, kind="int16"),
    "depthwise_int4": convolution(outputs=8, groups=0, w_kind="int4"),
    "depthwise_uint8": convolution(
        outputs=8, groups=0, kind="uint8", w_kind="uint8", axis=None, w_zero=131
    ),
    "connected": connected((1, 37), 11),
    "connected_rows": connected((5, 64), 10),
    "connected_one_scale": connected((4, 37), 11, axis=None),
    "connected_weight_zero": connected((4, 37), 11, axis=None, w_zero=9),
    "connected_relu": connected((4, 37), 11, **RELU),
    "connected_no_bias": connected((4, 37), 11, bias=0),
    "connected_greatest_bias": connected((4, 37), 11, bias=1 << 30),
    "connected_keeps_axes": connected((1, 3, 8), 6, keep=True),
    "connected_three_axes": connected((1, 3, 8), 6),
    "connected_image": connected((1, 2, 3, 4), 6, depth=24),
    "connected_at_run_time": given(connected((4, 37), 11, axis=None, w_zero=9)),
    "connected_int4": connected((4, 36), 11, w_kind="int4"),
    "connected_int4_odd": connected((4, 7), 5, w_kind="int4", axis=None),
    "connected_ties": connected((20, 37), 11, ties=9, bias=100),
    "connected_ties_int16": connected((20, 37), 11, ties=17, bias=100, kind="int16"),
    "connected_ties_uint8": connected(
        (20, 37), 11, ties=9, kind="uint8", w_kind="uint8", w_zero=131
    ),
    "connected_int16_narrow": connected((4, 37), 11, kind="int16", bias_kind="int32", **NARROW),
    "connected_int16": connected((4, 37), 11, kind="int16"),
    "connected_int16_one_scale": connected((4, 37), 11, kind="int16", axis=None, bias=0),
    "connected_uint8": connected((4, 37), 11, kind="uint8", w_kind="uint8", axis=None, w_zero=131),
    "transposed_same": transposed((4, 5), (8, 10), stride=2, same=True, kind="int8"),
    "transposed_odd": transposed((4, 5), (7, 9), stride=2, same=True, kind="int8", bias=False),
    "transposed_valid": transposed((3, 4), (7, 9), stride=2, same=False, kind="int8", activation=1),
    "transposed_dense": transposed((3, 4), (3, 4), stride=1, same=True, kind="int8"),
    "transposed_ties": transposed((4, 5), (8, 10), stride=2, same=True, kind="int8", ties=9),
    "transposed_ties_int16": transposed(
        (4, 5), (8, 10), stride=2, same=True, kind="int16", ties=17
    ),
    "transposed_int16": transposed((3, 4), (6, 8), stride=2, same=True, kind="int16"),
    "transposed_uint8": transposed((3, 4), (6, 8), stride=2, same=True, kind="uint8"),
    "matrices": matrices((2, 5, 8), (2, 8, 6), (2, 5, 6)),
    "matrices_turned": matrices((1, 3, 5, 8), (1, 3, 6, 8), (1, 3, 5, 6), AdjY=True),
    "matrices_a_turned": matrices((2, 8, 5), (2, 8, 6), (2, 5, 6), AdjX=True),
    "matrices_broadcast": matrices((2, 5, 8), (1, 8, 6), (2, 5, 6)),
    "matrices_constant": matrices((2, 5, 8), (8, 6), (2, 5, 6), constant=True),
    "matrices_all_pairs": matrices(
        *((1, 999, 1), (1, 1, 999), (1, 999, 999)),
        # a product of these in float32 gives another multiplier than one in float64, and it shows
        scales=(0.06099412962794304, 0.03388505429029465, 0.18889397382736206),
    ),
    "matrices_ties": matrices((2, 9, 8), (2, 8, 9), (2, 9, 9), ties=8),
    "matrices_ties_int16": matrices((2, 9, 8), (2, 8, 9), (2, 9, 9), ties=17, kind="int16"),
    "matrices_int16": matrices((2, 5, 8), (2, 8, 6), (2, 5, 6), kind="int16"),
}
