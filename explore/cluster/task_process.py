"""The process that does a worker's tasks, one by one: ``python -m`` this, bytes in, bytes out.

A worker's threads cannot: simulations change the environment and limits of the process they are
started from, and a task that is ended by the system would take the worker with it.
"""

import os
import pickle
import shutil
import struct
import sys
from pathlib import Path
from typing import IO, Any

from cimforge.explore.cluster.carried_paths import Unpacked, pack_result, unpack
from cimforge.flow.simulate.build_place import shelter
from cimforge.flow.worker_pool import begin_worker

__all__ = ["contents_place", "main", "receive", "send"]

LENGTH = struct.Struct("<Q")
TASKS = "tasks"  # folder of scratch below the shelter, a folder a process


def send(stream: IO[bytes], data: bytes) -> None:
    """Write one message."""
    stream.write(LENGTH.pack(len(data)))
    stream.write(data)
    stream.flush()


def receive(stream: IO[bytes]) -> bytes | None:
    """The next message; None where the other end has gone."""
    head = stream.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    (length,) = LENGTH.unpack(head)
    data = stream.read(length)
    return data if len(data) == length else None


def contents_place() -> Path:
    """Where contents that tasks read are kept on this machine, for all workers of the user."""
    return shelter() / "contents"


def main() -> None:
    """Do tasks until the worker has gone."""
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a task prints is no message
    begin_worker()
    scratch = shelter() / TASKS / str(os.getpid())
    _clear(scratch.parent)
    try:
        while (payload := receive(sys.stdin.buffer)) is not None:
            send(out, _perform(payload, scratch))
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _perform(payload: bytes, scratch: Path) -> bytes:
    """(whether it returned, what it returned or raised) of a task."""
    origins: dict[str, str] = {}
    try:
        task: Unpacked = unpack(payload, contents_place(), scratch)
        origins = task.origins
        function, arguments = task.value
        outcome: tuple[bool, Any] = True, function(*arguments)
    except Exception as error:
        outcome = False, error
    try:
        return pack_result(outcome, origins)
    except (pickle.PicklingError, TypeError, AttributeError):
        return pack_result((False, RuntimeError(f"{outcome[1]!r}")), origins)


def _clear(tasks: Path) -> None:
    """Remove what processes that are no more have left."""
    for left in tasks.glob("*"):
        if left.name.isdigit() and not Path("/proc", left.name).exists():
            shutil.rmtree(left, ignore_errors=True)


if __name__ == "__main__":
    main()
