"""What a link runs over: ports, and real serial ones.

A port is anything with ``write(bytes)``, ``read(count) -> bytes`` that returns fewer bytes after
its time-out, and ``reset_input_buffer()``: pyserial's Serial, or the simulated twin.
"""

import os
from typing import Protocol

from cimforge.hdl.params.install_hint import install_hint

__all__ = ["LinkError", "Port", "bounded", "line", "open_serial"]

LONGEST_BYTES = 8192  # on their way in one direction: what a time-out must outlast
BITS_A_BYTE = 10


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


def bounded(port: Port) -> Port:
    """The port; ValueError where it has no time-out, so that a call might never end."""
    for name in ("timeout", "write_timeout"):
        if getattr(port, name, 0) is None:
            raise ValueError(f"the port's {name} must be a number of seconds, not None")
    return port


def open_serial(device: str, baud: int, timeout: float = 1.0) -> Port:
    """A real serial port through pyserial (extra fpga), for this program alone.

    Reading and writing end after ``timeout`` seconds beyond the time that a full line of bytes
    takes at this baud rate. Raises LinkError, one line, where the port cannot be opened.
    """
    if not 0 < timeout < float("inf"):
        raise ValueError(f"timeout must be above 0 seconds, not {timeout!r}")
    if isinstance(baud, bool) or not isinstance(baud, int) or baud < 1:
        raise LinkError(f"{device}: baud must be an integer of at least 1, not {baud!r}")
    try:
        import serial
    except ModuleNotFoundError:
        raise LinkError(f"{device}: needs pyserial; run {install_hint('fpga')}") from None
    seconds = timeout + LONGEST_BYTES * BITS_A_BYTE / baud
    times = {"timeout": seconds, "write_timeout": seconds}
    try:
        return serial.Serial(device, baud, **times, exclusive=True)
    except (OSError, ValueError, OverflowError, TypeError) as error:
        raise LinkError(f"{device}: {line(error)}") from None


def line(error: Exception) -> str:
    """What went wrong, in one line: the system's words where it has some."""
    number = getattr(error, "errno", None)
    return os.strerror(number) if number else " ".join(str(error).split()) or type(error).__name__
