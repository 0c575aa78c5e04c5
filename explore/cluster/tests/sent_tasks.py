"""What the tests of this folder send to workers."""

import os
import signal
import time
from multiprocessing import connection
from pathlib import Path

__all__ = ["end_here", "end_once", "half_told", "read_and_write", "whose"]


def whose(number: int, seconds: float = 0.0) -> tuple[int, int, int]:
    """``number`` squared, this process and the worker that started it."""
    time.sleep(seconds)
    return number * number, os.getpid(), os.getppid()


def read_and_write(source: Path, folder: Path) -> tuple[str, Path, str]:
    """The text of a file, a path below ``folder`` and a text with that path."""
    folder.mkdir(parents=True)
    (folder / "log").write_text(source.read_text())
    return (folder / "log").read_text(), folder / "log", f"see {folder}/log, {source}"


def end_once(marker: str) -> str:
    """Ends its process by SIGKILL the first time."""
    if not os.path.exists(marker):
        Path(marker).touch()
        end_here()
    return "done"


def end_here() -> None:
    """As the system does where memory is out."""
    os.kill(os.getpid(), signal.SIGKILL)


def half_told(length: int) -> bytes:
    """A result of which the process writes one half, and then waits."""
    send = connection.Connection._send

    def half(self, data, write=os.write):
        send(self, memoryview(bytes(data))[: len(data) // 2])
        time.sleep(600)

    connection.Connection._send = half
    return bytes(length)
