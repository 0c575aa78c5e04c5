"""RAM that a core and an engine share, in Amaranth's simulator: data, turns, rates and errors."""

import random

import pytest
from amaranth.hdl import Elaboratable, Module
from amaranth.lib.memory import Memory
from amaranth.sim import Simulator

from cimforge.fpga.cpu.burst_server import BurstServer
from cimforge.fpga.cpu.memory_map import Region
from cimforge.fpga.cpu.ram_arbiter import RamArbiter

RAM = Region("ram", 1 << 28, 8192, "rw", "")
SEED = 11
TURNS = 3
DONE = 60_000  # cycles in which everything must have ended


class SharedRam(Elaboratable):
    """Arbiter, burst server and a memory, wired as in a system."""

    def __init__(self, bits: int):
        self.bits, self.bytes = bits, bits // 8
        self.arbiter = RamArbiter("test", RAM, bits)
        self.server = BurstServer("test", RAM, bits)
        self.memory = Memory(shape=bits, depth=RAM.size // self.bytes, init=[])

    def elaborate(self, platform):
        m = Module()
        m.submodules += [self.arbiter, self.server, self.memory]
        arbiter, server = self.arbiter, self.server
        read, write = self.memory.read_port(), self.memory.write_port(granularity=8)
        m.d.comb += [
            *(
                arbiter.fetch.valid.eq(server.fetch.valid),
                arbiter.store.valid.eq(server.store.valid),
            ),
            arbiter.fetch.address.eq(server.fetch.address),
            *(
                server.fetch.ready.eq(arbiter.fetch.ready),
                server.store.ready.eq(arbiter.store.ready),
            ),
            arbiter.store.address.eq(server.store.address),
            *(
                arbiter.store.data.eq(server.store.data),
                arbiter.store.strobe.eq(server.store.strobe),
            ),
            *(read.addr.eq(arbiter.word_address), read.en.eq(arbiter.word_enable)),
            *(write.addr.eq(arbiter.word_address), write.en.eq(arbiter.word_strobe)),
            write.data.eq(arbiter.word_data_w),
            *(arbiter.word_data_r.eq(read.data), server.fetch_data.eq(read.data)),
        ]
        return m


class Users:
    """The core and an engine's two directions, on one RAM of which ``bytes`` is the model."""

    def __init__(self, bits: int, draw: random.Random):
        self.ram, self.draw = SharedRam(bits), draw
        self.size = bits // 8
        self.bytes = bytearray(RAM.size)
        self.clock = 0

    def run(self, *benches, hammer: bool = False) -> None:
        """Simulate the benches beside each other; ``hammer``: the core asks every other cycle."""
        simulator = Simulator(self.ram)
        simulator.add_clock(1e-6)
        for bench in benches:
            simulator.add_testbench(bench)

        async def count(ctx):
            while True:
                await ctx.tick()
                self.clock += 1
                assert self.clock < DONE

        async def beat(ctx):
            port = self.ram.arbiter.ram
            while True:
                for level in (1, 0):
                    ctx.set(port.enable, level)
                    await ctx.tick()

        simulator.add_testbench(count, background=True)
        if hammer:
            simulator.add_testbench(beat, background=True)
        simulator.run()

    async def core(self, ctx, low: int, high: int, count: int) -> None:
        """Random reads and writes of words in low .. high - 1, checked."""
        port, draw = self.ram.arbiter.ram, self.draw
        for _ in range(count):
            place, strobe = draw.randrange(low, high, 4), draw.choice((0, 0, draw.randrange(16)))
            data = draw.getrandbits(32)
            ctx.set(port.enable, 1)
            ctx.set(port.write, int(strobe > 0))
            ctx.set(port.address, place)
            ctx.set(port.strobe, strobe)
            ctx.set(port.data_w, data)
            await ctx.tick()
            ctx.set(port.enable, 0)
            ctx.set(port.address, draw.randrange(RAM.size))
            *_, word = await ctx.tick().sample(port.data_r)
            if strobe:
                self._write(place, data.to_bytes(4, "little"), strobe)
            else:
                assert word == int.from_bytes(self.bytes[place : place + 4], "little")
            for _ in range(draw.choice((0, 0, 1, 4))):
                await ctx.tick()

    async def reads(self, ctx, low: int, high: int, bursts: int, paused: bool = True) -> None:
        """Random bursts of reads in low .. high - 1, checked: requests run ahead of answers."""
        asked, answer, draw = self.ram.server.read, self.ram.server.read_data, self.draw
        expected, left = [], bursts
        request = None
        while left or request or expected:
            if request is None and left and (not paused or draw.randrange(2)):
                request, left = self._burst(low, high), left - 1
            ctx.set(asked.valid, int(request is not None))
            if request:
                ctx.set(asked.address, RAM.base + request[0])
                ctx.set(asked.beats, request[1] - 1)
            ctx.set(answer.ready, int(not paused or draw.randrange(4) > 0))
            *_, taken, valid, ready, data, last, error = await ctx.tick().sample(
                *(asked.ready, answer.valid, answer.ready, answer.data, answer.last, answer.error)
            )
            if valid and ready:
                place, end = expected.pop(0)
                assert data == int.from_bytes(self.bytes[place : place + self.size], "little")
                assert (last, error) == (end, 0)
            if request and taken:
                expected += [
                    (request[0] + beat * self.size, int(beat == request[1] - 1))
                    for beat in range(request[1])
                ]
                request = None
        ctx.set(answer.ready, 0)

    async def writes(self, ctx, low: int, high: int, bursts: int, paused: bool = True) -> None:
        """Random bursts of writes in low .. high - 1, put into the model when they are done."""
        asked, words, done = (
            self.ram.server.write,
            self.ram.server.write_data,
            self.ram.server.write_done,
        )
        draw = self.draw
        beats, ended, left, request = [], [], bursts, None
        while left or request or beats or ended:
            if request is None and left and (not paused or draw.randrange(2)):
                request, left = self._burst(low, high), left - 1
                beats += [
                    (
                        request[0] + beat * self.size,
                        draw.getrandbits(8 * self.size),
                        draw.getrandbits(self.size),
                        int(beat == request[1] - 1),
                    )
                    for beat in range(request[1])
                ]
            ctx.set(asked.valid, int(request is not None))
            if request:
                ctx.set(asked.address, RAM.base + request[0])
                ctx.set(asked.beats, request[1] - 1)
            offered = beats[0] if beats and (not paused or draw.randrange(4)) else None
            ctx.set(words.valid, int(offered is not None))
            for field, value in zip(
                (words.data, words.strobe, words.last), (offered or (0,) * 4)[1:], strict=True
            ):
                ctx.set(field, value)
            ctx.set(done.ready, int(not paused or draw.randrange(3) > 0))
            *_, taken, moved, valid, ready, error = await ctx.tick().sample(
                *(asked.ready, words.ready, done.valid, done.ready, done.error)
            )
            if valid and ready:
                assert ended.pop(0) == error == 0
            if request and taken:
                request = None
            if offered and moved:
                place, data, strobe, last = beats.pop(0)
                self._write(place, data.to_bytes(self.size, "little"), strobe)
                ended += [0] * last
        ctx.set(done.ready, 0)

    def _burst(self, low: int, high: int) -> tuple[int, int]:
        """First byte and words of a burst; none here is near a page's end."""
        beats = self.draw.choice((1, 2, 16))
        return self.draw.randrange(low, high - 16 * self.size + 1, self.size), beats

    def _write(self, place: int, data: bytes, strobe: int) -> None:
        for byte, value in enumerate(data):
            if strobe >> byte & 1:
                self.bytes[place + byte] = value


@pytest.mark.parametrize("bits", [32, 128])
def test_core_and_bursts_see_what_they_wrote(bits):
    print(f"seed {SEED}")
    users = Users(bits, random.Random(SEED))
    thirds = ((0, 2048), (2048, 4096), (4096, 6144))
    ways = (users.core, users.reads, users.writes)
    arrived = [0] * TURNS

    def user(number):
        async def bench(ctx):
            for turn in range(TURNS):  # each uses what another wrote before
                await ways[number](ctx, *thirds[(turn + number) % 3], 80)
                arrived[turn] += 1
                while arrived[turn] < len(ways):
                    await ctx.tick()

        return bench

    users.run(*map(user, range(len(ways))))
    assert arrived == [len(ways)] * TURNS
    assert sum(map(bool, users.bytes)) > 2000


@pytest.mark.parametrize("hammer", [False, True])
@pytest.mark.parametrize("way", ["reads", "writes"])
def test_bursts_take_a_word_a_cycle_less_those_of_the_core(way, hammer):
    users = Users(32, random.Random(SEED))
    users.draw.choice = lambda values: values[-1]  # bursts of 16
    bursts = 12

    async def bench(ctx):
        await getattr(users, way)(ctx, 0, 4096, bursts, paused=False)

    users.run(bench, hammer=hammer)
    words = 16 * bursts
    assert words <= users.clock <= (2 if hammer else 1) * words + 5


def test_reads_and_writes_share_the_ram_evenly():
    users = Users(32, random.Random(SEED))
    users.draw.choice = lambda values: values[-1]
    ended = {}

    def user(way, low):
        async def bench(ctx):
            await getattr(users, way)(ctx, low, low + 2048, 12, paused=False)
            ended[way] = users.clock

        return bench

    users.run(user("reads", 0), user("writes", 4096))
    words = 2 * 16 * 12
    assert max(ended.values()) <= words + 5
    assert min(ended.values()) >= words - 20


@pytest.mark.parametrize("address", [0, RAM.base - 64, RAM.end, RAM.base | 1 << 31])
def test_bursts_outside_end_in_an_error_and_change_nothing(address):
    users = Users(32, random.Random(SEED))

    async def bench(ctx):
        server = users.ram.server
        asked, answer = server.read, server.read_data
        ctx.set(asked.valid, 1)
        ctx.set(asked.address, address & 0xFFFFFFFF)
        ctx.set(asked.beats, 3)
        ctx.set(answer.ready, 1)
        await ctx.tick().until(asked.ready)
        ctx.set(asked.valid, 0)
        for beat in range(4):
            values = (
                await ctx.tick().sample(answer.data, answer.error, answer.last).until(answer.valid)
            )
            assert tuple(values) == (0, 1, int(beat == 3))
        asked, words, done = server.write, server.write_data, server.write_done
        ctx.set(asked.valid, 1)
        ctx.set(asked.address, address & 0xFFFFFFFF)
        ctx.set(asked.beats, 1)
        await ctx.tick().until(asked.ready)
        ctx.set(asked.valid, 0)
        for beat in range(2):
            ctx.set(words.valid, 1)
            ctx.set(words.data, 0xFFFFFFFF)
            ctx.set(words.strobe, 15)
            ctx.set(words.last, beat)
            await ctx.tick().until(words.ready)
        ctx.set(words.valid, 0)
        ctx.set(done.ready, 1)
        (error,) = await ctx.tick().sample(done.error).until(done.valid)
        assert error
        await users.reads(ctx, 0, RAM.size, 20)  # the next ones are served, all zeros still

    users.run(bench)
