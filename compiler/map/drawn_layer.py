"""A fully connected layer of int8 with drawn numbers, for figures."""

import numpy as np

from cimforge.compiler.graph.graph import Graph, Node
from cimforge.compiler.graph.operator import FullyConnected
from cimforge.compiler.graph.tensor import Quantisation, Tensor

__all__ = ["drawn_layer"]

RESULT = 40  # of inputs and weights drawn evenly, about one standard deviation


def drawn_layer(rule: str, inputs: int, outputs: int, seed: int) -> Graph:
    """Inputs, weights, biases and a scale for each output, drawn evenly, in the arithmetic of
    ``rule``; scales are those of float32."""
    draw = np.random.default_rng(seed)
    weights = draw.integers(-128, 128, (outputs, inputs))
    scales = draw.uniform(0.001, 0.02, outputs).astype(np.float32)
    x_scale = np.float32(draw.uniform(0.01, 0.1))
    spread = 74 * 74 * np.sqrt(inputs)  # 74: of one number in -128..127
    y_scale = np.float32(x_scale * scales.mean() * spread / RESULT)
    told = (
        Tensor("x", (1, inputs), "int8", Quantisation((float(x_scale),), (3,))),
        Tensor("w", weights.shape, "int8", _each(scales), weights),
        Tensor("b", (outputs,), "int32", _each(scales), draw.integers(-5000, 5000, outputs)),
        Tensor("y", (1, outputs), "int8", Quantisation((float(y_scale),), (-5,))),
    )
    node = Node(f"{inputs} x {outputs}, seed {seed}", FullyConnected(), ("x", "w", "b"), ("y",))
    return Graph("drawn", rule, {tensor.name: tensor for tensor in told}, (node,), ("x",), ("y",))


def _each(scales: np.ndarray) -> Quantisation:
    return Quantisation(tuple(map(float, scales)), (0,) * len(scales))
