"""Sums left carry-save, up to two bits a place: the tree of all planes of a cycle, and what is
added to kept words without a carry chain."""

from collections.abc import Sequence

from cimforge.hdl.arith.compression import Compression, Waiting
from cimforge.hdl.arith.plan import Operand, Plan

__all__ = ["NEGATE", "flipped_sum", "plan_planes", "plan_words"]

NEGATE = "negate"  # the control that is high where the top plane carries a sign


def plan_planes(
    widths: Sequence[int], planes: int, limit: int, *, compressors: bool = False
) -> Plan:
    """Sum of ``planes`` planes of operands of these ``widths``, plane j's 2^j times, left
    carry-save, modulo ``2**limit``.

    The top plane is compressed alone; what is left of it, up to two bits a place, is inverted while
    the control ``negate`` is high. An inverted bit is its weight less the bit, so the plan then has
    the top plane's sum negative, and flipped_sum too much. Full adders keep the sum of all weights,
    and places hold that sum: no carry out of the top is made, but by the ``limit``.
    """
    size, most = sum(widths), sum((1 << width) - 1 for width in widths)
    inputs = planes * size
    top = Compression(most.bit_length(), inputs + 1, compressors=compressors)
    _add_plane(top, widths, inputs - size, 0)
    flipped = _flip(top, inputs)
    width = min(limit, (most * ((1 << planes) - 1)).bit_length())
    whole = Compression(width, top.new, compressors=compressors)
    whole.cells = top.cells
    for plane in range(planes - 1):
        _add_plane(whole, widths, plane * size, plane)
    for place, column in enumerate(flipped):
        for bit in column:
            whole.add(place + planes - 1, bit.bit, bit.time, bit.level)
    return _plan(whole, inputs, (NEGATE,))


def _add_plane(columns: Compression, widths: Sequence[int], low: int, shift: int) -> None:
    """The bits of one plane's operands, which stand one behind the other from ``low`` on."""
    for width in widths:
        for place in range(width):
            columns.add(place + shift, low + place)
        low += width


def _flip(columns: Compression, control: int) -> list[list[Waiting]]:
    """What is left of the top plane, each bit behind a gate that may invert it."""
    flipped = []
    for column in columns.run_to_two():
        made = []
        for bit in column:
            (new,) = columns.place("flip", (bit.bit, control), 1, bit.level + 1)
            made.append(Waiting(bit.time + 1, new, bit.level + 1))
        flipped.append(made)
    return flipped


def flipped_sum(widths: Sequence[int], planes: int) -> int:
    """What a plan of plan_planes has too much while ``negate`` is high: the weights of all bits of
    the top plane, which those that are left of it have together."""
    return sum((1 << width) - 1 for width in widths) << planes - 1


def plan_words(
    operands: Sequence[Operand],
    width: int,
    arrival: Sequence[int] = (),
    *,
    compressors: bool = False,
) -> Plan:
    """Sum of ``operands`` modulo ``2**width``, left carry-save; ``arrival[i]`` is the level at
    which input bit i is ready (default 0)."""
    inputs = 1 + max(bit for operand in operands for bit in operand.bits)
    columns = Compression(width, inputs, compressors=compressors)
    for operand in operands:
        for place, bit in enumerate(operand.bits, operand.shift):
            columns.add(place, bit, arrival[bit] if arrival else 0)
    return _plan(columns, inputs)


def _plan(columns: Compression, inputs: int, controls: tuple[str, ...] = ()) -> Plan:
    """The plan of columns that are left with two bits."""
    left = [(bit.bit, p) for p, column in enumerate(columns.run_to_two()) for bit in column]
    result, places = zip(*left, strict=True)
    return Plan(inputs, tuple(columns.cells), result, controls, places)
