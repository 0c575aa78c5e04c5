"""A board made of the bus model: a port whose other end answers frames as the bridge does."""

from cimforge.cocotb_tests.bus.bus_model import Access, BusModel
from cimforge.hdl.params.config import MacroConfig
from cimforge.host import protocol

__all__ = ["BoardTwin"]


class BoardTwin:
    """Every beat is done at once. ``broken_after`` is the number of replies until the line goes
    dead; ``interrupt_after`` that of requests until Ctrl-C is pressed; ``late`` is added to the
    tags of replies."""

    def __init__(self, config: MacroConfig):
        self.bus = BusModel(config)
        self.waiting = b""
        self.broken_after: int | None = None
        self.interrupt_after: int | None = None
        self.late = 0
        self.baud = 0
        self.requests = 0

    def connect(self, device: str, baud: int) -> "BoardTwin":
        """In place of open_serial."""
        self.baud = baud
        return self

    def write(self, data: bytes) -> None:
        """Take a request, act and answer."""
        self.requests += 1
        tag, operation, address = data[1], data[2], int.from_bytes(data[3:5], "little")
        assert data[0] == protocol.REQUEST
        assert protocol.crc8(data[:-1]) == data[-1]
        word = int.from_bytes(data[5:9], "little") if operation == protocol.WRITE else None
        reply = bytes([protocol.REPLY, (tag + self.late) % 256]) + self._reply(
            Access(address, word)
        )
        if self.broken_after is not None:
            self.broken_after -= 1
        if self.broken_after is None or self.broken_after >= 0:
            self.waiting += reply + bytes([protocol.crc8(reply)])
        if self.interrupt_after is not None:
            self.interrupt_after -= 1
            if self.interrupt_after == 0:
                raise KeyboardInterrupt

    def _reply(self, access: Access) -> bytes:
        self.bus.sure = dict.fromkeys("xwr", True)
        self.bus.full = {"y": bool(self.bus.results), "q": bool(self.bus.rows)}
        expected = self.bus.expect(access)
        if expected.outcomes != {"ack"}:
            return bytes([protocol.BUS_ERROR])
        self.bus.account(access, expected.data or 0)
        reply = bytes([protocol.OK])
        return reply + (expected.data or 0).to_bytes(4, "little") if access.data is None else reply

    def reset_input_buffer(self) -> None:
        """Drop what was answered and not read."""
        self.waiting = b""

    def read(self, size: int) -> bytes:
        """Up to ``size`` bytes; a time-out takes no time."""
        taken, self.waiting = self.waiting[:size], self.waiting[size:]
        return taken
