"""ONNX's convolutions, and their forms with integers."""

from collections.abc import Callable

from cimforge.compiler.graph.operator import Convolution
from cimforge.compiler.graph.tensor import Tensor
from cimforge.compiler.importers.onnx_builder import Builder, UnsupportedError
from cimforge.compiler.importers.onnx_file import RawNode
from cimforge.compiler.importers.onnx_images import check_scales, place_node
from cimforge.compiler.importers.onnx_layout import (
    from_images,
    images_name,
    to_images,
    weights_of,
    window_of,
)
from cimforge.compiler.importers.onnx_operands import (
    Place,
    Zeros,
    integer_operand,
    place_dequantised,
    quantised_pair,
)
from cimforge.compiler.importers.onnx_outputs import Output, quantisation_of
from cimforge.compiler.importers.onnx_transposed import place_transposed
from cimforge.compiler.reference.lowering import convolution_shape

__all__ = ["CONVOLUTIONS"]


def _place(
    net: Builder,
    node: RawNode,
    x: str,
    w: str,
    output: Output,
    bias: str | None = None,
    zeros: Zeros = Zeros(),  # noqa: B008 (immutable)
) -> None:
    """A convolution of x (B, C, ...) with w (N, C / groups, ...)."""
    a, b = net.tensor(x), net.tensor(w)
    images, weights = to_images(net, x), weights_of(net, w)
    batch, height, width, channels = net.tensor(images).shape
    outputs, _, _, depth = net.tensor(weights).shape
    groups = int(node.attributes.get("group", 1))
    if groups < 1 or depth * groups != channels or outputs % groups:
        rule = f"weights {b.shape} in {groups} groups do not fit {channels} channels"
        raise UnsupportedError(rule)
    check_scales(net, x, weights, outputs)
    window = window_of(node, a.shape[2:], b.shape[2:])
    operator = Convolution(*window[1:], groups, output.activation)
    size = convolution_shape(operator, (height, width), window.size)
    made = Tensor(images_name(net, output.name), (batch, *size, outputs), output.kind, output.told)
    place_node(net, node, operator, [images, weights, bias, zeros.x, zeros.w], made)
    from_images(net, made.name, output.name, len(a.shape))


def _dequantised(place: Place, axis: int) -> Callable[[Builder, RawNode], None]:
    """Of integers where x and w are dequantised, w with one scale or one an index of ``axis``, else
    of floats on the host; a bias in other units is added to floats."""

    def reader(net: Builder, node: RawNode) -> None:
        x, w, bias = (*node.inputs, "")[:3]
        pair, kind = quantised_pair(net, x, w), net.tensor(x).kind
        told = net.tensor(pair[1]).quantisation if pair else None
        if pair is None or told is None or (told.channels > 1 and told.axis != axis):
            place(net, node, x, w, Output(node.outputs[0], kind), bias or None, Zeros())
            return
        place_dequantised(net, node, place, *pair, bias, kind)

    return reader


def _integer(net: Builder, node: RawNode) -> None:
    x, w, x_zero, w_zero = (*node.inputs, "", "")[:4]
    x, at_x = integer_operand(net, x, x_zero)
    w, at_w = integer_operand(net, w, w_zero)
    _place(net, node, x, w, Output(node.outputs[0], "int32"), zeros=Zeros(at_x, at_w))


def _qlinear(net: Builder, node: RawNode) -> None:
    x, x_scale, x_zero, w, w_scale, w_zero, y_scale, y_zero, bias = (*node.inputs, "")[:9]
    if node.attributes.get("channels_last"):
        raise UnsupportedError("channels_last is not computed here")
    x, _ = integer_operand(net, x, x_zero, x_scale)
    w, _ = integer_operand(net, w, w_zero, w_scale)
    if bias and net.tensor(bias).kind != "int32":
        raise UnsupportedError(f"bias {bias!r} must be int32, not {net.tensor(bias).kind}")
    told = quantisation_of(net, y_scale, y_zero)
    output = Output(node.outputs[0], net.tensor(y_zero).kind, told)
    _place(net, node, x, w, output, bias or None)


CONVOLUTIONS = {
    ("", "Conv"): _dequantised(_place, 0),
    ("", "ConvInteger"): _integer,
    ("", "ConvTranspose"): _dequantised(place_transposed, 1),
    ("", "QLinearConv"): _qlinear,
    ("com.microsoft", "QLinearConv"): _qlinear,
}
