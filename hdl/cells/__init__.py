"""Storage and multiply styles; importing the room registers those that come with the generator."""

from cimforge.hdl.cells import (
    booth_multiply,
    flop,
    latch,
    plain_multiply,
    set_clear,
    sram,
    table,
    xnor_multiply,
)

__all__ = [
    "booth_multiply",
    "flop",
    "latch",
    "plain_multiply",
    "set_clear",
    "sram",
    "table",
    "xnor_multiply",
]
