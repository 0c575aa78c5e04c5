"""cimforge run FILE --cluster: a network's jobs on workers, kept for the run that follows."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cimforge.compiler.graph.graph import Graph
from cimforge.compiler.map.layer_plan import plan_network
from cimforge.compiler.network.feeds import Feeds
from cimforge.compiler.network.foreseen_jobs import foreseen_jobs
from cimforge.compiler.network.kept_jobs import KeptJobs
from cimforge.compiler.tiling import Job, run_job_golden
from cimforge.explore.workers import Crew
from cimforge.flow.simulate.simulator import locked
from cimforge.hdl.params.config import MacroConfig
from cimforge.scripts.way import GOLDEN, Way

__all__ = ["fetch_jobs", "run_network_job"]

_runners: dict[tuple, Any] = {}  # of this process


def fetch_jobs(
    graph: Graph,
    feeds: Feeds,
    told: tuple[MacroConfig, int, set[str] | None],
    kept: KeptJobs,
    crew: Crew,
    how: tuple[Way, bool, Path],
    progress: Callable[[int, int], None],
) -> int:
    """Run a network's jobs by ``crew``, and keep their results; how many it were.

    ``told`` are the macro, how many of it, and the nodes for it; ``how`` is run_network_job's. The
    same jobs as NetworkRun's, so its counts are the same too. Raises what the jobs raise.
    """
    config, macros, chosen = told
    way, player, folder = how
    plan = plan_network(graph, config, macros, feeds.items)
    total = sum(layer.passes for layer in plan if chosen is None or layer.name in chosen)
    done = fetched = 0
    jobs: dict[int, Job] = {}

    def tasks():
        nonlocal done
        for number, job in enumerate(foreseen_jobs(graph, feeds, config, macros, chosen)):
            if kept.has(config, job):
                done += job.plan.passes
                continue
            jobs[number] = job
            yield number, (config, job, way, player, folder)

    needs = () if way.backend == GOLDEN else (way.simulator,)
    for number, (results, cycles, passing, checked) in crew.each(run_network_job, tasks(), needs):
        job = jobs.pop(number)
        kept.keep(config, job, results, (cycles, passing), checked)
        fetched += 1
        done += job.plan.passes
        progress(min(done, total), total)
    return fetched


def run_network_job(
    config: MacroConfig, job: Job, way: Way, player: bool, folder: Path
) -> tuple[NDArray[np.int64], int, int, bool]:
    """A job's results, cycles, pass cycles, and whether they are golden's, on the way that it goes;
    what it needs is in ``folder``, and is made there once."""
    key = (way, player, config.digest, folder)
    if key not in _runners:
        with locked(folder.with_suffix(".lock"), lambda text: None):
            quiet: Any = lambda *told: None  # noqa: E731
            _runners[key] = way.open(config, folder, quiet, quiet, player=player)
    runner = _runners[key]
    before = runner.cycles, runner.pass_cycles
    results = runner.run_job(config, job)
    counts = runner.cycles - before[0], runner.pass_cycles - before[1]
    checked = way.backend == GOLDEN or np.array_equal(results, run_job_golden(config, job))
    return results, *counts, checked
