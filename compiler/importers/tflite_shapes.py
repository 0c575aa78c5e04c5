"""Whether a node's output has the shape that its operator makes of its inputs."""

import numpy as np

from cimforge.compiler.graph.operator import (
    Concatenate,
    Convolution,
    Elementwise,
    FullyConnected,
    Function,
    HostOperator,
    MatrixProduct,
    Operator,
    Pad,
    Pool,
    Quantise,
    Reduce,
    Slice,
    Softmax,
    Transpose,
    TransposedConvolution,
)
from cimforge.compiler.graph.tensor import Tensor
from cimforge.compiler.importers.tflite_options import Pair, Parts, Tensors, UnsupportedError
from cimforge.compiler.reference.lowering import convolution_shape

__all__ = ["check_shape"]

Shape = tuple[int, ...]


def check_shape(parts: Parts, read: Tensors, made: list[Tensor]) -> None:
    """Raises UnsupportedError where the file says otherwise, or where inputs do not fit."""
    shapes = [() if (told := read[place]) is None else told.shape for place in parts.inputs]
    y = made[parts.outputs[0]]
    found = _shape(parts, shapes, y.shape)
    if found != y.shape:
        raise UnsupportedError(f"{y.name!r} must have shape {found}, and the file says {y.shape}")


def _shape(parts: Parts, shapes: list[Shape], told: Shape) -> Shape:
    operator, x = parts.operator, shapes[0]
    if isinstance(operator, Convolution | TransposedConvolution | FullyConnected | MatrixProduct):
        return _product(operator, shapes, told, parts.turned)
    match operator:
        case Pool(_, window, stride, padding):
            like = Convolution(stride, (1, 1), padding)
            return (x[0], *convolution_shape(like, _size(x), window), x[3])
        case Elementwise():
            return _broadcast(shapes)
        case Function(kind):
            return _broadcast(shapes) if kind == "prelu" else x
        case Softmax() | Quantise():
            return x
        case Reduce(_, axes, keep):
            kept = [1 if n in axes else size for n, size in enumerate(x)]
            return tuple(size for n, size in enumerate(kept) if keep or n not in axes)
        case Concatenate(axis):
            return _side_by_side(shapes, axis)
        case Transpose(order):
            return tuple(x[axis] for axis in order)
        case Pad(amounts):
            return tuple(size + sum(pair) for size, pair in zip(x, amounts, strict=True))
        case Slice(begin, end, step, drop):
            sizes = [-(-(b - a) // s) for a, b, s in zip(begin, end, step, strict=True)]
            return tuple(size for n, size in enumerate(sizes) if n not in drop)
        case HostOperator():
            return _host(operator, shapes, told)
    return told  # a reshape's, whose reader counts elements


def _product(operator: Operator, shapes: list[Shape], told: Shape, turned: bool) -> Shape:
    x, w = shapes[:2]
    match operator:
        case Convolution():
            outputs = w[3] if turned else w[0]
            return (x[0], *convolution_shape(operator, _size(x), _size(w)), outputs)
        case TransposedConvolution(stride, padding, output):
            back = convolution_shape(Convolution(stride, (1, 1), padding), output, _size(w))
            if back != x[1:3] or w[3] != x[3]:
                raise UnsupportedError(f"input {x} and weights {w} do not make size {output}")
            return (x[0], *output, w[0])
        case FullyConnected():
            return _flat(x, w, told)
    turn_a, turn_b = (bool(getattr(operator, name)) for name in ("turn_a", "turn_b"))
    a, b = (
        (*shape[:-2], *shape[:-3:-1]) if turn else shape
        for shape, turn in ((x, turn_a), (w, turn_b))
    )
    if a[-1] != b[-2]:
        raise UnsupportedError(f"matrices {x} and {w} do not multiply")
    return (*_broadcast([a[:-2], b[:-2]]), a[-2], b[-1])


def _size(shape: Shape) -> Pair:
    """Height and width of an image."""
    return shape[1], shape[2]


def _flat(x: Shape, w: Shape, told: Shape) -> Shape:
    """Rows of a fully connected layer stay axes, or become one."""
    elements = int(np.prod(x, dtype=object))
    if not w[1] or elements % w[1]:
        raise UnsupportedError(f"weights {w} do not divide input {x}")
    kept = (*x[:-1], w[0])
    return kept if told == kept and x[-1] == w[1] else (elements // w[1], w[0])


def _broadcast(shapes: list[Shape]) -> Shape:
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        told = " and ".join(map(str, shapes))
        raise UnsupportedError(f"shapes {told} do not fit element by element") from None


def _side_by_side(shapes: list[Shape], axis: int) -> Shape:
    rests = {(*shape[:axis], *shape[axis + 1 :]) for shape in shapes}
    ranks = {len(shape) for shape in shapes}
    if len(rests) > 1 or len(ranks) > 1 or axis >= min(ranks):
        told = " and ".join(map(str, list(rests)[:3]))
        raise UnsupportedError(f"inputs of {told} beside axis {axis} do not lie side by side")
    size = sum(shape[axis] for shape in shapes)
    return (*shapes[0][:axis], size, *shapes[0][axis + 1 :])


def _host(operator: HostOperator, shapes: list[Shape], told: Shape) -> Shape:
    x, attributes = shapes[0], dict(operator.attributes)
    match operator.kind:
        case "Gather":
            axis = attributes["axis"]
            return (*x[:axis], *shapes[1], *x[axis + 1 :])
        case "Pack":
            if len(set(shapes)) > 1:
                several = " and ".join(map(str, sorted(set(shapes))[:3]))
                raise UnsupportedError(f"shapes {several} must be one")
            axis = attributes["axis"]
            return (*x[:axis], len(shapes), *x[axis:])
        case "ResizeNearestNeighbor":
            if len(told) != 4 or 0 in (*x, *told):
                raise UnsupportedError(f"size {x} does not become {told}")
            return (x[0], *told[1:3], x[3])
        case "UnidirectionalSequenceLstm":
            return (*x[:2], shapes[1][0])
    return told
