"""Networks of several layers, and layers with a memory, drawn from a seed."""

import numpy as np

from cimforge.compiler.importers.tests.tflite_layer_cases import Case
from cimforge.compiler.importers.tests.tflite_writer import Model

__all__ = ["NETWORK_CASES"]


def lstm(
    batch: int = 1,
    steps: int = 6,
    inputs: int = 5,
    cells: int = 7,
    power: int = -11,
    steep: float = 1.0,
    **told: object,
) -> Case:
    """UNIDIRECTIONAL_SEQUENCE_LSTM with states of zeros."""

    def case(draw: np.random.RandomState) -> Model:
        model, time_major = Model(), bool(told.get("TimeMajor"))
        shape = (steps, batch) if time_major else (batch, steps)
        x = model.tensor((*shape, inputs), "int8", 0.012, -5)
        places: list[int] = [x]
        for depth in (inputs, cells):
            for _ in range(4):
                scale = float(np.float32(draw.uniform(0.004, 0.02) * steep))
                places.append(
                    model.constant(draw.randint(-127, 128, (cells, depth)), "int8", scale)
                )
        places += [-1, -1, -1]
        for _ in range(4):
            places.append(model.constant(draw.randint(-9000, 9000, cells), "int32", 1e-4))
        state = model.tensor((batch, cells), "int8", 1 / 128, 3, is_variable=True)
        cell = model.tensor((batch, cells), "int16", 2.0**power, 0, is_variable=True)
        places += [-1, -1, state, cell, -1, -1, -1, -1]
        inner = [model.tensor((1,), "int16", 2.0**-12, 0) for _ in range(4)]
        inner.append(model.tensor((1,), "int8", 1 / 128, 3))
        y = model.tensor((*shape, cells), "int8", 1 / 128, 3)
        fields = {"FusedActivationFunction": 4, "CellClip": 0.0, **told}
        model.node(
            *("UNIDIRECTIONAL_SEQUENCE_LSTM", places, [y], "UnidirectionalSequenceLSTMOptions"),
            **{"intermediates": tuple(inner), **fields},
        )
        return model

    return case


def attention(draw: np.random.RandomState) -> Model:
    """Two heads: queries by keys, softmax, by values; all of them at run time."""
    model = Model()
    x = model.tensor((1, 6, 8), "int8", 0.04, 3)
    heads = []
    for scale in (0.03, 0.05, 0.04):
        flat = _connected(model, draw, x, (1, 6, 8), scale)
        split = _moved(model, flat, "RESHAPE", [1, 6, 2, 4], (1, 6, 2, 4), "ReshapeOptions")
        heads.append(
            _moved(model, split, "TRANSPOSE", [0, 2, 1, 3], (1, 2, 6, 4), "TransposeOptions")
        )
    queries, keys, values = heads
    scores = model.tensor((1, 2, 6, 6), "int8", 0.06, -2)
    model.node("BATCH_MATMUL", [queries, keys], [scores], "BatchMatMulOptions", AdjY=True)
    shares = model.tensor((1, 2, 6, 6), "int8", 1 / 256, -128)
    model.node("SOFTMAX", [scores], [shares], "SoftmaxOptions", Beta=1.0)
    mixed = model.tensor((1, 2, 6, 4), "int8", 0.03, 1)
    model.node("BATCH_MATMUL", [shares, values], [mixed], "BatchMatMulOptions")
    back = _moved(model, mixed, "TRANSPOSE", [0, 2, 1, 3], (1, 6, 2, 4), "TransposeOptions")
    joined = _moved(model, back, "RESHAPE", [1, 6, 8], (1, 6, 8), "ReshapeOptions")
    _both(model, "ADD", joined, x, (1, 6, 8), 0.06, "AddOptions")
    return model


def _connected(
    model: Model, draw: np.random.RandomState, x: int, shape: tuple[int, ...], scale: float
) -> int:
    """A fully connected layer along the last axis."""
    depth, outputs = model.tensors[x].shape[-1], shape[-1]
    w = model.constant(draw.randint(-127, 128, (outputs, depth)), "int8", (0.004,) * outputs)
    b = model.constant(draw.randint(-900, 900, outputs), "int32", (1e-4,) * outputs)
    y = model.tensor(shape, "int8", scale, 5)
    options = "FullyConnectedOptions"
    model.node("FULLY_CONNECTED", [x, w, b], [y], options, KeepNumDims=len(shape) > 2)
    return y


def _moved(
    model: Model, x: int, code: str, told: list[int], shape: tuple[int, ...], options: str
) -> int:
    """The same elements otherwise."""
    like = model.tensors[x]
    y = model.tensor(shape, like.kind, like.scales, like.zeros)
    model.node(code, [x, model.constant(told)], [y], options)
    return y


def _both(
    model: Model,
    code: str,
    a: int,
    b: int,
    shape: tuple[int, ...],
    scale: float,
    options: str = "",
    zero: int = 4,
) -> int:
    y = model.tensor(shape, "int8", scale, zero)
    model.node(code, [a, b], [y], options)
    return y


def layer_norm(draw: np.random.RandomState) -> Model:
    """As it is exported: mean, squared difference, mean, a small number more, 1 / sqrt, factors."""
    model, rows, one = Model(), (1, 5, 24), (1, 5, 1)
    x = model.tensor(rows, "int8", 0.04, 7)
    axis = model.constant([2])
    middle = model.tensor(one, "int8", 0.02, -3)
    model.node("MEAN", [x, axis], [middle], "ReducerOptions", KeepDims=True)
    spread = _both(model, "SQUARED_DIFFERENCE", x, middle, rows, 0.1, zero=-128)
    variance = model.tensor(one, "int8", 0.05, -128)
    model.node("MEAN", [spread, axis], [variance], "ReducerOptions", KeepDims=True)
    small = model.constant([1], "int8", 0.001, 0)
    above = _both(model, "ADD", variance, small, one, 0.05, "AddOptions", zero=-128)
    root = model.tensor(one, "int8", 0.02, -128)
    model.node("RSQRT", [above], [root])
    factor = model.constant(draw.randint(20, 127, 24), "int8", 0.01, 0)
    steep = _both(model, "MUL", root, factor, rows, 0.02, "MulOptions", zero=-100)
    scaled = _both(model, "MUL", x, steep, rows, 0.03, "MulOptions")
    moved = _both(model, "MUL", middle, steep, rows, 0.02, "MulOptions")
    beta = model.constant(draw.randint(-90, 90, 24), "int8", 0.01, 0)
    rest = _both(model, "SUB", beta, moved, rows, 0.03, "SubOptions")
    _both(model, "ADD", scaled, rest, rows, 0.05, "AddOptions")
    return model


def residual(draw: np.random.RandomState) -> Model:
    """A small image network: convolution, depthwise one, a sum around them, pooling, classes."""
    model = Model()
    x = model.tensor((1, 8, 8, 3), "int8", 0.03, -1)
    at = {"StrideH": 1, "StrideW": 1, "DilationHFactor": 1, "DilationWFactor": 1}

    def weights(shape: tuple[int, ...], axis: int) -> list[int]:
        scales = tuple(float(np.float32(draw.uniform(0.002, 0.02))) for _ in range(shape[axis]))
        w = model.constant(draw.randint(-127, 128, shape), "int8", scales, axis=axis)
        return [w, model.constant(draw.randint(-900, 900, shape[axis]), "int32", scales)]

    shape = (1, 8, 8, 6)
    first = model.tensor(shape, "int8", 0.05, -128)
    parts = [x, *weights((6, 3, 3, 3), 0)]
    model.node("CONV_2D", parts, [first], "Conv2DOptions", FusedActivationFunction=1, **at)
    deep = model.tensor(shape, "int8", 0.06, 0)
    parts = [first, *weights((1, 3, 3, 6), 3)]
    model.node(
        *("DEPTHWISE_CONV_2D", parts, [deep], "DepthwiseConv2DOptions"), DepthMultiplier=1, **at
    )
    whole = _both(model, "ADD", first, deep, shape, 0.08, "AddOptions", zero=-20)
    smaller = model.tensor((1, 4, 4, 6), "int8", 0.08, -20)
    pool = {"FilterHeight": 2, "FilterWidth": 2, "StrideH": 2, "StrideW": 2}
    model.node("MAX_POOL_2D", [whole], [smaller], "Pool2DOptions", **pool)
    middle = model.tensor((1, 6), "int8", 0.07, -9)
    model.node("MEAN", [smaller, model.constant([1, 2])], [middle], "ReducerOptions")
    classes = _connected(model, draw, middle, (1, 10), 0.02)
    shares = model.tensor((1, 10), "int8", 1 / 256, -128)
    model.node("SOFTMAX", [classes], [shares], "SoftmaxOptions", Beta=1.0)
    return model


def unrolled_gru(draw: np.random.RandomState) -> Model:
    """Two steps of a gated recurrent unit, as exporters write it out."""
    model = Model()
    x = model.tensor((1, 2, 5), "int8", 0.02, 3)
    told = [model.tensor((1, 5), "int8", 0.02, 3) for _ in range(2)]
    model.node("UNPACK", [x], told, "UnpackOptions", Num=2, Axis=1)
    h = model.constant([[0] * 6], "int8", 1 / 128, 0)
    ones = model.constant([[127] * 6], "int8", 1 / 127, 0)
    for step in told:
        gates = []
        for _ in range(2):
            a = _connected(model, draw, step, (1, 6), 0.03)
            b = _connected(model, draw, h, (1, 6), 0.03)
            both = _both(model, "ADD", a, b, (1, 6), 0.05, "AddOptions")
            gate = model.tensor((1, 6), "int8", 1 / 256, -128)
            model.node("LOGISTIC", [both], [gate])
            gates.append(gate)
        update, reset = gates
        kept = _both(model, "MUL", reset, h, (1, 6), 1 / 128, "MulOptions", zero=0)
        a = _connected(model, draw, step, (1, 6), 0.03)
        b = _connected(model, draw, kept, (1, 6), 0.03)
        both = _both(model, "ADD", a, b, (1, 6), 0.05, "AddOptions")
        new = model.tensor((1, 6), "int8", 1 / 128, 0)
        model.node("TANH", [both], [new])
        rest = _both(model, "SUB", ones, update, (1, 6), 1 / 128, "SubOptions", zero=0)
        old = _both(model, "MUL", update, h, (1, 6), 1 / 128, "MulOptions", zero=0)
        fresh = _both(model, "MUL", rest, new, (1, 6), 1 / 128, "MulOptions", zero=0)
        h = _both(model, "ADD", old, fresh, (1, 6), 1 / 128, "AddOptions", zero=0)
    return model


NETWORK_CASES: dict[str, Case] = {
    "attention": attention,
    "layer_norm": layer_norm,
    "lstm": lstm(),
    "lstm_batch": lstm(batch=3),
    "lstm_clipped": lstm(steps=20, CellClip=0.7, power=-10),
    "lstm_long": lstm(steps=40, cells=16, inputs=9, power=-12),
    "lstm_steep": lstm(steps=30, cells=16, inputs=9, power=-12, steep=4.0),
    "lstm_time_major": lstm(batch=2, TimeMajor=True),
    "residual": residual,
    "unrolled_gru": unrolled_gru,
}
