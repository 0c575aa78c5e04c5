"""Receiving side of a link: frames from bytes, kept until their check."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import Component

from cimforge.fpga.frame_crc import FrameCrc
from cimforge.fpga.uart import RECEIVED
from cimforge.hdl.macro.streams import beat_stream
from cimforge.hdl.netlist.block import In, Out
from cimforge.host import protocol

__all__ = ["FrameReceiver"]


class _Pointers:
    """Places in the buffer: bytes up to ``kept`` are of frames that were checked, those up to
    ``stored`` of the one under way; ``taken`` is the next to be read."""

    def __init__(self, depth: int):
        self.stored = Signal(range(depth), reset_less=True)
        self.kept = Signal(range(depth))
        self.taken = Signal(range(depth))
        self.full = Signal()


class FrameReceiver(Component):
    """Requests of host.protocol from ``rx``; of those that are right, all bytes between the first
    and the CRC come out at ``head``, one after the other.

    A request is right where its CRC is that of ``session`` (of 0 for OPENING), its sequence number
    is ``expected`` (any, of one that begins a session) and it fits the buffer of ``depth`` bytes.
    Otherwise its bytes are forgotten and
    ``rejected`` is high for a cycle. One that opens a session takes the place of everything that is
    still in the buffer: ``opened`` is high for a cycle, in which who reads ``head`` must forget
    what it does. Bytes outside a request are ignored until a first byte; a request that ends early
    takes what comes next for its rest, so the host sends FILLER before it opens a session.

    ``rx`` brings at most one byte in 11 cycles, whose data stay for 8 more, and is never stalled.
    ``head`` delivers a byte in two cycles; latency 14 cycles from the last byte of the CRC. One
    memory of ``depth`` x 8 bits, about 85 flip-flops and 200 LUT4s with its CRC.
    """

    def __init__(self, depth: int):
        self._depth = depth
        super().__init__(
            {
                **{"rx": In(RECEIVED), "session": In(32), "head": Out(beat_stream(data=8))},
                **{"expected": Out(8), "opened": Out(1), "rejected": Out(1)},
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.buffer = buffer = Memory(shape=8, depth=self._depth, init=[])
        m.submodules.crc = crc = FrameCrc()
        places = _Pointers(self._depth)
        write = buffer.write_port()
        m.d.comb += [
            *(write.addr.eq(places.stored), write.data.eq(self.rx.data)),
            crc.byte.eq(self.rx.data),
        ]
        # no two bytes follow each other so closely that one would miss what another has done
        m.d.sync += places.full.eq((places.stored + 1)[: len(places.taken)] == places.taken)
        self._build_reading(m, buffer.read_port(), places)
        self._build_frames(m, crc, write, places)
        return m

    def _build_reading(self, m: Module, port, places: _Pointers) -> None:
        """Bytes of checked frames, read ahead by two: one stands at the memory's port, which is
        slow, and one in a register. Whether there is another is known a cycle late, so none is
        fetched in two cycles one after the other."""
        fetch, fetched, moves, left = Signal(), Signal(), Signal(), Signal(name="bytes_left")
        m.d.comb += [
            moves.eq(fetched & (~self.head.valid | self.head.ready)),
            fetch.eq((~fetched | moves) & left),
            *(port.en.eq(fetch), port.addr.eq(places.taken)),
        ]
        m.d.sync += left.eq((places.taken != places.kept) & ~fetch)
        m.d.sync += fetched.eq(fetch | (fetched & ~moves))
        with m.If(fetch):
            m.d.sync += places.taken.eq(places.taken + 1)
        with m.If(moves):
            m.d.sync += [self.head.data.eq(port.data), self.head.valid.eq(1)]
        with m.Elif(self.head.ready):
            m.d.sync += self.head.valid.eq(0)
        with m.If(self.opened):
            m.d.sync += [places.taken.eq(places.kept), left.eq(0), fetched.eq(0)]
            m.d.sync += self.head.valid.eq(0)

    def _store(self, m: Module, crc: FrameCrc, write, places: _Pointers, bad: Signal) -> None:
        """A byte of a frame, where there is room."""
        m.d.comb += [write.en.eq(self.rx.valid & ~places.full), crc.step.eq(self.rx.valid)]
        with m.If(self.rx.valid & places.full):
            m.d.sync += bad.eq(1)
        with m.Elif(self.rx.valid):
            m.d.sync += places.stored.eq(places.stored + 1)

    def _build_frames(self, m: Module, crc: FrameCrc, write, places: _Pointers) -> None:
        """A request, field by field, and its check."""
        rx, opening, bad, right = self.rx, Signal(), Signal(), Signal()
        left = Signal(range(protocol.LONGEST_LENGTH + 1), reset_less=True)
        place = Signal(2)
        begins = Signal()

        opens = (rx.data == protocol.OPENING) | (rx.data == protocol.RESUMING)
        m.d.comb += begins.eq((rx.data == protocol.REQUEST) | opens)
        with m.FSM():
            with m.State("HUNT"):
                new = rx.data == protocol.OPENING
                m.d.comb += crc.start.eq(self.session)
                m.d.sync += [opening.eq(opens), places.stored.eq(places.kept)]
                m.d.sync += [bad.eq(0), place.eq(0)]
                with m.If(rx.valid & begins):
                    m.d.comb += [crc.clear.eq(new), crc.load.eq(~new), crc.step.eq(1)]
                    m.next = "HEAD"
            with m.State("HEAD"):
                self._store(m, crc, write, places, bad)
                with m.If(rx.valid):
                    m.d.sync += place.eq(place + 1)
                    with m.Switch(place):
                        with m.Case(0), m.If((rx.data != self.expected) & ~opening):
                            m.d.sync += bad.eq(1)
                        with m.Case(1):
                            m.d.sync += left[:8].eq(rx.data)
                        with m.Case(2):
                            m.d.sync += left[8:].eq(rx.data)
                            m.next = "BODY"
            with m.State("BODY"):
                self._store(m, crc, write, places, bad)
                with m.If(rx.valid):
                    m.d.sync += [left.eq(left - 1), place.eq(0)]
                    with m.If(left == 1):
                        m.next = "CRC"
            with m.State("CRC"):
                m.d.comb += crc.step.eq(rx.valid)
                with m.If(rx.valid):
                    m.d.sync += place.eq(place + 1)
                    with m.If(place == protocol.CRC_BYTES - 1):
                        m.next = "CHECK"
            with m.State("CHECK"):
                m.d.sync += right.eq(crc.right & ~bad)
                with m.If(crc.ready):
                    m.next = "VERDICT"
            with m.State("VERDICT"):
                m.d.comb += [self.rejected.eq(~right), self.opened.eq(right & opening)]
                with m.If(right):
                    next_one = Mux(opening, 0, self.expected + 1)
                    m.d.sync += [places.kept.eq(places.stored), self.expected.eq(next_one)]
                m.next = "HUNT"
