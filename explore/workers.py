"""Processes that work for a sweep: they end with the one that started them, however it ends."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from typing import Any, Self

__all__ = ["Workers"]

LOOK = 0.5  # seconds between two looks whether the parent is there


class Workers:
    """``jobs`` processes; with one job everything is done in this process. Left by an exception,
    they are ended at once."""

    def __init__(self, jobs: int):
        self._pool: ProcessPoolExecutor | None = None
        self.jobs = jobs

    def __enter__(self) -> Self:
        if self.jobs > 1:  # spawned: a fork would copy the locks of progress' threads
            self._pool = ProcessPoolExecutor(
                self.jobs, mp_context=get_context("spawn"), initializer=_begin
            )
        return self

    def __exit__(self, kind: object, *failure: object) -> None:
        if self._pool is None:
            return
        if kind is not None:
            for process in list((self._pool._processes or {}).values()):
                process.terminate()  # no public way ends those that are at work
        self._pool.shutdown(wait=kind is None, cancel_futures=True)

    def each(
        self, function: Callable[..., Any], tasks: Iterable[tuple[Any, tuple]]
    ) -> Iterator[tuple[Any, Any]]:
        """(label, result) of ``function(*arguments)`` for each task (label, arguments), in the
        order in which they end."""
        if self._pool is None:
            for label, arguments in tasks:
                yield label, function(*arguments)
            return
        waiting: dict[Future, Any] = {
            self._pool.submit(function, *arguments): label for label, arguments in tasks
        }
        for future in as_completed(waiting):
            yield waiting.pop(future), future.result()


def _begin() -> None:
    """A worker leaves Ctrl-C to its parent, and ends when that has gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_watch, args=(os.getppid(),), daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(LOOK)
    os._exit(1)
