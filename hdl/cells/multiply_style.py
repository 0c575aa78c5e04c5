"""The multiply styles as hardware: products of a weight and its row's planes."""

from collections.abc import Callable
from typing import NamedTuple

from cimforge.hdl.netlist.module import Module
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.registry import Registry

__all__ = ["MULTIPLY_STYLES", "MultiplyStyle"]


class MultiplyStyle(NamedTuple):
    """One multiply style.

    ``multiplier(config)`` makes the operands of one row in one column. It is offered ``stored``
    (banks * weight_bits, bank b's raw code at b * weight_bits; where ``inverted_code(config)``,
    inverted), ``bank_select`` (one line a bank, with more than one) and ``planes_n`` (row_lines
    inverted lines: k planes, or what BinarySerialiser makes), and drives ``products``
    (config.operand_sets operands side by side, tree t's at t * operand width).
    ``correction(config)`` makes of the
    inputs alone what all columns add at weight 2^(weight_bits-1), or of a binary style at weight 1:
    ports as InputSum's, or those of them it needs, and ``count``, the rows that count. A style of
    digits adds its own at weight 1, from ``planes_n``, ``plane_ending`` and ``plane_sign`` (a line
    a row; with several slices ``sign``), and brings a ``serialiser(config)``: ports as
    Serialiser's, with config.fill_bits of ``fill`` and row_lines of ``planes_n``.
    """

    multiplier: Callable[[MacroConfig], Module]
    correction: Callable[[MacroConfig], Module]
    inverted_code: Callable[[MacroConfig], bool]
    serialiser: Callable[[MacroConfig], Module] | None = None


MULTIPLY_STYLES: Registry[MultiplyStyle] = Registry("multiply")
