"""ONNX's transposed convolution: where it lies, and its groups one by one."""

import numpy as np

from cimforge.compiler.graph.operator import Concatenate, Slice, TransposedConvolution
from cimforge.compiler.graph.tensor import Tensor
from cimforge.compiler.importers.onnx_builder import Builder, UnsupportedError
from cimforge.compiler.importers.onnx_file import Attributes, RawNode
from cimforge.compiler.importers.onnx_images import check_scales, place_node
from cimforge.compiler.importers.onnx_layout import (
    Window,
    from_images,
    images_name,
    to_images,
    weights_of,
    window_of,
)
from cimforge.compiler.importers.onnx_operands import Zeros
from cimforge.compiler.importers.onnx_outputs import Output

__all__ = ["place_transposed"]


def place_transposed(
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
    groups = int(node.attributes.get("group", 1))
    images, weights = to_images(net, x), weights_of(net, w, turned=True)
    batch, _, _, channels = net.tensor(images).shape
    outputs, _, _, depth = net.tensor(weights).shape
    if depth != channels or groups < 1 or channels % groups:
        raise UnsupportedError(
            f"weights {b.shape} in {groups} groups do not fit {channels} channels"
        )
    check_scales(net, x, weights, outputs)
    told = {k: v for k, v in node.attributes.items() if k not in PLACED}
    node.attributes.asked.update(told)
    window = window_of(node._replace(attributes=Attributes(told)), a.shape[2:], b.shape[2:])
    weights = _apart(net, weights, window)
    padding, size = _ends(node, a.shape[2:], b.shape[2:], window)
    operator = TransposedConvolution(window.stride, padding, size, output.activation)
    whole, names = images_name(net, output.name), []
    for group in range(groups):
        name = whole if groups == 1 else net.fresh(f"{output.name}:group{group}")
        made = Tensor(name, (batch, *size, outputs), output.kind, output.told)
        span = slice(group * depth // groups, (group + 1) * depth // groups)
        each = _cut(net, images, 3, span), _cut(net, weights, 3, span)
        own = slice(group * outputs, (group + 1) * outputs)
        added = _cut(net, bias, 0, own) if bias else None
        place_node(net, node, operator, [*each, added, zeros.x, zeros.w], made)
        names.append(name)
    if groups > 1:
        shape = (batch, *size, outputs * groups)
        made = Tensor(whole, shape, output.kind, output.told)
        net.emit(Concatenate(3), names, [whole], [made])
    from_images(net, whole, output.name, len(a.shape))


def _cut(net: Builder, name: str, axis: int, span: slice) -> str:
    """Indices of an axis; it has no scales of its own."""
    tensor = net.tensor(name)
    if span.start == 0 and span.stop == tensor.shape[axis]:
        return name
    begin, end = [0] * len(tensor.shape), list(tensor.shape)
    begin[axis], end[axis] = span.start, span.stop
    shape = tuple(last - first for first, last in zip(begin, end, strict=True))
    made = Tensor(net.fresh(f"{name}:cut"), shape, tensor.kind, tensor.quantisation)
    operator = Slice(tuple(begin), tuple(end), (1,) * len(shape))
    net.emit(operator, [name], [made.name], [made])
    return made.name


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


def _ends(
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
