"""How many of an FPGA's RAM blocks the tables of a macro take, and what they leave unused."""

from math import ceil
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cimforge.hdl.params.config import MacroConfig

__all__ = ["ram_blocks", "ram_facts"]


def ram_blocks(config: "MacroConfig") -> dict[str, int]:
    """Blocks by the vendor's name of them; empty without tables.

    A group's words for one plane, ``columns * entry bits`` wide, lie in as many blocks as are that
    wide side by side; of a LUT RAM every bank has its own.
    """
    counts: dict[str, int] = {}
    for part in config.parts if config.tables else ():
        block = part.ram_block
        words = (part.cols * part.slices * width for width in part.slice.operand_widths)
        side_by_side = sum(ceil(bits / block.bits) for bits in words)
        sets = 1 if block.banks else part.banks
        counts[block.cell] = side_by_side * part.bits_per_cycle * sets
    return counts


def ram_facts(config: "MacroConfig") -> dict[str, Any]:
    """What reports say of them: whose they are, how many of each, their bits in all, and those that
    hold no entry."""
    counts = ram_blocks(config)
    total = used = 0
    for part in config.parts:
        block = part.ram_block
        total += counts[block.cell] * block.words * block.bits
        entries = sum(
            part.cols * part.slices * width << size
            for size, width in zip(part.group_sizes, part.slice.operand_widths, strict=True)
        )
        used += entries * part.bits_per_cycle * part.banks
    return {
        "family": config.ram,
        "blocks": counts,
        "total_bits": total,
        "unused_bits": total - used,
    }
