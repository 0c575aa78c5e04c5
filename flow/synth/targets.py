"""Synthesis targets that need no library: their Yosys command and what a cell of each costs."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

__all__ = ["LIBERTY", "TARGETS", "Target", "mark_lone_carries"]

LIBERTY = "liberty"
LONE_CARRY = "SB_CARRY alone"


class Target(NamedTuple):
    """A target: ``command`` synthesises module {top}; ``sizes`` are units a cell, by type pattern
    (first match; no match is 0). ``vendor_cells`` are the files that ``command`` reads, below
    Yosys's share folder, with the vendor's cells that a design may instantiate."""

    command: str
    unit: str
    sizes: tuple[tuple[str, int], ...]
    flip_flops: str
    models: str  # simulation models of the cells, below Yosys's share folder
    carry_chains: bool = False
    early: str = ""  # commands before its stage map_ram
    vendor_cells: tuple[str, ...] = ()
    rams: str = ""

    def stages(self, command: str, *ends: str) -> list[str]:
        """``command`` (this target's, or one like it) from its begin to each of the stages ``ends``
        (empty: its end), a line or more each."""
        lines, begin = [], "begin"
        for end in ends:
            if begin == "begin" and self.early:
                lines += [f"{command} -run begin:map_ram", self.early]
                begin = "map_ram"
            lines.append(f"{command} -run {begin}:{end}")
            begin = end
        return lines

    def size(self, kind: str) -> int:
        """Units of one cell of type ``kind``."""
        return next((units for pattern, units in self.sizes if re.fullmatch(pattern, kind)), 0)

    def is_flip_flop(self, kind: str) -> bool:
        """Whether a cell of type ``kind`` is a flip-flop."""
        return re.fullmatch(self.flip_flops, kind) is not None

    def is_ram(self, kind: str) -> bool:
        """Whether a cell of type ``kind`` is RAM."""
        return re.fullmatch(self.rams, kind) is not None


# LUT sites: an SB_CARRY lies in its adder's LUT cell unless it has none; a CCU2C takes the two LUTs
# of a slice, a TRELLIS_DPR16X4 three slices, a Gowin ALU one LUT, RAM16SDP4 four.
TARGETS = {
    "generic": Target(
        "synth -flatten -top {top}",
        "cells",
        ((r".*", 1),),
        r"\$_(S|AL|A)?DFF\w*",
        "simcells.v",
    ),
    "ice40": Target(
        "synth_ice40 -top {top}",
        "luts",
        ((r"SB_LUT4", 1), (LONE_CARRY, 1)),
        r"SB_DFF\w*",
        "ice40/cells_sim.v",
        carry_chains=True,
        vendor_cells=("ice40/cells_sim.v",),
        rams=r"SB_(SP)?RAM\w*",
    ),
    # Wide multiplexers made of PFUMX and L6MUX21 cost more LUTs here than they save. Chains are
    # mapped early: opt_expr would divide one where both operands have a 0, and each begins in a
    # cell of two bits.
    "ecp5": Target(
        "synth_ecp5 -nowidelut -top {top}",
        "luts",
        ((r"LUT4", 1), (r"CCU2C", 2), (r"TRELLIS_DPR16X4", 6)),
        r"TRELLIS_FF",
        "ecp5/cells_sim.v",
        carry_chains=True,
        early="techmap -map +/lattice/arith_map_ccu2c.v",
        vendor_cells=("ecp5/cells_sim.v", "ecp5/cells_bb.v"),
        rams=r"DP16KD|PDPW16KD|TRELLIS_DPR16X4|TRELLIS_RAMW",
    ),
    "gowin": Target(
        "synth_gowin -noiopads -nowidelut -top {top}",
        "luts",
        ((r"LUT[1-4]|ALU|INV", 1), (r"RAM16SDP4", 4), (r"RAM16SDP2", 2), (r"RAM16SDP1", 1)),
        r"DFF\w*",
        "gowin/cells_sim.v",
        carry_chains=True,
        vendor_cells=("gowin/cells_sim.v", "gowin/cells_xtra_gw1n.v"),
        rams=r"(SP|DP|SDP)(X9)?B?|RAM16SD?P\d|p?ROM(X9)?",
    ),
}


def mark_lone_carries(module: dict[str, Any]) -> None:
    """Retype each SB_CARRY of a module (as JSON) that shares its cell with no SB_LUT4.

    An iCE40 logic cell holds a carry and a LUT whose inputs I1, I2 and I3 are the carry's I0, I1
    and CI.
    """
    cells: Mapping[str, dict[str, Any]] = module["cells"]
    free: dict[tuple, int] = {}
    for cell in cells.values():
        if cell["type"] == "SB_LUT4":
            inputs = tuple(cell["connections"].get(pin, ["x"])[0] for pin in ("I1", "I2", "I3"))
            free[inputs] = free.get(inputs, 0) + 1
    for cell in cells.values():
        if cell["type"] == "SB_CARRY":
            inputs = tuple(cell["connections"].get(pin, ["x"])[0] for pin in ("I0", "I1", "CI"))
            if free.get(inputs):
                free[inputs] -= 1
            else:
                cell["type"] = LONE_CARRY
