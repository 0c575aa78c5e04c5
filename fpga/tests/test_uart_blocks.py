"""Receiver, transmitter and light alone, in Amaranth's simulator."""

import gc
import random
import re

import pytest
from amaranth.sim import Simulator

from cimforge.fpga.bridge import FrameBridge
from cimforge.fpga.led import LedStretcher
from cimforge.fpga.uart import FRAME_BITS, UartReceiver, UartTransmitter
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import load_config

# A block whose arguments are refused is never elaborated.
pytestmark = pytest.mark.filterwarnings("ignore::amaranth.hdl.UnusedElaboratable")
CONFIG = load_config("tiny")
BYTES = (0x00, 0xFF, 0x55, 0xAA, 0x80, 0x01)


@pytest.fixture(autouse=True)
def _collected():
    """What is left of a refused block is collected here, where its warning is ignored."""
    yield
    gc.collect()


def refused(rule: str):
    """A block must refuse its arguments."""
    return pytest.raises(ValueError, match=rule)


def levels(data: tuple[int, ...], bit_cycles: float, phase: float) -> list[int]:
    """The line at each clock edge: bytes without a pause, the first from ``phase`` cycles on."""
    bits = [bit for byte in data for bit in (0, *(byte >> i & 1 for i in range(8)), 1)]
    cycles = int(phase + len(bits) * bit_cycles) + 1
    places = [int((cycle - phase) // bit_cycles) for cycle in range(cycles)]
    return [bits[place] if 0 <= place < len(bits) else 1 for place in places]


def received(divisor: int, lines: list[int]) -> list[int]:
    """The bytes that a receiver makes of the line's levels."""
    receiver, got = UartReceiver("test", divisor), []

    async def bench(ctx):
        ctx.set(receiver.rx, 1)
        for level in [1] * 8 + lines + [1] * (2 * divisor):
            ctx.set(receiver.rx, level)
            _, _, valid, byte = await ctx.tick().sample(receiver.byte.valid, receiver.byte.data)
            if valid:
                got.append(byte)

    simulator = Simulator(receiver)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return got


@pytest.mark.parametrize("divisor", [8, 9, 10, 12, 25])
def test_every_baud_error_up_to_4_percent(divisor):
    """Both ways, at every phase of the fall to the clock, bytes back to back."""
    rng = random.Random(divisor)
    lines, sent = [], []
    for percent in range(-4, 5):
        for phase in (0.0, 0.01, 0.25, 0.5, 0.75, 0.99):
            data = (*BYTES, *(rng.getrandbits(8) for _ in range(2)))
            lines += [*levels(data, divisor / (1 + percent / 100), phase), *[1] * divisor]
            sent += data
    assert received(divisor, lines) == sent


def test_every_baud_error_at_a_slow_rate():
    """217 cycles a bit: 115,200 baud at 25 MHz."""
    lines, sent = [], []
    for percent in range(-4, 5):
        lines += [*levels(BYTES[1:4], 217 / (1 + percent / 100), percent % 3 / 3), *[1] * 217]
        sent += BYTES[1:4]
    assert received(217, lines) == sent


def test_a_break_and_a_glitch_are_no_bytes():
    """A line held low ends in nothing, wherever in a byte it is released."""
    for low in range(1, 3):
        assert received(8, [0] * low + [1] * 8) == []
    for low in range(8 * FRAME_BITS, 8 * 3 * FRAME_BITS, 5):
        assert received(8, [0] * low + [1] * 20 + levels((0x5A,), 8, 0)) == [0x5A]


@pytest.mark.parametrize("divisor", [8, 9, 12])
def test_what_is_sent_is_received(divisor):
    transmitter, line = UartTransmitter("test", divisor), []

    async def bench(ctx):
        for byte in BYTES:
            ctx.set(transmitter.byte.data, byte)
            ctx.set(transmitter.byte.valid, 1)
            while True:
                _, _, ready, level = await ctx.tick().sample(transmitter.byte.ready, transmitter.tx)
                line.append(level)
                if ready:
                    break
        ctx.set(transmitter.byte.valid, 0)
        for _ in range((FRAME_BITS + 1) * divisor):
            *_, level = await ctx.tick().sample(transmitter.tx)
            line.append(level)

    simulator = Simulator(transmitter)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    assert received(divisor, line) == list(BYTES)
    busy = "".join(map(str, line)).strip("1")
    assert len(busy) <= FRAME_BITS * divisor * len(BYTES), "bytes follow each other at once"


def test_the_light_outlasts_its_event():
    light, shown = LedStretcher("test", 5), []

    async def bench(ctx):
        for active in (0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0):
            ctx.set(light.active, active)
            *_, led = await ctx.tick().sample(light.led)
            shown.append(led)

    simulator = Simulator(light)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    assert shown == [0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0]


@pytest.mark.parametrize("block", [UartReceiver, UartTransmitter])
@pytest.mark.parametrize("divisor", [7, 4, 0, -1, 8.0, "8", True])
def test_divisors_below_8_are_refused(block, divisor):
    with pytest.raises(
        ValueError, match=f"divisor must be an integer of at least 8, not {divisor!r}"
    ):
        block("test", divisor)


def test_other_arguments_are_checked():
    with refused("cycles must be an integer of at least 1, not 0"):
        LedStretcher("test", 0)
    for size in (0, 512, 1500, 1 << 16, 1024.0, True):
        rule = re.escape(f"buffer_bytes must be a power of two in 1024..32768, not {size!r}")
        with refused(rule):
            FrameBridge(CONFIG, size)
    wide = MacroConfig(rows=1, cols=1024, weight_bits=16, input_bits=16, slice_bits=1)
    with refused("has addresses of 21 bits, and a frame holds 16: lower cols"):
        FrameBridge(wide)
