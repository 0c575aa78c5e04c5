"""The CRC and the receiving side of a link alone, in Amaranth's simulator."""

import random
import zlib

import pytest
from amaranth.hdl import Signal
from amaranth.sim import Simulator

from cimforge.fpga.frame_crc import FrameCrc
from cimforge.fpga.frame_receiver import FrameReceiver
from cimforge.host import protocol
from cimforge.host.protocol import Request, opening

SESSION = 0x1234_5678
DEPTH = 1024
BYTE_CYCLES = 11


def run(block, bench) -> None:
    """Simulate a block with its testbench."""
    simulator = Simulator(block)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()


def crc_in_hardware(start: int | None, data: bytes) -> tuple[int, bool]:
    """The CRC's four bytes, drained, and whether the data end in their own right CRC."""
    block = FrameCrc()
    seen: list[int] = []

    async def step(ctx, first: bool) -> None:
        ctx.set(block.step, 1)
        ctx.set(block.load, int(first and start is not None))
        ctx.set(block.clear, int(first and start is None))
        await ctx.tick()
        for port in (block.step, block.load, block.clear):
            ctx.set(port, 0)
        for cycle in range(block.latency):
            assert not ctx.get(block.ready), cycle
            await ctx.tick()
        assert ctx.get(block.ready)

    async def bench(ctx):
        ctx.set(block.start, start or 0)
        for place, byte in enumerate(data):
            ctx.set(block.byte, byte)
            await step(ctx, place == 0)
        seen.append(ctx.get(block.right))
        ctx.set(block.drain, 1)
        for _ in range(4):
            seen.append(ctx.get(block.low))
            await step(ctx, False)

    run(block, bench)
    return int.from_bytes(bytes(seen[1:]), "little"), bool(seen[0])


def test_crc_of_the_check_string():
    """The published check value of CRC-32: 0xCBF43926 for "123456789"."""
    assert crc_in_hardware(None, b"123456789") == (0xCBF43926, False)
    assert zlib.crc32(b"123456789") == 0xCBF43926


@pytest.mark.parametrize("start", [None, 0, 1, SESSION, 0xFFFF_FFFF])
def test_hardware_and_host_agree_from_any_start(start):
    data = random.Random(start).randbytes(40)
    expected = zlib.crc32(data, start or 0)
    assert crc_in_hardware(start, data) == (expected, False)
    whole = data + expected.to_bytes(4, "little")
    assert crc_in_hardware(start, whole)[1]
    for bit in range(0, 8 * len(whole), 13):
        garbled = bytearray(whole)
        garbled[bit // 8] ^= 1 << bit % 8
        assert not crc_in_hardware(start, bytes(garbled))[1]


class Listener:
    """A receiver, what is sent to it, and what came of that: pulses and the bytes taken."""

    def __init__(self):
        self.block = FrameReceiver(DEPTH)
        self.got = bytearray()
        self.pulses: list[str] = []
        self.takes: random.Random | None = None  # who takes now and then while bytes come

    async def send(self, ctx, data: bytes) -> None:
        """Bytes, as fast as a link may bring them."""
        for byte in data:
            ctx.set(self.block.rx.data, byte)
            ctx.set(self.block.rx.valid, 1)
            await self._tick(ctx)
            ctx.set(self.block.rx.valid, 0)
            for _ in range(BYTE_CYCLES - 1):
                if self.takes is not None:
                    ctx.set(self.block.head.ready, int(self.takes.random() < 0.06))
                await self._tick(ctx)

    async def take(self, ctx, cycles: int) -> None:
        """Take what is offered for some cycles."""
        ctx.set(self.block.head.ready, 1)
        for _ in range(cycles):
            await self._tick(ctx)
        ctx.set(self.block.head.ready, 0)

    async def _tick(self, ctx) -> None:
        block = self.block
        signals: tuple[Signal, ...] = (
            *(block.head.valid, block.head.ready, block.head.data),
            *(block.opened, block.rejected),
        )
        _, _, valid, ready, data, opened, rejected = await ctx.tick().sample(*signals)
        if valid and ready:
            self.got.append(data)
        if opened or rejected:
            self.pulses.append("opened" if opened else "rejected")

    def run(self, bench) -> "Listener":
        """Simulate ``bench(ctx, self)``."""

        async def whole(ctx):
            ctx.set(self.block.session, SESSION)
            await bench(ctx, self)

        run(self.block, whole)
        return self


def body(frame: bytes) -> bytes:
    """What of a frame comes out."""
    return frame[1:-4]


def test_what_does_not_fit_the_buffer_is_rejected_whole():
    """Nobody takes; three frames fit, the fourth is rejected, and again until there is room; a byte
    is delivered in two cycles."""
    frames = [
        Request(1, number, bytes([number] * 300)).frame(number, SESSION) for number in range(4)
    ]

    async def bench(ctx, it):
        for frame in frames:
            await it.send(ctx, frame)
        await it.take(ctx, 2 * 400)
        await it.send(ctx, frames[3])
        await it.take(ctx, 2 * 2 * DEPTH)

    it = Listener().run(bench)
    assert it.pulses == ["rejected"]
    assert it.got == b"".join(map(body, frames))


@pytest.mark.parametrize("seed", range(4))
def test_bytes_come_once_and_in_order_whenever_they_are_taken(seed):
    """Frames of any length one behind the other, taken now and then; an opening in the middle of
    reading leaves the beginning of what went before it."""
    rng = random.Random(seed)
    frames = [
        Request(1, number, rng.randbytes(4 * rng.randrange(1, 9))).frame(number, SESSION)
        for number in range(12)
    ]
    begin = opening(7)

    async def bench(ctx, it):
        it.takes = rng
        for frame in frames:
            await it.send(ctx, frame)
        read.append(len(it.got))
        await it.send(ctx, begin)
        it.takes = None
        await it.take(ctx, 200)

    read: list[int] = []
    it = Listener().run(bench)
    assert it.pulses == ["opened"]
    whole = b"".join(map(body, frames))
    assert it.got.endswith(body(begin))
    taken = bytes(it.got[: -len(body(begin))])
    assert len(taken) >= read[0] > 0
    assert whole.startswith(taken)


def test_an_opening_takes_the_place_of_what_waits():
    """Right requests that nobody took are gone; the next request is number 0."""
    frames = [Request(1, number, bytes(20)).frame(number, SESSION) for number in range(3)]
    begin, again = opening(7), opening(8, SESSION)

    async def bench(ctx, it):
        for frame in (*frames, begin, frames[2], frames[0]):
            await it.send(ctx, frame)
        await it.take(ctx, 200)
        for frame in (frames[1], again, frames[0], opening(8, SESSION + 1)):
            await it.send(ctx, frame)
        await it.take(ctx, 200)

    it = Listener().run(bench)
    assert it.pulses == ["opened", "rejected", "opened", "rejected"]
    assert it.got == body(begin) + body(frames[0]) + body(again) + body(frames[0])


def test_frames_of_every_length_pass():
    rng = random.Random(3)
    sizes = (0, 1, 2, 3, 4, 5, 251, 252, 253, 506, 507, rng.randrange(400))
    frames = [
        Request(2, rng.getrandbits(32), rng.randbytes(size)).frame(number, SESSION)
        for number, size in enumerate(sizes)
    ]

    async def bench(ctx, it):
        for frame in frames:
            await it.send(ctx, frame)
            await it.take(ctx, DEPTH)

    it = Listener().run(bench)
    assert it.pulses == []
    assert it.got == b"".join(map(body, frames))
    assert len(frames[10]) == 507 + 4 + 1 + protocol.HEAD_BYTES + protocol.CRC_BYTES
