"""A memory behind an emitted engine's memory port, with wait states and errors."""

from collections import deque
from random import Random

import numpy as np
from cocotb.triggers import FallingEdge, RisingEdge

from cimforge.cocotb_tests.engine.port_rules import PortRules
from cimforge.hdl.params.engine_config import EngineConfig

__all__ = ["MemoryAgent"]


class MemoryAgent:
    """Answers the engine's bursts from ``image`` (uint8, from the address ``base`` on).

    ``pace`` is the share of the cycles in which a stream moves when it could, ``delay`` the cycles
    from a request to its first answer; ``write_pace``, where there is one, is the pace of words to
    write. A word outside the image, on a page in ``bad_pages`` (numbers of 64 bytes), or whose
    number among those asked for so far is in ``bad_reads`` or ``bad_writes``, is answered with an
    error and not written. ``reads`` and ``writes`` are the addresses of all words. What the port's
    rules say is checked: aligned, within a page, as many words as asked for, ``last`` with the
    last, and what is offered stands (PortRules).
    """

    def __init__(self, dut, config: EngineConfig, image: np.ndarray, base: int, rng: Random):
        self.dut, self.config, self.image, self.base, self.rng = dut, config, image, base, rng
        self.pace, self.delay = 1.0, 1
        self.write_pace: float | None = None
        self.bad_pages: set[int] = set()
        self.bad_reads: set[int] = set()
        self.bad_writes: set[int] = set()
        self.reads: list[int] = []
        self.writes: list[int] = []
        self._rules = PortRules(dut)
        self._reads: deque = deque()  # (cycle from which it may be told, data, error, last)
        self._writes: deque = deque()  # (address, words left) of bursts asked for
        self._done: deque = deque()
        self._failed = 0
        self._cycle = 0

    @property
    def owes(self) -> bool:
        """Whether a burst is not ended."""
        return bool(self._reads or self._writes or self._done)

    def idle(self) -> None:
        """Nothing is taken or told."""
        lines = ("read_ready", "write_ready", "write_data_ready")
        for name in (*lines, "read_data_valid", "write_done_valid"):
            getattr(self.dut, name).value = 0

    async def run(self) -> None:
        """For ever."""
        dut = self.dut
        told_read = told_done = False
        while True:
            await FallingEdge(dut.clk)  # all has settled that counts at the next edge
            self._cycle += 1
            self._rules.look()
            self._take(told_read, told_done)
            stays_read = told_read and not int(dut.read_data_ready.value)
            stays_done = told_done and not int(dut.write_done_ready.value)
            await RisingEdge(dut.clk)
            told_read, told_done = self._tell_read(stays_read), self._tell_done(stays_done)
            for name in ("read_ready", "write_ready"):
                getattr(dut, name).value = int(self._moves())
            dut.write_data_ready.value = int(bool(self._writes) and self._moves(self.write_pace))

    def _moves(self, pace: float | None = None) -> bool:
        pace = self.pace if pace is None else pace
        return pace >= 1 or self.rng.random() < pace

    def _take(self, told_read: bool, told_done: bool) -> None:
        """What moved at this edge."""
        dut, size = self.dut, self.config.bus_bytes
        if told_read and int(dut.read_data_ready.value):
            self._reads.popleft()
        if told_done and int(dut.write_done_ready.value):
            self._done.popleft()
        if int(dut.read_valid.value) and int(dut.read_ready.value):
            address, beats = self._request("read")
            for place in range(beats):
                data, error = self._word(address + place * size)
                when = self._cycle + self.delay
                self._reads.append((when, data, error, int(place + 1 == beats)))
        if int(dut.write_valid.value) and int(dut.write_ready.value):
            self._writes.append(list(self._request("write")))
        if int(dut.write_data_valid.value) and int(dut.write_data_ready.value):
            self._write()

    def _request(self, name: str) -> tuple[int, int]:
        """A lawful request: its address and words."""
        address = int(getattr(self.dut, f"{name}_address").value)
        beats = int(getattr(self.dut, f"{name}_beats").value) + 1
        size = self.config.bus_bytes
        assert address % size == 0, f"{name} at {address:#x} is not aligned"
        assert beats <= self.config.burst, f"{name} of {beats} words"
        last = address + beats * size - 1
        assert address // 4096 == last // 4096, f"{name} at {address:#x} crosses a page"
        return address, beats

    def _place(self, address: int) -> int | None:
        """Where in the image a word is."""
        place = address - self.base
        if not 0 <= place <= len(self.image) - self.config.bus_bytes:
            return None
        return None if address // 64 in self.bad_pages else place

    def _word(self, address: int) -> tuple[int, int]:
        bad = len(self.reads) in self.bad_reads
        self.reads.append(address)
        place = self._place(address)
        if place is None or bad:
            return self.rng.getrandbits(self.config.bus_bits), 1
        data = self.image[place : place + self.config.bus_bytes].tobytes()
        return int.from_bytes(data, "little"), 0

    def _write(self) -> None:
        """A word that is written: those whose strobe is set."""
        dut = self.dut
        assert self._writes, "a word without a burst"
        burst = self._writes[0]
        data, strobe = self._data(), int(dut.write_data_strobe.value)
        bad = len(self.writes) in self.bad_writes
        self.writes.append(burst[0])
        place = self._place(burst[0])
        if place is None or bad:
            self._failed = 1
        else:
            for lane in range(self.config.bus_bytes):
                if strobe >> lane & 1:
                    self.image[place + lane] = data[lane]
        burst[0] += self.config.bus_bytes
        burst[1] -= 1
        assert int(dut.write_data_last.value) == (burst[1] == 0), "last is not at the last word"
        if burst[1] == 0:
            self._writes.popleft()
            self._done.append((self._cycle + self.delay, self._failed))
            self._failed = 0

    def _data(self) -> list[int]:
        """Bytes on the bus; those that are not written may be unknown."""
        text = str(self.dut.write_data_data.value)
        octets = [text[i : i + 8] for i in range(0, len(text), 8)][::-1]
        return [int(o, 2) if set(o) <= {"0", "1"} else -1 for o in octets]

    def _tell_read(self, still: bool) -> bool:
        """The next word that is read."""
        dut = self.dut
        if still:
            return True
        ready = bool(self._reads) and self._reads[0][0] <= self._cycle and self._moves()
        dut.read_data_valid.value = int(ready)
        if ready:
            _, data, error, last = self._reads[0]
            dut.read_data_data.value = data
            dut.read_data_error.value = error
            dut.read_data_last.value = last
        return ready

    def _tell_done(self, still: bool) -> bool:
        """The end of a burst that was written."""
        if still:
            return True
        ready = bool(self._done) and self._done[0][0] <= self._cycle and self._moves()
        self.dut.write_done_valid.value = int(ready)
        if ready:
            self.dut.write_done_error.value = self._done[0][1]
        return ready
