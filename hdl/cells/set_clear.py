"""Set-clear storage: two gates a bit, a NOR and an AND-OR-invert that hold each other.

A row is written in two low phases of clk: its bits are cleared in that of the cycle after its
acceptance, and those set in the next one whose data is high. Both lines come through clock gates
from flip-flops on the rising edge, so that they have no glitch and never meet. Smallest of all
stores in standard cells; but the two gates are a combinational loop to timing and test tools, which
constraints must cut and scan cannot reach.
"""

from cimforge.hdl.cells.array_style import ARRAY_STYLES, ArrayStyle
from cimforge.hdl.cells.word import WordArray
from cimforge.hdl.netlist.leaf import CLOCK_GATE, SET_CLEAR
from cimforge.hdl.netlist.structure import Structure, constant
from cimforge.hdl.params.config import MacroConfig

__all__ = ["set_clear_gate", "set_clear_store"]


def set_clear_store(config: MacroConfig) -> Structure:
    """One weight of one bank: ``q`` (weight_bits, raw code) is 0 from ``gate[0]`` on, and ``d``
    from ``gate[1]`` on."""
    width = config.weight_bits
    sentence = "One weight in set-clear latches: gate[0] clears it, then gate[1] sets it to d."
    out = Structure(config.module, "store", sentence, role="storage")
    gate = out.port("input", "gate", 2)
    d = out.port("input", "d", width)
    q = out.port("output", "q", width)
    for bit in range(width):
        pins = {"clear": gate.bits(0), "set": gate.bits(1), "d": d.bits(bit)}
        out.place(SET_CLEAR, f"bit{bit}", **pins, q=q.bits(bit))
    return out


def set_clear_gate(config: MacroConfig) -> Structure:
    """Clock gates of one row, two for each bank: ``gate[2 b]`` is high while clk is low, row and
    bank[b] (with more than one bank) high, ``gate[2 b + 1]`` a cycle later, while bank is still
    the same. Not reset: what was cleared is set."""
    sentence = "Clock gates of one row, two for each bank: the first clears, then the second sets."
    out = Structure(config.module, "write_gate", sentence, role="storage", latency=1)
    clk, row = out.port("input", "clk"), out.port("input", "row")
    bank = out.port("input", "bank", config.banks) if config.banks > 1 else None
    gate = out.port("output", "gate", config.write_gates)
    cleared = out.register("row_q", 1)
    out.line(f"always @(posedge clk) {cleared} <= {row};")
    for place, line in enumerate((row, cleared)):
        enable = line
        if bank is not None:
            enable = out.wire(f"enable{place}", config.banks)
            out.assign(enable, f"{bank} & {{{config.banks}{{{line}}}}}")
        for index in range(config.banks):
            pins = {"clk": clk, "enable": enable.bits(index), "test_en": constant(0, 1)}
            name = f"{('clear', 'set')[place]}{index}"
            out.place(CLOCK_GATE, name, **pins, gate=gate.bits(2 * index + place))
    return out


ARRAY_STYLES.register("setclear", ArrayStyle(set_clear_gate, WordArray(set_clear_store).place))
