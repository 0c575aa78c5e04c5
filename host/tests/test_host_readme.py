"""The README's example, on a pseudo-terminal with a twin of the board at the other end."""

import os
import pty
import re
import threading
import tty
from pathlib import Path

import numpy as np
import pytest

from cimforge.hdl.params.config_file import load_config
from cimforge.host.tests.board_twin import BoardTwin

README = Path(__file__).parents[1] / "README.md"


@pytest.fixture
def serial_board():
    """The device's name of a board with the README's macro."""
    pytest.importorskip("serial", reason="needs pyserial (cimforge[fpga])")
    master, slave = pty.openpty()
    tty.setraw(slave)
    os.set_blocking(master, False)
    twin, stop = BoardTwin(load_config("fpga_small")), threading.Event()

    def serve() -> None:
        while not stop.is_set():
            try:
                twin.write(os.read(master, 4096))
            except BlockingIOError:
                stop.wait(0.001)
            if answer := twin.read(1 << 16):
                os.write(master, answer)

    thread = threading.Thread(target=serve)
    thread.start()
    yield os.ttyname(slave)
    stop.set()
    thread.join()
    os.close(slave)
    os.close(master)


def test_the_example_runs(serial_board):
    (example,) = re.findall(r"```python\n(.*?)```", README.read_text(), re.S)
    rng = np.random.default_rng(2)
    given = {"weights": rng.integers(-8, 8, (16, 8)), "vectors": rng.integers(-128, 128, (3, 16))}
    exec(example.replace("/dev/ttyUSB0", serial_board), given)
    assert np.array_equal(given["y"], given["vectors"] @ given["weights"])
