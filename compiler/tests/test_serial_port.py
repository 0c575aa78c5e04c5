"""Jobs through the host's driver, on a twin of a board: no simulator, no hardware."""

import numpy as np
import pytest

from cimforge.compiler.backends.serial_port import SerialBackend
from cimforge.compiler.matmul import exact_matmul, tiled_matmul
from cimforge.hdl.params.config_file import load_config
from cimforge.host.driver import LinkError, open_serial
from cimforge.host.tests.board_twin import BoardTwin

CONFIG = load_config("tiny", ["banks=2"])


def operands():
    rng = np.random.default_rng(3)
    return rng.integers(0, 16, (3, 19)), rng.integers(-8, 8, (19, 7))


def test_products_come_back_tile_by_tile():
    board = BoardTwin(CONFIG)
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
    board = BoardTwin(CONFIG)
    backend = SerialBackend("port", 9600, lambda _: None, None, board.connect)
    start = board.bus._start_pass

    def off_by_one(word):
        start(word)
        board.bus.results[-1][0] += 1

    monkeypatch.setattr(board.bus, "_start_pass", off_by_one)
    tiled_matmul(CONFIG, backend.run_job)(*operands())
    assert not backend.bit_exact


def test_a_line_that_dies_is_an_error():
    board = BoardTwin(CONFIG)
    board.broken_after = 20
    backend = SerialBackend("port", 9600, lambda _: None, None, board.connect)
    with pytest.raises(LinkError, match="within the time-out"):
        tiled_matmul(CONFIG, backend.run_job)(*operands())


def test_a_board_with_another_macro_is_refused():
    board = BoardTwin(load_config("tiny"))
    backend = SerialBackend("port", 9600, lambda _: None, None, board.connect)
    with pytest.raises(LinkError, match="the device holds a macro with hash"):
        tiled_matmul(CONFIG, backend.run_job)(*operands())


def test_a_port_that_is_not_there_is_an_error():
    with pytest.raises(LinkError, match="no-such-port: No such file"):
        open_serial("/dev/no-such-port", 9600)
