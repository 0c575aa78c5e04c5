"""Sending side of a link: bytes of a reply, and the CRC behind them."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib.wiring import Component

from cimforge.fpga.frame_crc import FrameCrc
from cimforge.fpga.uart import SENT
from cimforge.hdl.macro.streams import beat_stream
from cimforge.hdl.netlist.block import In, Out

__all__ = ["REPLIED", "FrameSender"]

REPLIED = beat_stream(data=8, first=1, drain=1)


class FrameSender(Component):
    """Bytes from ``reply`` to ``tx``: the CRC begins with one that is ``first``, from ``session``;
    one with ``drain`` is the CRC's next byte, not ``reply.data``.

    One byte waits for the line, so whoever makes the next has the line's time for a byte to do so.
    At most a byte in 9 cycles; latency 1 cycle. 9 flip-flops beside the CRC's, 80 LUT4s with it.
    """

    def __init__(self):
        super().__init__({"reply": In(REPLIED), "session": In(32), "tx": Out(SENT)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.crc = crc = FrameCrc()
        reply, taken = self.reply, Signal()
        m.d.comb += [
            reply.ready.eq(crc.ready & ~self.tx.valid),
            taken.eq(reply.valid & reply.ready),
            *(crc.load.eq(taken & reply.first), crc.start.eq(self.session)),
            *(crc.step.eq(taken), crc.drain.eq(reply.drain), crc.byte.eq(self.tx.data)),
        ]
        with m.If(taken):
            byte = Mux(reply.drain, crc.low, reply.data)
            m.d.sync += [self.tx.valid.eq(1), self.tx.data.eq(byte)]
        with m.Elif(self.tx.ready):
            m.d.sync += self.tx.valid.eq(0)
        return m
