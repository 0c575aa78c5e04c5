"""A small network of one rule, made here: depthwise, pointwise, fully connected."""

import numpy as np

from cimforge.compiler.graph.graph import Graph, Node
from cimforge.compiler.graph.operator import Convolution, FullyConnected, Reshape
from cimforge.compiler.graph.tensor import Quantisation, Tensor

__all__ = ["small_network"]


def small_network(seed: int = 9) -> Graph:
    """x (1, 6, 5, 4) → depthwise 3 x 3 of stride 2 → 1 x 1 → 10 classes."""
    draw = np.random.default_rng(seed)

    def weights(name: str, shape: tuple[int, ...], scale: float) -> Tensor:
        data = draw.integers(-128, 128, shape).astype(np.int8)
        return Tensor(name, shape, "int8", Quantisation((scale,), (0,)), data)

    def flowing(name: str, shape: tuple[int, ...], scale: float, zero: int) -> Tensor:
        return Tensor(name, shape, "int8", Quantisation((scale,), (zero,)))

    tensors = [
        flowing("x", (1, 6, 5, 4), 0.1, -3),
        weights("w0", (4, 3, 3, 1), 0.02),
        flowing("a", (1, 3, 3, 4), 0.3, 5),
        weights("w1", (7, 1, 1, 4), 0.01),
        flowing("b", (1, 3, 3, 7), 0.4, -20),
        flowing("c", (1, 63), 0.4, -20),
        weights("w2", (10, 63), 0.05),
        flowing("y", (1, 10), 2.0, 0),
    ]
    nodes = (
        Node("deep", Convolution((2, 2), (1, 1), ((1, 1), (1, 1)), 4), ("x", "w0", None), ("a",)),
        Node("point", Convolution(activation="relu6"), ("a", "w1", None), ("b",)),
        Node("flat", Reshape(), ("b",), ("c",)),
        Node("full", FullyConnected(), ("c", "w2"), ("y",)),
    )
    named = {tensor.name: tensor for tensor in tensors}
    return Graph("small", "tflite", named, nodes, ("x",), ("y",))
