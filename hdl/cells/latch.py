"""Latch storage from standard cells: one latch a bit, written through a clock gate a row and bank.

The latches are open while clk is low, and enable, row and data come from flip-flops on the rising
edge, so a latch never changes at a sampling edge: there is no hold race, in silicon or in a
simulator.
"""

from cimforge.hdl.cells.array_style import ARRAY_STYLES, ArrayStyle
from cimforge.hdl.cells.store_array import StoreArray
from cimforge.hdl.netlist.leaf import CLOCK_GATE, LATCH
from cimforge.hdl.netlist.structure import Structure
from cimforge.hdl.params.config import MacroConfig

__all__ = ["latch_gate", "latch_store"]


def latch_store(config: MacroConfig, bits: int = 0) -> Structure:
    """One weight of one bank, or with ``bits`` a sum of weights: ``q`` (weight_bits or ``bits``,
    raw code) follows ``d`` while ``gate`` is high."""
    width = bits or config.weight_bits
    kept, kind = ("weight", "store") if width == config.weight_bits else ("sum", "sum_store")
    sentence = f"One {kept} in latches: q follows d while gate is high."
    out = Structure(config.module, kind, sentence, role="storage")
    gate = out.port("input", "gate")
    d = out.port("input", "d", width)
    q = out.port("output", "q", width)
    for bit in range(width):
        out.place(LATCH, f"bit{bit}", gate=gate, d=d.bits(bit), q=q.bits(bit))
    return out


def latch_gate(config: MacroConfig) -> Structure:
    """Clock gates of one row, one for each bank: ``gate[b]`` is high while clk is low, row and
    bank[b] (with more than one bank) high; ``test_en`` opens all of them in every low phase."""
    sentence = "Clock gates of one row, one for each bank: high opens the latches."
    out = Structure(config.module, "write_gate", sentence, role="storage")
    clk, test_en = out.port("input", "clk"), out.port("input", "test_en")
    row = out.port("input", "row")
    enable = row
    if config.banks > 1:
        bank = out.port("input", "bank", config.banks)
        enable = out.wire("enable", config.banks)
        out.assign(enable, f"{bank} & {{{config.banks}{{{row}}}}}")
    gate = out.port("output", "gate", config.banks)
    for index in range(config.banks):
        pins = {"clk": clk, "enable": enable.bits(index), "test_en": test_en}
        out.place(CLOCK_GATE, f"bank{index}", **pins, gate=gate.bits(index))
    return out


ARRAY_STYLES.register("latch", ArrayStyle(latch_gate, StoreArray(latch_store).place))
