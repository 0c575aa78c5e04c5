"""Bridge from UART frames to a Wishbone master."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value

from cimforge.fpga.uart import RECEIVED, SENT
from cimforge.hdl.bus.signatures import WishboneSignature
from cimforge.hdl.netlist.block import Block, In, Out
from cimforge.host import protocol

__all__ = ["UartBridge"]

ADDRESS_BYTES = 2  # of a frame


class _Frame:
    """What is known of the request and reply under way; ``left`` counts the present field's bytes
    still to come after the next."""

    def __init__(self):
        self.crc = protocol.CRC.create()
        self.tag = Signal(8)
        self.operation = Signal(8)
        self.address = Signal(16)
        self.data = Signal(32)
        self.left = Signal(2)
        self.status = Signal(8)


class UartBridge(Block):
    """Executes the frames of host.protocol: one Wishbone access for each request, then its reply.

    A request acts only after its CRC was right; a wrong one, or an unknown operation, is answered
    with BAD_FRAME and does nothing. Bytes outside a frame are ignored until REQUEST; a request that
    stays incomplete for ``gap`` cycles is dropped, so a lost byte costs one request. While a reply
    is sent nothing is received: the host waits for it. The bus answers within a bounded time
    (WishboneSlave), so the bridge never hangs. Address: the low ``address_bits`` of 16, a set bit
    above them is a bus error. Latency: access 1 cycle after the CRC byte, reply after its answer.
    Raises ValueError where the addresses do not fit a frame or there is no gap.
    """

    role, latency = "link", 1
    has_reset = True

    def __init__(self, prefix: str, address_bits: int, gap: int):
        if type(address_bits) is not int or not 3 <= address_bits <= 8 * ADDRESS_BYTES:
            rule = f"must be an integer in 3..{8 * ADDRESS_BYTES}, not {address_bits!r}"
            raise ValueError(f"address_bits {rule}")
        if type(gap) is not int or gap < 1:
            raise ValueError(f"gap must be an integer of at least 1, not {gap!r}")
        self._gap, self._address_bits = gap, address_bits
        bus = WishboneSignature(address_bits=address_bits)
        members = {"rx": In(RECEIVED), "tx": Out(SENT), "wb": Out(bus)}
        super().__init__(prefix, "uart_bridge", members)

    def elaborate(self, platform):
        m = Module()
        frame = _Frame()
        m.submodules.crc = frame.crc
        writing = frame.operation == protocol.WRITE
        m.d.comb += [
            *(self.wb.we.eq(writing), self.wb.adr.eq(frame.address)),
            *(self.wb.dat_w.eq(frame.data), self.wb.sel.eq(0b1111)),
        ]
        late = self._build_gap(m)
        with m.FSM():
            self._build_request(m, frame, writing, late)
            with m.State("ACCESS"):
                m.d.comb += [self.wb.cyc.eq(1), self.wb.stb.eq(1)]
                with m.If(self.wb.ack | self.wb.err):
                    outcome = Mux(self.wb.err, protocol.BUS_ERROR, protocol.OK)
                    m.d.sync += [frame.status.eq(outcome), frame.data.eq(self.wb.dat_r)]
                    m.next = "REPLY"
            self._build_reply(m, frame, writing)
        return m

    def _build_request(self, m: Module, frame: "_Frame", writing: Value, late: Value) -> None:
        """States that receive a request, field by field; a gap within one starts over."""
        byte, crc, left = self.rx.data, frame.crc, frame.left
        known = writing | (frame.operation == protocol.READ)
        outside = (frame.address >> self._address_bits).any()

        def receive(effects: list) -> None:
            m.d.comb += [crc.data.eq(byte), crc.valid.eq(self.rx.valid)]
            with m.If(self.rx.valid):
                m.d.sync += effects
            with m.Elif(late):
                m.next = "SYNC"

        with m.State("SYNC"), m.If(self.rx.valid & (byte == protocol.REQUEST)):
            m.d.comb += [crc.start.eq(1), crc.data.eq(byte), crc.valid.eq(1)]
            m.next = "TAG"
        with m.State("TAG"):
            receive([frame.tag.eq(byte)])
            with m.If(self.rx.valid):
                m.next = "OPERATION"
        with m.State("OPERATION"):
            receive([frame.operation.eq(byte), left.eq(1)])
            with m.If(self.rx.valid):
                m.next = "ADDRESS"
        with m.State("ADDRESS"):
            receive([frame.address.eq(Cat(frame.address[8:], byte)), left.eq(left - 1)])
            with m.If(self.rx.valid & (left == 0)):
                m.d.sync += left.eq(3)
                with m.If(writing):
                    m.next = "DATA"
                with m.Else():
                    m.next = "CRC"
        with m.State("DATA"):
            receive([frame.data.eq(Cat(frame.data[8:], byte)), left.eq(left - 1)])
            with m.If(self.rx.valid & (left == 0)):
                m.next = "CRC"
        with m.State("CRC"):
            receive([])
            with m.If(self.rx.valid):
                right = (byte == crc.crc) & known
                m.d.sync += frame.status.eq(Mux(right, protocol.BUS_ERROR, protocol.BAD_FRAME))
                m.next = "REPLY"
                with m.If(right & ~outside):
                    m.next = "ACCESS"

    def _build_reply(self, m: Module, frame: "_Frame", writing: Value) -> None:
        """States that send a reply, byte by byte."""
        crc, left = frame.crc, frame.left

        def send(byte: Value | int) -> None:
            m.d.comb += [self.tx.valid.eq(1), self.tx.data.eq(byte)]
            m.d.comb += [crc.data.eq(byte), crc.valid.eq(self.tx.ready)]

        with m.State("REPLY"):
            send(protocol.REPLY)
            m.d.comb += crc.start.eq(1)
            with m.If(self.tx.ready):
                m.next = "TAG_BACK"
        with m.State("TAG_BACK"):
            send(frame.tag)
            with m.If(self.tx.ready):
                m.next = "STATUS"
        with m.State("STATUS"):
            send(frame.status)
            with m.If(self.tx.ready):
                m.d.sync += left.eq(3)
                with m.If((frame.status == protocol.OK) & ~writing):
                    m.next = "RESULT"
                with m.Else():
                    m.next = "END"
        with m.State("RESULT"):
            low = frame.data[:8]
            send(low)
            with m.If(self.tx.ready):
                m.d.sync += [left.eq(left - 1), frame.data.eq(frame.data >> 8)]
                with m.If(left == 0):
                    m.next = "END"
        with m.State("END"):
            send(crc.crc)
            with m.If(self.tx.ready):
                m.next = "SYNC"

    def _build_gap(self, m: Module) -> Signal:
        """Whether the line has been silent for ``gap`` cycles."""
        late = Signal()
        silent = Signal(range(self._gap + 1))
        m.d.comb += late.eq(silent == self._gap)
        with m.If(self.rx.valid):
            m.d.sync += silent.eq(0)
        with m.Elif(~late):
            m.d.sync += silent.eq(silent + 1)
        return late
