"""Operands of ONNX's integer products: integers with scales, biases, and what is requantised."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from cimforge.compiler.graph.tensor import KINDS, Quantisation
from cimforge.compiler.importers.onnx_builder import Builder, UnsupportedError
from cimforge.compiler.importers.onnx_file import RawNode
from cimforge.compiler.importers.onnx_outputs import (
    Output,
    is_constant,
    quantisation_of,
    quantised_output,
)
from cimforge.compiler.reference.onnx_scaling import quantised

__all__ = [
    *("Place", "Zeros", "integer_operand", "place_dequantised", "quantised_pair", "zero_kind"),
]

ONE = 1.0  # the scale of integers that have none


class Zeros(NamedTuple):
    """Zero points of x and w that come at run time."""

    x: str | None = None
    w: str | None = None


# Places a product of x and w, with a bias and zero points.
Place = Callable[[Builder, RawNode, str, str, Output, str | None, Zeros], None]


def quantised_pair(net: Builder, x: str, w: str) -> tuple[str, str] | None:
    """The integers that two floats are DequantizeLinear of, if x has one scale."""
    held = net.integers.get(x), net.integers.get(w)
    if held[0] is None or held[1] is None:
        return None
    told = net.tensor(held[0]).quantisation
    if told is None or told.channels > 1:
        return None
    return held[0], held[1]


def integer_operand(
    net: Builder, name: str, zero: str, scale: str = "", axis: int = 0
) -> tuple[str, str | None]:
    """Integers with scale and zero point, and the zero point's name where it comes at run time."""
    x = net.tensor(name)
    if KINDS[x.kind] is None:
        raise UnsupportedError(f"{name!r} must hold integers, not {x.kind}")
    if scale:
        told = quantisation_of(net, scale, zero, axis, len(x.shape))
        return net.scaled(name, told), None
    if not is_constant(net, zero):
        if net.tensor(zero).size != 1:
            raise UnsupportedError(f"zero point {zero!r} must be one, or constants")
        return net.scaled(name, Quantisation((ONE,), (0,))), zero
    zeros = net.data(zero, "zero point").ravel() if zero else np.zeros(1, np.int64)
    if zeros.size == 1:
        return net.scaled(name, Quantisation((ONE,), (int(zeros[0]),))), None
    if axis < 0:
        axis += len(x.shape)
    told = Quantisation((ONE,) * zeros.size, tuple(map(int, zeros)), axis)
    return net.scaled(name, told), None


def integer_bias(net: Builder, bias: str, x: str, w: str) -> str | None:
    """The int32 constants of a bias in units of x and w, if it is in these."""
    held = net.integers.get(bias)
    if held is None or net.tensor(held).kind != "int32" or len(net.tensor(held).shape) != 1:
        return None
    told, of_w = net.tensor(held).quantisation, net.tensor(w).quantisation
    assert told is not None
    assert of_w is not None
    units = np.float32(net.tensor(x).scale) * np.array(of_w.scales, np.float32)
    fits = len(told.scales) in (1, len(units)) and not any(told.zeros)
    if not fits or not np.allclose(np.array(told.scales, np.float32), units, rtol=1e-5, atol=0):
        return None
    return held


def place_dequantised(
    net: Builder,
    node: RawNode,
    place: Place,
    x: str,
    w: str,
    bias: str,
    kind: str,
    exact: bool = True,
) -> None:
    """A product of integers x and w, requantised by the QuantizeLinear behind it, if there is one.

    A constant bias of floats is rounded to int32 in units of x and w where the output is
    requantised, as onnxruntime does; else, and where it is in other units or these are not
    ``exact``, it is added to floats.
    """
    held = integer_bias(net, bias, x, w) if bias else None
    if bias and held is None:
        rounded = _rounded_bias(net, bias, x, w) if exact else None
        output = Output(node.outputs[0], kind)
        if rounded is not None:
            output = quantised_output(net, node.outputs[0], kind)
        place(net, node, x, w, output, rounded if output.told else bias, Zeros())
        return
    place(net, node, x, w, quantised_output(net, node.outputs[0], kind), held, Zeros())


def _rounded_bias(net: Builder, bias: str, x: str, w: str) -> str | None:
    """int32 constants of constant floats; None where they are none, or are integers' already."""
    tensor, told = net.tensor(bias), net.tensor(w).quantisation
    if bias in net.integers or tensor.data is None or tensor.kind != "float32" or told is None:
        return None
    if len(tensor.shape) != 1 or told.channels not in (1, *tensor.shape):
        return None
    units = np.float32(net.tensor(x).scale) * np.array(told.scales, np.float32)
    limits = -(1 << 31), (1 << 31) - 1
    whole = quantised(tensor.data, units, np.zeros(1, np.int64), limits)
    return net.constant(net.fresh(f"{bias}:integers"), whole.astype(np.int32), "int32")


def zero_kind(net: Builder, zero: str, otherwise: str) -> str:
    """The kind of a zero point; ``otherwise`` where there is none."""
    return net.tensor(zero).kind if zero else otherwise
