"""Flip-flop storage: any target, the FPGA default; simplest to time and to scan."""

from amaranth.hdl import Module, Signal

from cimforge.hdl.cells.array_style import ARRAY_STYLES, ArrayStyle
from cimforge.hdl.cells.store_array import StoreArray
from cimforge.hdl.netlist.block import Block, In, Out
from cimforge.hdl.params.config import MacroConfig

__all__ = ["FlopGate", "FlopStore"]


class FlopStore(Block):
    """One weight of one bank in flip-flops.

    ``q`` takes ``d`` (both weight_bits wide, raw codes; a sum of weights has its own ``bits``) at
    the rising edge while ``gate`` is high.
    Latency: 1 cycle. Not reset: weights are undefined until written and survive a reset.
    """

    role, latency = "storage", 1

    def __init__(self, config: MacroConfig, bits: int = 0):
        width = bits or config.weight_bits
        kind = "store" if width == config.weight_bits else "sum_store"
        super().__init__(config.module, kind, {"gate": In(1), "d": In(width), "q": Out(width)})

    def elaborate(self, platform):
        m = Module()
        weight_q = Signal.like(self.q, reset_less=True)
        with m.If(self.gate):
            m.d.sync += weight_q.eq(self.d)
        m.d.comb += self.q.eq(weight_q)
        return m


class FlopGate(Block):
    """Write enables of one row: one for each bank.

    ``gate[b] = row & bank[b]``, with one bank ``row`` alone; combinational (latency 0): the row is
    written at the edge that ends the cycle.
    """

    role = "storage"

    def __init__(self, config: MacroConfig):
        bank = config.banks if config.banks > 1 else 0
        ports = {"row": In(1), "bank": In(bank), "gate": Out(config.banks)}
        super().__init__(config.module, "write_gate", ports)

    def elaborate(self, platform):
        m = Module()
        lines = self.row.replicate(len(self.gate))
        m.d.comb += self.gate.eq(lines & self.bank if hasattr(self, "bank") else lines)
        return m


ARRAY_STYLES.register("flop", ArrayStyle(FlopGate, StoreArray(FlopStore).place))
