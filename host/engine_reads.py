"""Words from memory, by cycles: whose burst goes when, and how the fetch unit takes them."""

from collections import deque
from collections.abc import Callable, Iterator
from math import ceil
from typing import NamedTuple

from cimforge.hdl.params.engine_config import CHANNEL_WORDS, EngineConfig
from cimforge.host.engine_fences import Command
from cimforge.host.engine_pace import FETCH_CYCLES, MOST_BURSTS, MOST_REQUESTS

__all__ = ["ANSWER", "Fetch", "ReadPort"]

ANSWER = 2  # cycles from a request to its first word
NEVER = 1 << 62

Take = Callable[[int], int]


class _Run(NamedTuple):
    """Words side by side."""

    first: int
    words: int


class ReadPort:
    """The engine's port to memory that answers ``answer`` cycles after it was asked, in the order
    of the requests, a word a cycle."""

    def __init__(self, answer: int):
        self._answer = answer
        self._asked = -1
        self._told = -1  # when the last word came
        self._ends = deque([-1] * MOST_REQUESTS, MOST_REQUESTS)

    def earliest(self, cycle: int) -> int:
        """When a request may go that is wanted from ``cycle`` on."""
        return max(cycle, self._asked + 1, self._ends[0] + 1)

    def burst(self, cycle: int, words: int, gap: int = 1, take: Take | None = None) -> int:
        """Ask in ``cycle`` for so many words; returns when the last is taken: in the cycles in
        which they come, ``gap`` apart, or as ``take`` says of each."""
        self._asked = cycle
        first = max(cycle + self._answer, self._told + 1)
        if take is None:
            self._told = first + gap * (words - 1)
        else:
            last = first - 1
            for _ in range(words):
                last = take(last + 1)
            self._told = last
        self._ends.append(self._told)
        return self._told


class Fetch:
    """A LOAD or COPY under way from cycle ``begins`` on. ``take`` says when a row's word that comes
    in a cycle is taken; without it all are taken as they come."""

    def __init__(
        self,
        config: EngineConfig,
        port: ReadPort,
        command: Command,
        begins: int,
        take: Take | None = None,
    ):
        self.load = command.name == "load"
        self._port, self._take = port, take
        self._bursts = _bursts(config, command)
        self._gap = 1
        if command.fields.get("channels"):  # a word of several is taken one by one
            self._gap = max(1, config.bus_bits // (32 * CHANNEL_WORDS))
        self._next: int | None = next(self._bursts)
        self._asks = begins + FETCH_CYCLES
        self._ends = deque([-1] * MOST_BURSTS, MOST_BURSTS)

    @property
    def asks(self) -> int:
        """When its next burst may go; NEVER where all have gone."""
        if self._next is None:
            return NEVER
        return self._port.earliest(max(self._asks, self._ends[0] + 1))

    def step(self) -> None:
        """The next burst goes."""
        cycle, words = self.asks, self._next
        assert words
        self._ends.append(self._port.burst(cycle, words, self._gap, self._take))
        self._asks, self._next = cycle + 1, next(self._bursts, None)

    def advance(self, before: int) -> None:
        """All that goes before a cycle."""
        while self.asks < before:
            self.step()

    @property
    def told(self) -> int:
        """When its last word is taken, all bursts gone."""
        self.advance(NEVER)
        return self._ends[-1]


def _bursts(config: EngineConfig, command: Command) -> Iterator[int]:
    """Words of each burst, which end at multiples of ``burst`` words."""
    for first, words in _runs(config, command):
        place = first // config.bus_bytes
        while words:
            size = min(words, config.burst - place % config.burst)
            yield size
            place, words = place + size, words - size


def _runs(config: EngineConfig, command: Command) -> Iterator[_Run]:
    fields = command.fields
    if command.name == "load":
        yield _Run(fields["source"], fields["rows"] * config.row_words)
        return
    size = fields["count"] * (4 * CHANNEL_WORDS if fields.get("channels") else 1)
    for line in range(fields.get("lines", 1)):
        first = fields["source"] + line * fields.get("source_pitch", 0)
        yield _Run(first, ceil(size / config.bus_bytes))
