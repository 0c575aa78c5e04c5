"""One node at work: its operator, tensors and arrays."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cimforge.compiler.graph.graph import Node
from cimforge.compiler.graph.operator import (
    Convolution,
    FullyConnected,
    MatrixProduct,
    TransposedConvolution,
)
from cimforge.compiler.graph.tensor import Tensor
from cimforge.compiler.reference.lowering import (
    Part,
    convolution_parts,
    convolution_shape,
    scattered,
)

__all__ = ["Call", "Products", "Rule", "exact_products", "folded", "lowered", "sums"]

Ints = NDArray[np.int64]


class Call(NamedTuple):
    """A node with its tensors, the arrays that it reads (None where one is left out), who
    multiplies, and how many items of the network's own size are computed side by side, on axis
    0."""

    node: Node
    read: list[Tensor | None]
    made: list[Tensor]
    arrays: list[NDArray | None]
    products: "Products"
    items: int = 1

    @property
    def operator(self) -> Any:
        """The node's operator; its rule knows of which class it is."""
        return self.node.operator

    def array(self, place: int = 0) -> NDArray:
        """What is read at ``place``; ValueError where it is left out."""
        found = self.arrays[place] if place < len(self.arrays) else None
        if found is None:
            raise ValueError(f"{self.node}: input {place} is missing")
        return found

    def tensor(self, place: int = 0) -> Tensor:
        """Its tensor."""
        found = self.read[place] if place < len(self.read) else None
        if found is None:
            raise ValueError(f"{self.node}: input {place} is missing")
        return found

    @property
    def shape(self) -> tuple[int, ...]:
        """Of what it makes, of all items."""
        shape = self.made[0].shape
        return (shape[0] * self.items, *shape[1:]) if shape else shape

    @property
    def bias(self) -> NDArray | None:
        """The third input of a product."""
        return self.arrays[2] if len(self.arrays) > 2 else None


# The sums (rows, N) of each part of a node's product, exact.
Products = Callable[[Call, Sequence[Part]], list[Ints]]
# An operator's arithmetic: an array, or as many as the node has outputs, in their order.
Rule = Callable[[Call], NDArray | tuple[NDArray, ...]]


def exact_products(call: Call, parts: Sequence[Part]) -> list[Ints]:
    """By NumPy: in float64 where no sum can leave 2^53, which is exact and fast, else in int64."""
    return [_exact(part.x, part.w) for part in parts]


def _exact(x: Ints, w: Ints) -> Ints:
    most = int(np.abs(x).max(initial=0)) * int(np.abs(w).max(initial=0)) * max(1, x.shape[-1])
    if most < 1 << 53:
        return (x.astype(np.float64) @ w.astype(np.float64)).astype(np.int64)
    return x.astype(np.int64) @ w.astype(np.int64)


def sums(call: Call, x_zero: int, w_zeros: Ints) -> Ints:
    """``sum of (x - x_zero)(w - w_zero)`` of a product node with integer inputs, in the shape of
    its output; ``w_zeros`` has one value, or one an output.

    The products are of x and w as they are; what zero points add is folded in behind:
    ``sum x w - w_zero sum x - x_zero sum w + K x_zero w_zero``.
    """
    operator = call.node.operator
    if isinstance(operator, MatrixProduct):
        return _matrix(call, operator, x_zero, int(w_zeros.ravel()[0]))
    x, w = call.array(0).astype(np.int64), call.array(1).astype(np.int64)
    parts, shape = lowered(call, x, w, x_zero)
    zeros = np.broadcast_to(w_zeros, (len(w),))
    found = [
        folded(told, part, x_zero, zeros[part.first : part.first + part.w.shape[1]])
        for told, part in zip(call.products(call, parts), parts, strict=True)
    ]
    return np.concatenate(found, axis=1).reshape(shape)


def lowered(call: Call, x: NDArray, w: NDArray, pad: int) -> tuple[list[Part], tuple[int, ...]]:
    """A product with weights as parts, padded with ``pad``, and the shape of its output."""
    operator = call.node.operator
    if isinstance(operator, FullyConnected):
        parts = [Part(x.reshape(-1, w.shape[1]), w.T, 0)]
        return parts, (len(parts[0].x), len(w))
    if isinstance(operator, Convolution):
        shape = convolution_shape(operator, x.shape[1:3], w.shape[1:3])
        try:
            parts = list(convolution_parts(x, w, operator, pad))
        except ValueError as error:
            raise ValueError(f"{call.node}: {error}") from None
        return parts, (len(x), *shape, len(w))
    if isinstance(operator, TransposedConvolution):
        return [scattered(x, w, operator, pad)], (len(x), *operator.output, len(w))
    raise ValueError(f"{call.node}: is no product")


def folded(told: Ints, part: Part, x_zero: int, w_zeros: Ints) -> Ints:
    """The sums ``told`` of a part with its zero points."""
    if x_zero:
        told = told - x_zero * (part.w.sum(axis=0) - part.w.shape[0] * w_zeros)
    if w_zeros.any():
        told = told - part.x.sum(axis=1, keepdims=True) * w_zeros
    return told


def _matrix(call: Call, operator: MatrixProduct, a_zero: int, b_zero: int) -> Ints:
    """Both operands at run time: a product for each matrix of the leading axes."""
    a, b = call.array(0).astype(np.int64), call.array(1).astype(np.int64)
    a = np.swapaxes(a, -1, -2) if operator.turn_a else a
    b = np.swapaxes(b, -1, -2) if operator.turn_b else b
    leading = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    rows = np.broadcast_to(a, (*leading, *a.shape[-2:])).reshape(-1, *a.shape[-2:])
    cols = np.broadcast_to(b, (*leading, *b.shape[-2:])).reshape(-1, *b.shape[-2:])
    zeros = np.full(b.shape[-1], b_zero)
    parts = [Part(x, w, 0) for x, w in zip(rows, cols, strict=True)]
    found = [
        folded(told, part, a_zero, zeros)
        for told, part in zip(call.products(call, parts), parts, strict=True)
    ]
    shape = (*leading, a.shape[-2], b.shape[-1])
    return np.stack(found).reshape(shape) if found else np.zeros(shape, np.int64)
