"""Words over a serial line: requests, replies, and the ways in which they fail.

The port is anything with ``write(bytes)`` and ``read(count) -> bytes`` that returns fewer bytes
after its time-out: pyserial's Serial, or the simulated twin.
"""

import os
import random
from contextlib import suppress
from typing import Protocol

from cimforge.hdl.params.install_hint import install_hint
from cimforge.host import protocol

__all__ = ["BusError", "LinkError", "Port", "UartLink", "open_serial"]

SETTLE_BYTES = 4096  # more than any line delivers late: what comes on after that is no reply


class Port(Protocol):
    """A serial line."""

    def write(self, data: bytes, /) -> object:
        """Send bytes."""

    def read(self, size: int, /) -> bytes:
        """Up to ``size`` bytes: fewer only after the time-out."""

    def reset_input_buffer(self) -> None:
        """Drop what has arrived and was not read."""


class LinkError(Exception):
    """The line lost or garbled bytes, or nobody answers; what was asked may or may not have been
    done."""


class BusError(Exception):
    """The macro's bus refused an access, which changed nothing."""


class UartLink:
    """Words read and written over the line, one request and reply each.

    Raises LinkError where no whole, right reply comes within the port's time-out, BusError where
    the bus refuses. Every call ends after at most three time-outs of the port, one that never stops
    sending too: two for the parts of a reply, and after an error one in which a late reply is
    dropped, so that it answers no later request.
    """

    def __init__(self, port: Port):
        self._port = port
        self._tag = random.getrandbits(8)  # unlikely to be that of an earlier session's last

    def read(self, address: int) -> int:
        """The word at a byte address."""
        return int.from_bytes(self._ask(protocol.READ, address, b""), "little")

    def write(self, address: int, word: int) -> None:
        """Write a word."""
        self._ask(protocol.WRITE, address, word.to_bytes(4, "little"))

    def _ask(self, operation: int, address: int, data: bytes) -> bytes:
        self._tag = (self._tag + 1) % 256
        head = (
            bytes([protocol.REQUEST, self._tag, operation]) + address.to_bytes(2, "little") + data
        )
        what = f"{'read' if operation == protocol.READ else 'write'} of {address:#06x}"
        try:
            return self._exchange(operation, head + bytes([protocol.crc8(head)]), what)
        except OSError as error:  # pyserial's SerialException too: the device is gone
            raise LinkError(f"{what}: the port failed: {_line(error)}") from None
        except BusError:
            raise
        except BaseException:  # Ctrl-C too: the reply is on its way
            with suppress(OSError):
                self._port.read(SETTLE_BYTES)
            raise

    def _exchange(self, operation: int, request: bytes, what: str) -> bytes:
        """Send a request and return its reply's data."""
        self._port.reset_input_buffer()
        self._port.write(request)
        reply = self._receive(3, what)
        begin, tag, status = reply
        if begin != protocol.REPLY:
            raise LinkError(f"{what}: the reply begins with {begin:#04x}: bytes were garbled")
        reply += self._receive(protocol.reply_length(operation, status) - 3, what)
        if protocol.crc8(reply[:-1]) != reply[-1]:
            raise LinkError(f"{what}: the reply's CRC is wrong: bytes were garbled")
        if status not in (protocol.OK, protocol.BUS_ERROR):
            meaning = protocol.STATUSES.get(status, f"unknown status {status}")
            raise LinkError(f"{what}: the macro received {meaning}")
        if tag != self._tag:
            raise LinkError(f"{what}: the reply is another request's: tag {tag}, not {self._tag}")
        if status == protocol.BUS_ERROR:
            raise BusError(f"{what}: {protocol.STATUSES[status]}")
        return reply[3:-1]

    def _receive(self, count: int, what: str) -> bytes:
        data = self._port.read(count)
        if len(data) < count:
            rule = "check cable, port, baud rate and bitstream" if not data else "bytes were lost"
            raise LinkError(f"{what}: {len(data)} of {count} bytes within the time-out: {rule}")
        return data


def open_serial(device: str, baud: int, timeout: float = 1.0) -> Port:
    """A real serial port through pyserial (extra fpga), for this program alone.

    Reading and writing end after ``timeout`` seconds. Raises LinkError, one line, where the port
    cannot be opened.
    """
    if not timeout > 0:
        raise ValueError(f"timeout must be above 0 seconds, not {timeout!r}")
    try:
        import serial
    except ModuleNotFoundError:
        raise LinkError(f"{device}: needs pyserial; run {install_hint('fpga')}") from None
    times = {"timeout": timeout, "write_timeout": timeout}
    try:
        return serial.Serial(device, baud, **times, exclusive=True)
    except (OSError, ValueError, OverflowError, TypeError) as error:
        raise LinkError(f"{device}: {_line(error)}") from None


def _line(error: Exception) -> str:
    """What went wrong, in one line: the system's words where it has some."""
    number = getattr(error, "errno", None)
    return os.strerror(number) if number else " ".join(str(error).split()) or type(error).__name__
