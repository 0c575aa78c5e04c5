"""ONNX's matrix products: MatMul, Gemm, and their forms with integers."""

import numpy as np

from cimforge.compiler.graph.operator import FullyConnected, MatrixProduct, Operator
from cimforge.compiler.graph.tensor import KINDS, Quantisation, Tensor
from cimforge.compiler.importers.onnx_builder import Builder, UnsupportedError
from cimforge.compiler.importers.onnx_elementwise import place_pair
from cimforge.compiler.importers.onnx_file import RawNode
from cimforge.compiler.importers.onnx_operands import (
    Zeros,
    integer_operand,
    place_dequantised,
    quantised_pair,
    zero_kind,
)
from cimforge.compiler.importers.onnx_outputs import Output, added_constant, quantisation_of

__all__ = ["MATRIX"]


def place_matrix(
    net: Builder,
    node: RawNode,
    x: str,
    w: str,
    output: Output,
    bias: str | None = None,
    zeros: Zeros = Zeros(),  # noqa: B008 (immutable)
) -> None:
    """A product of the last two axes: with constant weights of two axes a fully connected layer."""
    a, b = net.tensor(x), net.tensor(w)
    if len(a.shape) < 2 or len(b.shape) < 2:
        return _vectors(net, node, x, w, output, bias, zeros)
    if a.shape[-1] != b.shape[-2]:
        raise UnsupportedError(f"shapes {a.shape} and {b.shape} do not fit each other")
    told = a.quantisation
    if told is not None and told.channels > 1:
        raise UnsupportedError(f"{x!r} must have one scale and zero point, not one a row")
    shape = (*np.broadcast_shapes(a.shape[:-2], b.shape[:-2]), a.shape[-2], b.shape[-1])
    operator: Operator
    if len(b.shape) == 2 and b.is_constant:
        w, operator = net.transposed(w, (1, 0)), FullyConnected(output.activation)
        _check_axis(net, w, 0)
    else:
        if b.quantisation is not None and b.quantisation.channels > 1:
            raise UnsupportedError(f"{w!r} must have one scale and zero point, or two axes")
        operator = MatrixProduct(activation=output.activation)
    made = Tensor(output.name, shape, output.kind, output.told)
    net.emit(operator, _inputs(x, w, bias, zeros), [output.name], [made], node.title)
    return None


def _vectors(
    net: Builder,
    node: RawNode,
    x: str,
    w: str,
    output: Output,
    bias: str | None,
    zeros: Zeros,
) -> None:
    """Of a row or of a column, whose axis does not stay."""
    a, b = net.tensor(x).shape, net.tensor(w).shape
    if not a or not b:
        raise UnsupportedError(f"shapes {a} and {b} must have an axis")
    rows = net.reshaped(x, (1, *a)) if len(a) == 1 else x
    columns = net.reshaped(w, (*b, 1)) if len(b) == 1 else w
    whole = output._replace(name=net.fresh(f"{output.name}:matrix"))
    place_matrix(net, node, rows, columns, whole, bias, zeros)
    shape = net.tensor(whole.name).shape
    shape = shape[:-1] if len(b) == 1 else shape
    if len(a) == 1:
        shape = shape[:-2] + shape[-1:] if len(b) > 1 else shape[:-1]
    net.reshaped(whole.name, shape, output.name)


def _inputs(x: str, w: str, bias: str | None, zeros: Zeros) -> list[str | None]:
    given = [x, w, bias, zeros.x, zeros.w]
    while given[-1] is None:
        given.pop()
    return given


def _check_axis(net: Builder, w: str, axis: int) -> None:
    told = net.tensor(w).quantisation
    if told is not None and told.channels > 1 and told.axis != axis:
        raise UnsupportedError(f"{w!r} must have its scales on the axis of outputs")


def _matmul(net: Builder, node: RawNode) -> None:
    """Of integers where both operands are dequantised, else of floats on the host; a constant added
    to the output of a layer is its bias."""
    a, b = node.inputs
    pair = quantised_pair(net, a, b)
    kind = net.tensor(a).kind
    if pair is None or not _factors(net, pair[1]):
        if KINDS[kind] is not None and kind != "int32":
            raise UnsupportedError(f"{a!r} must hold floats or int32, not {kind}")
        return place_matrix(net, node, a, b, Output(node.outputs[0], kind))
    bias, weights = "", net.tensor(pair[1])
    if weights.is_constant and len(weights.shape) == 2:
        found = added_constant(net, node.outputs[0], weights.shape[1])
        if found is not None:
            place, adds, bias = found
            net.done.add(place)
            node = node._replace(outputs=adds.outputs)
    return place_dequantised(net, node, place_matrix, *pair, bias, kind)


def _factors(net: Builder, w: str) -> bool:
    """Whether the scales of w (..., K, N) are one, or one an output of constants (K, N)."""
    tensor = net.tensor(w)
    told = tensor.quantisation
    if told is None or told.channels == 1:
        return True
    return tensor.is_constant and len(tensor.shape) == 2 and told.axis == 1


def _matmul_integer(net: Builder, node: RawNode) -> None:
    a, b, a_zero, b_zero = (*node.inputs, "", "")[:4]
    x, x_zero = integer_operand(net, a, a_zero, axis=-2)
    w, w_zero = integer_operand(net, b, b_zero, axis=-1)
    output = Output(node.outputs[0], "int32")
    place_matrix(net, node, x, w, output, zeros=Zeros(x_zero, w_zero))


def _qlinear_matmul(net: Builder, node: RawNode) -> None:
    a, a_scale, a_zero, b, b_scale, b_zero, y_scale, y_zero = node.inputs
    x, _ = integer_operand(net, a, a_zero, a_scale, -2)
    w, _ = integer_operand(net, b, b_zero, b_scale, -1)
    told = quantisation_of(net, y_scale, y_zero)
    output = Output(node.outputs[0], net.tensor(y_zero).kind, told)
    place_matrix(net, node, x, w, output)


def _gemm(net: Builder, node: RawNode) -> None:
    """``alpha A B + beta C``: of integers where A and B are dequantised, with C in their units."""
    get = node.attributes.get
    a, b, c = (*node.inputs, "")[:3]
    pair, kind = quantised_pair(net, a, b), net.tensor(a).kind
    alpha, beta = float(get("alpha", 1.0)), float(get("beta", 1.0))
    if pair is None or alpha <= 0:
        x, w = _turned(net, a, get("transA", 0)), _turned(net, b, get("transB", 0))
        return _gemm_of_floats(net, node, x, w, c, alpha, beta, kind)
    x, w = _turned(net, pair[0], get("transA", 0)), _turned(net, pair[1], get("transB", 0))
    if not _factors(net, w):
        x, w = _turned(net, a, get("transA", 0)), _turned(net, b, get("transB", 0))
        return _gemm_of_floats(net, node, x, w, c, alpha, beta, kind)
    x = _times(net, x, alpha)
    simple = not c or (beta == 1 and net.tensor(c).shape == net.tensor(w).shape[1:])
    if not simple:
        return _gemm_of_floats(net, node, x, w, c, 1.0, beta, kind)
    return place_dequantised(net, node, place_matrix, x, w, c, kind, alpha == 1)


def _times(net: Builder, name: str, alpha: float) -> str:
    """Integers whose scale is ``alpha`` times as great."""
    tensor = net.tensor(name)
    scale = float(np.float32(alpha) * np.float32(tensor.scale))
    return net.scaled(name, Quantisation((scale,), (tensor.zero,)))


def _turned(net: Builder, name: str, turn: int) -> str:
    if len(net.tensor(name).shape) != 2:
        raise UnsupportedError(f"{name!r} must have two axes, not {net.tensor(name).shape}")
    return net.transposed(name, (1, 0)) if turn else name


def _gemm_of_floats(
    net: Builder,
    node: RawNode,
    x: str,
    w: str,
    c: str,
    alpha: float,
    beta: float,
    kind: str,
) -> None:
    """The product, then its factors and C on the host."""
    steps: list[tuple[str, str]] = []
    if alpha != 1:
        steps.append(("multiply", _number(net, alpha, kind)))
    if c and beta != 1:
        scaled = net.fresh(f"{c}:scaled")
        place_pair(net, c, _number(net, beta, kind), scaled, "multiply")
        c = scaled
    if c:
        steps.append(("add", c))
    names = [net.fresh(f"{node.outputs[0]}:sums") for _ in steps[:1]]
    if len(steps) == 2:
        names.append(net.fresh(f"{node.outputs[0]}:product"))
    names.append(node.outputs[0])
    place_matrix(net, node, x, w, Output(names[0], kind))
    for (each, other), read, made in zip(steps, names, names[1:], strict=False):
        place_pair(net, read, other, made, each)


def _number(net: Builder, value: float, kind: str) -> str:
    return net.constant(net.fresh(f"{value:g}"), np.array(value, kind), kind)


def _qgemm(net: Builder, node: RawNode) -> None:
    """com.microsoft's: (A, scale, zero, B, scale, zero, C int32, y scale, y zero)."""
    get = node.attributes.get
    given = (*node.inputs, "", "", "")[:9]
    a, a_scale, a_zero, b, b_scale, b_zero, c, y_scale, y_zero = given
    x, _ = integer_operand(net, a, a_zero, a_scale)
    w, _ = integer_operand(net, b, b_zero, b_scale, 0 if get("transB", 0) else 1)
    x = _turned(net, x, get("transA", 0))
    w = _turned(net, w, get("transB", 0))
    alpha = float(get("alpha", 1.0))
    if alpha <= 0:
        raise UnsupportedError(f"alpha must be above 0, not {alpha}")
    x = _times(net, x, alpha) if alpha != 1 else x
    if c and net.tensor(c).kind != "int32":
        raise UnsupportedError(f"{c!r} must be int32, not {net.tensor(c).kind}")
    output = Output(node.outputs[0], "float32")
    if y_scale:
        told = quantisation_of(net, y_scale, y_zero)
        output = Output(node.outputs[0], zero_kind(net, y_zero, net.tensor(a).kind), told)
    place_matrix(net, node, x, w, output, c or None)


MATRIX = {
    ("", "Gemm"): _gemm,
    ("", "MatMul"): _matmul,
    ("", "MatMulInteger"): _matmul_integer,
    ("", "QLinearMatMul"): _qlinear_matmul,
    ("com.microsoft", "QGemm"): _qgemm,
}
