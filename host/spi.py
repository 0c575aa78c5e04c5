"""A port over SPI: the bytes of a link where this side gives the clock."""

from collections.abc import Callable
from math import ceil

__all__ = ["ESCAPE", "IDLE", "TURNED", "SpiPort"]

IDLE, ESCAPE, TURNED = 0x7E, 0x7D, 0x20  # of what the device sends: fpga/spi_slave.py
POLL_BYTES = 64


class SpiPort:
    """A port of host.link over an SPI master in mode 0: ``transfer(data)`` sends bytes, with the
    device selected, and returns as many that came meanwhile, as ``exchange(data, duplex=True)`` of
    pyftdi and ``xfer3(data)`` of spidev do.

    ``hz`` is the clock of SPI, at most a sixth of the device's. A read polls ``poll`` bytes at a
    time, and ends where the device was idle for ``timeout`` seconds of that clock. Raises
    ValueError where these are not above 0.
    """

    def __init__(
        self,
        transfer: Callable[[bytes], bytes],
        hz: float,
        *,
        timeout: float = 1.0,
        poll: int = POLL_BYTES,
    ):
        for name, value in (("hz", hz), ("timeout", timeout), ("poll", poll)):
            if not 0 < value < float("inf"):
                raise ValueError(f"{name} must be above 0, not {value!r}")
        self._transfer, self._poll = transfer, poll
        self._idle_bytes = ceil(hz * timeout / 8)
        self._received = bytearray()
        self._escaped = False

    def write(self, data: bytes) -> int:
        """Send bytes; what comes meanwhile is kept."""
        for byte in self._transfer(data):
            if self._escaped:
                self._received.append(byte ^ TURNED)
            elif byte not in (IDLE, ESCAPE):
                self._received.append(byte)
            self._escaped = byte == ESCAPE and not self._escaped
        return len(data)

    def read(self, size: int) -> bytes:
        """Up to ``size`` bytes: fewer only where the device was idle for the time-out."""
        idle = 0
        while len(self._received) < size and idle < self._idle_bytes:
            before = len(self._received)
            self.write(bytes([IDLE]) * self._poll)
            idle = 0 if len(self._received) > before else idle + self._poll
        taken = bytes(self._received[:size])
        del self._received[:size]
        return taken

    def reset_input_buffer(self) -> None:
        """Drop what has arrived and was not read."""
        self._received.clear()
        self._escaped = False
