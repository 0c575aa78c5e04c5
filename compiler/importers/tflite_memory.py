"""TensorFlow Lite's layers with a memory in the graph's terms."""

from typing import Any

from cimforge.compiler.graph.operator import HostOperator
from cimforge.compiler.graph.tensor import Tensor
from cimforge.compiler.importers.tflite_options import (
    Parts,
    Tensors,
    UnsupportedError,
    present,
    required,
    shape_of,
)

__all__ = ["sequence_lstm"]

INPUTS = 24  # of the file's operator, before what tells its inner scales
TANH = 4  # of ActivationFunctionType
WEIGHTS, BIASES, STATES = range(1, 9), range(12, 16), (18, 19)
OTHERS = {  # place: what an input there would mean
    **dict.fromkeys(range(9, 12), "peepholes"),
    **dict.fromkeys((16, 17), "a projection"),
    **dict.fromkeys(range(20, 24), "layer norms"),
}


def sequence_lstm(table: Any, read: Tensors, made: list[Tensor]) -> Parts:
    """UNIDIRECTIONAL_SEQUENCE_LSTM of int8 with a cell of int16: input, weights of x and of h for
    each gate, their biases, both states; the last of five inner tensors tells the hidden scale."""
    if len(read) != INPUTS + 5:
        raise UnsupportedError(f"must have {INPUTS} inputs and 5 inner tensors of scales")
    for place in present(read, *OTHERS):
        raise UnsupportedError(f"{OTHERS[place]} are not computed here")
    if table.FusedActivationFunction() != TANH or table.DiagonalRecurrentTensors():
        raise UnsupportedError("must have tanh as its activation, and whole weights")
    hidden = required(read, INPUTS + 4)
    _check(read, bool(table.TimeMajor()))
    attributes = {
        "time_major": bool(table.TimeMajor()),
        "cell_clip": float(table.CellClip()),
        "hidden_scale": hidden.scale,
        "hidden_zero": hidden.zero,
    }
    operator = HostOperator("UnidirectionalSequenceLstm", tuple(attributes.items()))
    return Parts(operator, (0, *WEIGHTS, *BIASES, *STATES))


def _check(read: Tensors, time_major: bool) -> None:
    """Sizes and kinds of weights, biases and states."""
    x, cells = shape_of(read, 0, 3), shape_of(read, 1, 2)[0]
    batch = x[time_major]
    for places, shape, kind in (
        (WEIGHTS[:4], (cells, x[2]), "int8"),
        (WEIGHTS[4:], (cells, cells), "int8"),
        (BIASES, (cells,), "int32"),
        (STATES[:1], (batch, cells), "int8"),
        (STATES[1:], (batch, cells), "int16"),
    ):
        for place in places:
            tensor = required(read, place)
            if tensor.shape != shape or tensor.kind != kind or tensor.data is None:
                told = f"must be {kind} of shape {shape}, known before the first run"
                raise UnsupportedError(f"{tensor.name!r} {told}")
    for place in WEIGHTS:
        tensor = required(read, place)
        if tensor.zero:
            raise UnsupportedError(f"weights {tensor.name!r} must have zero points of 0")
