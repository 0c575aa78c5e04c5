"""UART receiver and transmitter: 8 data bits, no parity, one stop bit, low bit first."""

from amaranth.hdl import Cat, Const, Module, Signal

from cimforge.hdl.netlist.block import Block, In, Out

__all__ = ["FRAME_BITS", "UartReceiver", "UartTransmitter"]

FRAME_BITS = 10  # start, 8 data bits, stop


class UartReceiver(Block):
    """Bytes from a serial line: ``valid`` is high for one cycle with the byte in ``data``.

    ``divisor`` clock cycles a bit (at least 4). The line passes two flip-flops; bits are sampled in
    their middle. A byte whose stop bit is low, or whose start bit does not last half a bit, is
    dropped. Latency: 9.5 bits and 3 cycles from the falling edge. Never stalls: a byte not taken in
    its cycle is lost.
    """

    role, latency = "link", 1
    has_reset = True

    def __init__(self, prefix: str, divisor: int):
        self._divisor = divisor
        super().__init__(prefix, "uart_rx", {"rx": In(1), "data": Out(8), "valid": Out(1)})

    def elaborate(self, platform):
        m = Module()
        first = Signal(init=1)
        line = Signal(init=1)
        m.d.sync += [first.eq(self.rx), line.eq(first)]

        busy = Signal()
        timer = Signal(range(self._divisor))
        left = Signal(range(FRAME_BITS))
        shift = Signal(8)
        m.d.comb += self.data.eq(shift)
        with m.If(~busy), m.If(~line):
            m.d.sync += [busy.eq(1), timer.eq(self._divisor // 2), left.eq(FRAME_BITS - 1)]
        with m.Elif(timer != 0):
            m.d.sync += timer.eq(timer - 1)
        with m.Else():
            m.d.sync += [timer.eq(self._divisor - 1), left.eq(left - 1)]
            with m.If(left == FRAME_BITS - 1):
                m.d.sync += busy.eq(~line)  # a glitch is no start bit
            with m.Elif(left == 0):
                m.d.sync += busy.eq(0)
                m.d.comb += self.valid.eq(line)
            with m.Else():
                m.d.sync += shift.eq(Cat(shift[1:], line))
        return m


class UartTransmitter(Block):
    """Bytes to a serial line: a byte is taken in a cycle with ``valid`` and ``ready`` high.

    ``divisor`` clock cycles a bit; ``tx`` is high while idle. One byte in 10 * divisor cycles;
    latency 1 cycle to the start bit. ready does not depend on valid.
    """

    role, latency = "link", 1
    has_reset = True

    def __init__(self, prefix: str, divisor: int):
        self._divisor = divisor
        ports = {"data": In(8), "valid": In(1), "ready": Out(1), "tx": Out(1)}
        super().__init__(prefix, "uart_tx", ports)

    def elaborate(self, platform):
        m = Module()
        left = Signal(range(FRAME_BITS + 1))
        timer = Signal(range(self._divisor))
        shift = Signal(FRAME_BITS - 1, init=(1 << (FRAME_BITS - 1)) - 1)
        m.d.comb += [self.ready.eq(left == 0), self.tx.eq(shift[0])]
        with m.If(self.ready & self.valid):
            m.d.sync += [
                shift.eq(Cat(Const(0, 1), self.data)),
                left.eq(FRAME_BITS),
                timer.eq(self._divisor - 1),
            ]
        with m.Elif(timer != 0):
            m.d.sync += timer.eq(timer - 1)
        with m.Elif(~self.ready):
            m.d.sync += [
                shift.eq(Cat(shift[1:], Const(1, 1))),
                left.eq(left - 1),
                timer.eq(self._divisor - 1),
            ]
        return m
