"""Processes that work for a sweep: a task of one that is ended from outside is done again."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from types import TracebackType
from typing import Any, Protocol, Self

from cimforge.flow.worker_pool import WorkerPool
from cimforge.hdl.params.config_file import InputError

__all__ = ["Crew", "Workers"]

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
        self._pool: WorkerPool | None = None
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
        self._pool.__exit__(kind, failure, trace)

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
            waiting: dict[Future, tuple[Any, tuple]] = {}
            for place, task in enumerate(left):
                try:
                    waiting[self._pool.submit(function, *task[1])] = task
                except BrokenProcessPool:  # one has ended already
                    left = left[place:]
                    break
            else:
                left = []
            for future in self._pool.ended(list(waiting)):
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

    def _opened(self) -> WorkerPool:
        """Spawned: a fork would copy the locks of progress' threads."""
        return WorkerPool(self.jobs, "spawn")

    def _begin_again(self, failures: int) -> None:
        """New processes, in place of those that ended. Raises InputError where it is hopeless."""
        if failures > ALLOWED_FAILURES:
            rule = f"processes were ended from outside {failures} times, perhaps out of memory"
            raise InputError(f"{rule}; what was finished is kept, go on with fewer at once")
        assert self._pool is not None
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._pool = self._opened()
