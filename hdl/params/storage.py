"""What a configuration must know of each storage style: pure data, no hardware."""

from typing import Any, NamedTuple

from cimforge.hdl.params.ram_blocks import BLOCK_RAM, LUT_RAM, RamBlock
from cimforge.hdl.params.registry import Registry

__all__ = ["ASIC", "FPGA", "STORAGE", "StorageTraits"]

ASIC = ("generic", "liberty")  # synthesis targets
FPGA = ("ice40", "ecp5", "gowin")


class StorageTraits(NamedTuple):
    """One style. Cycles are counted with the array idle.

    ``write_cycles`` a row occupies the write stream; ``landing`` cycles after its acceptance in
    which a row still changes, so that a vector for its bank waits; ``lead`` registers between a
    plane and the operands it makes. A write holds up the passes of its own bank only. ``targets``
    are the synthesis targets that have a cell for it. ``control_ports`` are further
    input ports of the macro, by name and width. ``max_bits`` of weights is the most it may hold.

    ``groups`` are the numbers of rows that may share a group, the style's own first: their sums are
    stored beside them, and a group makes one operand of a column's tree. In groups of several rows
    ``group_landing`` stands in for ``landing``, and a row that has neighbours is written in
    ``slot_cycles`` and one a register rank: it reads them through the trees.

    ``write_lines`` are the lines of a row's write port for each bank.

    ``memory``: weights are in the words of RAMs, a row's bank by bank, of which one is in reach at
    a time (parameters sram_words, sram_bits, sram_ports).

    ``parts``: weights are in tables of an FPGA's RAM blocks (parameter ram): a group's entry for
    each choice of its rows, which a plane's bits select. Named are the kinds of blocks, of which
    columns may be divided among several. Every row is written through the trees, an entry a slot.
    A style of one kind names its ``blocks``, by vendor.
    With slices of fewer than ``rival_bits`` flip-flops may take fewer LUTs.
    """

    about: str
    targets: tuple[str, ...] = (*ASIC, *FPGA)
    write_cycles: int = 1
    landing: int = 0
    lead: int = 0
    control_ports: tuple[tuple[str, int], ...] = ()
    max_bits: int = 2**24
    groups: tuple[int, ...] = (1,)
    group_landing: int = 0
    slot_cycles: int = 0
    write_lines: int = 1
    memory: bool = False
    parts: tuple[str, ...] = ()
    blocks: Registry[RamBlock] | None = None
    rival_bits: int = 0


STORAGE: Registry[StorageTraits] = Registry("storage")

# One store a sum: the row lands in the cycle after its acceptance; its slot begins one later, at
# the earliest: a plane's cycle, one in the accumulators; then the sum is made, and lands.
IN_PAIRS: dict[str, Any] = {"groups": (1, 2), "group_landing": 1, "slot_cycles": 4}

STORAGE.register(
    "flop",
    StorageTraits("one flip-flop a bit: any target, simplest to time and to scan", **IN_PAIRS),
)
STORAGE.register(
    "latch",
    StorageTraits(
        "one latch a bit, a row written through a clock gate: standard cells only",
        targets=ASIC,
        landing=1,
        control_ports=(("test_en", 1),),
        **IN_PAIRS,
    ),
)
# Cleared in the low phase of the cycle after its acceptance, set in that of the next one.
STORAGE.register(
    "setclear",
    StorageTraits(
        "two gates a bit, a row cleared, then set: smallest, but loops to timing and test",
        targets=ASIC,
        write_cycles=2,
        landing=1,
        write_lines=2,
    ),
)
# Written from registers, so that no word is read and written at one edge: the row lands in the
# cycle after its acceptance.
STORAGE.register(
    "sram",
    StorageTraits(
        "RAM of a memory compiler, a word a row and bank, read on entering a bank",
        targets=ASIC,
        landing=1,
        lead=1,
        max_bits=2**30,
        memory=True,
    ),
)

TABLES: dict[str, Any] = {
    **{"group_landing": 1, "landing": 1, "slot_cycles": 3},
    "max_bits": 2**36,
}

STORAGE.register(
    "lutram",
    StorageTraits(
        "LUT RAM: the sums of four rows, selected by their bits of a plane",
        targets=("ecp5",),
        groups=(4, 3, 2, 1),
        parts=("lutram",),
        blocks=LUT_RAM,
        rival_bits=4,
        **TABLES,
    ),
)
STORAGE.register(
    "bram",
    StorageTraits(
        "block RAM: the sums of up to nine rows, selected by their bits of a plane",
        targets=FPGA,
        groups=(9, 8, 7, 6, 5),
        parts=("bram",),
        blocks=BLOCK_RAM,
        **TABLES,
    ),
)
STORAGE.register(
    "hybrid",
    StorageTraits(
        "the lowest ram_cols columns in block RAM, the others in LUT RAM",
        targets=("ecp5",),
        groups=(9, 8, 7, 6, 5),
        parts=("bram", "lutram"),
        rival_bits=4,
        **TABLES,
    ),
)
