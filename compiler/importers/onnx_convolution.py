"""ONNX's convolutions, and their forms with integers."""

from collections.abc import Callable

import numpy as np

from cimforge.compiler.graph.operator import Convolution, TransposedConvolution
from cimforge.compiler.graph.tensor import Tensor
from cimforge.compiler.importers.onnx_builder import Builder, UnsupportedError
from cimforge.compiler.importers.onnx_file import Attributes, RawNode
from cimforge.compiler.importers.onnx_layout import (
    Window,
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
    _check_scales(net, x, weights, outputs)
    window = window_of(node, a.shape[2:], b.shape[2:])
    operator = Convolution(*window[1:], groups, output.activation)
    size = convolution_shape(operator, (height, width), window.size)
    made = Tensor(images_name(net, output.name), (batch, *size, outputs), output.kind, output.told)
    _emit(net, node, operator, [images, weights, bias, zeros.x, zeros.w], made)
    from_images(net, made.name, output.name, len(a.shape))


def _emit(
    net: Builder,
    node: RawNode,
    operator: Convolution | TransposedConvolution,
    given: list[str | None],
    made: Tensor,
) -> None:
    if min(made.shape[1:3]) < 1:
        raise UnsupportedError(
            f"its window is greater than its image {net.tensor(given[0] or '').shape}"
        )
    while given[-1] is None:
        given.pop()
    if len(given) > 2 and given[2] is not None:
        bias = net.tensor(given[2])
        if bias.shape != made.shape[-1:]:
            raise UnsupportedError(f"bias {bias.name!r} must have shape {made.shape[-1:]}")
    net.emit(operator, given, [made.name], [made], node.title)


def _check_scales(net: Builder, x: str, weights: str, outputs: int) -> None:
    told = net.tensor(x).quantisation
    if told is not None and told.channels > 1:
        raise UnsupportedError(f"{x!r} must have one scale and zero point")
    told = net.tensor(weights).quantisation
    if told is not None and told.channels > 1 and (told.axis, told.channels) != (0, outputs):
        raise UnsupportedError(f"{weights!r} must have one scale, or one an output")


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


def _place_transposed(
    net: Builder,
    node: RawNode,
    x: str,
    w: str,
    output: Output,
    bias: str | None = None,
    zeros: Zeros = Zeros(),  # noqa: B008 (immutable)
) -> None:
    """A transposed convolution of x (B, C, ...) with w (C, N, ...)."""
    a, b = net.tensor(x), net.tensor(w)
    if node.attributes.get("group", 1) != 1:
        raise UnsupportedError("a transposed convolution of groups is not computed here")
    images, weights = to_images(net, x), weights_of(net, w, turned=True)
    batch, _, _, channels = net.tensor(images).shape
    outputs, _, _, depth = net.tensor(weights).shape
    if depth != channels:
        raise UnsupportedError(f"weights {b.shape} do not fit {channels} channels")
    _check_scales(net, x, weights, outputs)
    told = {k: v for k, v in node.attributes.items() if k not in PLACED}
    node.attributes.asked.update(told)
    plain = node._replace(attributes=Attributes(told))
    window = window_of(plain, a.shape[2:], b.shape[2:])
    weights = _apart(net, weights, window)
    padding, size = _transposed_ends(node, a.shape[2:], b.shape[2:], window)
    operator = TransposedConvolution(window.stride, padding, size, output.activation)
    made = Tensor(images_name(net, output.name), (batch, *size, outputs), output.kind, output.told)
    _emit(net, node, operator, [images, weights, bias, zeros.x, zeros.w], made)
    from_images(net, made.name, output.name, len(a.shape))


PLACED = ("auto_pad", "pads", "output_padding", "output_shape")


def _apart(net: Builder, weights: str, window: Window) -> str:
    """Weights with zeros between their taps."""
    if window.dilation == (1, 1):
        return weights
    tensor = net.tensor(weights)
    told = tensor.quantisation
    if tensor.data is None or (told is not None and any(told.zeros)):
        raise UnsupportedError("dilations need constant weights with zero point 0")
    outputs, tall, wide, depth = tensor.shape
    (apart_y, apart_x) = window.dilation
    shape = (outputs, (tall - 1) * apart_y + 1, (wide - 1) * apart_x + 1, depth)
    whole = np.zeros(shape, tensor.data.dtype)
    whole[:, ::apart_y, ::apart_x] = tensor.data
    return net.constant(net.fresh(f"{weights}:apart"), whole, tensor.kind, told)


def _transposed_ends(
    node: RawNode, image: tuple[int, ...], kernel: tuple[int, ...], window: Window
) -> tuple[tuple[tuple[int, int], tuple[int, int]], tuple[int, int]]:
    """What is cut off on two axes, and the size that stays."""
    get, rank = node.attributes.get, len(image)
    mode = get("auto_pad", "NOTSET")
    more = tuple(get("output_padding", ())) or (0,) * rank
    pads = tuple(get("pads", ())) or (0,) * (2 * rank)
    told = tuple(get("output_shape", ()))[-rank:] if get("output_shape") else None
    if len(more) != rank or len(pads) != 2 * rank or min(*more, *pads) < 0:
        raise UnsupportedError(f"pads {pads} and output_padding {more} are none of {rank} axes")
    cuts, sizes = [], []
    for axis in range(rank):
        step = window.stride[axis - rank]
        span = (kernel[axis] - 1) * window.dilation[axis - rank] + 1
        whole = (image[axis] - 1) * step + more[axis] + span
        if told is None and mode in ("NOTSET", "VALID"):
            before, behind = (pads[axis], pads[axis + rank]) if mode == "NOTSET" else (0, 0)
        else:
            total = whole - (told[axis] if told is not None else image[axis] * step)
            total = max(0, total)
            less, rest = total // 2, total - total // 2
            before, behind = (less, rest) if mode == "SAME_UPPER" else (rest, less)
        size = told[axis] if told is not None else whole - before - behind
        cuts.append((before, behind))
        sizes.append(size)
    if min(sizes) < 1:
        raise UnsupportedError(f"nothing stays of it: sizes {tuple(sizes)}")
    if rank == 1:
        return ((0, 0), cuts[0]), (1, sizes[0])
    return (cuts[0], cuts[1]), (sizes[0], sizes[1])


CONVOLUTIONS = {
    ("", "Conv"): _dequantised(_place, 0),
    ("", "ConvInteger"): _integer,
    ("", "ConvTranspose"): _dequantised(_place_transposed, 1),
    ("", "QLinearConv"): _qlinear,
    ("com.microsoft", "QLinearConv"): _qlinear,
}
