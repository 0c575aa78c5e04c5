"""An SPI line to the simulated board: what the host's SpiPort transfers bytes with."""

from collections import deque

from cocotb.clock import Clock
from cocotb.task import resume
from cocotb.triggers import Timer
from cocotb.utils import get_sim_time

from cimforge.flow.simulate.serial_line import CLOCK_NS

__all__ = ["SpiLine"]

TIMEOUT_BYTES = 400  # longer than any access that is tried again and again


class SpiLine:
    """``transfer`` of host.spi, called from the host's thread; takes simulated time.

    ``ratio`` clock cycles make one of sck, of ``hz``; in ``timeout`` seconds, the time of
    ``timeout_bytes``, a device that works sends what it was asked for. ``outward`` and ``inward``
    are faults as SerialLine's: a byte that is lost on an SPI line shortens what arrives, one that
    is doubled lengthens it.
    """

    def __init__(self, dut, ratio: int, timeout_bytes: int = TIMEOUT_BYTES):
        self._dut, self._half_ps = dut, 500 * CLOCK_NS * ratio
        self.hz = 1e9 / (CLOCK_NS * ratio)
        self.timeout = timeout_bytes * 8 / self.hz
        self.outward: deque = deque()
        self.inward: deque = deque()
        dut.sck.value, dut.mosi.value, dut.cs_n.value = 0, 0, 1
        Clock(dut.clk, CLOCK_NS, unit="ns").start()

    @property
    def cycles(self) -> int:
        """Clock cycles since the start."""
        return int(get_sim_time("ns")) // CLOCK_NS

    @resume
    async def idle(self, bits: int) -> None:
        """Leave the line alone for some bit times."""
        await Timer(2 * bits * self._half_ps, "ps")

    @resume
    async def transfer(self, data: bytes) -> bytes:
        """Send bytes with the device selected; what came meanwhile."""
        dut, came = self._dut, bytearray()
        dut.cs_n.value = 0
        await Timer(8 * CLOCK_NS, "ns")
        for byte in data:
            for sent in self.outward.popleft()(byte) if self.outward else (byte,):
                got = await self._exchange(sent)
                came.extend(self.inward.popleft()(got) if self.inward else (got,))
        await Timer(8 * CLOCK_NS, "ns")
        dut.cs_n.value = 1
        await Timer(8 * CLOCK_NS, "ns")
        return bytes(came)

    @resume
    async def cut(self, bits: int) -> None:
        """Select the device for the first ``bits`` bits of a byte of ones, then let it go."""
        self._dut.cs_n.value = 0
        await Timer(8 * CLOCK_NS, "ns")
        await self._exchange(0xFF, bits)
        await Timer(8 * CLOCK_NS, "ns")
        self._dut.cs_n.value = 1
        await Timer(8 * CLOCK_NS, "ns")

    async def _exchange(self, byte: int, bits: int = 8) -> int:
        dut, got = self._dut, 0
        for place in reversed(range(8 - bits, 8)):
            dut.mosi.value = byte >> place & 1
            await Timer(self._half_ps, "ps")
            got = got << 1 | int(dut.miso.value)
            dut.sck.value = 1
            await Timer(self._half_ps, "ps")
            dut.sck.value = 0
        return got
