"""Host side: a macro behind a UART, as the calls a program wants.

The port is anything with ``write(bytes)`` and ``read(count) -> bytes`` that returns fewer bytes
after its time-out: pyserial's Serial, or the simulated twin.
"""

import os
from contextlib import suppress
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cimforge.hdl.bus.registers import MAGIC, STATUS_BITS, WORD_BITS, RegisterMap
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.fields import from_fields, to_fields
from cimforge.hdl.params.install_hint import install_hint
from cimforge.host import protocol

__all__ = ["BusError", "LinkError", "MacroDriver", "Port", "UartLink", "open_serial"]

Ints = NDArray[np.int64]
POLLS = 100  # a pass ends long before the host has asked this often


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
    the bus refuses.
    """

    def __init__(self, port: Port):
        self._port = port

    def read(self, address: int) -> int:
        """The word at a byte address."""
        return int.from_bytes(self._ask(protocol.READ, address, b""), "little")

    def write(self, address: int, word: int) -> None:
        """Write a word."""
        self._ask(protocol.WRITE, address, word.to_bytes(4, "little"))

    def _ask(self, operation: int, address: int, data: bytes) -> bytes:
        head = bytes([protocol.REQUEST, operation]) + address.to_bytes(2, "little") + data
        what = f"{'read' if operation == protocol.READ else 'write'} of {address:#06x}"
        try:
            return self._exchange(operation, head + bytes([protocol.crc8(head)]), what)
        except LinkError:
            self._settle()
            raise
        except OSError as error:  # pyserial's SerialException too: the device is gone
            raise LinkError(f"{what}: the port failed: {error}") from None

    def _settle(self) -> None:
        """Wait until nothing more arrives, so that no late reply answers the next request."""
        with suppress(OSError):
            while self._port.read(protocol.LONGEST_REPLY):
                pass

    def _exchange(self, operation: int, request: bytes, what: str) -> bytes:
        """Send a request and return its reply's data."""
        self._port.reset_input_buffer()
        self._port.write(request)
        reply = self._receive(2, what)
        if reply[0] != protocol.REPLY:
            raise LinkError(f"{what}: the reply begins with {reply[0]:#04x}: bytes were garbled")
        reply += self._receive(protocol.reply_length(operation, reply[1]) - 2, what)
        if protocol.crc8(reply[:-1]) != reply[-1]:
            raise LinkError(f"{what}: the reply's CRC is wrong: bytes were garbled")
        if reply[1] == protocol.BUS_ERROR:
            raise BusError(f"{what}: {protocol.STATUSES[reply[1]]}")
        if reply[1] != protocol.OK:
            meaning = protocol.STATUSES.get(reply[1], f"unknown status {reply[1]}")
            raise LinkError(f"{what}: the macro received {meaning}")
        return reply[2:-1]

    def _receive(self, count: int, what: str) -> bytes:
        data = self._port.read(count)
        if len(data) < count:
            rule = "check cable, port, baud rate and bitstream" if not data else "bytes were lost"
            raise LinkError(f"{what}: {len(data)} of {count} bytes within the time-out: {rule}")
        return data


class MacroDriver:
    """A macro of ``config`` behind a link: weights in, vectors in, results out.

    The macro's identity and the configuration's hash are checked first: LinkError where the device
    is no macro, ValueError where it is one of another configuration.
    """

    def __init__(self, link: UartLink, config: MacroConfig):
        self._link, self._config = link, config
        self._map = RegisterMap(config)
        self._check_identity()

    def _check_identity(self) -> None:
        found = self._link.read(self._register("id"))
        if found != MAGIC:
            raise LinkError(f"register id reads {found:#010x}, not {MAGIC:#010x}: no macro there")
        digest = self._link.read(self._register("hash"))
        if digest != int(self._config.digest[:8], 16):
            raise ValueError(
                f"the device holds a macro with hash {digest:08x}, not {self._config.digest[:8]} "
                f"({self._config.module}); use the configuration of its bitstream"
            )

    def reset(self) -> None:
        """Empty streams, passes and results; weights are kept."""
        self._link.write(self._register("control"), 1)

    def load_weights(self, weights: ArrayLike, *, bank: int = 0, signed: bool) -> None:
        """Write a bank: weight values (rows, cols)."""
        for row, values in enumerate(np.asarray(weights)):
            self._wait("w_ready")
            self._fill("w", to_fields(values, self._config.weight_bits))
            self._link.write(self._register("w_start"), row | bank << 16 | int(signed) << 31)
        self._wait("w_ready")

    def multiply(
        self, vectors: ArrayLike, *, x_bits: int = 0, x_signed: bool, bank: int = 0
    ) -> Ints:
        """Results (batch, cols) of input values (batch, rows); x_bits 0 means input_bits."""
        command = x_bits | bank << 16 | int(x_signed) << 31
        results = []
        for vector in np.asarray(vectors):
            self._wait("x_ready")
            self._fill("x", to_fields(vector, self._config.input_bits))
            self._link.write(self._register("x_start"), command)
            results.append(self._take_result())
        return np.array(results, np.int64).reshape(len(results), self._config.cols)

    def read_row(self, row: int, *, bank: int = 0) -> Ints:
        """A row of weight patterns (cols,) as written, read back through the array."""
        self._wait("r_ready")
        self._link.write(self._register("r_start"), row | bank << 16)
        self._wait("q_valid")
        value = self._read_window("q") & (1 << self._config.cols * self._config.weight_bits) - 1
        self._link.write(self._register("q_next"), 0)
        return from_fields(value, self._config.weight_bits, self._config.cols, signed=False)

    def _take_result(self) -> Ints:
        self._wait("y_valid")
        width = WORD_BITS * self._map.result_words
        values = from_fields(self._read_window("y"), width, self._config.cols, signed=True)
        self._link.write(self._register("y_next"), 0)
        return values

    def _register(self, name: str) -> int:
        return self._map.register(name).offset

    def _wait(self, bit: str) -> None:
        """Poll status until a bit is 1."""
        place = list(STATUS_BITS).index(bit)
        for _ in range(POLLS):
            if self._link.read(self._register("status")) >> place & 1:
                return
        raise LinkError(f"status.{bit} stays 0 over {POLLS} reads")

    def _fill(self, name: str, value: int) -> None:
        window = self._map.window(name)
        for word in range(window.words):
            self._link.write(window.offset + 4 * word, value >> WORD_BITS * word & 0xFFFFFFFF)

    def _read_window(self, name: str) -> int:
        window = self._map.window(name)
        words = [self._link.read(window.offset + 4 * word) for word in range(window.words)]
        return sum(word << WORD_BITS * place for place, word in enumerate(words))


def open_serial(device: str, baud: int, timeout: float = 1.0) -> Port:
    """A real serial port through pyserial (extra fpga). Raises LinkError where it cannot be
    opened."""
    try:
        import serial
    except ModuleNotFoundError:
        raise LinkError(f"{device}: needs pyserial; run {install_hint('fpga')}") from None
    try:
        return serial.Serial(device, baud, timeout=timeout)
    except (OSError, ValueError, OverflowError) as error:
        number = getattr(error, "errno", None)
        raise LinkError(f"{device}: {os.strerror(number) if number else error}") from None
