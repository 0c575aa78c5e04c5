"""A twin of a board at the other end of a pseudo-terminal: a serial port by name."""

import os
import pty
import threading
import tty
from collections.abc import Iterator
from contextlib import contextmanager

from cimforge.hdl.params.config import MacroConfig
from cimforge.host.tests.board_twin import BoardTwin

__all__ = ["pty_board"]


@contextmanager
def pty_board(config: MacroConfig) -> Iterator[str]:
    """The device's name of a board with this macro."""
    master, slave = pty.openpty()
    tty.setraw(slave)
    os.set_blocking(master, False)
    twin, stop = BoardTwin(config), threading.Event()

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
    try:
        yield os.ttyname(slave)
    finally:
        stop.set()
        thread.join()
        os.close(slave)
        os.close(master)
