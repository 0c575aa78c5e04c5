"""The first error of a queue."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib.wiring import Component

from cimforge.hdl.netlist.block import In, Out
from cimforge.hdl.params.engine_errors import ERROR_CAUSES

__all__ = ["ErrorRecord"]


class ErrorRecord(Component):
    """Keeps the first error since ``clear``: ``failing``, its ``cause`` (ERROR_CAUSES), the
    ``field`` that is refused and the ``index`` of the descriptor.

    ``refused`` comes with the descriptor ``at`` and either ``unread`` (memory's error) or
    ``refused_field``; ``fetch_failed`` (memory's error), ``bad_channel`` and ``store_failed`` while
    the newest descriptor of their units, which began with ``fetches`` and ``stores`` at ``at``, is
    under way. Latency 1 cycle.
    """

    latency = 1

    def __init__(self) -> None:
        events = ("clear", "refused", "unread", "fetches", "stores")
        units = ("fetch_failed", "bad_channel", "store_failed")
        super().__init__(
            {
                **{name: In(1) for name in (*events, *units)},
                **{"at": In(16), "refused_field": In(16)},
                **{"failing": Out(1), "cause": Out(8), "field": Out(16), "index": Out(16)},
            }
        )

    def elaborate(self, platform):
        m = Module()
        fetched, stored = Signal(16), Signal(16)
        with m.If(self.fetches):
            m.d.sync += fetched.eq(self.at)
        with m.If(self.stores):
            m.d.sync += stored.eq(self.at)
        code = {name: number for number, name in enumerate(ERROR_CAUSES)}
        fetch = Mux(self.bad_channel, code["channel"], code["read"])
        refusal = Mux(self.unread, code["read"], code["descriptor"])
        reports = (
            (self.store_failed, code["write"], 0, stored),
            (self.fetch_failed | self.bad_channel, fetch, 0, fetched),
            (self.refused, refusal, Mux(self.unread, 0, self.refused_field), self.at),
        )
        for happens, cause, field, index in reports:
            with m.If(happens & ~self.failing):
                m.d.sync += [self.failing.eq(1), self.cause.eq(cause)]
                m.d.sync += [self.field.eq(field), self.index.eq(index)]
        with m.If(self.clear):
            m.d.sync += [self.failing.eq(0), self.cause.eq(0)]
            m.d.sync += [self.field.eq(0), self.index.eq(0)]
        return m
