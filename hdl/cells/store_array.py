"""Arrays of styles that keep a code, or a sum of codes, in a store of its own."""

from dataclasses import dataclass

from cimforge.hdl.cells.array_style import ColumnNets
from cimforge.hdl.cells.row_pair import PairArray, Store
from cimforge.hdl.cells.word import WordArray
from cimforge.hdl.netlist.module import Module
from cimforge.hdl.netlist.structure import Structure
from cimforge.hdl.params.config import MacroConfig

__all__ = ["StoreArray"]


@dataclass(frozen=True)
class StoreArray:
    """A column's array of stores, ``store(config, bits)`` each: rows one by one, or in pairs."""

    store: Store

    def place(self, config: MacroConfig, out: Structure, nets: ColumnNets) -> None:
        """Place the words or pairs in a column (see ArrayStyle)."""
        if config.grouped:
            PairArray(self.store).place(config, out, nets)
        else:
            WordArray(self._code_store).place(config, out, nets)

    def _code_store(self, config: MacroConfig) -> Module:
        return self.store(config, config.weight_bits)
