"""UART receiver and transmitter: 8 data bits, no parity, one stop bit, low bit first."""

from amaranth.hdl import Cat, Const, Module, Signal
from amaranth.lib.wiring import Signature

from cimforge.hdl.macro.streams import beat_stream
from cimforge.hdl.netlist.block import Block, In, Out

__all__ = [
    *("FRAME_BITS", "LEAST_DIVISOR", "RECEIVED", "SENT"),
    *("UartReceiver", "UartTransmitter"),
]

FRAME_BITS = 10  # start, 8 data bits, stop
LEAST_DIVISOR = 8  # with fewer cycles a bit no sample is near enough to the middle
SENT = beat_stream(data=8)
RECEIVED = Signature({name: m for name, m in SENT.members.items() if name != "ready"})


def _checked_divisor(divisor: int) -> int:
    """``divisor``; ValueError where it is no integer of at least LEAST_DIVISOR."""
    if type(divisor) is not int or divisor < LEAST_DIVISOR:
        raise ValueError(f"divisor must be an integer of at least {LEAST_DIVISOR}, not {divisor!r}")
    return divisor


class UartReceiver(Block):
    """Bytes from a serial line: ``byte_valid`` is high for one cycle with the byte in
    ``byte_data``.

    ``divisor`` clock cycles a bit, at least 8. The line passes two flip-flops. Its fall is seen up
    to a cycle late, half a cycle on average; bits are sampled (divisor - 1) // 2 cycles after the
    cycle that sees it, the middle or half a cycle before. A stop bit that is low there may be high
    one cycle later. So at every divisor bytes arrive from a transmitter whose baud rate is up to
    4 % off, without a pause between them. A byte whose stop bit is low, or whose start bit does not
    last half a bit, is dropped; a new one begins only where the line was high before. Latency: 9.5
    bits and 3 cycles from the falling edge, at most. Never stalls: a byte not taken in its cycle
    is lost. Raises ValueError for a divisor below 8.
    """

    role, latency = "link", 1
    has_reset = True

    def __init__(self, prefix: str, divisor: int):
        self._divisor = _checked_divisor(divisor)
        super().__init__(prefix, "uart_rx", {"rx": In(1), "byte": Out(RECEIVED)})

    def elaborate(self, platform):
        m = Module()
        first = Signal(init=1)
        line = Signal(init=1)
        before = Signal()  # the line a cycle ago
        m.d.sync += [first.eq(self.rx), line.eq(first), before.eq(line)]

        busy = Signal()
        timer = Signal(range(self._divisor))
        left = Signal(range(FRAME_BITS + 1))
        shift = Signal(8)
        m.d.comb += self.byte.data.eq(shift)
        second_look = left == FRAME_BITS
        with m.If(~busy), m.If(~line & before):
            half = (self._divisor - 1) // 2
            m.d.sync += [busy.eq(1), timer.eq(half - 1), left.eq(FRAME_BITS - 1)]
        with m.Elif(timer != 0):
            m.d.sync += timer.eq(timer - 1)
        with m.Else():
            m.d.sync += [timer.eq(self._divisor - 1), left.eq(left - 1)]
            with m.If(left == FRAME_BITS - 1):
                m.d.sync += busy.eq(~line)  # a glitch is no start bit
            with m.Elif((left == 0) & ~line):
                m.d.sync += [timer.eq(0), left.eq(FRAME_BITS)]
            with m.Elif((left == 0) | second_look):
                m.d.sync += busy.eq(0)
                m.d.comb += self.byte.valid.eq(line)
            with m.Else():
                m.d.sync += shift.eq(Cat(shift[1:], line))
        return m


class UartTransmitter(Block):
    """Bytes to a serial line: a byte is taken in a cycle with ``valid`` and ``ready`` high.

    ``divisor`` clock cycles a bit; ``tx`` is high while idle. One byte in 10 * divisor cycles, the
    next taken in the last of them; latency 1 cycle to the start bit. ready does not depend on
    valid. Raises ValueError for a divisor below 8.
    """

    role, latency = "link", 1
    has_reset = True

    def __init__(self, prefix: str, divisor: int):
        self._divisor = _checked_divisor(divisor)
        super().__init__(prefix, "uart_tx", {"byte": In(SENT), "tx": Out(1)})

    def elaborate(self, platform):
        m = Module()
        left = Signal(range(FRAME_BITS + 1))
        timer = Signal(range(self._divisor))
        shift = Signal(FRAME_BITS - 1, init=(1 << (FRAME_BITS - 1)) - 1)
        last = Signal()
        m.d.comb += [
            last.eq((left == 1) & (timer == 0)),
            *(self.byte.ready.eq((left == 0) | last), self.tx.eq(shift[0])),
        ]
        with m.If(self.byte.ready & self.byte.valid):
            m.d.sync += [
                shift.eq(Cat(Const(0, 1), self.byte.data)),
                left.eq(FRAME_BITS),
                timer.eq(self._divisor - 1),
            ]
        with m.Elif(timer != 0):
            m.d.sync += timer.eq(timer - 1)
        with m.Elif(left != 0):
            m.d.sync += [
                shift.eq(Cat(shift[1:], Const(1, 1))),
                left.eq(left - 1),
                timer.eq(self._divisor - 1),
            ]
        return m
