"""Bridge from the frames of a link to an engine's registers and memory."""

from amaranth.hdl import Module, ResetInserter, Signal
from amaranth.lib.wiring import connect, flipped

from cimforge.fpga.cpu.core_port import core_port
from cimforge.fpga.engine_link.engine_executor import EngineExecutor
from cimforge.fpga.frame_receiver import FrameReceiver
from cimforge.fpga.frame_sender import FrameSender
from cimforge.fpga.uart import RECEIVED, SENT
from cimforge.hdl.bus.engine_map import EngineMap
from cimforge.hdl.engine.seams import register_port
from cimforge.hdl.netlist.block import Block, In, Out
from cimforge.hdl.params.engine_config import EngineConfig
from cimforge.host.engine_protocol import WAIT_CYCLES

__all__ = ["EngineBridge"]


class EngineBridge(Block):
    """Executes the requests of host.engine_protocol on an engine's ``registers`` and on memory of
    2^``ram_bits`` bytes behind ``ram``, and answers each.

    Receiving goes on while earlier requests are executed and their results sent: both directions of
    a line carry bytes all the time. A request acts only after its check; opening a session ends
    what an earlier one has left, at once, but for a queue, which the engine goes on with.
    ``received`` brings at most one byte in 11 cycles. Latency: 29 cycles from a request's last byte
    to its reply's first. One buffer of ``buffer_bytes``, a power of two; ``wait_cycles`` is the
    longest that RUN waits. It costs about as much as FrameBridge.
    """

    role, latency = "link", 1
    has_reset = True

    def __init__(
        self,
        prefix: str,
        config: EngineConfig,
        ram_bits: int,
        buffer_bytes: int,
        wait_cycles: int = WAIT_CYCLES,
    ):
        self._parts = (config, ram_bits, buffer_bytes, wait_cycles)
        members = {"received": In(RECEIVED), "sent": Out(SENT)}
        registers = register_port(EngineMap(config).address_bits)
        seams = {"registers": Out(registers), "ram": Out(core_port(ram_bits))}
        super().__init__(prefix, "bridge", {**members, **seams})

    def elaborate(self, platform):
        m = Module()
        session = Signal(32)
        config, ram_bits, depth, wait = self._parts
        receiver, sender = FrameReceiver(depth), FrameSender()
        executor = EngineExecutor(config, ram_bits, depth, wait)
        m.submodules.receiver = receiver
        m.submodules.executor = ResetInserter(receiver.opened)(executor)
        m.submodules.sender = sender
        connect(m, receiver.head, executor.head)
        connect(m, executor.reply, sender.reply)
        connect(m, flipped(self.registers), executor.registers)
        connect(m, flipped(self.ram), executor.ram)
        connect(m, flipped(self.sent), sender.tx)
        m.d.comb += [
            *(receiver.rx.valid.eq(self.received.valid), receiver.rx.data.eq(self.received.data)),
            *(receiver.session.eq(session), sender.session.eq(session)),
            *(executor.expected.eq(receiver.expected), executor.rejected.eq(receiver.rejected)),
        ]
        with m.If(executor.begins):
            m.d.sync += session.eq(executor.session)
        return m
