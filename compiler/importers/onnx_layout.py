"""Images (B, C, H, W) and signals (B, C, L) of ONNX as the graph's (B, H, W, C), and back; windows
with ONNX's padding."""

from typing import Any, NamedTuple

from cimforge.compiler.importers.onnx_builder import Builder, UnsupportedError
from cimforge.compiler.importers.onnx_file import RawNode

__all__ = ["Window", "from_images", "images_name", "to_images", "weights_of", "window_of"]

Pair = tuple[int, int]


def to_images(net: Builder, name: str) -> str:
    """A tensor (B, C, H, W), or (B, C, L) as images of height 1."""
    shape = net.tensor(name).shape
    if len(shape) == 4:
        return net.transposed(name, (0, 2, 3, 1))
    if len(shape) != 3:
        rule = "must have three axes (a signal) or four (an image)"
        raise UnsupportedError(f"{name!r} {rule}, not shape {shape}")
    turned = net.transposed(name, (0, 2, 1))
    return net.reshaped(turned, (shape[0], 1, shape[2], shape[1]))


def images_name(net: Builder, name: str) -> str:
    """Of images that become ``name``."""
    return net.fresh(f"{name}:images")


def from_images(net: Builder, images: str, name: str, rank: int) -> None:
    """``name`` in ONNX's layout, of images."""
    if rank == 4:
        net.transposed(images, (0, 3, 1, 2), name)
        return
    batch, _, length, channels = net.tensor(images).shape
    flat = net.reshaped(images, (batch, length, channels))
    net.transposed(flat, (0, 2, 1), name)


def weights_of(net: Builder, name: str, turned: bool = False) -> str:
    """Weights (N, C, KY, KX), turned (C, N, KY, KX), as (N, KY, KX, C); of signals without KY."""
    first = (1, 0) if turned else (0, 1)
    shape = net.tensor(name).shape
    if len(shape) == 4:
        return net.transposed(name, (first[0], 2, 3, first[1]))
    if len(shape) != 3:
        raise UnsupportedError(f"weights {name!r} must have three axes or four, not shape {shape}")
    moved = net.transposed(name, (first[0], 2, first[1]))
    outputs, taps, channels = net.tensor(moved).shape
    return net.reshaped(moved, (outputs, 1, taps, channels))


class Window(NamedTuple):
    """What moves over an image: pairs of (height, width)."""

    size: Pair
    stride: Pair
    dilation: Pair
    padding: tuple[Pair, Pair]  # (above, below), (left, right)


def window_of(node: RawNode, image: tuple[int, ...], kernel: tuple[int, ...]) -> Window:
    """Of a node's attributes; ``image`` and ``kernel`` are sizes on its one or two axes."""
    get, rank = node.attributes.get, len(kernel)
    told = get("kernel_shape", kernel)
    if tuple(told) != tuple(kernel) or len(image) != rank:
        raise UnsupportedError(f"kernel_shape {told} is none of weights {kernel}")
    stride = _each(get("strides"), rank, "strides")
    dilation = _each(get("dilations"), rank, "dilations")
    pairs = _padding(node, image, kernel, stride, dilation)
    rows = pairs[0] if rank == 2 else (0, 0)
    return Window(_pair(kernel), _pair(stride), _pair(dilation), (rows, pairs[-1]))


def _each(told: Any, rank: int, name: str) -> tuple[int, ...]:
    values = tuple(told) if told is not None else (1,) * rank
    if len(values) != rank or min(values, default=1) < 1:
        raise UnsupportedError(f"{name} must be {rank} numbers from 1 up, not {values}")
    return values


def _pair(values: tuple[int, ...]) -> Pair:
    """On two axes: a signal has height 1."""
    return (1, values[0]) if len(values) == 1 else (values[0], values[1])


def _padding(
    node: RawNode,
    image: tuple[int, ...],
    kernel: tuple[int, ...],
    stride: tuple[int, ...],
    dilation: tuple[int, ...],
) -> tuple[Pair, ...]:
    """Explicit, or as much as ceil(size / stride) outputs need, the odd one below or above."""
    mode, rank = node.attributes.get("auto_pad", "NOTSET"), len(kernel)
    if mode in ("NOTSET", "VALID"):
        pads = tuple(node.attributes.get("pads", ())) if mode == "NOTSET" else ()
        pads = pads or (0,) * (2 * rank)
        if len(pads) != 2 * rank or min(pads) < 0:
            raise UnsupportedError(f"pads must be {2 * rank} numbers from 0 up, not {pads}")
        return tuple(zip(pads[:rank], pads[rank:], strict=True))
    if mode not in ("SAME_UPPER", "SAME_LOWER"):
        raise UnsupportedError(f"auto_pad {mode!r} is not computed here")
    pairs = []
    for length, taps, step, apart in zip(image, kernel, stride, dilation, strict=True):
        outputs = -(-length // step)
        needed = max(0, (outputs - 1) * step + (taps - 1) * apart + 1 - length)
        less, more = needed // 2, needed - needed // 2
        pairs.append((less, more) if mode == "SAME_UPPER" else (more, less))
    return tuple(pairs)
