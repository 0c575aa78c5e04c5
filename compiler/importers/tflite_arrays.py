"""TensorFlow Lite's operators without weights in the graph's terms: element by element, and those
that move elements."""

from typing import Any

from cimforge.compiler.graph.operator import (
    Concatenate,
    Elementwise,
    Function,
    HostOperator,
    Pad,
    Quantise,
    Reduce,
    Reshape,
    Slice,
    Softmax,
    Transpose,
)
from cimforge.compiler.graph.tensor import Tensor
from cimforge.compiler.importers.tflite_options import (
    Parts,
    Reader,
    Tensors,
    UnsupportedError,
    activation,
    axis_of,
    constant,
    present,
    required,
    shape_of,
)

__all__ = [
    "concatenate",
    "elementwise",
    "embedding",
    "function",
    "gather",
    "gelu",
    "pack",
    "pad",
    "prelu",
    "quantise",
    "reduce",
    "reshape",
    "resize_nearest",
    "slice_of",
    "softmax",
    "split",
    "strided",
    "transpose",
    "unpack",
]


def elementwise(kind: str) -> Reader:
    """Of two inputs."""

    def reader(table: Any, read: Tensors, made: list[Tensor]) -> Parts:
        required(read, 1)
        behind = activation(table) if table is not None else "none"
        return Parts(Elementwise(kind, behind), (0, 1))

    return reader


def function(kind: str) -> Reader:
    """Of one."""

    def reader(table: Any, read: Tensors, made: list[Tensor]) -> Parts:
        alpha = float(table.Alpha()) if kind == "leaky_relu" else 0.0
        return Parts(Function(kind, alpha), (0,))

    return reader


def prelu(table: Any, read: Tensors, made: list[Tensor]) -> Parts:
    """PRELU: the slopes below 0 are its second input."""
    required(read, 1)
    return Parts(Function("prelu"), (0, 1))


def gelu(table: Any, read: Tensors, made: list[Tensor]) -> Parts:
    """GELU, by erf, or by tanh."""
    return Parts(Function("gelu_tanh" if table.Approximate() else "gelu"), (0,))


def softmax(table: Any, read: Tensors, made: list[Tensor]) -> Parts:
    """SOFTMAX over the last axis."""
    if not required(read, 0).shape:
        raise UnsupportedError("the input must have an axis")
    return Parts(Softmax(-1, float(table.Beta())), (0,))


def quantise(table: Any, read: Tensors, made: list[Tensor]) -> Parts:
    """QUANTIZE and DEQUANTIZE."""
    return Parts(Quantise(), (0,))


def concatenate(table: Any, read: Tensors, made: list[Tensor]) -> Parts:
    """CONCATENATION."""
    axis = axis_of(table.Axis(), len(made[0].shape))
    return Parts(Concatenate(axis, activation(table)), tuple(range(len(read))))


def pack(table: Any, read: Tensors, made: list[Tensor]) -> Parts:
    """PACK, along a new axis."""
    axis = axis_of(table.Axis(), len(required(read, 0).shape) + 1)
    return Parts(HostOperator("Pack", (("axis", axis),)), tuple(range(len(read))))


def reshape(table: Any, read: Tensors, made: list[Tensor]) -> Parts:
    """RESHAPE, SQUEEZE and EXPAND_DIMS: the output's shape is the file's word."""
    x = required(read, 0)
    if x.size != made[0].size:
        raise UnsupportedError(f"shape {x.shape} does not become {made[0].shape}")
    return Parts(Reshape(), (0,))


def transpose(table: Any, read: Tensors, made: list[Tensor]) -> Parts:
    """TRANSPOSE."""
    order = tuple(constant(read, 1))
    if sorted(order) != list(range(len(required(read, 0).shape))):
        raise UnsupportedError(f"order {order} is none of axes {required(read, 0).shape}")
    return Parts(Transpose(order), (0,))


def pad(table: Any, read: Tensors, made: list[Tensor]) -> Parts:
    """PAD with what stands for 0, PADV2 with a constant."""
    x, amounts = required(read, 0), constant(read, 1)
    if len(amounts) != 2 * len(x.shape) or min(amounts, default=0) < 0:
        raise UnsupportedError(f"amounts {amounts} are none of shape {x.shape}")
    pairs = tuple(zip(amounts[::2], amounts[1::2], strict=True))
    value = 0.0
    if 2 in present(read, 2):
        (number,) = constant(read, 2)
        told = required(read, 2)
        if told.quantisation != x.quantisation:
            raise UnsupportedError("the constant must have the input's scale and zero point")
        value = (number - told.zero) * told.scale if told.quantisation else float(number)
    return Parts(Pad(pairs, value), (0,))


def reduce(kind: str) -> Reader:
    """MEAN, SUM, REDUCE_MAX, REDUCE_MIN."""

    def reader(table: Any, read: Tensors, made: list[Tensor]) -> Parts:
        rank = len(required(read, 0).shape)
        axes = tuple(sorted({axis_of(axis, rank) for axis in constant(read, 1)}))
        return Parts(Reduce(kind, axes, bool(table.KeepDims())), (0,))

    return reader


def slice_of(table: Any, read: Tensors, made: list[Tensor]) -> Parts:
    """SLICE: places to begin at, and sizes."""
    x, begin, size = required(read, 0), constant(read, 1), constant(read, 2)
    if not len(begin) == len(size) == len(x.shape):
        raise UnsupportedError(f"begin {begin} and size {size} are none of shape {x.shape}")
    spans = list(zip(begin, size, x.shape, strict=True))
    ends = tuple(length if count == -1 else first + count for first, count, length in spans)
    if any(
        not 0 <= first <= end <= length for (first, _, length), end in zip(spans, ends, strict=True)
    ):
        raise UnsupportedError(f"begin {begin} and size {size} lead out of shape {x.shape}")
    return Parts(Slice(tuple(begin), ends, (1,) * len(begin)), (0,))


def strided(table: Any, read: Tensors, made: list[Tensor]) -> Parts:
    """STRIDED_SLICE with steps above 0, without an ellipsis or new axes."""
    x = required(read, 0)
    begin, end, step = (constant(read, place) for place in (1, 2, 3))
    if table.EllipsisMask() or table.NewAxisMask() or table.Offset():
        raise UnsupportedError("ellipses, new axes and ends as offsets are not computed here")
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


def split(by: int, x_place: int) -> Reader:
    """SPLIT and SPLIT_V: a slice an output; the axis is input ``by``, x input ``x_place``."""

    def reader(table: Any, read: Tensors, made: list[Tensor]) -> list[Parts]:
        x, told = required(read, x_place), constant(read, by)
        if len(told) != 1:
            raise UnsupportedError(f"axis must be one number, not {told}")
        axis = axis_of(told[0], len(x.shape))
        sizes = [tensor.shape[axis] if axis < len(tensor.shape) else 0 for tensor in made]
        if sum(sizes) != x.shape[axis]:
            raise UnsupportedError(f"sizes {sizes} do not add up to axis {axis} of {x.shape}")
        found, first = [], 0
        for place, size in enumerate(sizes):
            found.append(_cut(x, axis, first, size, x_place, place))
            first += size
        return found

    return reader


def _cut(
    x: Tensor, axis: int, first: int, size: int, x_place: int, place: int, drop: bool = False
) -> Parts:
    """Elements ``first`` .. ``first + size - 1`` of one axis, as output ``place``."""
    begin, end = [0] * len(x.shape), list(x.shape)
    begin[axis], end[axis] = first, first + size
    axes = (axis,) if drop else ()
    operator = Slice(tuple(begin), tuple(end), (1,) * len(end), axes)
    return Parts(operator, (x_place,), (place,))


def unpack(table: Any, read: Tensors, made: list[Tensor]) -> list[Parts]:
    """UNPACK: a slice an output, without the axis."""
    x = required(read, 0)
    axis = axis_of(table.Axis(), len(x.shape))
    if len(made) != x.shape[axis]:
        raise UnsupportedError(f"{len(made)} outputs are none of axis {axis} of {x.shape}")
    return [_cut(x, axis, place, 1, 0, place, drop=True) for place in range(len(made))]


def gather(table: Any, read: Tensors, made: list[Tensor]) -> Parts:
    """GATHER without batch axes."""
    if table.BatchDims():
        raise UnsupportedError("batch axes are not computed here")
    axis = axis_of(table.Axis(), len(required(read, 0).shape))
    return _gathered(read, 0, 1, axis)


def embedding(table: Any, read: Tensors, made: list[Tensor]) -> Parts:
    """EMBEDDING_LOOKUP: places, then the table."""
    if not required(read, 1).shape:
        raise UnsupportedError("the table must have an axis")
    return _gathered(read, 1, 0, 0)


def _gathered(read: Tensors, x_place: int, by: int, axis: int) -> Parts:
    if required(read, by).kind not in ("int32", "int64"):
        raise UnsupportedError(f"places must be int32 or int64, not {required(read, by).kind}")
    return Parts(HostOperator("Gather", (("axis", axis),)), (x_place, by))


def resize_nearest(table: Any, read: Tensors, made: list[Tensor]) -> Parts:
    """RESIZE_NEAREST_NEIGHBOR; the output's size is the file's word."""
    shape_of(read, 0, 4)
    told = bool(table.AlignCorners()), bool(table.HalfPixelCenters())
    names = ("align_corners", "half_pixel_centres")
    return Parts(HostOperator("ResizeNearestNeighbor", tuple(zip(names, told, strict=True))), (0,))
