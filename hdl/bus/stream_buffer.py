"""A stream cut by registers both ways."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib.wiring import Component

from cimforge.hdl.macro.streams import beat_stream
from cimforge.hdl.netlist.block import In, Out

__all__ = ["StreamBuffer"]


class StreamBuffer(Component):
    """Beats of ``fields`` from ``given`` to ``taken``, in their order, through two registers.

    Valid and payload of ``taken`` and ready of ``given`` are registers', so no path runs through.
    Latency 1 cycle, a beat in every cycle. ``given`` is ready unless two beats wait; its ready
    falls only with a beat that it takes. Reset empties it.
    """

    latency = 1

    def __init__(self, **fields: int):
        self._fields = tuple(fields)
        stream = beat_stream(**fields)
        super().__init__({"given": In(stream), "taken": Out(stream)})

    def elaborate(self, platform):
        m = Module()
        given, taken = (
            Cat(*(getattr(stream, name) for name in self._fields))
            for stream in (self.given, self.taken)
        )
        first_q, spare_q = (
            Signal(len(given), name=name, reset_less=True) for name in ("first_q", "spare_q")
        )
        spare_full_q = Signal()
        moves = Signal()
        m.d.comb += [
            taken.eq(first_q),
            self.given.ready.eq(~spare_full_q),
            moves.eq(~self.taken.valid | self.taken.ready),
        ]
        with m.If(moves):
            m.d.sync += self.taken.valid.eq(self.given.valid | spare_full_q)
            m.d.sync += spare_full_q.eq(0)
            with m.If(spare_full_q):
                m.d.sync += first_q.eq(spare_q)
            with m.Else():
                m.d.sync += first_q.eq(given)
        with m.Elif(self.given.valid & ~spare_full_q):
            m.d.sync += spare_full_q.eq(1)
        with m.If(~spare_full_q):
            m.d.sync += spare_q.eq(given)
        return m
