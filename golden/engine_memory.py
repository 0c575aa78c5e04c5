"""The memory and the streams that an engine's data come from and go to, word by word."""

from collections.abc import Iterable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from cimforge.hdl.params.engine_config import ADDRESS_BITS, EngineConfig

__all__ = ["AccessError", "Bytes", "EngineMemory"]

Bytes: TypeAlias = NDArray[np.uint8]


class AccessError(Exception):
    """An access to memory that is not there; ``write`` tells which way."""

    def __init__(self, write: bool, address: int):
        super().__init__(f"no memory at {address:#x} to {'write' if write else 'read'}")
        self.write = write


class EngineMemory:
    """``data``, bytes of memory from address ``base`` on, and the streams in place of it
    (README.md, E2 and E11).

    ``data`` is shared with the caller, not copied: a bytearray or a NumPy array of uint8, of whole
    words of the bus. Addresses are those of ADDRESS_BITS and wrap. ``incoming`` are the bytes of
    the stream into the engine, in whole words; ``outgoing`` those that came out of it.
    ``words_read`` and ``words_written`` count words of the bus, of memory alone.

    Raises ValueError where ``data`` or ``base`` are no whole words.
    """

    def __init__(self, config: EngineConfig, data: Any, base: int = 0):
        self.data: Bytes = np.frombuffer(data, np.uint8) if not _is_bytes(data) else data
        if not self.data.flags.writeable:
            raise ValueError("memory must be writable (nearest legal value: a bytearray)")
        self.word_bytes = config.bus_bytes
        for name, value in (("memory's length", len(self.data)), ("base", base)):
            if value % self.word_bytes:
                nearest = value // self.word_bytes * self.word_bytes
                rule = f"must be a multiple of {self.word_bytes}, a word of the bus, not {value}"
                raise ValueError(f"{name} {rule} (nearest legal value: {nearest})")
        self.base = base
        self.incoming, self.outgoing = bytearray(), bytearray()
        self.words_read = self.words_written = 0

    def read(self, addresses: Iterable[int], count: int) -> Bytes:
        """Lines of ``count`` bytes from addresses on, (lines, count), each of which is aligned:
        whole words of each are read, and what is behind a line in its last one is dropped.

        Raises AccessError at the first byte that is not there.
        """
        places = self._places(addresses, count, write=False)
        self.words_read += -(-count // self.word_bytes) * len(places)
        return self.data[places]

    def write(self, addresses: Iterable[int], lines: Bytes) -> None:
        """Write lines (lines, bytes) to addresses, of any alignment, and no byte beside them;
        where lines meet the later one stays. Each line has words of its own, but where it follows
        the one before without a gap a word of both is written once.

        Raises AccessError, with nothing written, where a byte of any line is not there.
        """
        places = self._places(addresses, lines.shape[1], write=True)
        end = -1  # byte behind the line before
        for place, line in zip(places, lines, strict=True):
            self.data[place] = line
            words = place // self.word_bytes
            shared = place[0] == end and end % self.word_bytes != 0
            self.words_written += int(words[-1] - words[0]) + 1 - int(shared)
            end = int(place[-1]) + 1

    def take(self, lines: int, count: int) -> Bytes:
        """The same as read, from the stream: each line takes whole words.

        Raises ValueError, with nothing taken, where the stream holds fewer.
        """
        line = -(-count // self.word_bytes) * self.word_bytes
        if len(self.incoming) < lines * line:
            told = f"{lines * line} bytes, not {len(self.incoming)}"
            raise ValueError(f"the stream into the engine must hold {told}")
        taken = np.frombuffer(bytes(self.incoming[: lines * line]), np.uint8)
        del self.incoming[: lines * line]
        return taken.reshape(lines, line)[:, :count]

    def give(self, lines: Bytes) -> None:
        """Lines to the stream, one behind the other."""
        self.outgoing += lines.tobytes()

    def _places(self, addresses: Iterable[int], count: int, *, write: bool) -> NDArray[np.int64]:
        """Indices into the data (lines, count)."""
        starts = np.array(list(addresses), np.int64)
        places = (starts[:, None] + np.arange(count)) % (1 << ADDRESS_BITS) - self.base
        missing = (places < 0) | (places >= len(self.data))
        if missing.any():
            raise AccessError(write, int(places[missing][0]) + self.base)
        return places


def _is_bytes(data: Any) -> bool:
    return isinstance(data, np.ndarray) and data.dtype == np.uint8 and data.ndim == 1
