"""Ways to an engine's registers and memory: mapped into a file such as /dev/mem, or behind LiteX's
server."""

import mmap
import os
from collections.abc import Sequence
from types import TracebackType
from typing import Any, NamedTuple, Protocol

from cimforge.hdl.params.install_hint import install_hint
from cimforge.host.port import LinkError, line

__all__ = [
    *("EnginePort", "LitexPort", "MappedPort", "MemoryRegion", "open_litex", "region_words"),
]

WORD_BYTES = 4
MOST_WORDS = 255  # in a packet of Etherbone: its counts have 8 bits


class EnginePort(Protocol):
    """Where an engine's registers and its memory can be reached."""

    def read_register(self, offset: int, /) -> int:
        """The register at byte ``offset``."""

    def write_register(self, offset: int, value: int, /) -> None:
        """Write it."""

    def read_memory(self, address: int, count: int, /) -> bytes:
        """``count`` bytes from ``address``, as the engine sees it, on."""

    def write_memory(self, address: int, data: bytes, /) -> None:
        """Write bytes from ``address`` on."""


class MemoryRegion(NamedTuple):
    """``size`` bytes of memory that an engine reaches from ``address`` on, and that stand in the
    file or on the bus of a port from ``place`` on, whole words all three."""

    address: int
    size: int
    place: int


class MappedPort:
    """Registers and memory of an engine in a file that can be mapped, as /dev/mem, a UIO device or
    a PCIe resource; every access has 32 bits and is aligned.

    ``registers`` is the byte of the file at which the ``register_bytes`` of the engine's map begin.
    A context manager; ``close`` ends it. Processors that keep the file's memory in a cache need
    O_SYNC and an uncached mapping, which /dev/mem gives for what is no memory of the system's own.

    Raises LinkError, one line, where the file cannot be mapped; ValueError for a place or size that
    is no multiple of 4, and an access outside the region.
    """

    def __init__(
        self, path: str, *, registers: int, memory: MemoryRegion, register_bytes: int = 128
    ):
        told = {"registers": registers, "register_bytes": register_bytes, **memory._asdict()}
        for name, value in told.items():
            if value % WORD_BYTES or value < 0:
                raise ValueError(f"{name} must be a multiple of {WORD_BYTES}, not {value}")
        self._region = memory
        self._maps: list[tuple[mmap.mmap, memoryview, memoryview]] = []
        try:
            file = os.open(path, os.O_RDWR | getattr(os, "O_SYNC", 0))
            try:
                self._registers = self._map(file, registers, register_bytes)
                self._memory = self._map(file, memory.place, memory.size)
            finally:
                os.close(file)
        except (OSError, ValueError) as error:
            self.close()
            raise LinkError(f"{path}: {line(error)}") from None

    def _map(self, file: int, place: int, size: int) -> memoryview:
        """The words of ``size`` bytes from ``place`` on; mappings begin at a page."""
        page = place // mmap.ALLOCATIONGRANULARITY * mmap.ALLOCATIONGRANULARITY
        mapped = mmap.mmap(file, place - page + size, offset=page)
        octets = memoryview(mapped)[place - page :]
        words = octets.cast("I")
        self._maps.append((mapped, octets, words))
        return words

    def __enter__(self) -> "MappedPort":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Unmap; the port is of no use behind it."""
        for mapped, *views in self._maps:
            for view in reversed(views):
                view.release()
            mapped.close()
        self._maps.clear()

    def read_register(self, offset: int) -> int:
        """The register at byte ``offset``."""
        return self._registers[offset // WORD_BYTES]

    def write_register(self, offset: int, value: int) -> None:
        """Write it."""
        self._registers[offset // WORD_BYTES] = value

    def read_memory(self, address: int, count: int) -> bytes:
        """``count`` bytes from ``address`` on."""
        first, words, skipped = region_words(self._region, address, count)
        told = [self._memory[first + n].to_bytes(WORD_BYTES, "little") for n in range(words)]
        return b"".join(told)[skipped : skipped + count]

    def write_memory(self, address: int, data: bytes) -> None:
        """Write bytes from ``address`` on; words that they fill in part are read before."""
        first, words, skipped = region_words(self._region, address, len(data))
        whole = bytearray(words * WORD_BYTES)
        if words and (skipped or len(data) % WORD_BYTES):
            low = address - skipped
            for place in {0, words - 1}:
                at = place * WORD_BYTES
                whole[at : at + WORD_BYTES] = self.read_memory(low + at, WORD_BYTES)
        whole[skipped : skipped + len(data)] = data
        for number in range(words):
            at = number * WORD_BYTES
            self._memory[first + number] = int.from_bytes(whole[at : at + WORD_BYTES], "little")


class LitexPort:
    """The same behind LiteX's server, ``client`` being its RemoteClient or anything with ``read
    (address, words)`` and ``write(address, words)`` of 32-bit words; see open_litex.

    ``registers`` is the bus address of the engine's registers. Raises ValueError as MappedPort.
    """

    def __init__(self, client: Any, *, registers: int, memory: MemoryRegion):
        for name, value in {"registers": registers, **memory._asdict()}.items():
            if value % WORD_BYTES or value < 0:
                raise ValueError(f"{name} must be a multiple of {WORD_BYTES}, not {value}")
        self._client, self._at, self._region = client, registers, memory

    def read_register(self, offset: int) -> int:
        """The register at byte ``offset``."""
        return self._read(self._at + offset, 1)[0]

    def write_register(self, offset: int, value: int) -> None:
        """Write it."""
        self._client.write(self._at + offset, [value])

    def read_memory(self, address: int, count: int) -> bytes:
        """``count`` bytes from ``address`` on."""
        first, words, skipped = region_words(self._region, address, count)
        place = self._region.place + first * WORD_BYTES
        told = [
            word
            for low in range(0, words, MOST_WORDS)
            for word in self._read(place + low * WORD_BYTES, min(MOST_WORDS, words - low))
        ]
        data = b"".join(word.to_bytes(WORD_BYTES, "little") for word in told)
        return data[skipped : skipped + count]

    def write_memory(self, address: int, data: bytes) -> None:
        """Write bytes from ``address`` on; words that they fill in part are read before."""
        first, words, skipped = region_words(self._region, address, len(data))
        low = address - skipped
        head = self.read_memory(low, skipped)
        tail = self.read_memory(address + len(data), words * WORD_BYTES - skipped - len(data))
        whole = head + data + tail
        told = [
            int.from_bytes(whole[at : at + WORD_BYTES], "little")
            for at in range(0, len(whole), WORD_BYTES)
        ]
        place = self._region.place + first * WORD_BYTES
        for number in range(0, words, MOST_WORDS):
            part = told[number : number + MOST_WORDS]
            self._client.write(place + number * WORD_BYTES, part)

    def _read(self, address: int, words: int) -> Sequence[int]:
        told = self._client.read(address, words)
        if len(told) != words:
            raise LinkError(f"LiteX's server sent {len(told)} of {words} words")
        return told


def open_litex(host: str = "localhost", port: int = 1234) -> Any:
    """A RemoteClient of LiteX, connected to its server, whose reads end in LinkError where the
    server does not answer; LiteX's own returns zeros then.

    Raises LinkError, one line, where LiteX is not installed or nobody listens.
    """
    try:
        from litex import RemoteClient
    except ModuleNotFoundError:
        raise LinkError(f"{host}:{port}: needs LiteX; run {install_hint('litex')}") from None

    class Client(RemoteClient):
        def receive_packet(self, *arguments: Any) -> Any:
            packet = super().receive_packet(*arguments)
            if packet == 0:
                raise LinkError(f"{host}:{port}: LiteX's server does not answer")
            return packet

    client = Client(host=host, port=port)
    try:
        client.open()
    except OSError as error:
        raise LinkError(f"{host}:{port}: {line(error)}") from None
    return client


def region_words(region: MemoryRegion, address: int, count: int) -> tuple[int, int, int]:
    """Words of the region that hold bytes: the first, how many, and bytes skipped in the first."""
    low = address - region.address
    if low < 0 or low + count > region.size:
        rule = f"must lie in {region.address:#x}..{region.address + region.size - 1:#x}"
        raise ValueError(f"memory {rule}, not {address:#x}..{address + count - 1:#x}")
    first, end = low // WORD_BYTES, -(-(low + count) // WORD_BYTES)
    return first, end - first if count else 0, low % WORD_BYTES
