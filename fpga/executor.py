"""What a bridge does with a request: accesses of the macro's bus, and the bytes of its reply."""

from collections.abc import Callable

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal, Value
from amaranth.lib.wiring import Component

from cimforge.fpga.frame_sender import REPLIED
from cimforge.hdl.bus.registers import RegisterMap
from cimforge.hdl.bus.signatures import WishboneSignature
from cimforge.hdl.macro.streams import beat_stream
from cimforge.hdl.netlist.block import In, Out
from cimforge.hdl.params.config import MacroConfig
from cimforge.host import protocol
from cimforge.host.payload import WORD_BYTES, result_bytes, row_bytes, vector_bytes

__all__ = ["ADDRESS_BITS", "FrameExecutor"]

ADDRESS_BITS = 16  # of a frame


class _Item:
    """Where the last byte of a row or vector stands: word of its window, lane of the word."""

    def __init__(self, offset: int, size: int, address_bits: int):
        self.first = Const(offset, address_bits)
        self.last = Const(offset + (size - 1) // WORD_BYTES * WORD_BYTES, address_bits)
        self.lane = Const((size - 1) % WORD_BYTES, 2)


class _Request:
    """What is known of the request: ``left`` counts the bytes of its payload still to be taken
    (``none_left``: it is 0; a register of its own, for all states but the header's);
    ``word`` passes between bytes and bus, ``lane`` is the byte of it, ``address`` its place. At
    first ``word`` holds the sequence number."""

    def __init__(self, address_bits: int):
        self.left = Signal(range(protocol.LONGEST_LENGTH + 1), reset_less=True)
        self.none_left = Signal()
        self.operation = Signal(3, reset_less=True)
        self.mode = Signal(3, reset_less=True)
        self.parameter = Signal(32, reset_less=True)
        self.word = Signal(32, reset_less=True)
        self.lane = Signal(2)
        self.address = Signal(address_bits, reset_less=True)
        self.failed = Signal()
        self.tries = Signal(range(protocol.TRIES))
        self.rejects = Signal()  # the reply is a REJECTION


class FrameExecutor(Component):
    """Executes the requests that come, checked, from ``head``, one after the other, and answers
    each on ``reply``, as host.protocol tells, of a macro of ``config``.

    A reply begins before the accesses are made, whose results it carries; so its status comes last.
    An access that is refused is made again, up to TRIES times. OPEN tells the new ``session`` in a
    cycle with ``begins`` high. A pulse of ``rejected`` is answered with REJECTION once no byte of a
    request stands at ``head``. Address: the low bits of 16, a set bit above them is refused.
    ``depth`` is the buffer's size, which OPEN tells. Each byte of a payload takes two cycles, each
    access as many as the slave's (DecidedSlave: 4); a reply goes as fast as ``reply`` takes it.
    About 135 flip-flops and 300 LUT4s.
    """

    def __init__(self, config: MacroConfig, depth: int):
        table = RegisterMap(config)
        self._config, self._map, self._depth = config, table, depth
        self._address_bits = table.address_bits
        super().__init__(
            {
                **{"head": In(beat_stream(data=8)), "reply": Out(REPLIED)},
                **{"session": Out(32), "begins": Out(1)},
                **{"expected": In(8), "rejected": In(1)},
                "wb": Out(WishboneSignature(address_bits=table.address_bits)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        request = _Request(self._address_bits)
        items = {
            name: _Item(self._map.window(name).offset, size, self._address_bits)
            for name, size in (("w", row_bytes(self._config)), ("x", vector_bytes(self._config)))
        }
        loads = request.operation == protocol.LOAD
        multiplies = request.operation == protocol.MULTIPLY
        item = {
            part: Mux(loads, getattr(items["w"], part), getattr(items["x"], part))
            for part in ("first", "last", "lane")
        }
        m.d.comb += [
            *(self.wb.adr.eq(request.address), self.wb.sel.eq(0b1111)),
            *(self.wb.dat_w.eq(request.word), self.session.eq(request.parameter)),
        ]
        owed = self._build_owed(m)
        with m.FSM():
            self._build_header(m, request, item["first"], owed)
            self._build_item(m, request, item, loads | multiplies)
            self._build_command(m, request, item["first"], loads)
            self._build_result(m, request, multiplies)
            self._build_end(m, request)
        return m

    def _build_owed(self, m: Module) -> Signal:
        """Whether a request was rejected and that was not told yet."""
        owed = Signal()
        told = Signal()
        m.d.comb += told.eq(self.reply.valid & self.reply.ready & self.reply.first)
        with m.If(self.rejected):
            m.d.sync += owed.eq(1)
        with m.Elif(told):  # whatever the reply: the host has a sign of life
            m.d.sync += owed.eq(0)
        return owed

    def _build_header(self, m: Module, request: _Request, item: Value, owed: Signal) -> None:
        """States that take a request's header and parameter, and begin its reply."""
        head, parameter = self.head, request.parameter

        def take(state: str, following: str, *effects: object) -> None:
            with m.State(state):
                m.d.comb += head.ready.eq(1)
                with m.If(head.valid):
                    m.d.sync += effects
                    m.next = following

        with m.State("IDLE"):
            m.d.comb += head.ready.eq(1)
            m.d.sync += [request.lane.eq(0), request.failed.eq(0)]
            with m.If(head.valid):
                m.next = "LENGTH"
            with m.Elif(owed):
                m.next = "FIRST"
            sequence = Mux(head.valid, head.data, self.expected)
            m.d.sync += [request.word[:8].eq(sequence), request.rejects.eq(~head.valid)]
        take("LENGTH", "SHAPE", request.left[:8].eq(head.data))
        shape = Cat(request.left[8:], Signal(), request.operation, request.mode)
        take("SHAPE", "PARAMETER", shape.eq(head.data))
        with m.State("PARAMETER"):
            m.d.comb += head.ready.eq(1)
            with m.If(head.valid):
                m.d.sync += [parameter.eq(Cat(parameter[8:], head.data))]
                m.d.sync += [request.lane.eq(request.lane + 1), request.left.eq(request.left - 1)]
                with m.If(request.lane == 3):
                    m.next = "BEGIN"
        with m.State("BEGIN"):
            opens = request.operation == protocol.OPEN
            addressed = (request.operation == protocol.WRITE) | (request.operation == protocol.READ)
            m.d.comb += self.begins.eq(opens)
            outside = parameter[self._address_bits : ADDRESS_BITS].any()
            unknown = request.operation > protocol.MULTIPLY
            m.d.sync += request.failed.eq((addressed & outside) | unknown)
            m.d.sync += request.address.eq(Mux(addressed, parameter, item))
            m.next = "FIRST"
        with m.State("FIRST"):
            self._send(m, Mux(request.rejects, protocol.REJECTION, protocol.REPLY), first=1)
            with m.If(self.reply.ready):
                m.next = "SEQUENCE"
        with m.State("SEQUENCE"):
            self._send(m, request.word[:8])
            with m.If(self.reply.ready):
                m.next = "ITEM"
                with m.If(request.rejects):
                    m.next = "STATUS"
                with m.Elif(request.operation == protocol.OPEN):
                    m.next = "SIZE"
                with m.Elif(request.operation == protocol.READ):
                    m.next = "FETCH"

    def _build_item(
        self, m: Module, request: _Request, item: dict[str, Value], ends: Value
    ) -> None:
        """States that write words of the payload: all of them, or one row or vector."""
        word, lane = request.word, request.lane
        last = Signal(name="last_word")  # of an address that stands for some cycles when it counts
        m.d.sync += [
            last.eq(ends & (request.address == item["last"])),
            request.none_left.eq(request.left == 0),
        ]
        with m.State("ITEM"):
            taken = Signal()
            padded = Signal()  # behind the last byte of the item or the payload
            m.d.comb += [
                padded.eq((last & (lane > item["lane"])) | request.none_left),
                taken.eq(self.head.valid & ~padded),
                self.head.ready.eq(~padded),
            ]
            with m.If(taken | padded):
                byte = self.head.data & taken.replicate(8)
                m.d.sync += [word.eq(Cat(word[8:], byte)), lane.eq(lane + 1)]
                with m.If(lane == 3):
                    m.next = "STORE"
            with m.If(taken):
                left = request.left
                m.d.sync += [left.eq(left - 1), request.none_left.eq(left == 1)]
        with m.State("STORE"):

            def stored() -> None:
                m.d.sync += request.address.eq(request.address + WORD_BYTES)
                m.next = "ITEM"
                with m.If(last):
                    m.next = "COMMAND"
                with m.Elif(~ends & request.none_left):
                    m.next = "STATUS"

            self._access(m, request, stored, writes=True)

    def _build_command(self, m: Module, request: _Request, item: Value, loads: Value) -> None:
        """State that starts what was written."""
        starts = [self._map.register(f"{stream}_start").offset for stream in "wx"]
        results = [self._map.result_span(fuse)[0] for fuse, _ in enumerate(self._config.modes)]
        window = self._map.window("y").offset
        with m.State("COMMAND"):
            m.d.comb += self.wb.adr.eq(Mux(loads, *starts))
            m.d.comb += self.wb.dat_w.eq(request.parameter)

            def started() -> None:
                with m.If(loads):
                    row = request.parameter[:16]
                    m.d.sync += [row.eq(row + 1), request.address.eq(item)]
                    m.next = "ITEM"
                    with m.If(request.none_left):
                        m.next = "STATUS"
                with m.Else():
                    places = [window + WORD_BYTES * place for place in results]
                    m.d.sync += request.address.eq(_chosen(places, request.mode))
                    m.next = "FETCH"

            self._access(m, request, started, writes=True)

    def _build_result(self, m: Module, request: _Request, multiplies: Value) -> None:
        """States that send words read from the bus: whole ones, or the bytes of results."""
        word, lane, modes = request.word, request.lane, range(len(self._config.modes))
        words = self._map.result_words
        lanes = [(result_bytes(self._config, fuse) - 1) % WORD_BYTES for fuse in modes]
        ends = [self._map.result_span(fuse)[-1] for fuse in modes]
        window = self._map.window("y").offset
        upper = Const(1) if words == 1 else request.address[2]
        result_ends = multiplies & upper & (lane == _chosen(lanes, request.mode))
        with m.State("FETCH"):

            def fetched() -> None:
                m.d.sync += word.eq(self.wb.dat_r)  # 0 where it was refused
                m.next = "SEND"

            self._access(m, request, fetched, writes=False)
        with m.State("SEND"):
            last = Signal(self._address_bits)
            addresses = [window + WORD_BYTES * end for end in ends]
            named = request.parameter[ADDRESS_BITS:]
            m.d.comb += last.eq(Mux(multiplies, _chosen(addresses, request.mode), named))
            self._send(m, word[:8])
            with m.If(self.reply.ready):
                m.d.sync += [word.eq(Cat(word[8:], self.head.data)), lane.eq(lane + 1)]
                with m.If((lane == WORD_BYTES - 1) | result_ends):
                    m.d.sync += [lane.eq(0), request.address.eq(request.address + WORD_BYTES)]
                    m.next = "FETCH"
                    with m.If(request.address == last):
                        m.next = "STATUS"
                        with m.If(multiplies):
                            m.next = "RELEASE"
        with m.State("RELEASE"):
            m.d.comb += self.wb.adr.eq(self._map.register("y_next").offset)

            def released() -> None:
                m.d.sync += request.address.eq(self._map.window("x").offset)
                m.next = "ITEM"
                with m.If(request.none_left):
                    m.next = "STATUS"

            self._access(m, request, released, writes=True)

    def _build_end(self, m: Module, request: _Request) -> None:
        """States that send the buffer's size, the status and the CRC."""
        with m.State("SIZE"):
            self._send(m, protocol.VERSION << 4 | (self._depth.bit_length() - 1))
            with m.If(self.reply.ready):
                m.next = "STATUS"
        with m.State("STATUS"):
            self._send(m, request.failed)
            with m.If(self.reply.ready):
                m.d.sync += request.lane.eq(0)
                m.next = "CRC"
        with m.State("CRC"):
            self._send(m, 0, drain=1)
            with m.If(self.reply.ready):
                m.d.sync += request.lane.eq(request.lane + 1)
                with m.If(request.lane == protocol.CRC_BYTES - 1):
                    m.next = "IDLE"

    def _send(self, m: Module, byte: Value | int, *, first: int = 0, drain: int = 0) -> None:
        reply = self.reply
        m.d.comb += [reply.valid.eq(1), reply.data.eq(byte)]
        m.d.comb += [reply.first.eq(first), reply.drain.eq(drain)]

    def _access(
        self, m: Module, request: _Request, done: Callable[[], None], *, writes: bool
    ) -> None:
        """In a state: the access, again while it is refused; then ``done``. Nothing is accessed
        once one was refused to the end."""
        tries = request.tries
        m.d.comb += [self.wb.cyc.eq(~request.failed), self.wb.stb.eq(~request.failed)]
        m.d.comb += self.wb.we.eq(int(writes))
        with m.If(self.wb.ack | request.failed):
            m.d.sync += tries.eq(0)
            done()
        with m.Elif(self.wb.err):
            m.d.sync += [tries.eq(tries + 1), request.failed.eq(tries == protocol.TRIES - 1)]


def _chosen(values: list[int], number: Value) -> Value:
    """The value of a number; what is the same for all is a constant."""
    return Const(values[0]) if len(set(values)) == 1 else Array(values)[number]
