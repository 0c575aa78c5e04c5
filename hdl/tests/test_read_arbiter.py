"""Two readers on one memory port: each gets its own words, whatever the other does."""

from random import Random

import pytest

from cimforge.hdl.engine.read_arbiter import UNANSWERED, ReadArbiter
from cimforge.hdl.params.engine_config import EngineConfig
from cimforge.hdl.tests.configs import macro
from cimforge.hdl.tests.read_memory import (
    FAST,
    TIMINGS,
    ReadMemory,
    Sink,
    Source,
    Timing,
    simulate,
)

CONFIGS = {
    f"bus{bus_bits}": EngineConfig(macro=macro(3, 2, 2, 2), bus_bits=bus_bits, burst=8)
    for bus_bits in (32, 256)
}
CLIENTS = ("queue", "fetch")


class ArbiterBench:
    """An arbiter between memory and two clients, the queue always taking its data."""

    def __init__(self, config: EngineConfig, seed: str, timing: Timing):
        print(f"seed {seed}")
        self.block, self.random = block, random = ReadArbiter(config), Random(seed)
        self.memory = ReadMemory(config, block.read, block.read_data, random, timing)
        self.asked = {
            "queue": Source(block.queue_read, random, timing.beat),
            "fetch": Source(block.fetch_read, random, timing.beat),
        }
        self.words = {
            "queue": Sink(block.queue_data, random, 1.0),
            "fetch": Sink(block.fetch_data, random, timing.beat),
        }
        self.order: list[str] = []  # whose request memory took
        self.stays = False  # whether memory saw a request of fetch that it did not take
        self.config = config

    def requests(self, client: str, count: int) -> list[dict[str, int]]:
        """Random lawful requests, which are offered one after the other."""
        beats = []
        for _ in range(count):
            place = self.random.randrange(self.config.burst)
            words = self.random.randint(1, self.config.burst - place)
            whole = self.random.getrandbits(12) * self.config.burst + place
            beats.append({"address": whole * self.config.bus_bytes, "beats": words - 1})
        self.asked[client].beats.extend(beats)
        return beats

    async def step(self, ctx) -> None:
        """One cycle, with what holds in each."""
        block = self.block
        for part in (self.memory, *self.asked.values(), *self.words.values()):
            part.drive(ctx)
        waits = ctx.get(block.queue_read.valid)
        took = [client for client in CLIENTS if self.asked[client].see(ctx) is not None]
        assert len(took) <= 1
        assert bool(took) == bool(ctx.get(block.read.valid) and ctx.get(block.read.ready))
        assert self.stays or not waits or took != ["fetch"], "fetch goes before the queue"
        shown = ctx.get(block.read.address) == ctx.get(block.fetch_read.address)
        self.stays = bool(ctx.get(block.read.valid) and shown and not took)
        self.order += took
        self.memory.see(ctx)
        for client in CLIENTS:
            self.words[client].see(ctx)
        assert sum(last for _, _, last in self.memory.due) <= UNANSWERED
        await ctx.tick()

    async def until_done(self, ctx) -> None:
        """Go on until all is answered."""
        for _ in range(4000):
            await self.step(ctx)
            if not (any(s.beats for s in self.asked.values()) or self.memory.due):
                return
        raise AssertionError("hung")

    def check(self, client: str, requests: list[dict[str, int]]) -> None:
        """The words of the client's requests, in order, and nothing else."""
        memory, size = self.memory, self.config.bus_bytes
        told = []
        for request in requests:
            for beat in range(request["beats"] + 1):
                data = memory.number(request["address"] + beat * size, size)
                last, bad = beat == request["beats"], request["address"] + beat * size in memory.bad
                told.append({"data": data, "error": int(bad), "last": int(last)})
        assert self.words[client].beats == told


@pytest.mark.parametrize("name", CONFIGS)
@pytest.mark.parametrize("timing", TIMINGS)
def test_each_client_gets_the_words_of_its_own_requests(name, timing):
    bench = ArbiterBench(CONFIGS[name], f"{name} {timing}", TIMINGS[timing])
    requests = {client: bench.requests(client, 40) for client in CLIENTS}
    some = [r["address"] for r in requests["queue"][::3] + requests["fetch"][::4]]
    bench.memory.bad = set(some)

    simulate(bench.block, bench.until_done)
    for client in CLIENTS:
        bench.check(client, requests[client])
    assert timing != "fast" or bench.order == ["queue"] * 40 + ["fetch"] * 40


def test_full_rate_of_requests_and_words():
    bench = ArbiterBench(CONFIGS["bus32"], "rate", FAST._replace(latency=(3, 3)))
    for address in range(0, 30 * 4, 4):
        bench.asked["fetch"].beats.append({"address": address, "beats": 0})
    cycles = []

    async def counted(ctx):
        while bench.asked["fetch"].beats or bench.memory.due:
            await bench.step(ctx)
            cycles.append(ctx.get(bench.block.fetch_data.valid))

    simulate(bench.block, counted)
    assert len(cycles) == 30 + 3


def test_a_request_of_fetch_that_memory_saw_stays_when_the_queue_comes():
    bench = ArbiterBench(CONFIGS["bus32"], "stays", FAST)
    block = bench.block
    seen = []

    async def drive(ctx):
        for name, address in (("fetch", 0x40), ("queue", 0x80)):
            client = getattr(block, f"{name}_read")
            ctx.set(client.address, address)
            ctx.set(client.valid, 1)
            seen.append((ctx.get(block.read.valid), ctx.get(block.read.address)))
            await ctx.tick()
        ctx.set(block.read.ready, 1)
        for _ in range(2):
            readies = ctx.get(block.queue_read.ready), ctx.get(block.fetch_read.ready)
            seen.append((ctx.get(block.read.address), *readies))
            await ctx.tick()

    simulate(block, drive)
    assert seen == [(1, 0x40), (1, 0x40), (0x40, 0, 1), (0x80, 1, 0)]
