"""TensorFlow Lite's layers with weights, and its pooling, in the graph's terms."""

from typing import Any

from cimforge.compiler.graph.operator import (
    Convolution,
    FullyConnected,
    MatrixProduct,
    Pool,
    TransposedConvolution,
)
from cimforge.compiler.graph.tensor import Tensor
from cimforge.compiler.importers.tflite_options import (
    Pair,
    Parts,
    Reader,
    Tensors,
    UnsupportedError,
    activation,
    positive,
    present,
    required,
    same_padding,
    shape_of,
)

__all__ = ["batch_matmul", "convolution", "depthwise", "fully_connected", "pool", "transposed"]


def convolution(table: Any, read: Tensors, made: list[Tensor]) -> Parts:
    """CONV_2D; in groups where the weights have fewer channels."""
    stride, dilation = _steps(table)
    _, height, width, channels = shape_of(read, 0, 4)
    outputs, tall, wide, depth = shape_of(read, 1, 4)
    if not depth or channels % depth or outputs % (channels // depth):
        raise UnsupportedError(f"weights {required(read, 1).shape} do not divide {channels}")
    _check_weights(read, 0, outputs, bias_type=table.QuantizedBiasType())
    if not present(read, 2):
        raise UnsupportedError("must have a bias, if only of zeros")
    told = same_padding(table.Padding(), (height, width), (tall, wide), stride, dilation)
    operator = Convolution(stride, dilation, told, channels // depth, activation(table))
    return Parts(operator, present(read, 0, 1, 2))


def depthwise(table: Any, read: Tensors, made: list[Tensor]) -> Parts:
    """DEPTHWISE_CONV_2D: as many groups as channels."""
    stride, dilation = _steps(table)
    _, height, width, channels = shape_of(read, 0, 4)
    one, tall, wide, outputs = shape_of(read, 1, 4)
    if one != 1 or not channels or outputs % channels:
        raise UnsupportedError(f"weights {required(read, 1).shape} are none of {channels} channels")
    if required(read, 1).data is None:
        raise UnsupportedError(f"weights {required(read, 1).name!r} must be constants")
    _check_weights(read, 3, outputs)
    told = same_padding(table.Padding(), (height, width), (tall, wide), stride, dilation)
    operator = Convolution(stride, dilation, told, channels, activation(table))
    return Parts(operator, present(read, 0, 1, 2), turned=True)


def _steps(table: Any) -> tuple[Pair, Pair]:
    stride = table.StrideH(), table.StrideW()
    dilation = table.DilationHFactor(), table.DilationWFactor()
    positive(stride_h=stride[0], stride_w=stride[1])
    positive(dilation_h=dilation[0], dilation_w=dilation[1])
    return stride, dilation


def _check_weights(
    read: Tensors, axis: int, outputs: int, bare: bool = True, bias_type: int = 0
) -> None:
    """Kernels take scales along the outputs only, and (``bare``) no zero points of int8."""
    w = required(read, 1)
    told = w.quantisation
    if told is None:
        raise UnsupportedError(f"weights {w.name!r} must be quantised")
    if told.channels > 1 and told.axis != axis:
        raise UnsupportedError(f"weights {w.name!r} must have their scales on axis {axis}")
    if w.kind != "uint8" and any(told.zeros) and (bare or told.channels > 1):
        raise UnsupportedError(f"weights {w.name!r} must have zero points of 0")
    if w.kind == "uint8" and told.channels > 1:
        raise UnsupportedError(f"weights {w.name!r} of uint8 must have one scale")
    if present(read, 2):
        x, bias = required(read, 0), required(read, 2)
        kind = "int64" if x.kind == "int16" and bias_type != INT32 else "int32"
        if bias.kind != kind or bias.size != outputs:
            rule = f"must hold {outputs} integers of {kind}, not {bias.size} of {bias.kind}"
            raise UnsupportedError(f"bias {bias.name!r} {rule}")


INT32 = 2  # of TensorType: what an operator says of its bias


def transposed(table: Any, read: Tensors, made: list[Tensor]) -> Parts:
    """TRANSPOSE_CONV: sizes, weights, x, bias."""
    stride = table.StrideH(), table.StrideW()
    positive(stride_h=stride[0], stride_w=stride[1])
    outputs, tall, wide, _ = shape_of(read, 1, 4)
    shape_of(read, 2, 4)
    _check_weights([required(read, 2), required(read, 1), *read[3:4]], 0, outputs)
    if len(made[0].shape) != 4:
        raise UnsupportedError(f"{made[0].name!r} must have 4 axes, not shape {made[0].shape}")
    height, width = made[0].shape[1:3]
    told = same_padding(table.Padding(), (height, width), (tall, wide), stride)
    operator = TransposedConvolution(stride, told, (height, width), activation(table))
    return Parts(operator, present(read, 2, 1, 3))


def fully_connected(table: Any, read: Tensors, made: list[Tensor]) -> Parts:
    """FULLY_CONNECTED; weights may come at run time."""
    if table.WeightsFormat() != 0:
        raise UnsupportedError("weights must be in the default format, not shuffled")
    outputs, _ = shape_of(read, 1, 2)
    _check_weights(read, 0, outputs, bare=False, bias_type=table.QuantizedBiasType())
    return Parts(FullyConnected(activation(table)), present(read, 0, 1, 2))


def batch_matmul(table: Any, read: Tensors, made: list[Tensor]) -> Parts:
    """BATCH_MATMUL: two matrices, or stacks of them."""
    for place in (0, 1):
        if len(required(read, place).shape) < 2:
            raise UnsupportedError(f"{required(read, place).name!r} must have at least 2 axes")
    return Parts(MatrixProduct(bool(table.AdjX()), bool(table.AdjY())), (0, 1))


def pool(kind: str) -> Reader:
    """MAX_POOL_2D or AVERAGE_POOL_2D."""

    def reader(table: Any, read: Tensors, made: list[Tensor]) -> Parts:
        window = table.FilterHeight(), table.FilterWidth()
        stride = table.StrideH(), table.StrideW()
        positive(filter_height=window[0], filter_width=window[1])
        positive(stride_h=stride[0], stride_w=stride[1])
        _, height, width, _ = shape_of(read, 0, 4)
        told = same_padding(table.Padding(), (height, width), window, stride)
        return Parts(Pool(kind, window, stride, told, activation(table)), (0,))

    return reader
