"""Soft reset: empty what is under way, once memory owes nothing."""

from amaranth.hdl import Cat, Module, ResetSignal, Signal

from cimforge.hdl.netlist.block import Block, In, Out
from cimforge.hdl.params.engine_config import EngineConfig

__all__ = ["SoftReset"]


class SoftReset(Block):
    """Resets the engine without breaking a promise to the bus.

    From ``soft_reset`` on ``flush`` keeps the units from asking memory for anything more, until
    all are idle: ``queue_idle``, ``fetch_idle`` and ``store_idle``. Then ``core_rst``, which is the
    reset of all other blocks, is high for a cycle. ``resetting`` is high meanwhile; another
    ``soft_reset`` then changes nothing. Latency 3 cycles where nothing is under way.
    """

    role = "queue"
    has_reset = True

    def __init__(self, config: EngineConfig):
        lines = ("soft_reset", "queue_idle", "fetch_idle", "store_idle")
        outputs = ("flush", "core_rst", "resetting")
        ports = {**{name: In(1) for name in lines}, **{name: Out(1) for name in outputs}}
        super().__init__(config.module, "soft_reset", ports)

    def elaborate(self, platform):
        m = Module()
        idle, pulse = Signal(), Signal()
        m.d.comb += [
            idle.eq(Cat(self.queue_idle, self.fetch_idle, self.store_idle).all()),
            self.core_rst.eq(ResetSignal() | pulse),
            self.resetting.eq(self.flush | pulse),
        ]
        m.d.sync += pulse.eq(self.flush & idle & ~pulse)
        with m.If(self.soft_reset):
            m.d.sync += self.flush.eq(1)
        with m.If(pulse):
            m.d.sync += self.flush.eq(0)
        return m
