"""The storage styles as hardware: what each builds for a row and for a column."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cimforge.hdl.netlist.module import Module
from cimforge.hdl.netlist.structure import Bus, Net, Structure
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.registry import Registry

__all__ = ["ARRAY_STYLES", "ArrayStyle", "ColumnNets", "PairNets", "no_constraints"]


@dataclass(frozen=True)
class PairNets:
    """What a column offers besides where rows make pairs.

    ``gate`` holds pairs * banks lines that write sums, ``alone`` rows * k planes, row r's at r * k,
    each low where its neighbour's is high, and ``both_n`` pairs * k inverted lines of both rows of
    a pair. Where rows are written ``following`` is the code that is accepted now, ``neighbour`` the
    code read back last; a sum is made at the edge at which ``capture`` is high, of ``following``
    while ``fill`` is.
    """

    gate: Bus
    alone: Bus
    both_n: Bus
    following: Net
    neighbour: Net
    capture: Net
    fill: Net


@dataclass(frozen=True)
class ColumnNets:
    """What a column offers its array.

    ``gate`` holds rows * banks lines from the write ports, row r's bank b at r * banks + b;
    ``code`` the column's weight code; ``planes_n`` rows * row_lines inverted lines of the planes,
    row r's at r * row_lines (k, one a plane; empty with ``pairs``); ``bank_select`` one line a bank
    (None with one bank). ``enable`` (None where neither the trees have register ranks nor the array
    a lead) is low while a result waits. The array drives ``operands``, a bus for each tree: its
    operands side by side, of config.operand_widths.
    Where weights are in RAMs, ``stored`` takes the place of gate and code, which are empty: the
    codes of all rows as stored, row r's at r * weight_bits, and ``planes_n`` comes with them.
    """

    clk: Net
    gate: Bus
    code: Bus
    planes_n: Bus
    bank_select: Bus | None
    enable: Net | None
    operands: Sequence[Bus]
    pairs: PairNets | None = None
    stored: Bus | None = None


def no_constraints(config: MacroConfig) -> list[str]:
    """A style whose timing is that of flip-flops needs no constraints of its own."""
    return []


def _no_module(config: MacroConfig) -> Module:
    raise NotImplementedError(f"rows of {config.storage} have no module of their own")


def _no_array(config: MacroConfig, out: Structure, nets: ColumnNets) -> None:
    raise NotImplementedError(f"columns of {config.storage} have no array of their own")


@dataclass(frozen=True)
class ArrayStyle:
    """One storage style.

    ``write_port(config)`` is the module that each row has once: it is offered ``clk``, ``row`` (1,
    high to write), ``bank`` (banks, where there is more than one) and the style's control ports,
    and drives ``gate`` (banks). With ``memory`` in its traits the module is a row's words, as
    build_memory_row's. ``place`` adds a column's array to its Structure; it drives the
    operands ``lead`` cycles behind their planes.
    Tables, whose words are those of all columns, have neither (hdl.macro.table_top).
    ``constraints(config)`` are further SDC commands, for a hierarchical netlist.
    """

    write_port: Callable[[MacroConfig], Module] = _no_module
    place: Callable[[MacroConfig, Structure, ColumnNets], None] = _no_array
    constraints: Callable[[MacroConfig], list[str]] = no_constraints


ARRAY_STYLES: Registry[ArrayStyle] = Registry("storage")
