"""The engine's side of a front end of memory, and the memory that a third-party slave shows."""

from collections import deque
from random import Random
from typing import Any, NamedTuple

from cocotb.triggers import FallingEdge, RisingEdge

from cimforge.cocotb_tests.bus_fronts.faulty_memory import FaultyMemory
from cimforge.flow.simulate.stream_drivers import Source
from cimforge.hdl.engine.seams import MEMORY_PAGE

__all__ = ["BASE", "SIZE", "EngineSide", "Request", "faulty_memory"]

BASE = 0x10000  # of the memory: everything below and above fails
SIZE = 0x4000
BAD = range(BASE + 0x1000, BASE + 0x1400)  # in its midst, a part that fails


def faulty_memory(rng: Random) -> FaultyMemory:
    """A memory of random bytes."""
    return FaultyMemory(rng.randbytes(SIZE), BASE, (BAD,))


class Request(NamedTuple):
    """A burst: its first byte, and its words, to be written (data, strobe) or read."""

    address: int
    words: int
    written: tuple[tuple[int, int], ...] = ()


class EngineSide:
    """Offers requests and words, takes answers, each stream with its own random pauses, and checks
    that every request is answered in order: words as ``memory`` holds them, errors where it fails.
    """

    def __init__(self, dut, data_bits: int, memory: FaultyMemory, rng: Random):
        self.dut, self.memory, self.rng = dut, memory, rng
        self.size = data_bits // 8
        self.expected = bytearray(memory.bytes)  # what it must hold in the end
        self.moved = 0  # words
        self._due_reads: deque[tuple[int, int, int]] = deque()  # of words: address, last, number
        self._due_writes: deque[bool] = deque()  # of bursts: whether they fail
        self._offered: Any = None
        widths = {"address": 32, "beats": 8}
        words = {"data": data_bits, "strobe": self.size, "last": 1}
        self.read, self.write = self._source("read", widths), self._source("write", widths)
        self.words = self._source("write_data", words)
        self.refuse = 0.0
        self._bursts: deque[Request] = deque()
        for name in ("read_data_ready", "write_done_ready"):
            getattr(dut, f"memory_{name}").value = 0

    def _source(self, name: str, widths: dict[str, int]) -> Source:
        dut = self.dut
        fields = {n: (getattr(dut, f"memory_{name}_{n}"), width) for n, width in widths.items()}
        valid, ready = (getattr(dut, f"memory_{name}_{line}") for line in ("valid", "ready"))
        return Source(valid, ready, fields, self.rng)

    @property
    def owed(self) -> int:
        """Answers that are still to come: words read, and bursts written."""
        return len(self._due_reads) + len(self._due_writes)

    @property
    def pending(self) -> bool:
        """Whether anything is not over."""
        return self.owed > 0 or self.read.pending or self.write.pending or self.words.pending

    def ask(self, request: Request) -> None:
        """Queue a burst."""
        beat = {"address": request.address, "beats": request.words - 1}
        if not request.written:
            self.read.beats.append(beat)
            return
        self.write.beats.append(beat)
        self._bursts.append(request)

    def pace(self) -> None:
        """Choose how often each stream pauses."""
        for source in (self.read, self.write, self.words):
            source.idle = self.rng.choice((0, 0, 0.3, 0.8))
        self.refuse = self.rng.choice((0, 0, 0.3, 0.8))

    async def cycle(self) -> None:
        """One clock cycle, from after its rising edge to the next."""
        dut = self.dut
        self.read.drive()
        self.write.drive()
        if self.write.current is not None and self.write.current is not self._offered:
            self._offered = self.write.current  # words may come from now on
            self._offer_words(self._bursts.popleft())
        self.words.drive()
        for name in ("read_data_ready", "write_done_ready"):
            getattr(dut, f"memory_{name}").value = int(self.rng.random() >= self.refuse)
        await FallingEdge(dut.clk)
        self._take_answers()
        if (beat := self.read.fired()) is not None:
            words = beat["beats"] + 1
            self._due_reads.extend(
                (beat["address"] + self.size * n, int(n == words - 1), n) for n in range(words)
            )
        self.write.fired()
        self.moved += self.words.fired() is not None
        await RisingEdge(dut.clk)

    def _offer_words(self, burst: Request) -> None:
        """The words of a burst, which change what the memory must hold."""
        fails, last = False, len(burst.written) - 1
        for place, (data, strobe) in enumerate(burst.written):
            self.words.beats.append({"data": data, "strobe": strobe, "last": int(place == last)})
            for lane in range(self.size):
                address = burst.address + place * self.size + lane
                if strobe >> lane & 1 and self.memory.holds(address):
                    self.expected[address - BASE] = data >> 8 * lane & 0xFF
                fails |= bool(strobe >> lane & 1) and not self.memory.holds(address)
        self._due_writes.append(fails)

    def _take_answers(self) -> None:
        dut = self.dut
        if int(dut.memory_read_data_valid.value) and int(dut.memory_read_data_ready.value):
            assert self._due_reads, "a word that nobody asked for"
            address, last, number = self._due_reads.popleft()
            told = f"word {number} of a burst, at {address:#x},"
            assert int(dut.memory_read_data_last.value) == last, f"{told} is last, or is not"
            failed = bool(int(dut.memory_read_data_error.value))
            assert failed != self.memory.holds(address), f"{told} has failed: {failed}"
            if not failed:
                start = address - BASE
                due = int.from_bytes(self.memory.bytes[start : start + self.size], "little")
                word = int(dut.memory_read_data_data.value)
                assert word == due, f"{told} is {word:#x}, must be {due:#x}"
            self.moved += 1
        if int(dut.memory_write_done_valid.value) and int(dut.memory_write_done_ready.value):
            assert self._due_writes, "an end of a write that nobody asked for"
            failed = bool(int(dut.memory_write_done_error.value))
            assert failed == self._due_writes.popleft(), f"a write has failed: {failed}"

    def draw(self, most: int, start: int, end: int, write: bool) -> Request:
        """A random lawful burst within these addresses, of up to ``most`` words."""
        size = self.size
        address = self.rng.randrange(start, end, size)
        if self.rng.random() < 0.3:  # up to the page's end
            page = min(end, (address | (MEMORY_PAGE - 1)) + 1)
            address = max(start, page - size * self.rng.randrange(1, 4))
        room = (MEMORY_PAGE - address % MEMORY_PAGE) // size
        words = self.rng.randint(1, min(room, most, (end - address) // size))
        if not write:
            return Request(address, words)
        full, bits = (1 << size) - 1, 8 * size
        strobes = (self.rng.choice((full, self.rng.getrandbits(size))) for _ in range(words))
        written = tuple((self.rng.getrandbits(bits), strobe) for strobe in strobes)
        return Request(address, words, written)
