"""A serial line to the simulated board: what the host's driver takes for a port."""

from collections import deque
from itertools import groupby

import cocotb
from cocotb.clock import Clock
from cocotb.task import resume
from cocotb.triggers import Event, FallingEdge, First, Timer
from cocotb.utils import get_sim_time

__all__ = ["CLOCK_NS", "TIMEOUT_BYTES", "SerialLine"]

CLOCK_NS = 10
TIMEOUT_BYTES = 200  # longer than any access that is tried again and again


class SerialLine:
    """Port of host.driver: its calls come from the host's thread and take simulated time.

    ``divisor`` clock cycles make a bit. ``outward`` and ``inward`` are faults that change what
    passes: functions from a byte to the bytes that arrive (none, one or several), consumed in
    order, one for each byte sent to the board or from it. ``baud_error`` is the share by which the
    host's bits are faster than the board's. A read ends where the line was silent for
    ``timeout_bytes``.
    """

    def __init__(self, dut, divisor: int, timeout_bytes: int = TIMEOUT_BYTES):
        self._dut = dut
        self.bit_ns = CLOCK_NS * divisor
        self._timeout_ns = timeout_bytes * 10 * self.bit_ns
        self._received: deque[int] = deque()
        self._wanted = 0  # bytes that a reader waits for
        self._enough = Event()
        self._listened = 0  # bytes ever received
        self.outward: deque = deque()
        self.inward: deque = deque()
        self.baud_error = 0.0
        dut.rx.value = 1
        Clock(dut.clk, CLOCK_NS, unit="ns").start()
        self._listener = cocotb.start_soon(self._listen())

    @property
    def cycles(self) -> int:
        """Clock cycles since the start."""
        return int(get_sim_time("ns")) // CLOCK_NS

    @resume
    async def write(self, data: bytes) -> int:
        """Send bytes, with the next outward faults."""
        for byte in data:
            for sent in self.outward.popleft()(byte) if self.outward else (byte,):
                await self._send(sent)
        return len(data)

    @resume
    async def read(self, size: int) -> bytes:
        """Up to ``size`` bytes: fewer only after the time-out."""
        self._wanted = size
        while len(self._received) < size:
            self._enough.clear()
            listened = self._listened
            silence = Timer(self._timeout_ns, "ns")
            await First(self._enough.wait(), silence)
            if self._listened == listened:
                break
        self._wanted = 0
        return bytes(self._received.popleft() for _ in range(min(size, len(self._received))))

    @resume
    async def idle(self, bits: int) -> None:
        """Leave the line alone for some bit times."""
        await Timer(bits * self.bit_ns, "ns")

    @resume
    async def hold(self, level: int, ns: int) -> None:
        """Hold the line at a level, then release it."""
        self._dut.rx.value = level
        await Timer(ns, "ns")
        self._dut.rx.value = 1
        await Timer(2 * self.bit_ns, "ns")

    def reset_input_buffer(self) -> None:
        """Drop what has arrived and was not read."""
        self._received.clear()

    async def _send(self, byte: int) -> None:
        picoseconds = round(1000 * self.bit_ns / (1 + self.baud_error))
        bits = (0, *(byte >> place & 1 for place in range(8)), 1)
        for level, run in groupby(bits):
            self._dut.rx.value = level
            await Timer(picoseconds * len([*run]), "ps")

    async def _listen(self) -> None:
        while True:
            await FallingEdge(self._dut.tx)
            await Timer(self.bit_ns + self.bit_ns // 2, "ns")
            byte = 0
            for place in range(8):
                byte |= int(self._dut.tx.value) << place
                await Timer(self.bit_ns, "ns")
            assert int(self._dut.tx.value), "the stop bit is low"
            self._received.extend(self.inward.popleft()(byte) if self.inward else (byte,))
            self._listened += 1
            if len(self._received) >= self._wanted:
                self._enough.set()
