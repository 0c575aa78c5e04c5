"""SPI slave: bytes of a link where the host gives the clock."""

from amaranth.hdl import Cat, Module, Mux, Signal

from cimforge.fpga.uart import RECEIVED, SENT
from cimforge.hdl.netlist.block import Block, In, Out
from cimforge.host.spi import ESCAPE, IDLE, TURNED

__all__ = ["LEAST_RATIO", "SpiSlave"]

LEAST_RATIO = 6  # cycles of clk in one of sck


class SpiSlave(Block):
    """Bytes over SPI, mode 0, high bit first: ``byte`` brings what comes on ``mosi``, ``reply`` is
    what goes out on ``miso``.

    ``sck`` is at most clk / 6, ``cs_n`` falls at least 6 cycles of clk before its first edge. Lines
    pass two flip-flops; mosi is taken, and miso changes, where sck was seen to rise, up to 4 cycles
    after it did. While there is no reply, IDLE goes out; a byte that is IDLE or ESCAPE itself goes
    out as ESCAPE and the byte xor TURNED. What comes in is not escaped: outside a frame nothing is
    listened to but a frame's first byte. A high cs_n begins a byte anew. ``byte`` never stalls;
    latency 3 cycles from the eighth edge. One byte in 8 cycles of sck; 40 flip-flops, about 60
    LUT4s.
    """

    role, latency = "link", 1
    has_reset = True

    def __init__(self, prefix: str):
        members = {"sck": In(1), "mosi": In(1), "cs_n": In(1), "miso": Out(1)}
        super().__init__(prefix, "spi", {**members, "byte": Out(RECEIVED), "reply": In(SENT)})

    def elaborate(self, platform):
        m = Module()
        sck, mosi = Signal(3), Signal(2)
        chosen = Signal(2)
        m.d.sync += [sck.eq(Cat(self.sck, sck)), mosi.eq(Cat(self.mosi, mosi))]
        m.d.sync += chosen.eq(Cat(~self.cs_n, chosen))
        rises = Signal()
        place = Signal(3)
        last = Signal()
        m.d.comb += [rises.eq(chosen[1] & sck[1] & ~sck[2]), last.eq(rises & (place == 7))]
        taken = Signal(7)
        m.d.sync += self.byte.valid.eq(last)
        with m.If(last):
            m.d.sync += self.byte.data.eq(Cat(mosi[1], taken))
        with m.If(rises):
            m.d.sync += [taken.eq(Cat(mosi[1], taken)), place.eq(place + 1)]
        with m.Elif(~chosen[1]):
            m.d.sync += place.eq(0)
        self._build_reply(m, rises, last, ~chosen[1])
        return m

    def _build_reply(self, m: Module, rises: Signal, last: Signal, apart) -> None:
        """Shift register of miso, loaded at the end of a byte, and before the first of a reply."""
        shift = Signal(8, init=IDLE)
        held = Signal()  # the register holds a byte that has not gone out
        escaped = Signal()
        loads = Signal()
        special = Signal()
        reply = self.reply
        m.d.comb += [
            self.miso.eq(shift[7]),
            loads.eq(last | (apart & ~held)),
            special.eq((reply.data == IDLE) | (reply.data == ESCAPE)),
            reply.ready.eq(loads & (~special | escaped)),
        ]
        with m.If(loads):
            known = Mux(escaped, reply.data ^ TURNED, Mux(special, ESCAPE, reply.data))
            m.d.sync += [held.eq(reply.valid), shift.eq(Mux(reply.valid, known, IDLE))]
            m.d.sync += escaped.eq(reply.valid & special & ~escaped)
        with m.Elif(rises):
            m.d.sync += shift.eq(Cat(0, shift))
