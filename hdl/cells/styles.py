"""The storage styles by name: what each builds for a weight and for a row's write gates."""

from collections.abc import Callable
from typing import NamedTuple

from cimforge.hdl.cells.flop import FlopGate, FlopStore
from cimforge.hdl.cells.latch import latch_gate, latch_store
from cimforge.hdl.netlist.block import Block
from cimforge.hdl.netlist.structure import Structure
from cimforge.hdl.params.config import MacroConfig

__all__ = ["STYLES", "Style"]


class Style(NamedTuple):
    """Builders of one storage style.

    ``store`` has ports (clk,) gate, d, q, with the clock where ``store_clocked``; ``write_gate``
    has row, bank, gate and, where the config has clock gates, clk and test_en.
    """

    store: Callable[[MacroConfig], Block | Structure]
    write_gate: Callable[[MacroConfig], Block | Structure]
    store_clocked: bool


STYLES = {
    "flop": Style(FlopStore, FlopGate, store_clocked=True),
    "latch": Style(latch_store, latch_gate, store_clocked=False),
}
