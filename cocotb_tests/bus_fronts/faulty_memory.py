"""The memory that a third-party slave shows."""

from collections.abc import Sequence

__all__ = ["FaultyMemory"]


class FaultyMemory:
    """``content`` from the address ``base`` on; who reads or writes none of its bytes, or one of
    ``bad``, fails."""

    def __init__(self, content: bytes, base: int, bad: Sequence[range] = ()):
        self.bytes, self.base, self.bad = bytearray(content), base, bad

    def holds(self, address: int) -> bool:
        """Whether there is a byte."""
        there = self.base <= address < self.base + len(self.bytes)
        return there and not any(address in part for part in self.bad)

    async def read(self, address: int, length: int) -> bytes:
        """What a slave of cocotbext-axi reads; raises OSError where there is nothing."""
        if not self.holds(address):
            raise OSError(hex(address))
        return bytes(self.bytes[address - self.base : address - self.base + length])

    async def write(self, address: int, data: bytes) -> None:
        """What a slave of cocotbext-axi writes; raises OSError where there is nothing."""
        if not self.holds(address):
            raise OSError(hex(address))
        self.bytes[address - self.base : address - self.base + len(data)] = data
