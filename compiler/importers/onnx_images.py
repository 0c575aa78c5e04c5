"""Nodes of images: what all convolutions check."""

from cimforge.compiler.graph.operator import Convolution, TransposedConvolution
from cimforge.compiler.graph.tensor import Tensor
from cimforge.compiler.importers.onnx_builder import Builder, UnsupportedError
from cimforge.compiler.importers.onnx_file import RawNode

__all__ = ["check_scales", "place_node"]


def place_node(
    net: Builder,
    node: RawNode,
    operator: Convolution | TransposedConvolution,
    given: list[str | None],
    made: Tensor,
) -> None:
    """Adds a convolution of ``given`` (images, weights, bias, zero points) that makes images."""
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


def check_scales(net: Builder, x: str, weights: str, outputs: int) -> None:
    """Refuses scales that are no factor of a sum: one of x, one of the weights or one an output."""
    told = net.tensor(x).quantisation
    if told is not None and told.channels > 1:
        raise UnsupportedError(f"{x!r} must have one scale and zero point")
    told = net.tensor(weights).quantisation
    if told is not None and told.channels > 1 and (told.axis, told.channels) != (0, outputs):
        raise UnsupportedError(f"{weights!r} must have one scale, or one an output")
