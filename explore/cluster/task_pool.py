"""What a Dask worker calls: a task goes to a process of its own, which is kept for the next."""

import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from cimforge.explore.cluster.carried_paths import Content, store
from cimforge.explore.cluster.task_process import contents_place, receive, send
from cimforge.explore.cluster.worker_report import lacks, refusal

__all__ = ["Answer", "TaskEndedError", "run_task", "store_contents"]

COMMAND = (sys.executable, "-P", "-m", "cimforge.explore.cluster.task_process")
_idle: list[subprocess.Popen] = []
_lock = threading.Lock()


class TaskEndedError(Exception):
    """The process of a task ended before the task did, for example out of memory."""


class Answer(NamedTuple):
    """The bytes of a result; none where the task was not begun, as ``refused`` says why."""

    data: bytes
    refused: str = ""


def store_contents(contents: Mapping[str, Content]) -> None:
    """Keep contents for tasks on this machine."""
    store(contents, contents_place())


def run_task(
    expected: Mapping[str, str], needs: Sequence[str], digests: Sequence[str], payload: bytes
) -> Answer:
    """Do a task (Packer.pack) where this worker has the ``expected`` text and releases, the tools
    that it ``needs`` and the contents of ``digests``. Raises TaskEndedError."""
    if why := refusal(expected) or _lacking(needs, expected):
        return Answer(b"", why)
    if any(not (contents_place() / digest).is_dir() for digest in digests):
        return Answer(b"", "a file's content is missing")
    with _lock:
        process = _idle.pop() if _idle else None
    if process is None or process.poll() is not None:
        process = subprocess.Popen(COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        send(process.stdin, payload)
        data = receive(process.stdout)
    except OSError:
        data = None
    if data is None:
        process.kill()
        raise TaskEndedError(f"the process of a task ended with status {process.wait()}")
    with _lock:
        _idle.append(process)
    return Answer(data)


def _lacking(needs: Sequence[str], expected: Mapping[str, str]) -> str:
    """The first tool that is missing, with the way to get it; empty where none is."""
    return next((why for need in needs if (why := lacks(need, expected))), "")
