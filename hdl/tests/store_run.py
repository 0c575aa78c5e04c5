"""A store unit in the Python simulator, between a memory of sums and a memory of bytes that both
hesitate at random; every cycle is checked against the rules of its streams."""

from collections import deque
from collections.abc import Callable
from random import Random

import numpy as np
from amaranth.hdl import ClockDomain, Module
from amaranth.sim import Simulator

from cimforge.golden.requantise import requantise
from cimforge.hdl.engine.store_unit import StoreUnit
from cimforge.hdl.params.descriptors import ROUNDINGS, operations
from cimforge.hdl.params.engine_config import EngineConfig
from cimforge.hdl.tests.inlined import inlined

__all__ = [
    *("StoreBench", "draw_channels", "draw_command", "element_bytes", "expected_bytes"),
    *("expected_rows", "run_store"),
]

LIMIT = 4000  # cycles in which anything must end
PAYLOADS = {
    "write": ("address", "beats"),
    "write_data": ("data", "strobe", "last"),
    "out": ("data", "strobe", "last"),
    "sums": ("vector",),
}


class StoreBench:
    """One unit under test: what its neighbours are and what they have seen.

    ``hesitate`` is how likely each stream's other side waits in a cycle, ``errors`` how likely a
    burst ends in one; streams in ``blocked`` wait.
    """

    def __init__(self, config: EngineConfig, seed: int, hesitate: float = 0.3, errors: float = 0):
        self.config, self.random = config, Random(seed)
        self.unit, self.domain = StoreUnit(config), ClockDomain("sync")
        self.ports = {name: value for name, _, value in self.unit.members()}
        self.hesitate, self.errors = hesitate, errors
        self.blocked: set[str] = set()
        bits = config.acc_bits - 1
        make = np.random.default_rng(seed)
        self.sums = make.integers(-(1 << bits), 1 << bits, (config.acc_vectors, config.outputs))
        self.sums >>= make.integers(0, bits, self.sums.shape)
        self.channels: list[dict[str, int]] = []
        self.trace: list[dict[str, int]] | None = None
        self.forget()

    def forget(self) -> None:
        """Memory as it was before, and nothing under way."""
        self.memory: dict[int, int] = {}
        self.packet: list[int | None] = []  # bytes of the stream; None is a packet's end
        self.requests: deque = deque()  # address and words of bursts whose words are to come
        self.offered = False  # a request that is not taken yet
        self.taken, self.written, self.answered = 0, 0, 0  # bursts
        self.failed, self.cycles = False, 0
        self.flushing: dict[str, dict[str, int] | None] | None = None
        self.stalled: dict[str, dict[str, int]] = {}

    def put(self, ctx, **values: int) -> None:
        """Set ports by name, of those the unit has."""
        for name, value in values.items():
            if name in self.ports:
                ctx.set(self.ports[name], value % (1 << len(self.ports[name])))

    async def tick(self, ctx) -> None:
        """The edge that ends a cycle; with a trace, what the ports were in it."""
        if self.trace is not None:
            self.trace.append({name: ctx.get(port) for name, port in self.ports.items()})
        await ctx.tick()

    async def cycle(self, ctx) -> dict[str, int]:
        """One cycle; what ``done``, ``failed``, ``idle`` and ``command_ready`` were in it."""
        unit = self.unit
        streams = [name for name in PAYLOADS if f"{name}_valid" in self.ports]
        waits = {name: self.random.random() < self.hesitate for name in (*streams, "done")}
        waits |= dict.fromkeys(self.blocked, True)
        answer = self.answered < min(self.taken, self.written) and not waits["done"]
        error = answer and self.random.random() < self.errors
        for name in streams:
            ctx.set(self.ports[f"{name}_ready"], not waits[name])
        ctx.set(unit.write_done.valid, answer)
        ctx.set(unit.write_done.error, error)

        seen = {n: ctx.get(getattr(unit, n)) for n in ("done", "failed", "idle")}
        seen["command_ready"] = ctx.get(unit.command.ready)
        beats = {name: self._beat(ctx, name, not waits[name]) for name in streams}
        self.answered += answer
        self.failed |= error
        self._check_request(*beats["write"])
        self._check_word(*beats["write_data"])
        if "out" in beats:
            self._take_beat(*beats["out"])
        await self.tick(ctx)
        self.cycles += 1
        if beats["sums"][1]:
            ctx.set(unit.sums_data, self._packed(beats["sums"][2]["vector"]))
        return seen

    def _packed(self, vector: int) -> int:
        bits = self.config.acc_bits
        words = (int(value) % (1 << bits) << bits * n for n, value in enumerate(self.sums[vector]))
        return sum(words)

    def _beat(self, ctx, name: str, ready: bool) -> tuple[bool, bool, dict[str, int]]:
        """Whether a beat is offered, whether it is taken, and what it carries; one that was
        offered before and not taken must be the same still."""
        if not ctx.get(self.ports[f"{name}_valid"]):
            assert name not in self.stalled, f"{name} is offered no more"
            return False, False, {}
        beat = {field: ctx.get(self.ports[f"{name}_{field}"]) for field in PAYLOADS[name]}
        assert self.stalled.pop(name, beat) == beat, f"{name} changes while it is stalled"
        if self.flushing is not None:
            self._check_flush(name, beat)
        if not ready:
            self.stalled[name] = beat
        return True, ready, beat

    def _check_flush(self, name: str, beat: dict[str, int]) -> None:
        """In a flush only what was offered before it is offered as it was."""
        if beat == self.flushing.get(name):
            return
        assert name in ("write_data", "out"), f"{name} is offered in a flush"
        assert beat["strobe"] == 0
        self.flushing[name] = None
        if name == "out":
            assert beat["last"]

    def _check_request(self, offered: bool, taken: bool, beat: dict[str, int]) -> None:
        if not offered:
            return
        first, words = beat["address"], beat["beats"] + 1
        whole = self.config.burst * self.config.bus_bytes
        assert first % self.config.bus_bytes == 0
        assert first // whole == (first + words * self.config.bus_bytes - 1) // whole
        if not self.offered:
            self.requests.append([first, words])
        self.offered = not taken
        self.taken += taken

    def _check_word(self, offered: bool, taken: bool, beat: dict[str, int]) -> None:
        if not offered:
            return
        assert self.requests, "a word before its request"
        burst = self.requests[0]
        assert beat["last"] == (burst[1] == 1), "last is not with a burst's last word"
        if not taken:
            return
        for place in range(self.config.bus_bytes):
            if beat["strobe"] >> place & 1:
                self.memory[burst[0] + place] = beat["data"] >> 8 * place & 0xFF
        burst[0], burst[1] = burst[0] + self.config.bus_bytes, burst[1] - 1
        if burst[1] == 0:
            self.requests.popleft()
            self.written += 1

    def _take_beat(self, offered: bool, taken: bool, beat: dict[str, int]) -> None:
        if not taken:
            return
        size = beat["strobe"].bit_length()
        assert beat["strobe"] == (1 << size) - 1, "a gap in the stream"
        assert beat["last"] or size == self.config.bus_bytes, "a gap in the stream"
        self.packet += beat["data"].to_bytes(self.config.bus_bytes, "little")[:size]
        if beat["last"]:
            self.packet.append(None)

    async def load(self, ctx, channels: list[dict[str, int]]) -> None:
        """Write the channel table."""
        self.channels = channels
        for number, channel in enumerate(channels):
            self.put(ctx, channel_write=1, channel_number=number)
            self.put(ctx, **{f"channel_{name}": value for name, value in channel.items()})
            await self.tick(ctx)
        self.put(ctx, channel_write=0)

    def offer(self, ctx, command: dict[str, int]) -> None:
        """Offer a command."""
        self.put(ctx, command_valid=1, **{f"command_{n}": v for n, v in command.items()})

    async def begin(self, ctx, command: dict[str, int]) -> None:
        """Hand over a command; its fields are valid only in the cycle of acceptance."""
        self.offer(ctx, command)
        for _ in range(LIMIT):
            if (await self.cycle(ctx))["command_ready"]:
                break
        else:
            raise AssertionError("no command is taken")
        noise = {f"command_{n}": self.random.getrandbits(32) for n in command}
        self.put(ctx, command_valid=0, **noise)

    async def flush(self, ctx) -> None:
        """A soft reset: wait until all is quiet, then reset; nothing may begin meanwhile."""
        self.put(ctx, flush=1)
        self.stalled.pop("sums", None)  # no one's business but the engine's
        self.flushing = {name: self.stalled.get(name) for name in ("write", "write_data")}
        if "out_valid" in self.ports and ctx.get(self.unit.out.valid):  # a register's
            self.flushing["out"] = {n: ctx.get(self.ports[f"out_{n}"]) for n in PAYLOADS["out"]}
        for _ in range(LIMIT):
            seen = await self.cycle(ctx)
            assert not seen["done"]
            assert not seen["command_ready"]
            if seen["idle"]:
                break
        else:
            raise AssertionError("never idle")
        assert self.taken == self.written == self.answered
        assert not self.requests
        assert not self.stalled
        self.flushing = None
        self.put(ctx, command_valid=0)
        ctx.set(self.domain.rst, 1)
        await ctx.tick()
        ctx.set(self.domain.rst, 0)
        self.put(ctx, flush=0)

    async def finish(self, ctx) -> dict[str, int]:
        """Up to the cycle of ``done``."""
        for _ in range(LIMIT):
            seen = await self.cycle(ctx)
            if seen["done"]:
                assert self.taken == self.written == self.answered
                assert not self.requests
                assert not self.stalled
                return seen
        raise AssertionError("never done")


def run_store(bench: StoreBench, drive: Callable) -> None:
    """Run ``drive(ctx)`` beside the unit."""
    top = Module()
    top.domains.sync = bench.domain
    top.submodules.unit = bench.unit
    with inlined():
        simulator = Simulator(top)
    simulator.add_clock(1e-6)
    simulator.add_testbench(drive)
    simulator.run()


def draw_channels(config: EngineConfig, random: Random) -> list[dict[str, int]]:
    """A channel table whose elements are often within their limits."""
    channels = []
    for _ in range(config.channels):
        size = random.randint(0, 31)
        channels.append(
            {
                "bias": random.randint(-(1 << size), (1 << size) - 1),
                "multiplier": random.getrandbits(random.randint(24, 31)),
                "shift": random.randint(-31, random.choice([-8, 31])),
                "zero": random.randint(-(1 << 15), (1 << 15) - 1) >> random.randint(0, 15),
            }
        )
    return channels


def draw_command(config: EngineConfig, random: Random, **told: int) -> dict[str, int]:
    """A legal command of few vectors; ``told`` are values that are not drawn."""
    known = {f.name: f for f in operations(config)[4].fields}
    ends = sorted(random.randint(-(1 << 15), (1 << 15) - 1) for _ in range(2))
    values = {"raw": random.random() < 0.3, "wide": random.random() < 0.5, **told}
    values["vectors"] = told.get("vectors", random.randint(1, min(5, config.acc_vectors)))
    values["sums"] = random.randint(0, config.acc_vectors - values["vectors"])
    values["first"] = random.randrange(config.outputs)
    values["outputs"] = random.randint(1, config.outputs - values["first"])
    room = config.channels - (1 if values["raw"] else values["outputs"])
    values |= {"channel": random.randint(0, room), "rounding": random.randrange(len(ROUNDINGS))}
    values |= {"zero": random.randint(-300, 300), "lowest": ends[0], "highest": ends[1]}
    values |= {"ones": random.randrange(config.outputs), "stream": random.random() < 0.4, **told}
    row = values["outputs"] * element_bytes(config, values)
    pitch = random.choice([row, row + random.randint(0, 40), 64, random.getrandbits(32)])
    target = random.choice([random.getrandbits(32), random.randint(0, 70), -random.randint(1, 70)])
    values |= {"target": target % (1 << 32), "target_pitch": pitch, **told}
    return {name: int(value) for name, value in values.items() if name in known}


def element_bytes(config: EngineConfig, command: dict[str, int]) -> int:
    """Bytes of an element in memory."""
    if command["raw"]:
        return 4 if config.acc_bits == 32 else 8
    return 2 if command["wide"] else 1


def expected_rows(bench: StoreBench, command: dict[str, int]) -> list[bytes]:
    """The bytes of each vector of a command."""
    config, size = bench.config, element_bytes(bench.config, command)
    first, outputs = command["first"], command["outputs"]
    rows = bench.sums[command["sums"] :][: command["vectors"]].astype(object)
    kept = rows[:, first : first + outputs]
    if not command["raw"]:
        own = bench.channels[command["channel"] :][:outputs]
        field = {name: np.array([each[name] for each in own]) for name in own[0]}
        if config.weight_zeros:
            kept = kept - field["zero"].astype(object) * rows[:, command["ones"], None]
        kept = requantise(
            *(kept, field["bias"], field["multiplier"], field["shift"]),
            rounding=ROUNDINGS[command["rounding"]],
            **{name: command[name] for name in ("zero", "lowest", "highest")},
        )
    mask = (1 << 8 * size) - 1
    return [b"".join((int(v) & mask).to_bytes(size, "little") for v in row) for row in kept]


def expected_bytes(bench: StoreBench, command: dict[str, int]) -> dict[int, int]:
    """What a command writes into memory, byte by byte; it touches no other."""
    memory = {}
    for number, row in enumerate(expected_rows(bench, command)):
        begins = command["target"] + number * command["target_pitch"]
        memory |= {(begins + place) % (1 << 32): value for place, value in enumerate(row)}
    return memory
