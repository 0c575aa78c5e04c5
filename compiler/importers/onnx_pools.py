"""ONNX's pooling of images and signals."""

from collections.abc import Callable

import numpy as np

from cimforge.compiler.graph.operator import Convolution, Pool, Reduce
from cimforge.compiler.graph.tensor import KINDS, Quantisation, Tensor
from cimforge.compiler.importers.onnx_builder import Builder, UnsupportedError
from cimforge.compiler.importers.onnx_file import RawNode
from cimforge.compiler.importers.onnx_layout import (
    Window,
    from_images,
    images_name,
    to_images,
    window_of,
)
from cimforge.compiler.reference.lowering import convolution_shape

__all__ = ["POOLS", "place_pool"]

Reader = Callable[[Builder, RawNode], None]


def place_pool(
    net: Builder, node: RawNode, x: str, y: str, kind: str, told: Quantisation | None = None
) -> None:
    """A pool of x (B, C, ...): integers of a scale make such of the same kind, of ``told``."""
    shape = net.tensor(x).shape
    window = window_of(node, shape[2:], tuple(node.attributes.get("kernel_shape", ())))
    images = to_images(net, x)
    batch, height, width, channels = net.tensor(images).shape
    padding, ceil = window.padding, bool(node.attributes.get("ceil_mode", 0))
    spread = window.padding
    if ceil:
        spread = _rounded_up(window, (height, width))
    counted = None
    if node.attributes.get("count_include_pad", 0):
        counted = padding[0][1], padding[1][1]
    operator = Pool(
        *(kind, window.size, window.stride, spread), dilation=window.dilation, counted=counted
    )
    windows = Convolution(window.stride, window.dilation, spread)
    size = convolution_shape(windows, (height, width), window.size)
    if min(size) < 1:
        raise UnsupportedError(f"its window {window.size} is greater than its image")
    made = Tensor(images_name(net, y), (batch, *size, channels), net.tensor(images).kind, told)
    net.emit(operator, [images], [made.name], [made])
    from_images(net, made.name, y, len(shape))


def _rounded_up(window: Window, size: tuple[int, int]) -> tuple:
    """Padding with which the last window is whole; one that would lie in padding alone goes."""
    pairs = []
    for axis in (0, 1):
        before, behind = window.padding[axis]
        step, span = window.stride[axis], (window.size[axis] - 1) * window.dilation[axis] + 1
        steps = -(-(size[axis] + before + behind - span) // step)
        if steps * step >= size[axis] + before:
            steps -= 1
        pairs.append((before, max(behind, steps * step + span - size[axis] - before)))
    return pairs[0], pairs[1]


def _pool(kind: str) -> Reader:
    def reader(net: Builder, node: RawNode) -> None:
        if len([name for name in node.outputs if name]) > 1 or node.attributes.get("storage_order"):
            raise UnsupportedError("indices are not computed here")
        x = net.tensor(node.inputs[0])
        if kind == "average" and KINDS[x.kind] is not None:
            raise UnsupportedError(f"{x.name!r} must hold floats, not {x.kind}")
        place_pool(net, node, x.name, node.outputs[0], kind)

    return reader


def _global(kind: str) -> Reader:
    def reader(net: Builder, node: RawNode) -> None:
        x = net.tensor(node.inputs[0])
        axes = tuple(range(2, len(x.shape)))
        shape = (*x.shape[:2], *(1 for _ in axes))
        if not axes or not np.prod(x.shape):
            raise UnsupportedError(f"{x.name!r} of shape {x.shape} must be images")
        made = Tensor(node.outputs[0], shape, x.kind)
        net.emit(Reduce(kind, axes, True), [x.name], [made.name], [made])

    return reader


POOLS: dict[tuple[str, str], Reader] = {
    ("", "AveragePool"): _pool("average"),
    ("", "GlobalAveragePool"): _global("mean"),
    ("", "GlobalMaxPool"): _global("max"),
    ("", "MaxPool"): _pool("max"),
}
