"""Jobs through the host's driver, on a board made of the bus model: no simulator, no hardware."""

import numpy as np
import pytest

from cimforge.cocotb_tests.bus.bus_model import Access, BusModel
from cimforge.compiler.backends.serial_port import SerialBackend
from cimforge.compiler.matmul import exact_matmul, tiled_matmul
from cimforge.hdl.params.config_file import load_config
from cimforge.host import protocol
from cimforge.host.driver import LinkError, open_serial

CONFIG = load_config("tiny", ["banks=2"])


class Board:
    """A port whose other end answers frames as the bridge does, each beat done at once."""

    def __init__(self, config):
        self.bus = BusModel(config)
        self.waiting = b""
        self.broken_after = None  # replies until the line goes dead
        self.baud = 0

    def connect(self, device: str, baud: int) -> "Board":
        self.baud = baud
        return self

    def write(self, data: bytes) -> None:
        operation, address = data[1], int.from_bytes(data[2:4], "little")
        assert data[0] == protocol.REQUEST
        assert protocol.crc8(data[:-1]) == data[-1]
        word = int.from_bytes(data[4:8], "little") if operation == protocol.WRITE else None
        access = Access(address, word)
        self.bus.sure = dict.fromkeys("xwr", True)
        self.bus.full = {"y": bool(self.bus.results), "q": bool(self.bus.rows)}
        expected = self.bus.expect(access)
        status = protocol.OK if expected.outcomes == {"ack"} else protocol.BUS_ERROR
        reply = bytes([protocol.REPLY, status])
        if status == protocol.OK and word is None:
            reply += (expected.data or 0).to_bytes(4, "little")
        if status == protocol.OK:
            self.bus.account(access, expected.data or 0)
        if self.broken_after is not None:
            self.broken_after -= 1
        if self.broken_after is None or self.broken_after >= 0:
            self.waiting += reply + bytes([protocol.crc8(reply)])

    def reset_input_buffer(self) -> None:
        self.waiting = b""

    def read(self, size: int) -> bytes:
        taken, self.waiting = self.waiting[:size], self.waiting[size:]
        return taken


def operands():
    rng = np.random.default_rng(3)
    return rng.integers(0, 16, (3, 19)), rng.integers(-8, 8, (19, 7))


def test_products_come_back_tile_by_tile():
    board = Board(CONFIG)
    steps = []
    backend = SerialBackend(
        "port", 9600, steps.append, lambda *done: steps.append(done), board.connect
    )
    x, w = operands()
    assert np.array_equal(tiled_matmul(CONFIG, backend.run_job)(x, w), exact_matmul(x, w))
    assert backend.bit_exact
    assert (backend.macs, board.baud) == (3 * 19 * 7, 9600)
    assert steps[0] == "connecting to port"
    assert (5, 6) in steps


def test_wrong_results_are_noticed(monkeypatch):
    board = Board(CONFIG)
    backend = SerialBackend("port", 9600, lambda _: None, None, board.connect)
    start = board.bus._start_pass

    def off_by_one(word):
        start(word)
        board.bus.results[-1][0] += 1

    monkeypatch.setattr(board.bus, "_start_pass", off_by_one)
    tiled_matmul(CONFIG, backend.run_job)(*operands())
    assert not backend.bit_exact


def test_a_line_that_dies_is_an_error():
    board = Board(CONFIG)
    board.broken_after = 50
    backend = SerialBackend("port", 9600, lambda _: None, None, board.connect)
    with pytest.raises(LinkError, match="within the time-out"):
        tiled_matmul(CONFIG, backend.run_job)(*operands())


def test_a_board_with_another_macro_is_refused():
    board = Board(load_config("tiny"))
    backend = SerialBackend("port", 9600, lambda _: None, None, board.connect)
    with pytest.raises(LinkError, match="the device holds a macro with hash"):
        tiled_matmul(CONFIG, backend.run_job)(*operands())


def test_a_port_that_is_not_there_is_an_error():
    with pytest.raises(LinkError, match="no-such-port: No such file"):
        open_serial("/dev/no-such-port", 9600)
