"""A board made of the bus model: a port whose other end answers frames as the bridge does."""

from collections.abc import Callable
from zlib import crc32

from cimforge.cocotb_tests.bus.bus_model import Access, BusModel
from cimforge.hdl.bus.registers import RegisterMap
from cimforge.hdl.params.config import MacroConfig
from cimforge.host import protocol
from cimforge.host.payload import result_bytes, row_bytes, vector_bytes

__all__ = ["BoardTwin"]

BEGINS = (protocol.REQUEST, protocol.OPENING, protocol.RESUMING)


class BoardTwin:
    """Every beat is done at once. Products with a bank that is not defined, one not wholly written
    or with a group whose fill was broken off, are wrong in every bit. ``broken_after`` is the
    number of replies until the line goes dead; ``interrupt_after`` that of calls of write until
    Ctrl-C is pressed. ``outward`` and ``inward`` change what travels to the board and from it:
    functions from bytes to bytes.
    ``requests`` counts calls of write; ``frames`` holds the operations that were executed."""

    def __init__(self, config: MacroConfig, buffer_bytes: int = protocol.BUFFER_BYTES):
        self.config, self.map = config, RegisterMap(config)
        self.bus = BusModel(config)
        named = (*self.map.windows(), *self.map.registers())
        self._at = {each.name: each.offset for each in named}
        modes = range(len(config.modes))
        self._results = [(self.map.result_span(m), result_bytes(config, m)) for m in modes]
        self.buffer_bytes = buffer_bytes
        self.waiting = b""
        self.broken_after: int | None = None
        self.interrupt_after: int | None = None
        self.outward: Callable[[bytes], bytes] = bytes
        self.inward: Callable[[bytes], bytes] = bytes
        self.baud = 0
        self.requests = 0
        self.frames: list[int] = []
        self.power_up()

    def power_up(self) -> None:
        """The device alone begins anew: what a bitstream's load leaves."""
        self.session, self.expected, self.partial = 0, 0, b""

    def connect(self, device: str, baud: int) -> "BoardTwin":
        """In place of open_serial."""
        self.baud = baud
        return self

    # the line

    def write(self, data: bytes) -> None:
        """Take bytes, act on whole requests and answer."""
        self.requests += 1
        for byte in self.outward(data):
            self.partial += bytes([byte])
            self._look()
        if self.interrupt_after is not None:
            self.interrupt_after -= 1
            if self.interrupt_after == 0:
                raise KeyboardInterrupt

    def reset_input_buffer(self) -> None:
        """Drop what was answered and not read."""
        self.waiting = b""

    def read(self, size: int) -> bytes:
        """Up to ``size`` bytes; a time-out takes no time."""
        taken, self.waiting = self.waiting[:size], self.waiting[size:]
        return taken

    def _send(self, first: int, sequence: int, payload: bytes, status: int) -> None:
        frame = bytes([first, sequence, *payload, status])
        frame += crc32(frame, self.session).to_bytes(4, "little")
        if self.broken_after is not None:
            self.broken_after -= 1
        if self.broken_after is None or self.broken_after >= 0:
            self.waiting += self.inward(frame)

    # frames

    def _look(self) -> None:
        """Whether a request is whole now."""
        frame = self.partial
        if frame[0] not in BEGINS:
            self.partial = b""
            return
        if len(frame) < 4:
            return
        length = frame[2] | (frame[3] & 1) << 8
        if len(frame) < 4 + length + 4:
            return
        self.partial = b""
        start = 0 if frame[0] == protocol.OPENING else self.session
        right = protocol.check(frame, start)
        begins = frame[0] != protocol.REQUEST
        if not right or not (begins or frame[1] == self.expected):
            self._send(protocol.REJECTION, self.expected, b"", protocol.DONE)
            return
        self.expected = 0 if begins else (self.expected + 1) % 256
        operation, mode = frame[3] >> 2 & 7, frame[3] >> 5
        self.frames.append(operation)
        self._execute(frame[1], operation, mode, int.from_bytes(frame[4:8], "little"), frame[8:-4])

    def _execute(
        self, sequence: int, operation: int, mode: int, parameter: int, payload: bytes
    ) -> None:
        self.failed = False
        answer = b""
        if operation == protocol.OPEN:
            self.session = parameter
            answer = bytes([protocol.VERSION << 4 | self.buffer_bytes.bit_length() - 1])
        elif operation == protocol.WRITE:
            self._put(parameter, payload)
        elif operation == protocol.READ:
            words = range(parameter & 0xFFFF, (parameter >> 16) + 4, 4)
            answer = b"".join(self._get(address) for address in words)
        elif operation == protocol.LOAD:
            size = row_bytes(self.config)
            for row, place in enumerate(range(0, len(payload), size)):
                self._put(self._at["w"], payload[place : place + size])
                self._write(self._at["w_start"], parameter + row)
        elif operation == protocol.MULTIPLY:
            size = vector_bytes(self.config)
            for place in range(0, len(payload), size):
                answer += self._product(parameter, mode, payload[place : place + size])
        self._send(protocol.REPLY, sequence, answer, int(self.failed))

    def _product(self, command: int, mode: int, vector: bytes) -> bytes:
        self._put(self._at["x"], vector)
        self._write(self._at["x_start"], command)
        (span, size), words = self._results[mode], self.map.result_words
        answer = b""
        for place in range(span.start, span.stop, words):
            addresses = (self._at["y"] + 4 * (place + word) for word in range(words))
            answer += b"".join(map(self._get, addresses))[:size]
        self._write(self._at["y_next"], 0)
        return answer

    # the bus

    def _put(self, address: int, data: bytes) -> None:
        for place in range(0, len(data), 4):
            word = int.from_bytes(data[place : place + 4], "little")
            self._write(address + place, word)

    def _write(self, address: int, word: int) -> None:
        self._access(Access(address, word))

    def _get(self, address: int) -> bytes:
        return self._access(Access(address)).to_bytes(4, "little")

    def _defined(self, command: int) -> bool:
        return self.bus.model.defined(self.map.register("x_start").field("bank").of(command))

    def _access(self, access: Access) -> int:
        if self.failed:
            return 0
        self.bus.sure = dict.fromkeys("xwr", True)
        self.bus.full = {"y": bool(self.bus.results), "q": bool(self.bus.rows)}
        expected = self.bus.expect(access)
        if expected.outcomes != {"ack"}:
            self.failed = True
            return 0
        if access.address == self._at["control"] and access.data:
            self.bus.model.interrupt()
        self.bus.account(access, expected.data or 0)
        if access.address == self._at["x_start"] and not self._defined(access.data or 0):
            numbers = self.bus.results[-1]
            self.bus.results[-1] = [None if n is None else ~n for n in numbers]
        return expected.data or 0
