"""Accumulator of one column behind a join: adds one word a cycle, and hands a pass's sum on."""

from amaranth.hdl import Cat, Const, Module, Signal, Value

from cimforge.hdl.macro.join import join_bits
from cimforge.hdl.netlist.block import Block, In, Out
from cimforge.hdl.params.config import MacroConfig

__all__ = ["TableAccumulator"]


class TableAccumulator(Block):
    """Sum of a pass of one column: ``y = 2^k kept + joined`` where it ends, else ``kept`` takes
    that; ``kept`` is 0 before a pass.

    Kept sum and result are two registers: a flip-flop begins a pass by its reset, which costs
    nothing, where a gate in front of each bit of the adder would cost a LUT. At the edge where
    ``enable`` is high a word is added: kept takes the sum, and y where ``ending`` is high, as it is
    with the last word of a pass alone; kept begins anew where ``starts`` is high: with that word,
    and in a reset. ``joined`` is two's complement, ``y`` of y_bits, both modulo 2^y_bits. Latency 1
    cycle, one word a cycle. y is not reset.
    """

    role, latency = "accumulate", 1

    def __init__(self, config: MacroConfig):
        self._config = config
        ports = {
            "enable": In(1),
            "ending": In(1),
            "starts": In(1 if config.max_planes > 1 else 0),
            "joined": In(join_bits(config)),
            "y": Out(config.y_bits),
        }
        super().__init__(config.module, "accumulator", ports)

    def elaborate(self, platform):
        m = Module()
        k, y_bits = self._config.bits_per_cycle, self._config.y_bits
        width = max(0, y_bits - k)
        kept: Value = Const(0, width)
        total = Signal(y_bits)
        y_q = Signal(y_bits, reset_less=True)
        if self._config.max_planes > 1:
            kept = Signal(width, name="kept_q", reset_less=True)
            with m.If(self.starts):
                m.d.sync += kept.eq(0)
            with m.Elif(self.enable):
                m.d.sync += kept.eq(total)
        added = Signal(y_bits, name="added")
        m.d.comb += added.eq(self.joined.as_signed())
        m.d.comb += total.eq(Cat(added[:k], (kept + added[k:])[:width]))  # nothing to add below
        with m.If(self.ending if self._config.max_planes > 1 else self.ending & self.enable):
            m.d.sync += y_q.eq(total)
        m.d.comb += self.y.eq(y_q)
        return m
