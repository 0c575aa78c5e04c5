"""ONNX's steps between floats and integers, and QONNX's nodes of low bits."""

from math import inf, log2

import numpy as np

from cimforge.compiler.graph.operator import HostOperator, Quantise
from cimforge.compiler.graph.tensor import KINDS, Quantisation, Tensor
from cimforge.compiler.importers.onnx_builder import Builder, UnsupportedError
from cimforge.compiler.importers.onnx_file import RawNode
from cimforge.compiler.importers.onnx_outputs import is_constant, kind_made, quantisation_of
from cimforge.compiler.reference.onnx_dynamic import ROUNDINGS

__all__ = ["SCALES", "place_integers"]

MOST_BITS = 16  # of QONNX's integers


def place_integers(net: Builder, integers: str, name: str, kind: str = "float32") -> None:
    """Floats ``name`` of integers, which are remembered as theirs."""
    made = Tensor(name, net.tensor(integers).shape, kind)
    net.emit(Quantise(), [integers], [name], [made])
    net.integers[name] = integers


def _check_blocks(node: RawNode) -> None:
    if node.attributes.get("block_size"):
        raise UnsupportedError("scales of blocks are not computed here; use one an index of axis")
    if node.attributes.get("saturate", 1) != 1:
        raise UnsupportedError("it must saturate")


def _quantize(net: Builder, node: RawNode) -> None:
    x, scale, zero = (*node.inputs, "")[:3]
    _check_blocks(node)
    kind, axis = kind_made(net, node), int(node.attributes.get("axis", 1))
    if KINDS[net.tensor(x).kind] is not None:
        raise UnsupportedError(f"{x!r} must hold floats, not {net.tensor(x).kind}")
    if is_constant(net, scale) and is_constant(net, zero):
        shape = net.tensor(x).shape
        told = quantisation_of(net, scale, zero, axis, len(shape))
        net.emit(Quantise(), [x], [node.outputs[0]], [Tensor(node.outputs[0], shape, kind, told)])
        return
    operator = HostOperator("QuantizeLinear", (("axis", axis), ("kind", kind)))
    net.emit(operator, [x, scale, zero or None], node.outputs)


def _dequantize(net: Builder, node: RawNode) -> None:
    x, scale, zero = (*node.inputs, "")[:3]
    _check_blocks(node)
    axis, kind = int(node.attributes.get("axis", 1)), net.tensor(scale).kind
    if KINDS[net.tensor(x).kind] is None:
        raise UnsupportedError(f"{x!r} must hold integers, not {net.tensor(x).kind}")
    if is_constant(net, scale) and is_constant(net, zero):
        told = quantisation_of(net, scale, zero, axis, len(net.tensor(x).shape))
        place_integers(net, net.scaled(x, told), node.outputs[0], kind)
        return
    operator = HostOperator("DequantizeLinear", (("axis", axis),))
    net.emit(operator, [x, scale, zero or None], node.outputs)


def _dynamic(net: Builder, node: RawNode) -> None:
    net.emit(HostOperator("DynamicQuantizeLinear"), node.inputs, node.outputs)


def _number(net: Builder, name: str, what: str) -> float:
    data = net.data(name, what)
    if data.size != 1:
        raise UnsupportedError(f"{what} must be one number, not {data.size}")
    return float(data.item())


def _bits(net: Builder, name: str) -> int:
    bits = _number(net, name, "bit width")
    if bits != int(bits) or not 1 <= bits <= MOST_BITS:
        raise UnsupportedError(f"bit width must be 1..{MOST_BITS}, not {bits:g}")
    return int(bits)


def _rounding(node: RawNode, otherwise: str) -> str:
    mode = str(node.attributes.get("rounding_mode", otherwise)).upper()
    if mode not in ROUNDINGS:
        raise UnsupportedError(f"rounding must be one of {', '.join(ROUNDINGS)}, not {mode!r}")
    return mode


def _limits(bits: int, signed: int, narrow: int) -> tuple[int, int]:
    """QONNX's: a narrow range has no -2^(b-1), or no 2^b - 1."""
    if signed:
        return -(1 << bits - 1) + narrow, (1 << bits - 1) - 1
    return 0, (1 << bits) - 1 - narrow


def _quant(net: Builder, node: RawNode) -> None:
    """Quant: into integers and back to floats, of one scale or of one an index of one axis."""
    x, scale, zero, width = node.inputs
    bits, get = _bits(net, width), node.attributes.get
    signed, narrow = int(get("signed", 1)), int(get("narrow", 0))
    told, mode = _axis_of(net, node, scale, zero), _rounding(node, "ROUND")
    if bits == 1 and signed:
        if any(told.zeros):
            raise UnsupportedError("one signed bit must have zero point 0")
        return _place_signs(net, node, told)
    low, high = _limits(bits, signed, narrow)
    attributes = (
        *(("axis", told.axis), ("rounding", mode)),
        *(("low", low), ("high", high)),
    )
    scales = net.constant(
        net.fresh(f"{scale}:scales"), np.array(told.scales, np.float32), "float32"
    )
    zeros = np.array(told.zeros, np.float32)
    held = net.constant(net.fresh(f"{scale}:zeros"), zeros, "float32")
    return _place_levels(
        net, HostOperator("Quant", attributes), [x, scales, held], node, told, _kind(bits, signed)
    )


def _kind(bits: int, signed: int) -> str:
    return f"int{bits}" if signed else f"uint{bits}"


def _axis_of(net: Builder, node: RawNode, scale: str, zero: str) -> Quantisation:
    """Scales whose shape broadcasts against the input's, with several on one axis at most."""
    rank = len(net.tensor(node.inputs[0]).shape)
    scales = net.data(scale, "scale")
    zeros = net.data(zero, "zero point") if zero else np.zeros(())
    if np.any(zeros != np.rint(zeros)):
        raise UnsupportedError("zero points must be whole numbers")
    shape = np.broadcast_shapes(scales.shape, zeros.shape)
    several = [axis - len(shape) + rank for axis, size in enumerate(shape) if size > 1]
    if len(several) > 1 or len(shape) > rank:
        raise UnsupportedError(f"scales of shape {shape} must lie on one axis of {rank}")
    spread = np.broadcast_to(scales, shape).ravel().astype(np.float32)
    held = np.broadcast_to(zeros, shape).ravel()
    return Quantisation(
        tuple(float(each) for each in spread),
        tuple(int(each) for each in held),
        several[0] if several else 0,
    )


def _bipolar(net: Builder, node: RawNode) -> None:
    """BipolarQuant: 1 or -1, as two bits hold them, and back to floats."""
    _place_signs(net, node, _axis_of(net, node, node.inputs[1], ""))


def _place_signs(net: Builder, node: RawNode, told: Quantisation) -> None:
    _place_levels(net, HostOperator("BipolarQuant"), node.inputs[:1], node, told, "int2")


def _place_levels(
    net: Builder,
    operator: HostOperator,
    given: list[str] | tuple[str, ...],
    node: RawNode,
    told: Quantisation,
    kind: str,
) -> None:
    """Integers by ``operator``, then their floats."""
    levels = net.fresh(f"{node.outputs[0]}:integers")
    shape = net.tensor(node.inputs[0]).shape
    net.emit(operator, given, [levels], [Tensor(levels, shape, kind, told)])
    place_integers(net, levels, node.outputs[0])


def _trunc(net: Builder, node: RawNode) -> None:
    """Trunc, of five inputs (bits fall off below) or of six (and what is above is clipped)."""
    x, scale, zero, width = node.inputs[:4]
    of_x, at_x = _number(net, scale, "scale"), _number(net, zero, "zero point")
    if len(node.inputs) == 5:
        divisor = 2.0 ** (_bits(net, width) - _bits(net, node.inputs[4]))
        scales, zeros, limits = (of_x, of_x), (at_x, at_x), (-inf, inf)
    else:
        of_y, bits = _number(net, node.inputs[4], "scale"), _bits(net, node.inputs[5])
        if not of_x > 0 < of_y:
            raise UnsupportedError(f"scales must be above 0, not {of_x} and {of_y}")
        divisor = 2.0 ** round(log2(of_y / of_x))
        get = node.attributes.get
        low, high = _limits(bits, int(get("signed", 1)), int(get("narrow", 0)))
        scales, zeros, limits = (of_x, of_y), (at_x, at_x / divisor), (float(low), float(high))
    attributes = (
        *(("scales", scales), ("zeros", zeros), ("divisor", divisor)),
        *(("rounding", _rounding(node, "FLOOR")), ("limits", limits)),
    )
    net.emit(HostOperator("Trunc", attributes), [x], node.outputs)


LOW_BITS = {"BipolarQuant": _bipolar, "IntQuant": _quant, "Quant": _quant, "Trunc": _trunc}
DOMAINS = ("qonnx.custom_op.general", "onnx.brevitas", "finn.custom_op.general")
STEPS = {
    "DequantizeLinear": _dequantize,
    "DynamicQuantizeLinear": _dynamic,
    "QuantizeLinear": _quantize,
}
SCALES = {
    **{("", kind): reader for kind, reader in STEPS.items()},
    **{("com.microsoft", kind): STEPS[kind] for kind in ("DequantizeLinear", "QuantizeLinear")},
    **{(domain, kind): reader for domain in DOMAINS for kind, reader in LOW_BITS.items()},
}
