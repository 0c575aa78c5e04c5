"""The port over SPI: escapes, idle bytes and time-outs, with a transfer that is a function."""

import random
import re

import pytest

from cimforge.hdl.bus.registers import MAGIC
from cimforge.hdl.params.config_file import load_config
from cimforge.host.driver import FrameLink, LinkError, MacroDriver
from cimforge.host.spi import ESCAPE, IDLE, TURNED, SpiPort
from cimforge.host.tests.board_twin import BoardTwin

CONFIG = load_config("tiny")


class SlaveTwin:
    """What the device's slave does with bytes: escapes, and idles at random in between."""

    def __init__(self, board: BoardTwin, idles: float = 0.3):
        self.board, self.idles = board, idles
        self.rng = random.Random(1)
        self.out = bytearray()

    def transfer(self, data: bytes) -> bytes:
        """Bytes out and in."""
        came = bytearray()
        for _ in data:
            if not self.out and (byte := self.board.read(1)):
                special = byte[0] in (IDLE, ESCAPE)
                self.out += bytes([ESCAPE, byte[0] ^ TURNED]) if special else byte
            idle = not self.out or (self.rng.random() < self.idles and self.out[0] != ESCAPE)
            came.append(IDLE if idle and not self._turning else self.out.pop(0))
            self._turning = came[-1] == ESCAPE
        self.board.write(data)
        return bytes(came)

    _turning = False


def test_a_driver_works_over_spi():
    twin = SlaveTwin(BoardTwin(CONFIG))
    rng = random.Random(2)
    weights = [[rng.randrange(16) for _ in range(4)] for _ in range(8)]
    vectors = [[rng.randrange(16) for _ in range(8)] for _ in range(150)]
    with MacroDriver(FrameLink(SpiPort(twin.transfer, 1e6)), CONFIG) as driver:
        driver.load_weights(weights, signed=False)
        results = driver.multiply(vectors, x_signed=False)
    expected = [
        [sum(x * w for x, w in zip(v, c, strict=True)) for c in zip(*weights, strict=True)]
        for v in vectors
    ]
    assert results.tolist() == expected


def test_every_byte_comes_back_as_it_is():
    sent = bytes(range(256))
    board = BoardTwin(CONFIG)
    board.waiting = sent + bytes([ESCAPE, IDLE, ESCAPE, ESCAPE])
    port = SpiPort(SlaveTwin(board).transfer, 1e6, poll=7)
    assert port.read(100) == sent[:100]
    assert port.read(160) == sent[100:] + bytes([ESCAPE, IDLE, ESCAPE, ESCAPE])


@pytest.mark.parametrize("byte", [IDLE, 0x00, 0xFF, 0x5A, ESCAPE])
def test_a_dead_line_ends(byte):
    """One that idles, and those that are stuck, or open: an error in bounded polls."""
    calls = []

    def transfer(data: bytes) -> bytes:
        calls.append(len(data))
        return bytes([byte]) * len(data)

    with pytest.raises(LinkError, match="read of 0x0000"):
        FrameLink(SpiPort(transfer, 8000, timeout=0.5)).read(0)
    assert sum(calls) < 100_000


def test_a_read_ends_after_the_time_out():
    polled = []
    port = SpiPort(lambda data: polled.append(len(data)) or bytes([IDLE]) * len(data), 8000)
    assert port.read(5) == b""
    assert 1000 <= sum(polled) < 1064


def test_what_arrived_before_is_dropped():
    board = BoardTwin(CONFIG)
    link = FrameLink(SpiPort(SlaveTwin(board).transfer, 1e6))
    board.waiting = bytes(range(200))
    assert link.read(0) == MAGIC


@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf")])
@pytest.mark.parametrize("name", ["hz", "timeout", "poll"])
def test_numbers_are_checked(name, value):
    given = {"hz": 1e6, "timeout": 1.0, "poll": 64, name: value}
    hz = given.pop("hz")
    with pytest.raises(ValueError, match=re.escape(f"{name} must be above 0, not {value!r}")):
        SpiPort(bytes, hz, **given)
