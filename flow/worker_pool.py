"""Processes that work for this one: they leave Ctrl-C to it, and end with it, however it ends."""

import os
import signal
import threading
import time
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager, suppress
from multiprocessing import get_context
from queue import SimpleQueue
from types import TracebackType
from typing import Any

__all__ = ["WorkerPool", "begin_worker"]

LOOK = 0.5  # seconds between two looks whether the parent is there


class WorkerPool(ProcessPoolExecutor):
    """``jobs`` processes, spawned or forked as ``start`` says. Left by an exception, they are ended
    at once, with all that they have started.

    Ctrl-C reaches every process of a terminal's group. A worker must not answer it: it may be just
    starting, or be between the length of a message and the message, which another would then read
    from its middle."""

    def __init__(self, jobs: int, start: str):
        super().__init__(jobs, mp_context=get_context(start), initializer=begin_worker)
        self._ended: SimpleQueue[Future] = SimpleQueue()

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future:
        """As of an executor; processes that it starts are deaf to Ctrl-C from their beginning."""
        with _without_interrupts():
            future = super().submit(function, *args, **kwargs)
            future.add_done_callback(self._ended.put)
        return future

    def ended(self, runs: Collection[Future]) -> Iterator[Future]:
        """Each of ``runs``, which submit returned, in the order in which they end. To wait for a
        future itself takes a lock of it, which Ctrl-C at the wrong instruction leaves taken: who
        ends the pool would wait for it for ever."""
        left = set(runs)
        while left:
            run = self._ended.get()
            if run in left:
                left.remove(run)
                yield run

    def __exit__(
        self,
        kind: type[BaseException] | None,
        failure: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is not None:
            self._end()
        self.shutdown(cancel_futures=kind is not None)

    def _end(self) -> None:
        """End processes that are at work, for which there is no public way. One may have written
        half a result: whoever reads it would wait for the other half as long as anybody could still
        write, and this process could, were its end of the pipe not closed."""
        for leader, process in list((self._processes or {}).items()):
            try:
                os.killpg(leader, signal.SIGKILL)
            except ProcessLookupError:  # it leads no group yet, or is no more
                process.kill()
        results: Any = self._result_queue
        results._writer.close()


@contextmanager
def _without_interrupts() -> Iterator[None]:
    """Ctrl-C waits, whichever thread it reaches; processes that are started meanwhile begin deaf to
    it."""
    came: list[int] = []
    handler = signal.getsignal(signal.SIGINT)
    heard = callable(handler) and threading.current_thread() is threading.main_thread()
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    if heard:
        signal.signal(signal.SIGINT, lambda number, _: came.append(number))
    try:
        yield
    finally:
        if heard:
            signal.signal(signal.SIGINT, handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        if came:
            signal.raise_signal(signal.SIGINT)


def begin_worker() -> None:
    """A worker leaves Ctrl-C to its parent, and ends when that has gone, with all that it has
    started: a simulation of its own, or a process that would wait for work for ever."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
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
