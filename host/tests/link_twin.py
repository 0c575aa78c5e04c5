"""An engine on a board made of the golden model: a port whose other end answers frames."""

from cimforge.hdl.params.engine_config import EngineConfig
from cimforge.host import engine_protocol as told
from cimforge.host import protocol
from cimforge.host.tests.board_twin import BoardTwin
from cimforge.host.tests.engine_twin import EngineTwin

__all__ = ["LinkTwin"]

WORD = told.WORD_BYTES


class LinkTwin(BoardTwin):
    """The line is BoardTwin's. ``engine`` has ``ram_bytes`` of memory from address 0 on; a queue is
    done at its start. ``queues`` are addresses of those that were started."""

    def __init__(
        self,
        config: EngineConfig,
        ram_bytes: int = 1 << 14,
        buffer_bytes: int = protocol.BUFFER_BYTES,
    ):
        super().__init__(config.macro, buffer_bytes)
        self.engine, self.ram_bytes = EngineTwin(config, ram_bytes), ram_bytes
        self.queues: list[int] = []
        self.executed: list[tuple[int, int]] = []

    def _execute(
        self, sequence: int, operation: int, mode: int, parameter: int, payload: bytes
    ) -> None:
        self.failed, answer = False, b""
        self.executed.append((operation, parameter))
        words = [payload[place : place + WORD] for place in range(0, len(payload), WORD)]
        if operation == protocol.OPEN:
            self.session = parameter
            answer = bytes([protocol.VERSION << 4 | self.buffer_bytes.bit_length() - 1])
        elif operation == protocol.WRITE:
            for number, word in enumerate(words):
                self._register(parameter + WORD * number, int.from_bytes(word, "little"))
        elif operation == protocol.READ:
            first, last = told.FIRST_ADDRESS.of(parameter), told.LAST_ADDRESS.of(parameter)
            values = [self._register(place) for place in range(first, last + WORD, WORD)]
            answer = b"".join(value.to_bytes(WORD, "little") for value in values)
        elif operation == told.PUT:
            for number, word in enumerate(words):
                self._word(told.FIRST.of(parameter) + number, word)
        elif operation == told.GET:
            first, count = told.FIRST.of(parameter), told.LAST.of(parameter) + 1
            answer = b"".join(self._word(first + number) for number in range(count))
        elif operation == told.RUN:
            answer = self._run(parameter)
        else:
            self.failed = True
        self._send(protocol.REPLY, sequence, answer, int(self.failed))

    def _register(self, address: int, value: int | None = None) -> int:
        """Read a register, or write it."""
        engine = self.engine
        known = address in {register.offset for register in engine.map.registers()}
        if self.failed or not known:
            self.failed = True
            return 0
        if value is None:
            return engine.read_register(address)
        engine.write_register(address, value)
        return 0

    def _word(self, number: int, data: bytes | None = None) -> bytes:
        """Read a word of memory, or write it."""
        if self.failed or (number + 1) * WORD > self.ram_bytes:
            self.failed = True
            return bytes(WORD)
        if data is None:
            return self.engine.read_memory(number * WORD, WORD)
        self.engine.write_memory(number * WORD, data.ljust(WORD, b"\0"))
        return b""

    def _run(self, parameter: int) -> bytes:
        """Wait, tell the status, start."""
        at = {name: self.engine.map.register(name) for name in ("status", "control")}
        base, count = (self.engine.map.register(f"queue_{name}") for name in ("base", "count"))
        status, waits = at["status"], ("busy", "resetting")
        while any(status.field(f).of(word := self._register(status.offset)) for f in waits):
            pass
        if told.COUNT.of(parameter) and not any(
            status.field(f).of(word) for f in ("error", "overflow")
        ):
            self.queues.append(told.QUEUE.of(parameter) * told.QUEUE_BYTES)
            self._register(base.offset, self.queues[-1])
            self._register(count.offset, told.COUNT.of(parameter))
            self._register(at["control"].offset, at["control"].word(start=1))
        return word.to_bytes(WORD, "little")
