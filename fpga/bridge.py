"""Bridge from the frames of a link to a Wishbone master."""

from amaranth.hdl import Module, ResetInserter, Signal
from amaranth.lib.wiring import connect, flipped

from cimforge.fpga.executor import ADDRESS_BITS, FrameExecutor
from cimforge.fpga.frame_receiver import FrameReceiver
from cimforge.fpga.frame_sender import FrameSender
from cimforge.fpga.uart import RECEIVED, SENT
from cimforge.hdl.bus.registers import RegisterMap
from cimforge.hdl.bus.signatures import WishboneSignature
from cimforge.hdl.netlist.block import Block, In, Out
from cimforge.hdl.params.config import MacroConfig
from cimforge.host.protocol import BUFFER_BYTES

__all__ = ["FrameBridge"]

MOST_BYTES = 1 << 15  # what OPEN can tell of


class FrameBridge(Block):
    """Executes the requests of host.protocol on a macro's bus, and answers each.

    Receiving goes on while earlier requests are executed and their results sent: both directions of
    a line carry bytes all the time. A request acts only after its check; opening a session ends
    what an earlier one has left, at once. The bus answers within a bounded time (WishboneSlave), so
    the bridge never hangs. ``rx`` brings at most one byte in 11 cycles. Latency: 29 cycles from a
    request's last byte to its reply's first. One buffer of ``buffer_bytes``, a power of two of at
    least BUFFER_BYTES; without it about 330 flip-flops and 600 LUT4s. Raises ValueError for another
    size, or where the macro's addresses do not fit a frame.
    """

    role, latency = "link", 1
    has_reset = True

    def __init__(self, config: MacroConfig, buffer_bytes: int = BUFFER_BYTES):
        powers = [1 << bits for bits in range(MOST_BYTES.bit_length())]
        fits = type(buffer_bytes) is int and buffer_bytes in powers
        if not fits or buffer_bytes < BUFFER_BYTES:
            rule = f"must be a power of two in {BUFFER_BYTES}..{MOST_BYTES}"
            raise ValueError(f"buffer_bytes {rule}, not {buffer_bytes!r}")
        address_bits = RegisterMap(config).address_bits
        if address_bits > ADDRESS_BITS:
            rule = f"{config.module} has addresses of {address_bits} bits"
            raise ValueError(f"{rule}, and a frame holds {ADDRESS_BITS}: lower cols")
        self._config, self._depth = config, buffer_bytes
        bus = WishboneSignature(address_bits=address_bits)
        members = {"rx": In(RECEIVED), "tx": Out(SENT), "wb": Out(bus)}
        super().__init__(config.module, "bridge", members)

    def elaborate(self, platform):
        m = Module()
        session = Signal(32)
        receiver, sender = FrameReceiver(self._depth), FrameSender()
        executor = FrameExecutor(self._config, self._depth)
        m.submodules.receiver = receiver
        m.submodules.executor = ResetInserter(receiver.opened)(executor)
        m.submodules.sender = sender
        connect(m, receiver.head, executor.head)
        connect(m, executor.reply, sender.reply)
        connect(m, flipped(self.wb), executor.wb)
        connect(m, flipped(self.tx), sender.tx)
        m.d.comb += [
            *(receiver.rx.valid.eq(self.rx.valid), receiver.rx.data.eq(self.rx.data)),
            *(receiver.session.eq(session), sender.session.eq(session)),
            *(executor.expected.eq(receiver.expected), executor.rejected.eq(receiver.rejected)),
        ]
        with m.If(executor.begins):
            m.d.sync += session.eq(executor.session)
        return m
