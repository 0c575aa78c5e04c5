"""Memory that is read, and streams, as an engine's unit meets them in the Python simulator."""

from collections import deque
from collections.abc import Callable, Sequence
from random import Random
from typing import NamedTuple

from amaranth.hdl import ClockDomain, Module
from amaranth.sim import Simulator

from cimforge.hdl.engine.seams import MEMORY_PAGE

__all__ = ["FAST", "TIMINGS", "ReadMemory", "Sink", "Source", "Timing", "simulate"]


class Timing(NamedTuple):
    """Chances that memory takes a request and answers in a cycle, and that who takes or offers
    beats does so; least and most cycles from a request to its first word."""

    request: float = 1.0
    answer: float = 1.0
    beat: float = 1.0
    latency: tuple[int, int] = (1, 1)


FAST = Timing()
TIMINGS = {
    "fast": FAST,
    "slow_memory": Timing(0.4, 0.6, 1.0, (1, 9)),
    "slow_beats": Timing(1.0, 1.0, 0.2, (1, 3)),
    "all_slow": Timing(0.6, 0.7, 0.5, (1, 20)),
}


class Inputs:
    """Sets inputs of a block where they change: each change costs a settling of the design."""

    def __init__(self):
        self._last: dict[int, int] = {}

    def put(self, ctx, port, value: int) -> None:
        """Let ``port`` be ``value``."""
        if self._last.get(id(port)) != value:
            self._last[id(port)] = value
            ctx.set(port, value)


class Stable:
    """Checks that a beat that waits stays as it is."""

    def __init__(self, stream, name: str):
        self._stream, self._name = stream, name
        self._waits: dict[str, int] | None = None
        ways = ("valid", "ready")
        self._fields = [f for f in stream.signature.members if f not in ways]

    def see(self, ctx, may_fall: bool = False) -> dict[str, int] | None:
        """The beat that moves in this cycle, or None."""
        if not ctx.get(self._stream.valid):
            assert self._waits is None or may_fall, f"{self._name} falls before it is taken"
            self._waits = None
            return None
        beat = {field: int(ctx.get(getattr(self._stream, field))) for field in self._fields}
        assert self._waits in (None, beat), f"{self._name} changes while it waits"
        taken = bool(ctx.get(self._stream.ready))
        self._waits = None if taken else beat
        return beat if taken else None


class ReadMemory:
    """What answers ``read`` with ``read_data``: memory of bytes, drawn when first looked at.

    Checks that requests stand until taken, are aligned, are no longer than ``burst`` and cross no
    multiple of burst * bytes of a word. Words at the byte addresses in ``bad`` come with error.
    """

    def __init__(self, config, read, read_data, random: Random, timing: Timing):
        self.burst, self.word = config.burst, config.bus_bytes
        self.read, self.read_data, self.random, self.timing = read, read_data, random, timing
        self.content: dict[int, int] = {}
        self.bad: set[int] = set()
        self.asked: list[tuple[int, int]] = []  # address and words of each request taken
        self.due: deque[tuple[int, int, bool]] = deque()  # cycle, address and last of each word
        self.cycle, self._offered, self._stale = 0, False, False
        self._stable, self._inputs = Stable(read, "read"), Inputs()

    def byte(self, address: int) -> int:
        """What memory holds there."""
        address %= 1 << 32
        if address not in self.content:
            self.content[address] = self.random.getrandbits(8)
        return self.content[address]

    def number(self, address: int, count: int) -> int:
        """``count`` bytes as a little-endian number."""
        return int.from_bytes(bytes(self.byte(address + b) for b in range(count)), "little")

    def drive(self, ctx) -> None:
        """Inputs of the unit for the cycle that begins."""
        chance, due, put, data = self.random.random, self.due, self._inputs.put, self.read_data
        put(ctx, self.read.ready, int(chance() < self.timing.request))
        ready = bool(due) and due[0][0] <= self.cycle
        starts = ready and not self._offered and chance() < self.timing.answer
        if self._stale and not starts:
            put(ctx, data.error, self.random.getrandbits(1))
            put(ctx, data.last, self.random.getrandbits(1))
        self._stale = False
        if starts:
            _, address, last = due[0]
            put(ctx, data.data, self.number(address, self.word))
            put(ctx, data.error, int(address in self.bad))
            put(ctx, data.last, int(last))
        self._offered = starts or (ready and self._offered)
        put(ctx, data.valid, int(self._offered))

    def see(self, ctx) -> None:
        """Take part in the cycle's end."""
        if self._offered and ctx.get(self.read_data.ready):
            self.due.popleft()
            self._offered, self._stale = False, True
        request = self._stable.see(ctx)
        if request:
            self._take(request["address"], request["beats"] + 1)
        self.cycle += 1

    def _take(self, address: int, words: int) -> None:
        whole = self.burst * self.word
        assert whole <= MEMORY_PAGE
        assert address % self.word == 0
        assert address // whole == (address + words * self.word - 1) // whole, "crosses"
        self.asked.append((address, words))
        first = self.cycle + self.random.randint(*self.timing.latency)
        for number in range(words):
            self.due.append((first, address + number * self.word, number == words - 1))


class Source:
    """Offers ``beats``, one after the other, each with ``chance`` in a cycle, until taken; fields
    that a beat does not tell are noise."""

    def __init__(self, stream, random: Random, chance: float, beats: Sequence[dict] = ()):
        self.stream, self.beats, self.random, self.chance = stream, deque(beats), random, chance
        self._offered, self._stale, self._inputs = False, False, Inputs()
        ways, members = ("valid", "ready"), stream.signature.members
        self._fields = {
            n: (getattr(stream, n), m.shape) for n, m in members.items() if n not in ways
        }

    def drive(self, ctx) -> None:
        """Offer the next beat; once it is taken its fields are noise."""
        starts = bool(self.beats) and not self._offered and self.random.random() < self.chance
        self._offered = self._offered or starts
        self._inputs.put(ctx, self.stream.valid, int(self._offered))
        if starts or self._stale:
            told = self.beats[0] if starts else {}
            for name, (port, width) in self._fields.items():
                self._inputs.put(ctx, port, told.get(name, self.random.getrandbits(width)))
        self._stale = False

    def see(self, ctx) -> dict[str, int] | None:
        """The beat that was taken in this cycle."""
        if not (self._offered and ctx.get(self.stream.ready)):
            return None
        self._offered, self._stale = False, True
        return self.beats.popleft()

    def withdraw(self) -> None:
        """Offer nothing any more."""
        self.beats.clear()
        self._offered = False


class Sink:
    """Takes beats of ``stream`` with ``chance`` in a cycle; ``beats`` holds them."""

    def __init__(self, stream, random: Random, chance: float):
        self.stream, self.random, self.chance = stream, random, chance
        self.beats: list[dict[str, int]] = []
        self._inputs = Inputs()
        self._stable = Stable(stream, "output")

    def drive(self, ctx) -> None:
        """Whether it takes a beat in this cycle."""
        self._inputs.put(ctx, self.stream.ready, int(self.random.random() < self.chance))

    def see(self, ctx, may_fall: bool = False) -> None:
        """Keep a beat that moves."""
        beat = self._stable.see(ctx, may_fall)
        if beat is not None:
            self.beats.append(beat)


def simulate(block, bench: Callable) -> None:
    """Run ``bench(ctx)`` beside a clocked block, from the cycle after its reset on."""
    top = Module()
    top.domains.sync = domain = ClockDomain()
    top.submodules.block = block

    async def after_reset(ctx):
        ctx.set(domain.rst, 1)
        await ctx.tick()
        ctx.set(domain.rst, 0)
        await bench(ctx)

    simulator = Simulator(top)
    simulator.add_clock(1e-6)
    simulator.add_testbench(after_reset)
    simulator.run()
