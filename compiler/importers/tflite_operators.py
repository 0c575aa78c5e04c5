"""TensorFlow Lite's operators in the graph's terms: who reads which, of what kinds."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from cimforge.compiler.graph.tensor import Tensor
from cimforge.compiler.importers import tflite_arrays as arrays
from cimforge.compiler.importers import tflite_layers as layers
from cimforge.compiler.importers.tflite_memory import sequence_lstm
from cimforge.compiler.importers.tflite_options import (
    Parts,
    Reader,
    Tensors,
    UnsupportedError,
    required,
)
from cimforge.compiler.importers.tflite_shapes import check_shape

__all__ = ["translate"]

LSTM = 44
EVERY = ("int8", "uint8", "int16", "int32", "int64", "bool", "float32")
SCALED = ("int8", "uint8", "int16")
BYTES = ("int8", "uint8")


class _Known(NamedTuple):
    """The class of an operator's options, empty where it needs none, who reads it, and the kinds of
    its first input of data that are computed bit for bit."""

    options: str
    reader: Reader
    kinds: tuple[str, ...] = SCALED


def translate(
    code: int, options: Any, read: Tensors, made: list[Tensor], between: Sequence[Tensor] = ()
) -> list[Parts]:
    """The nodes of BuiltinOperator ``code`` with its table of ``options``, of the tensors that it
    reads and makes, and of those that tell it scales ``between``.

    Raises UnsupportedError, telling what to do, where it is not computed here.
    """
    known = OPERATORS.get(code)
    if known is None:
        why = WITHOUT_ORACLE.get(code, "")
        raise UnsupportedError(f"operator {name_of(code)} is not computed here{why}")
    table = _options(known.options, options) if known.options else None
    told = known.reader(table, [*read, *between] if code == LSTM else read, made)
    found = told if isinstance(told, list) else [told]
    for parts in found:
        _check_kinds(code, known.kinds, parts, read, made)
        check_shape(parts, read, made)
    return found


def name_of(code: int) -> str:
    """What schema.fbs calls an operator, with its number."""
    import tflite

    names = {v: k for k, v in vars(tflite.BuiltinOperator).items() if isinstance(v, int)}
    return f"{names.get(code, 'unknown')} ({code})"


def _options(kind: str, options: Any) -> Any:
    """The table of options as the class of that name."""
    import tflite

    if options is None:
        raise UnsupportedError(f"{kind} are missing")
    table = getattr(tflite, kind)()
    table.Init(options.Bytes, options.Pos)
    return table


def _check_kinds(
    code: int, kinds: tuple[str, ...], parts: Parts, read: Tensors, made: list[Tensor]
) -> None:
    """Input and output of a kind that is computed, of the same but where the operator changes it;
    int16 without a zero point, as the kernels ask."""
    x, *_ = [required(read, place) for place in parts.inputs]
    y = made[parts.outputs[0]]
    for tensor in (x, y):
        if tensor.kind not in kinds:
            rule = f"must hold {' or '.join(kinds)}, not {tensor.kind}"
            raise UnsupportedError(f"{tensor.name!r} {rule}")
        if tensor.quantisation is None:
            if kinds in (SCALED, BYTES):
                raise UnsupportedError(f"{tensor.name!r} must be quantised")
        elif tensor.kind == "int16" and any(tensor.quantisation.zeros):
            raise UnsupportedError(f"{tensor.name!r} of int16 must have a zero point of 0")
    if x.kind != y.kind and code not in CHANGE_KIND:
        raise UnsupportedError(f"input of {x.kind} and output of {y.kind} must be of one kind")


# Operators whose integers nobody vouches for.
WITHOUT_ORACLE = {
    59: ", as LiteRT's kernel leaves zero points out; subtract from zeros",
    74: ", as LiteRT's own kernels disagree about it; take a mean",
}
CHANGE_KIND = (6, 114)  # DEQUANTIZE, QUANTIZE
OPERATORS: dict[int, _Known] = {
    0: _Known("AddOptions", arrays.elementwise("add")),
    1: _Known("Pool2DOptions", layers.pool("average")),
    2: _Known("ConcatenationOptions", arrays.concatenate),
    3: _Known("Conv2DOptions", layers.convolution),
    4: _Known("DepthwiseConv2DOptions", layers.depthwise),
    6: _Known("", arrays.quantise, (*SCALED, "float32")),  # DEQUANTIZE
    7: _Known("", arrays.embedding, EVERY),
    9: _Known("FullyConnectedOptions", layers.fully_connected),
    14: _Known("", arrays.function("logistic")),
    17: _Known("Pool2DOptions", layers.pool("max")),
    18: _Known("MulOptions", arrays.elementwise("multiply")),
    19: _Known("", arrays.function("relu")),
    20: _Known("", arrays.function("relu_n1_to_1"), BYTES),
    21: _Known("", arrays.function("relu6")),
    22: _Known("", arrays.reshape, EVERY),
    25: _Known("SoftmaxOptions", arrays.softmax),
    28: _Known("", arrays.function("tanh")),
    34: _Known("", arrays.pad),
    36: _Known("GatherOptions", arrays.gather, EVERY),
    39: _Known("", arrays.transpose, EVERY),
    40: _Known("ReducerOptions", arrays.reduce("mean")),
    41: _Known("SubOptions", arrays.elementwise("subtract")),
    43: _Known("", arrays.reshape, EVERY),  # SQUEEZE
    LSTM: _Known("UnidirectionalSequenceLSTMOptions", sequence_lstm, ("int8",)),
    45: _Known("StridedSliceOptions", arrays.strided, EVERY),
    47: _Known("", arrays.function("exp"), ("int8",)),
    49: _Known("", arrays.split(0, 1), EVERY),
    54: _Known("", arrays.prelu, BYTES),
    55: _Known("", arrays.elementwise("maximum")),
    57: _Known("", arrays.elementwise("minimum")),
    60: _Known("", arrays.pad),  # PADV2
    65: _Known("", arrays.slice_of, EVERY),
    67: _Known("TransposeConvOptions", layers.transposed),
    70: _Known("", arrays.reshape, EVERY),  # EXPAND_DIMS
    76: _Known("", arrays.function("rsqrt"), ("int8", "int16")),
    82: _Known("ReducerOptions", arrays.reduce("max")),
    83: _Known("PackOptions", arrays.pack, EVERY),
    88: _Known("UnpackOptions", arrays.unpack, EVERY),
    89: _Known("ReducerOptions", arrays.reduce("min")),
    97: _Known("ResizeNearestNeighborOptions", arrays.resize_nearest),
    98: _Known("LeakyReluOptions", arrays.function("leaky_relu")),
    99: _Known("", arrays.elementwise("squared_difference"), ("int8",)),
    101: _Known("", arrays.function("absolute"), ("int8", "int16")),
    102: _Known("", arrays.split(2, 0), EVERY),
    114: _Known("", arrays.quantise, (*SCALED, "float32")),
    117: _Known("", arrays.function("hard_swish"), BYTES),
    126: _Known("BatchMatMulOptions", layers.batch_matmul, ("int8", "int16")),
    150: _Known("GeluOptions", arrays.gelu, BYTES),
    152: _Known("", arrays.function("relu_0_to_1"), BYTES),
}
