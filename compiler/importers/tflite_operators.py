"""TensorFlow Lite's operators in the graph's terms."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from cimforge.compiler.graph.operator import (
    Concatenate,
    Convolution,
    Elementwise,
    FullyConnected,
    Function,
    MatrixProduct,
    Operator,
    Pad,
    Pool,
    Quantise,
    Reduce,
    Reshape,
    Slice,
    Softmax,
    Transpose,
    TransposedConvolution,
)
from cimforge.compiler.graph.tensor import Tensor

__all__ = ["Parts", "UnsupportedError", "translate"]

Tensors = list[Tensor | None]


class UnsupportedError(ValueError):
    """What an operator asks for that is not computed here."""


class Parts(NamedTuple):
    """An operator, its tensors that stay inputs by their place, and a change of its weights."""

    operator: Operator
    inputs: tuple[int, ...]
    turned: bool = False  # weights (1, KY, KX, N) of a depthwise convolution → (N, KY, KX, 1)


ACTIVATIONS = {0: "none", 1: "relu", 2: "relu_n1_to_1", 3: "relu6"}
SAME = 0  # of Padding


def translate(code: int, options: Any, read: Tensors, made: list[Tensor]) -> Parts:
    """The operator of BuiltinOperator ``code`` with its table of ``options``, of the tensors that
    it reads and makes.

    Raises UnsupportedError, telling what to do, where it is not computed here.
    """
    if code not in READERS:
        raise UnsupportedError(f"operator {name_of(code)} is not computed here")
    kind, reader = READERS[code]
    table = None
    if kind:
        table = _options(kind, options)
    return reader(table, read, made)


def name_of(code: int) -> str:
    """What schema.fbs calls an operator, with its number."""
    import tflite

    names = {v: k for k, v in vars(tflite.BuiltinOperator).items() if isinstance(v, int)}
    return f"{names.get(code, 'unknown')} ({code})"


def _options(kind: str, options: Any) -> Any:
    """The table of options as the class of that name; None where the file has none."""
    import tflite

    if options is None:
        raise UnsupportedError(f"{kind} are missing")
    table = getattr(tflite, kind)()
    table.Init(options.Bytes, options.Pos)
    return table


def _activation(table: Any) -> str:
    code = table.FusedActivationFunction()
    if code not in ACTIVATIONS:
        raise UnsupportedError(f"fused activation {code} is not computed here")
    return ACTIVATIONS[code]


def _shape(tensors: Tensors, place: int, rank: int) -> tuple[int, ...]:
    tensor = _there(tensors, place)
    if len(tensor.shape) != rank:
        raise UnsupportedError(f"{tensor.name!r} must have {rank} axes, not shape {tensor.shape}")
    return tensor.shape


def _there(tensors: Tensors, place: int) -> Tensor:
    found = tensors[place] if place < len(tensors) else None
    if found is None:
        raise UnsupportedError(f"input {place} is missing")
    return found


def _constant(tensors: Tensors, place: int) -> list[int]:
    tensor = _there(tensors, place)
    if tensor.data is None:
        raise UnsupportedError(f"{tensor.name!r} must be a constant")
    return [int(value) for value in np.ravel(tensor.data)]


def _present(tensors: Tensors, *places: int) -> tuple[int, ...]:
    """Those of the places that hold a tensor."""
    return tuple(place for place in places if place < len(tensors) and tensors[place] is not None)


def padding(
    same: bool, size: tuple[int, int], kernel: tuple[int, int], stride: tuple, dilation: tuple
) -> tuple[tuple[int, int], tuple[int, int]]:
    """Explicit padding: with SAME as much as ceil(size / stride) outputs need, the odd one behind
    (TensorFlow's rule); else none."""
    if not same:
        return (0, 0), (0, 0)
    pairs = []
    for length, taps, step, apart in zip(size, kernel, stride, dilation, strict=True):
        outputs = -(-length // step)
        needed = max(0, (outputs - 1) * step + (taps - 1) * apart + 1 - length)
        pairs.append((needed // 2, needed - needed // 2))
    return pairs[0], pairs[1]


def _positive(**values: int) -> None:
    for name, value in values.items():
        if value < 1:
            raise UnsupportedError(f"{name} must be at least 1, not {value}")


def _convolution(table: Any, read: Tensors, made: list[Tensor]) -> Parts:
    stride, dilation = _steps(table)
    _, height, width, channels = _shape(read, 0, 4)
    _, tall, wide, depth = _shape(read, 1, 4)
    if not depth or channels % depth:
        raise UnsupportedError(f"weights of {depth} channels do not divide {channels}")
    told = padding(table.Padding() == SAME, (height, width), (tall, wide), stride, dilation)
    groups = channels // depth
    operator = Convolution(stride, dilation, told, groups, _activation(table))
    return Parts(operator, _present(read, 0, 1, 2))


def _depthwise(table: Any, read: Tensors, made: list[Tensor]) -> Parts:
    stride, dilation = _steps(table)
    _, height, width, channels = _shape(read, 0, 4)
    one, tall, wide, outputs = _shape(read, 1, 4)
    if one != 1 or not channels or outputs % channels:
        raise UnsupportedError(f"weights {_there(read, 1).shape} are none of {channels} channels")
    told = padding(table.Padding() == SAME, (height, width), (tall, wide), stride, dilation)
    operator = Convolution(stride, dilation, told, channels, _activation(table))
    return Parts(operator, _present(read, 0, 1, 2), turned=True)


def _steps(table: Any) -> tuple[tuple[int, int], tuple[int, int]]:
    stride = table.StrideH(), table.StrideW()
    dilation = table.DilationHFactor(), table.DilationWFactor()
    _positive(stride_h=stride[0], stride_w=stride[1])
    _positive(dilation_h=dilation[0], dilation_w=dilation[1])
    return stride, dilation


def _transposed(table: Any, read: Tensors, made: list[Tensor]) -> Parts:
    stride = table.StrideH(), table.StrideW()
    _positive(stride_h=stride[0], stride_w=stride[1])
    _, tall, wide, _ = _shape(read, 1, 4)
    _, height, width, _ = made[0].shape if len(made[0].shape) == 4 else (0, 0, 0, 0)
    told = padding(table.Padding() == SAME, (height, width), (tall, wide), stride, (1, 1))
    operator = TransposedConvolution(stride, told, (height, width), _activation(table))
    return Parts(operator, _present(read, 2, 1, 3))


def _fully_connected(table: Any, read: Tensors, made: list[Tensor]) -> Parts:
    if table.WeightsFormat() != 0:
        raise UnsupportedError("weights must be in the default format, not shuffled")
    _shape(read, 1, 2)
    return Parts(FullyConnected(_activation(table)), _present(read, 0, 1, 2))


def _batch_matmul(table: Any, read: Tensors, made: list[Tensor]) -> Parts:
    return Parts(MatrixProduct(bool(table.AdjX()), bool(table.AdjY())), (0, 1))


def _pool(kind: str) -> Callable[[Any, Tensors, list[Tensor]], Parts]:
    def reader(table: Any, read: Tensors, made: list[Tensor]) -> Parts:
        window = table.FilterHeight(), table.FilterWidth()
        stride = table.StrideH(), table.StrideW()
        _positive(filter_height=window[0], filter_width=window[1])
        _positive(stride_h=stride[0], stride_w=stride[1])
        _, height, width, _ = _shape(read, 0, 4)
        told = padding(table.Padding() == SAME, (height, width), window, stride, (1, 1))
        return Parts(Pool(kind, window, stride, told, _activation(table)), (0,))

    return reader


def _elementwise(kind: str) -> Callable[[Any, Tensors, list[Tensor]], Parts]:
    def reader(table: Any, read: Tensors, made: list[Tensor]) -> Parts:
        return Parts(Elementwise(kind, _activation(table) if table else "none"), (0, 1))

    return reader


def _function(kind: str) -> Callable[[Any, Tensors, list[Tensor]], Parts]:
    def reader(table: Any, read: Tensors, made: list[Tensor]) -> Parts:
        alpha = float(table.Alpha()) if kind == "leaky_relu" else 0.0
        return Parts(Function(kind, alpha), (0,))

    return reader


def _softmax(table: Any, read: Tensors, made: list[Tensor]) -> Parts:
    return Parts(Softmax(-1, float(table.Beta())), (0,))


def _concatenate(table: Any, read: Tensors, made: list[Tensor]) -> Parts:
    rank = len(made[0].shape)
    axis = table.Axis() + rank * (table.Axis() < 0)
    if not 0 <= axis < rank:
        raise UnsupportedError(f"axis {table.Axis()} is none of {rank}")
    return Parts(Concatenate(axis, _activation(table)), tuple(range(len(read))))


def _reshape(table: Any, read: Tensors, made: list[Tensor]) -> Parts:
    x = _there(read, 0)
    if x.size != made[0].size:
        raise UnsupportedError(f"shape {x.shape} does not become {made[0].shape}")
    return Parts(Reshape(), (0,))


def _transpose(table: Any, read: Tensors, made: list[Tensor]) -> Parts:
    order = tuple(_constant(read, 1))
    if sorted(order) != list(range(len(_there(read, 0).shape))):
        raise UnsupportedError(f"order {order} is none of axes {_there(read, 0).shape}")
    return Parts(Transpose(order), (0,))


def _pad(table: Any, read: Tensors, made: list[Tensor]) -> Parts:
    x, amounts = _there(read, 0), _constant(read, 1)
    if len(amounts) != 2 * len(x.shape) or min(amounts, default=0) < 0:
        raise UnsupportedError(f"amounts {amounts} are none of shape {x.shape}")
    pairs = tuple(zip(amounts[::2], amounts[1::2], strict=True))
    value = 0.0
    if 2 in _present(read, 2):
        (value,) = _there(read, 2).real().ravel() if _there(read, 2).data is not None else (0.0,)
    return Parts(Pad(pairs, float(value)), (0,))


def _reduce(kind: str) -> Callable[[Any, Tensors, list[Tensor]], Parts]:
    def reader(table: Any, read: Tensors, made: list[Tensor]) -> Parts:
        rank = len(_there(read, 0).shape)
        axes = tuple(sorted({axis + rank * (axis < 0) for axis in _constant(read, 1)}))
        if any(not 0 <= axis < rank for axis in axes):
            raise UnsupportedError(f"axes {axes} are none of {rank}")
        return Parts(Reduce(kind, axes, bool(table.KeepDims())), (0,))

    return reader


def _slice(table: Any, read: Tensors, made: list[Tensor]) -> Parts:
    x, begin, size = _there(read, 0), _constant(read, 1), _constant(read, 2)
    if not len(begin) == len(size) == len(x.shape):
        raise UnsupportedError(f"begin {begin} and size {size} are none of shape {x.shape}")
    ends = [
        length if count == -1 else first + count
        for first, count, length in zip(begin, size, x.shape, strict=True)
    ]
    if any(
        not 0 <= first <= end <= length
        for first, end, length in zip(begin, ends, x.shape, strict=True)
    ):
        raise UnsupportedError(f"begin {begin} and size {size} lead out of shape {x.shape}")
    return Parts(Slice(tuple(begin), tuple(ends), (1,) * len(begin)), (0,))


def _strided(table: Any, read: Tensors, made: list[Tensor]) -> Parts:
    x = _there(read, 0)
    begin, end, step = (_constant(read, place) for place in (1, 2, 3))
    if table.EllipsisMask() or table.NewAxisMask():
        raise UnsupportedError("masks of an ellipsis or of new axes are not computed here")
    if not len(begin) == len(end) == len(step) == len(x.shape) or min(step, default=1) < 1:
        raise UnsupportedError(f"steps {step} must be one an axis of {x.shape}, at least 1")
    drop = tuple(n for n in range(len(step)) if table.ShrinkAxisMask() >> n & 1)
    spans = []
    for n, (first, last, length) in enumerate(zip(begin, end, x.shape, strict=True)):
        low = 0 if table.BeginMask() >> n & 1 else first
        high = length if table.EndMask() >> n & 1 else last
        low, high, _ = slice(low, low + 1 if n in drop and low != -1 else high).indices(length)
        if n in drop and low >= length:
            raise UnsupportedError(f"begin {begin} leads out of shape {x.shape}")
        spans.append((low, low + 1 if n in drop else max(low, high)))
    lows, highs = zip(*spans, strict=True) if spans else ((), ())
    return Parts(Slice(tuple(lows), tuple(highs), tuple(step), drop), (0,))


def _quantise(table: Any, read: Tensors, made: list[Tensor]) -> Parts:
    return Parts(Quantise(), (0,))


Reader = Callable[[Any, Tensors, list[Tensor]], Parts]
READERS: dict[int, tuple[str, Reader]] = {  # code: class of its options, reader
    0: ("AddOptions", _elementwise("add")),
    1: ("Pool2DOptions", _pool("average")),
    2: ("ConcatenationOptions", _concatenate),
    3: ("Conv2DOptions", _convolution),
    4: ("DepthwiseConv2DOptions", _depthwise),
    6: ("", _quantise),  # DEQUANTIZE
    9: ("FullyConnectedOptions", _fully_connected),
    14: ("", _function("logistic")),
    17: ("Pool2DOptions", _pool("max")),
    18: ("MulOptions", _elementwise("multiply")),
    19: ("", _function("relu")),
    20: ("", _function("relu_n1_to_1")),
    21: ("", _function("relu6")),
    22: ("", _reshape),
    25: ("SoftmaxOptions", _softmax),
    28: ("", _function("tanh")),
    34: ("", _pad),
    39: ("", _transpose),
    40: ("ReducerOptions", _reduce("mean")),
    41: ("SubOptions", _elementwise("subtract")),
    42: ("DivOptions", _elementwise("divide")),
    43: ("", _reshape),  # SQUEEZE
    45: ("StridedSliceOptions", _strided),
    55: ("", _elementwise("maximum")),
    57: ("", _elementwise("minimum")),
    59: ("", _function("negative")),
    60: ("", _pad),  # PADV2
    65: ("", _slice),
    67: ("TransposeConvOptions", _transposed),
    70: ("", _reshape),  # EXPAND_DIMS
    74: ("ReducerOptions", _reduce("sum")),
    75: ("", _function("sqrt")),
    76: ("", _function("rsqrt")),
    92: ("", _function("square")),
    98: ("LeakyReluOptions", _function("leaky_relu")),
    101: ("", _function("absolute")),
    114: ("", _quantise),
    117: ("", _function("hard_swish")),
    126: ("BatchMatMulOptions", _batch_matmul),
    150: ("GeluOptions", _function("gelu")),
}
