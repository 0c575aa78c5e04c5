"""Processes that work for a sweep: they end with the one that started them, however it ends."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from multiprocessing import get_context
from types import TracebackType
from typing import Any, Protocol, Self

from cimforge.hdl.params.config_file import InputError

__all__ = ["Crew", "Workers", "begin_worker"]

LOOK = 0.5  # seconds between two looks whether the parent is there
ALLOWED_FAILURES = 3  # processes that are ended from outside before a run is given up

Tasks = Iterable[tuple[Any, tuple]]


class Crew(Protocol):
    """Who does tasks: processes of this machine (Workers) or of others."""

    @property
    def jobs(self) -> int:
        """How many tasks are done at once."""

    def __enter__(self) -> Self:
        """Begin."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        failure: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End."""

    def each(
        self, function: Callable[..., Any], tasks: Tasks, needs: Sequence[str] = ()
    ) -> Iterator[tuple[Any, Any]]:
        """(label, result) of ``function(*arguments)`` for each task (label, arguments), once each,
        in the order in which they end. ``needs`` are the tools that it calls. Raises what the
        function raises, and InputError where nobody is left who could do it."""


class Workers:
    """``jobs`` processes; with one job everything is done in this process. Left by an exception,
    they are ended at once. What a process that was ended from outside had to do is done again."""

    def __init__(self, jobs: int):
        self._pool: ProcessPoolExecutor | None = None
        self.jobs = jobs

    def __enter__(self) -> Self:
        if self.jobs > 1:
            self._pool = self._opened()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        failure: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._pool is None:
            return
        if kind is not None:
            self._end()
        self._pool.shutdown(wait=kind is None, cancel_futures=True)

    def _end(self) -> None:
        """End processes that are at work, for which there is no public way. One may have written
        half a result: whoever reads it would wait for the other half as long as anybody could still
        write, and this process could, were its end of the pipe not closed."""
        assert self._pool is not None
        for process in list((self._pool._processes or {}).values()):
            process.terminate()
        results: Any = self._pool._result_queue
        results._writer.close()

    def each(
        self, function: Callable[..., Any], tasks: Tasks, needs: Sequence[str] = ()
    ) -> Iterator[tuple[Any, Any]]:
        """As Crew.each; who calls has seen to the tools."""
        if self._pool is None:
            for label, arguments in tasks:
                yield label, function(*arguments)
            return
        left = list(tasks)
        failures = 0
        while left:
            waiting: dict[Future, tuple[Any, tuple]] = {
                self._pool.submit(function, *task[1]): task for task in left
            }
            left = []
            for future in as_completed(list(waiting)):
                task = waiting.pop(future)
                try:
                    result = future.result()
                except BrokenProcessPool:
                    left.append(task)
                    continue
                yield task[0], result
            if left:
                failures += 1
                self._begin_again(failures)

    def _opened(self) -> ProcessPoolExecutor:
        """Spawned: a fork would copy the locks of progress' threads."""
        return ProcessPoolExecutor(
            self.jobs, mp_context=get_context("spawn"), initializer=begin_worker
        )

    def _begin_again(self, failures: int) -> None:
        """New processes, in place of those that ended. Raises InputError where it is hopeless."""
        if failures > ALLOWED_FAILURES:
            rule = f"processes were ended from outside {failures} times, perhaps out of memory"
            raise InputError(f"{rule}; what was finished is kept, go on with fewer at once")
        assert self._pool is not None
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._pool = self._opened()


def begin_worker() -> None:
    """A worker leaves Ctrl-C to its parent, and ends when that has gone, with all that it has
    started: a simulation of its own, or a process that would wait for work for ever."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(PermissionError):  # it leads a session
        os.setpgid(0, 0)
    own = os.getpid()
    signal.signal(signal.SIGTERM, lambda number, frame: _end(own))
    threading.Thread(target=_watch, args=(os.getppid(), own), daemon=True).start()


def _watch(parent: int, own: int) -> None:
    while os.getppid() == parent:
        time.sleep(LOOK)
    _end(own)


def _end(leader: int) -> None:
    """End the group of processes that ``leader`` leads; a copy of it, by a fork, ends alone."""
    if os.getpid() == leader == os.getpgrp():
        os.killpg(leader, signal.SIGKILL)
    os._exit(1)
