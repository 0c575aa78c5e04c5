"""What a layer's reference makes of each accumulator, and which accumulators there can be."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cimforge.compiler.graph.graph import Graph, Node
from cimforge.compiler.graph.operator import (
    Convolution,
    FullyConnected,
    MatrixProduct,
    Operator,
    TransposedConvolution,
)
from cimforge.compiler.graph.tensor import Quantisation, Tensor
from cimforge.compiler.reference.call import Call
from cimforge.compiler.reference.execution import RULES

__all__ = ["PROBE_ROWS", "PRODUCTS", "AccumulatorRule", "accumulator_rule"]

Ints = NDArray[np.int64]
PRODUCTS = (FullyConnected, Convolution, TransposedConvolution, MatrixProduct)
X_ZERO, W_ZERO = 3, 4  # inputs of ONNX's products
MOST_INT32 = (1 << 31) - 1
PROBE_ROWS = 1 << 18  # accumulators that the reference is asked at once


@dataclass(frozen=True)
class AccumulatorRule:
    """Of a layer of N channels: ``lowest`` and ``highest`` (N,) int64, exact bounds of the
    accumulator ``sum of (x - x_zero)(w - w_zero) + bias`` over all inputs of the kind, both
    reached; ``folded`` (N,), the bias of the sums of x and w as they are; ``factors`` (N,), about
    what a step of it is worth in the result; ``zero`` and ``limits`` of the result.
    ``results`` is the reference itself: accumulators (rows, N) to integers (rows, N).
    """

    lowest: Ints
    highest: Ints
    folded: Ints
    factors: NDArray[np.float64]
    zero: int
    limits: tuple[int, int]
    results: Callable[[Ints], Ints]

    @property
    def wide(self) -> bool:
        """Whether results take more than a byte."""
        return self.limits[1] - self.limits[0] > 255


def accumulator_rule(graph: Graph, node: Node) -> AccumulatorRule:
    """The rule of a product with constant weights whose results are integers with a scale.

    Raises ValueError, one line with the node, for other nodes, and where an accumulator leaves the
    32 bits in which ONNX's wraps.
    """
    try:
        return _rule(graph, node)
    except ValueError as error:
        told = str(error)
        raise ValueError(told if str(node) in told else f"{node}: {told}") from None


def _rule(graph: Graph, node: Node) -> AccumulatorRule:
    if not isinstance(node.operator, PRODUCTS):
        raise ValueError("is no product")
    read, (y,) = graph.of(node)
    x, w = read[0], read[1]
    assert x is not None
    assert w is not None
    if w.data is None:
        raise ValueError(f"weights {w.name!r} come at run time")
    if y.quantisation is None or y.is_float:
        raise ValueError(f"results {y.name!r} are not requantised")
    x_zero = int(_zeros(read, 0, X_ZERO)[0])
    matrix = _matrix(node.operator, w.data.astype(np.int64)) - _zeros(read, 1, W_ZERO)[:, None]
    bias = _bias(read, len(matrix))
    low, high = x.limits[0] - x_zero, x.limits[1] - x_zero
    ends = np.stack([matrix * low, matrix * high])
    lowest, highest = ends.min(axis=0).sum(axis=1) + bias, ends.max(axis=0).sum(axis=1) + bias
    if graph.rule == "onnx" and max(-int(lowest.min()), int(highest.max())) > MOST_INT32:
        told = f"{lowest.min()}..{highest.max()}"
        raise ValueError(f"accumulators must fit 32 bits, and those of {node} lie in {told}")
    assert w.quantisation is not None
    factors = np.float64(x.scale) * np.array(w.quantisation.scales) / y.scale
    return AccumulatorRule(
        lowest,
        highest,
        bias - x_zero * matrix.sum(axis=1),
        np.broadcast_to(factors, (len(matrix),)),
        y.zero,
        y.limits,
        _Probe(graph.rule, node, read, y, len(matrix), x_zero, bias),
    )


def _zeros(read: list[Tensor | None], operand: int, place: int) -> Ints:
    """Zero points of an operand, one or one a channel."""
    told = read[place] if len(read) > place else None
    if told is not None:
        if told.data is None:
            raise ValueError(f"zero point {told.name!r} comes at run time")
        return told.data.astype(np.int64).ravel()
    tensor = read[operand]
    assert tensor is not None
    if tensor.quantisation is None:
        raise ValueError(f"tensor {tensor.name!r} must be quantised")
    return np.array(tensor.quantisation.zeros, np.int64)


def _matrix(operator: Operator, w: Ints) -> Ints:
    """Weights (N, K)."""
    if isinstance(operator, MatrixProduct):
        if w.ndim != 2:
            raise ValueError(f"weights must have 2 axes, not {w.ndim}")
        return w if operator.turn_b else w.T
    return w.reshape(len(w), -1)


def _bias(read: list[Tensor | None], channels: int) -> Ints:
    told = read[2] if len(read) > 2 else None
    if told is None:
        return np.zeros(channels, np.int64)
    if told.data is None or told.is_float:
        raise ValueError(f"bias {told.name!r} must be constant integers")
    return np.broadcast_to(told.data.astype(np.int64).ravel(), (channels,))


class _Probe:
    """The rule of a node asked for accumulators of one's own: a node of the same operator, scales
    and bias with one weight of 0 a channel, and who multiplies answers what is asked."""

    def __init__(
        self,
        rule: str,
        node: Node,
        read: list[Tensor | None],
        y: Tensor,
        channels: int,
        x_zero: int,
        bias: Ints,
    ):
        self._rule, self._bias, self._channels = RULES[rule][type(node.operator)], bias, channels
        self._node = replace(node, operator=_alone(node.operator))
        self._matrix = isinstance(node.operator, MatrixProduct)
        self._flat = isinstance(node.operator, FullyConnected | MatrixProduct)
        self._x_zero, (x, w) = x_zero, read[:2]
        assert x is not None
        assert w is not None
        shape = (1, channels) if self._matrix else (channels, *self._ones)
        self._read: list[Tensor | None] = [
            replace(x, shape=(1, *self._ones), data=None),
            Tensor(w.name, shape, w.kind, self._turned(w), np.zeros(shape, np.int64)),
            *read[2:],
        ]
        self._made = replace(y, shape=(1, *self._ones[1:], channels))

    @property
    def _ones(self) -> tuple[int, ...]:
        return (1,) if self._flat else (1, 1, 1)

    def _turned(self, w: Tensor) -> Quantisation | None:
        told = w.quantisation
        return told and replace(told, axis=1 if self._matrix else 0)

    def __call__(self, accumulators: Ints) -> Ints:
        """Results of accumulators (rows, N)."""
        step = max(1, PROBE_ROWS // self._channels)
        parts = [
            self._some(accumulators[first : first + step])
            for first in range(0, len(accumulators), step)
        ]
        return np.concatenate(parts) if parts else accumulators

    def _some(self, accumulators: Ints) -> Ints:
        rows = len(accumulators)
        x = np.full((rows, *self._ones), self._x_zero, np.int64)
        arrays = [x, *(None if told is None else told.data for told in self._read[1:])]
        call = Call(
            *(self._node, self._read, [self._made], arrays),
            lambda call, parts: [accumulators - self._bias],
            rows,
        )
        found = self._rule(call)
        assert isinstance(found, np.ndarray)
        return found.reshape(rows, self._channels).astype(np.int64)


def _alone(operator: Operator) -> Operator:
    """An operator of single elements, with the same class and activation."""
    match operator:
        case Convolution():
            return Convolution(activation=operator.activation)
        case TransposedConvolution():
            return TransposedConvolution(output=(1, 1), activation=operator.activation)
        case MatrixProduct():
            return MatrixProduct(activation=operator.activation)
    return operator
