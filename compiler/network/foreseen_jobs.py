"""The jobs of a network before any has run: NumPy's sums stand for the hardware's, which are equal,
so jobs of all layers can be run at the same time."""

import threading
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, Full, Queue

import numpy as np
from numpy.typing import NDArray

from cimforge.compiler.graph.graph import Graph
from cimforge.compiler.map.macro_products import MacroProducts
from cimforge.compiler.network.feeds import Feeds
from cimforge.compiler.network.network_run import NetworkRun
from cimforge.compiler.tiling import Job, run_job_golden
from cimforge.hdl.params.config import MacroConfig

__all__ = ["foreseen_jobs"]

Ints = NDArray[np.int64]
AHEAD = 4  # jobs that wait to be taken: each may hold much
WAIT_S = 0.1


class _StoppedError(Exception):
    """Nobody takes jobs any more."""


@dataclass
class _Foreseer:
    """A JobRunner that hands jobs on, and gives the results that they will have."""

    jobs: "Queue[Job | Exception | None]"
    stop: threading.Event
    cycles: int = 0
    pass_cycles: int = 0

    def run_job(self, config: MacroConfig, job: Job) -> Ints:
        """The job's results (tiles, vectors, cols)."""
        self.put(job)
        if not config.tree_traits.exact:
            return run_job_golden(config, job)
        x, w = job.inputs.astype(np.float64), job.weights.astype(np.float64)
        return np.matmul(x[job.k_index], w).astype(np.int64)  # 32 bits and rows: exact in float64

    def put(self, item: Job | Exception | None) -> None:
        """Hand on, once there is room."""
        while not self.stop.is_set():
            with suppress(Full):
                self.jobs.put(item, timeout=WAIT_S)
                return
        raise _StoppedError


def foreseen_jobs(
    graph: Graph,
    feeds: Feeds,
    config: MacroConfig,
    macros: int = 1,
    chosen: Collection[str] | None = None,
) -> Iterator[Job]:
    """The jobs that NetworkRun will have run for ``feeds`` on ``macros`` macros of ``config``, in
    that order, a few at a time. Where hardware differs from golden those behind it differ too.

    Raises what NetworkRun.run does.
    """
    foreseer = _Foreseer(Queue(AHEAD), threading.Event())
    worker = MacroProducts(config, foreseer, macros, chosen)
    run = NetworkRun(graph, config, worker, macros, compare=False, announce=lambda text: None)

    def foresee() -> None:
        try:
            run.run(feeds)
            foreseer.put(None)
        except _StoppedError:
            return
        except Exception as error:
            with suppress(_StoppedError):
                foreseer.put(error)

    thread = threading.Thread(target=foresee, daemon=True)
    thread.start()
    try:
        while (item := _next(foreseer.jobs)) is not None:
            if isinstance(item, Exception):
                raise item
            yield item
    finally:
        foreseer.stop.set()
        thread.join()


def _next(jobs: "Queue[Job | Exception | None]") -> Job | Exception | None:
    """The next item; waits in steps, so that Ctrl-C is heard."""
    while True:
        with suppress(Empty):
            return jobs.get(timeout=WAIT_S)
