"""Runs of words from memory in bursts, and from streams, against plain Python."""

from random import Random

import pytest

from cimforge.hdl.engine.burst_reader import OUTSTANDING, BurstReader
from cimforge.hdl.engine.stream_reader import StreamReader
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

MOST = 75  # words of a run
CONFIGS = {
    f"bus{bus_bits}_burst{burst}": EngineConfig(
        macro=macro(3, 2, 2, 2), bus_bits=bus_bits, burst=burst, streams=True
    )
    for bus_bits, burst in ((32, 1), (32, 16), (64, 4), (128, 256), (256, 2))
}
every_config = pytest.mark.parametrize("name", CONFIGS)


class ReaderBench:
    """A reader, what is around it, and the words that came of its runs."""

    def __init__(self, config: EngineConfig, seed: str, timing: Timing):
        print(f"seed {seed}")
        self.config, self.random, self.timing = config, Random(seed), timing
        self.block = block = BurstReader(config, MOST)
        self.memory = ReadMemory(config, block.read, block.read_data, self.random, timing)
        self.runs = Source(block.run, self.random, timing.beat)
        self.words = Sink(block.words, self.random, timing.beat)
        self.taken: list[dict[str, int]] = []  # runs
        self.drain, self.cycle = 0, 0

    async def step(self, ctx) -> None:
        """One cycle, with what holds in each."""
        ctx.set(self.block.drain, self.drain)
        for part in (self.memory, self.runs, self.words):
            part.drive(ctx)
        if ctx.get(self.block.idle):
            assert not self.memory.due
            assert not ctx.get(self.block.read.valid)
        run = self.runs.see(ctx)
        if run is not None:
            self.taken.append(run)
        self.memory.see(ctx)
        self.words.see(ctx, may_fall=bool(self.drain))
        assert sum(last for _, _, last in self.memory.due) <= OUTSTANDING
        await ctx.tick()
        self.cycle += 1

    async def until_idle(self, ctx, limit: int = 4000) -> None:
        """Go on until all is done."""
        for _ in range(limit):
            await self.step(ctx)
            if not self.runs.beats and ctx.get(self.block.idle):
                return
        raise AssertionError(f"hung: {limit} cycles")

    def run(self, first: int, words: int) -> dict[str, int]:
        """A run of ``words`` from the word ``first`` on."""
        return {"first": first % (1 << len(self.block.run.first)), "more": words - 1}


def bursts(config: EngineConfig, run: dict[str, int]) -> list[tuple[int, int]]:
    """Address and words of each burst that a run becomes: word by word, a new one at each multiple
    of a whole burst."""
    found: list[tuple[int, int]] = []
    for word in range(run["first"], run["first"] + run["more"] + 1):
        address = word * config.bus_bytes % (1 << 32)
        if word % config.burst == 0 or not found:
            found.append((address, 0))
        found[-1] = (found[-1][0], found[-1][1] + 1)
    return found


@every_config
@pytest.mark.parametrize("timing", TIMINGS)
def test_runs_become_bursts_and_all_their_words_in_order(name, timing):
    config = CONFIGS[name]
    bench = ReaderBench(config, f"{name} {timing}", TIMINGS[timing])
    random, burst = bench.random, config.burst
    lengths = [*(1, 2, MOST, burst), *(random.randint(1, MOST) for _ in range(8))]
    places = (
        0,
        5 * burst - 1,
        7 * burst,
        random.getrandbits(20),
        (1 << 32) // config.bus_bytes - 3,
    )
    runs = [bench.run(random.choice(places), min(words, MOST)) for words in lengths]
    bench.memory.bad = {a * config.bus_bytes for a in range(random.getrandbits(4), 400, 7)}
    bench.runs.beats.extend(dict(run) for run in runs)

    simulate(bench.block, bench.until_idle)
    assert bench.memory.asked == [burst for run in runs for burst in bursts(config, run)]
    addresses = [
        (run["first"] + word) * config.bus_bytes % (1 << 32)
        for run in runs
        for word in range(run["more"] + 1)
    ]
    assert bench.words.beats == [
        {"data": bench.memory.number(a, config.bus_bytes), "error": int(a in bench.memory.bad)}
        for a in addresses
    ]


@every_config
def test_a_word_a_cycle_from_run_to_run(name):
    """Of whole bursts, of which OUTSTANDING - 1 last as long as memory's latency."""
    config = CONFIGS[name]
    latency = min((OUTSTANDING - 1) * config.burst, 12)
    bench = ReaderBench(config, name, FAST._replace(latency=(latency, latency)))
    whole = min(config.burst, MOST)
    lengths = [whole * (MOST // whole), *[whole] * 6, whole * (MOST // whole)]
    bench.runs.beats.extend(bench.run(256 * place, n) for place, n in enumerate(lengths))

    simulate(bench.block, bench.until_idle)
    # a run is taken in the first cycle and its burst in the second; idle after the last word
    assert bench.cycle == 1 + latency + sum(lengths)


@pytest.mark.parametrize("name", ["bus32_burst1", "bus32_burst16", "bus256_burst2"])
@pytest.mark.parametrize("timing", ["slow_memory", "all_slow"])
def test_drained_at_any_cycle_it_ends_lawfully_and_begins_anew(name, timing):
    config = CONFIGS[name]
    bench = ReaderBench(config, f"drain {name} {timing}", TIMINGS[timing])

    async def drained(ctx):
        for wait in range(25):
            bench.runs.beats.append(bench.run(wait * 3, 20))
            bench.runs.beats.append(bench.run(wait * 5, 9))
            for _ in range(wait):
                await bench.step(ctx)
            bench.drain, asked = 1, len(bench.memory.asked)
            for _ in range(400):
                await bench.step(ctx)
                if ctx.get(bench.block.idle):
                    break
            else:
                raise AssertionError("hung")
            assert len(bench.memory.asked) <= asked + 1  # that which was offered
            bench.drain = 0
            bench.taken.clear()
            bench.words.beats.clear()
            await bench.until_idle(ctx)
            assert len(bench.words.beats) == sum(run["more"] + 1 for run in bench.taken)
            assert [beat["data"] for beat in bench.words.beats] == [
                bench.memory.number((run["first"] + w) * config.bus_bytes, config.bus_bytes)
                for run in bench.taken
                for w in range(run["more"] + 1)
            ]

    simulate(bench.block, drained)


@pytest.mark.parametrize("chance", [1.0, 0.5])
def test_a_stream_gives_a_run_as_many_words_and_keeps_the_others(chance):
    config = CONFIGS["bus32_burst16"]
    block, random = StreamReader(config, MOST), Random(f"stream {chance}")
    lengths = [1, 1, 7, MOST, 2, 30]
    words = [random.getrandbits(32) for _ in range(sum(lengths) + 5)]
    runs = Source(block.run, random, chance, [{"more": n - 1} for n in lengths])
    into = Source(block.into, random, chance, [{"data": word} for word in words])
    taken = Sink(block.words, random, chance)
    cycles = []

    async def bench(ctx):
        for cycle in range(2000):
            for part in (runs, into, taken):
                part.drive(ctx)
            runs.see(ctx)
            into.see(ctx)
            taken.see(ctx)
            await ctx.tick()
            if not runs.beats and ctx.get(block.idle):
                cycles.append(cycle)
                return

    simulate(block, bench)
    assert [beat["data"] for beat in taken.beats] == words[: sum(lengths)]
    assert [beat["data"] for beat in into.beats] == words[sum(lengths) :]
    assert cycles[0] == sum(lengths) or chance < 1
