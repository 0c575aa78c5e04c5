"""Tasks handed to a scheduler a few at a time, and each result taken once."""

import asyncio
import concurrent.futures
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from itertools import count
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from cimforge.explore.cluster.carried_paths import unpack_result
from cimforge.explore.workers import Tasks
from cimforge.hdl.params.config_file import InputError

if TYPE_CHECKING:
    from cimforge.explore.cluster.dask_workers import DaskWorkers

__all__ = ["spread"]

# What fetching a result raises where who holds it, or the scheduler, has gone.
GONE = (OSError, TimeoutError, asyncio.CancelledError, concurrent.futures.CancelledError)
AHEAD = 3  # tasks for each thread: one at work, the next already there
LEAST_AHEAD = 8
WAIT_S = 0.5  # for a result, then who is there is looked at
MOST_REFUSALS = 20  # of one task
SLOW_S = 30.0  # of a task at the least before it is given to a second worker as well
SLOW_RATIO = 4  # times the longest that has ended


@dataclass
class _Sent:
    """A task on its way: its payload, its futures by key, and who may take it (empty: anyone)."""

    label: Any
    payload: bytes
    digests: tuple[str, ...]
    since: float
    futures: dict[str, Any] = field(default_factory=dict)
    takers: frozenset[str] = frozenset()
    refusals: int = 0
    doubled: bool = False


def spread(
    crew: "DaskWorkers", function: Callable[..., Any], tasks: Tasks, needs: tuple[str, ...]
) -> Iterator[tuple[Any, Any]]:
    """Crew.each for workers behind a scheduler."""
    with closing(_Spread(crew, function, needs)) as run:
        yield from run.results(iter(tasks))


class _Spread:
    def __init__(self, crew: "DaskWorkers", function: Callable[..., Any], needs: tuple[str, ...]):
        self._crew, self._function, self._needs = crew, function, needs
        self._run, self._numbers = f"cimforge-{uuid4().hex[:12]}", count()
        self._waiting: dict[str, _Sent] = {}  # by key: a task that is doubled stands here twice
        self._done: SimpleQueue[Any] = SimpleQueue()
        self._longest = 0.0

    def close(self) -> None:
        """Give up what is still waited for."""
        futures = [f for sent in self._waiting.values() for f in sent.futures.values()]
        self._waiting.clear()
        if futures:
            self._crew.cancel(futures)

    def results(self, source: Iterator[tuple[Any, tuple]]) -> Iterator[tuple[Any, Any]]:
        more = True
        while True:
            while more and len(self._waiting) < self._room():
                task = next(source, None)
                if task is None:
                    more = False
                    break
                self._begin(*task)
            if not self._waiting:
                return
            try:
                future = self._done.get(timeout=WAIT_S)
            except Empty:
                self._look(more)
                continue
            self._crew.look()
            yield from self._taken(future)

    def _room(self) -> int:
        """Tasks that may be on their way at once."""
        self._crew.wait_for(self._needs)
        return max(LEAST_AHEAD, AHEAD * self._crew.threads(self._needs))

    def _begin(self, label: Any, arguments: tuple) -> None:
        payload, digests = self._crew.packer.pack((self._function, arguments))
        self._send(_Sent(label, payload, tuple(sorted(digests)), time.monotonic()))

    def _send(self, sent: _Sent) -> None:
        key = f"{self._run}-{next(self._numbers)}"
        future, sent.takers = self._crew.submit(sent.payload, sent.digests, self._needs, key)
        sent.futures[key] = future
        self._waiting[key] = sent
        future.add_done_callback(self._done.put)

    def _look(self, more: bool) -> None:
        """Nothing has come for a while: see who is there, send again what nobody is left for, and
        help with what takes long."""
        self._crew.wait_for(self._needs)
        now, limit = time.monotonic(), max(SLOW_S, SLOW_RATIO * self._longest)
        for sent in list({id(each): each for each in self._waiting.values()}.values()):
            if sent.takers and not sent.takers & self._crew.members.keys():
                self._drop(sent)
                self._send(sent)
            elif not more and not sent.doubled and now - sent.since > limit:
                sent.doubled = True
                self._send(sent)

    def _drop(self, sent: _Sent) -> None:
        """Wait for none of a task's futures any more."""
        for key in sent.futures:
            self._waiting.pop(key, None)
        self._crew.cancel(list(sent.futures.values()))
        sent.futures.clear()

    def _taken(self, future: Any) -> Iterator[tuple[Any, Any]]:
        """The result of a future, unless its task was answered before."""
        sent = self._waiting.get(future.key)
        if sent is None:
            return
        if future.status == "error":
            raise InputError(f"--cluster {self._crew.address}: {_cause(future.exception())}")
        answer = None
        if future.status == "finished":
            with suppress(*GONE):
                answer = future.result()
        if answer is None or answer.refused:  # cancelled, lost, or not begun
            del self._waiting[future.key], sent.futures[future.key]
            if answer:
                self._refused(sent, answer.refused)
            if not sent.futures:
                self._crew.wait_for(self._needs)
                self._send(sent)
            return
        del sent.futures[future.key], self._waiting[future.key]
        self._drop(sent)
        self._longest = max(self._longest, time.monotonic() - sent.since)
        returned, value = unpack_result(answer.data)
        if not returned:
            raise value
        yield sent.label, value

    def _refused(self, sent: _Sent, why: str) -> None:
        """A worker has not begun a task, for example one that came after the last look. Raises
        InputError where that goes on."""
        sent.refusals += 1
        if sent.refusals > MOST_REFUSALS:
            raise InputError(f"--cluster {self._crew.address}: no worker begins a task: {why}")
        self._crew.look_again()


def _cause(error: Any) -> str:
    """Why a task has no result, in one line."""
    kind = type(error).__name__
    if kind == "KilledWorker":
        rule = "several workers ended at one task, perhaps out of memory"
    else:
        rule = f"a task failed: {kind}: {error}"
    return f"{rule}; what was finished is kept"
