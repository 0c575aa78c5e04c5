"""What a link does with requests to an engine: accesses, queues, and the bytes of its replies."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib.wiring import Component

from cimforge.fpga.cpu.core_port import core_port
from cimforge.fpga.frame_sender import REPLIED
from cimforge.hdl.bus.engine_map import EngineMap
from cimforge.hdl.engine.seams import register_port
from cimforge.hdl.macro.streams import beat_stream
from cimforge.hdl.netlist.block import In, Out
from cimforge.hdl.params.engine_config import EngineConfig
from cimforge.host import engine_protocol as told
from cimforge.host import protocol

__all__ = ["EngineExecutor"]

PLACE_BITS = told.FIRST.width + 1  # of a word's number, and the carry that leaves every memory
LAST_LANE = told.WORD_BYTES - 1


class _Request:
    """What is known of the request. ``left`` bytes of its payload are still at ``head``; ``word``
    passes between bytes and the engine, ``lane`` is the byte of it, ``place`` its number in
    registers or memory, ``words`` those still to be read behind it. At first ``word`` holds the
    sequence number. ``step`` is that of a queue's start, ``waited`` the cycles waited for it."""

    def __init__(self, wait_cycles: int):
        self.left = Signal(range(protocol.LONGEST_LENGTH + 1), name="bytes_left", reset_less=True)
        self.operation = Signal(3, reset_less=True)
        self.mode = Signal(3, reset_less=True)
        self.parameter = Signal(32, reset_less=True)
        self.word = Signal(32, reset_less=True)
        self.lane = Signal(2)
        self.place = Signal(PLACE_BITS, reset_less=True)
        self.words = Signal(told.LAST.width, reset_less=True)
        self.step = Signal(2)
        self.waited = Signal(range(wait_cycles + 1))
        self.failed = Signal()
        self.blocked = Signal()  # no queue may start
        self.rejects = Signal()  # the reply is a REJECTION

    def does(self, *operations: int) -> Value:
        """Whether it is one of these."""
        return Cat(self.operation == each for each in operations).any()


class EngineExecutor(Component):
    """Executes the requests that come, checked, from ``head``, one after the other, and answers
    each on ``reply``, as host.engine_protocol tells: of an engine of ``config`` behind
    ``registers``, and of memory of 2^``ram_bits`` bytes behind ``ram``.

    A reply begins before the accesses are made, whose results it carries; so its status comes last.
    OPEN tells the new ``session`` in a cycle with ``begins`` high. A pulse of ``rejected`` is
    answered with REJECTION once no byte of a request stands at ``head``. RUN reads the status until
    the engine is idle, for ``wait_cycles`` at most; while it waits nothing else is done, but
    requests still come into the receiver's buffer. Latency: a byte of a payload takes two cycles, a
    word of memory 1 more to write and 2 more to read, a register 2; ``ram`` is asked at most every
    other cycle. A reply goes as fast as ``reply`` takes it. Registers answer in the end whatever is
    asked, so it never hangs. ``depth`` is the buffer's size, which OPEN tells.
    """

    def __init__(
        self,
        config: EngineConfig,
        ram_bits: int,
        depth: int,
        wait_cycles: int = told.WAIT_CYCLES,
    ):
        self._map, self._ram_bits = EngineMap(config), ram_bits
        self._depth, self._wait = depth, wait_cycles
        super().__init__(
            {
                **{"head": In(beat_stream(data=8)), "reply": Out(REPLIED)},
                **{"session": Out(32), "begins": Out(1)},
                **{"expected": In(8), "rejected": In(1)},
                "registers": Out(register_port(self._map.address_bits)),
                "ram": Out(core_port(ram_bits)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        request = _Request(self._wait)
        port, ram = self.registers, self.ram
        memory, outside = Signal(), Signal()
        address = Cat(Const(0, 2), request.place)

        def beyond(bits: int) -> Value:
            return address[bits:].any()

        m.d.comb += [
            *(self.session.eq(request.parameter), memory.eq(request.does(told.PUT, told.GET))),
            outside.eq(Mux(memory, beyond(self._ram_bits), beyond(self._map.address_bits))),
            *(port.strobe.eq(0b1111), port.address.eq(address)),
            *(port.data_w.eq(request.word), ram.data_w.eq(request.word)),
            *(ram.address.eq(address), ram.strobe.eq(0b1111)),
        ]
        owed = self._build_owed(m)
        with m.FSM():
            self._build_header(m, request, owed)
            self._build_begin(m, request)
            self._build_write(m, request, memory, outside)
            self._build_read(m, request, memory, outside)
            self._build_queue(m, request)
            self._build_end(m, request)
        return m

    def _build_owed(self, m: Module) -> Signal:
        """Whether a request was rejected and that was not told yet."""
        owed = Signal()
        with m.If(self.rejected):
            m.d.sync += owed.eq(1)
        with m.Elif(self.reply.valid & self.reply.ready & self.reply.first):
            m.d.sync += owed.eq(0)  # whatever the reply: the host has a sign of life
        return owed

    def _build_header(self, m: Module, request: _Request, owed: Signal) -> None:
        """States that take a request's header and parameter."""
        head, parameter = self.head, request.parameter
        with m.State("IDLE"):
            m.d.comb += head.ready.eq(1)
            m.d.sync += [request.lane.eq(0), request.failed.eq(0), request.step.eq(0)]
            m.d.sync += [request.waited.eq(0), request.rejects.eq(~head.valid)]
            m.d.sync += request.word[:8].eq(Mux(head.valid, head.data, self.expected))
            with m.If(head.valid):
                m.next = "LENGTH"
            with m.Elif(owed):
                m.next = "FIRST"
        shape = Cat(request.left[8:], Signal(), request.operation, request.mode)
        for state, following, taken in (
            ("LENGTH", "SHAPE", request.left[:8]),
            ("SHAPE", "PARAMETER", shape),
        ):
            with m.State(state):
                m.d.comb += head.ready.eq(1)
                with m.If(head.valid):
                    m.d.sync += taken.eq(head.data)
                    m.next = following
        with m.State("PARAMETER"):
            m.d.comb += head.ready.eq(1)
            with m.If(head.valid):
                m.d.sync += [parameter.eq(Cat(parameter[8:], head.data))]
                m.d.sync += [request.lane.eq(request.lane + 1), request.left.eq(request.left - 1)]
                with m.If(request.lane == LAST_LANE):
                    m.next = "BEGIN"

    def _build_begin(self, m: Module, request: _Request) -> None:
        """States that look at a request, and begin its reply."""
        parameter = request.parameter
        first, last = told.FIRST_ADDRESS.of(parameter), told.LAST_ADDRESS.of(parameter)
        with m.State("BEGIN"):
            registers = request.does(protocol.WRITE, protocol.READ)
            misaligned = registers & first[:2].any()
            unknown = ~request.does(*(each.code for each in told.OPERATIONS))
            words = Mux(
                registers, (last[2:] - first[2:])[: told.LAST.width], told.LAST.of(parameter)
            )
            m.d.comb += self.begins.eq(request.does(protocol.OPEN))
            m.d.sync += [
                request.failed.eq(misaligned | unknown),
                request.place.eq(Mux(registers, first[2:], told.FIRST.of(parameter))),
                request.words.eq(words),
            ]
            m.next = "FIRST"
        with m.State("FIRST"):
            self._send(m, Mux(request.rejects, protocol.REJECTION, protocol.REPLY), first=1)
            with m.If(self.reply.ready):
                m.next = "SEQUENCE"
        with m.State("SEQUENCE"):
            self._send(m, request.word[:8])
            with m.If(self.reply.ready):
                m.next = "DRAIN"
                with m.If(request.rejects):
                    m.next = "STATUS"
                with m.Elif(request.does(protocol.OPEN)):
                    m.next = "SIZE"
                with m.Elif(request.does(protocol.WRITE, told.PUT)):
                    m.next = "TAKE"
                with m.Elif(request.does(protocol.READ, told.GET)):
                    m.next = "FETCH"
                with m.Elif(request.does(told.RUN)):
                    m.next = "WAIT"

    def _build_write(self, m: Module, request: _Request, memory: Signal, outside: Signal) -> None:
        """States that write words of the payload; bytes that the last word lacks are 0."""
        word, lane, left = request.word, request.lane, request.left
        with m.State("TAKE"):
            taken, padded = Signal(), Signal()
            m.d.comb += [
                padded.eq((left == 0) & (lane != 0)),
                *(self.head.ready.eq(left != 0), taken.eq(self.head.valid & self.head.ready)),
            ]
            with m.If(taken | padded):
                byte = Mux(taken, self.head.data, 0)
                m.d.sync += [word.eq(Cat(word[8:], byte)), lane.eq(lane + 1)]
                with m.If(lane == LAST_LANE):
                    m.next = "STORE"
            with m.If(taken):
                m.d.sync += left.eq(left - 1)
            with m.If((left == 0) & (lane == 0)):
                m.next = "STATUS"
        with m.State("STORE"):
            may = Signal(name="may_store")
            m.d.comb += [
                may.eq(~(request.failed | outside)),
                *(self.ram.enable.eq(memory & may), self.ram.write.eq(1)),
                *(self.registers.valid.eq(~memory & may), self.registers.write.eq(1)),
            ]
            with m.If(memory | ~may | self.registers.ready):
                refused = ~memory & self.registers.ready & self.registers.error
                m.d.sync += [request.place.eq(request.place + 1)]
                m.d.sync += request.failed.eq(~may | refused)
                m.next = "TAKE"

    def _build_read(self, m: Module, request: _Request, memory: Signal, outside: Signal) -> None:
        """States that read words, and send their bytes."""
        word, lane = request.word, request.lane
        with m.State("FETCH"):
            may = Signal(name="may_fetch")
            m.d.comb += [
                may.eq(~(request.failed | outside)),
                *(self.ram.enable.eq(memory & may), self.registers.valid.eq(~memory & may)),
            ]
            with m.If(memory | ~may | self.registers.ready):
                refused = ~memory & self.registers.ready & self.registers.error
                m.d.sync += [word.eq(Mux(may, self.registers.data_r, 0))]
                m.d.sync += request.failed.eq(~may | refused)
                m.next = "SEND"
                with m.If(memory & may):
                    m.next = "ARRIVE"
        with m.State("ARRIVE"):
            m.d.sync += word.eq(self.ram.data_r)
            m.next = "SEND"
        with m.State("SEND"):
            self._send(m, word[:8])
            with m.If(self.reply.ready):
                m.d.sync += [word.eq(word >> 8), lane.eq(lane + 1)]
                with m.If(lane == LAST_LANE):
                    m.d.sync += [request.place.eq(request.place + 1)]
                    m.d.sync += request.words.eq(request.words - 1)
                    m.next = "FETCH"
                    with m.If(request.words == 0):
                        m.next = "DRAIN"

    def _build_queue(self, m: Module, request: _Request) -> None:
        """States that wait for the end of a queue, send its status, and start the next."""
        port, named = self.registers, self._map.register
        status = named("status")

        def bit(name: str) -> Value:
            return status.field(name).of(port.data_r)

        with m.State("WAIT"):
            idle, spent = Signal(), Signal()
            m.d.comb += [
                *(port.valid.eq(1), port.address.eq(status.offset)),
                idle.eq(~(bit("busy") | bit("resetting"))),
                spent.eq(request.waited == self._wait),
            ]
            m.d.sync += request.waited.eq(request.waited + ~spent)
            with m.If(port.ready & (idle | spent)):
                m.d.sync += [request.word.eq(port.data_r), request.failed.eq(~idle)]
                m.d.sync += request.blocked.eq(bit("error") | bit("overflow"))
                m.next = "TELL"
        with m.State("TELL"):
            self._send(m, request.word[:8])
            with m.If(self.reply.ready):
                m.d.sync += [request.word.eq(request.word >> 8), request.lane.eq(request.lane + 1)]
                with m.If(request.lane == LAST_LANE):
                    m.next = "START"
                    none = told.COUNT.of(request.parameter) == 0
                    with m.If(request.failed | request.blocked | none):
                        m.next = "DRAIN"
        with m.State("START"):
            steps = (
                (named("queue_base"), told.QUEUE.of(request.parameter) * told.QUEUE_BYTES),
                (named("queue_count"), told.COUNT.of(request.parameter)),
                (named("control"), named("control").word(start=1)),
            )
            m.d.comb += [port.valid.eq(1), port.write.eq(1)]
            with m.Switch(request.step):
                for number, (register, word) in enumerate(steps):
                    with m.Case(number):
                        m.d.comb += [port.address.eq(register.offset), port.data_w.eq(word)]
            with m.If(port.ready):
                m.d.sync += [request.step.eq(request.step + 1), request.failed.eq(port.error)]
                with m.If(port.error | (request.step == len(steps) - 1)):
                    m.next = "DRAIN"

    def _build_end(self, m: Module, request: _Request) -> None:
        """States that forget what is left of the payload, and send the buffer's size, the status
        and the CRC."""
        with m.State("DRAIN"):
            m.d.comb += self.head.ready.eq(request.left != 0)
            with m.If(request.left == 0):
                m.next = "STATUS"
            with m.Elif(self.head.valid):
                m.d.sync += request.left.eq(request.left - 1)
        with m.State("SIZE"):
            self._send(m, protocol.VERSION << 4 | (self._depth.bit_length() - 1))
            with m.If(self.reply.ready):
                m.next = "DRAIN"
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
