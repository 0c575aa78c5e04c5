"""What a task costs beside its own work: ``python -m cimforge.scripts.cluster_overhead``.

Starts a scheduler and two workers here, sends tasks that return what they are given, and prints, by
size, the time a task takes through a pool of processes and through Dask, and the processor time
that it takes from the sender, the scheduler and the workers. Sender and scheduler are one process
each: what the busier of them takes is how much longer a task must be, a worker, for all to be busy.

``--sweep SWEEP.toml`` measures that sweep instead, with one and with two workers.
"""

import argparse
import json
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cimforge.explore.cluster.dask_workers import DaskWorkers
from cimforge.explore.cluster.own_cluster import OwnCluster
from cimforge.explore.points import list_points
from cimforge.explore.result_store import ResultStore
from cimforge.explore.run_sweep import run_sweep
from cimforge.explore.sweep_file import read_sweep
from cimforge.explore.workers import Crew, Workers
from cimforge.hdl.emit.output_paths import BUILD
from cimforge.scripts.options import show_table, stderr

__all__ = ["main"]

SIZES = (0, 10_000, 1_000_000)  # bytes there, and back
MOST = 400  # tasks of one size
MOST_BYTES = 50_000_000  # of all tasks of a size
WORKERS = 2
MANY = 1000  # of the calculation
WAITS, WAIT_S = 24, 0.25  # tasks that wait, and for how many seconds
REPEATS = 2  # of a sweep: the shorter time counts

Clock = Callable[[], float]


def main(arguments: list[str] | None = None) -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(prog="python -m cimforge.scripts.cluster_overhead")
    parser.add_argument("--tasks", type=int, default=MOST, help="tasks of one size at most")
    parser.add_argument("--sweep", type=Path, help="measure this sweep instead")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args(arguments)
    Path(BUILD).mkdir(exist_ok=True)
    stderr.print("a minute or two …")
    with TemporaryDirectory(dir=BUILD) as place:
        if options.sweep:
            told = _speed_up(Path(place), options.sweep)
        else:
            told = _overhead(Path(place), options.tasks)
    if options.json:
        print(json.dumps(told, indent=2))
    elif options.sweep:
        _show_speed_up(told)
    else:
        _show_overhead(told)


def _overhead(folder: Path, most: int) -> dict[str, Any]:
    from psutil import Process  # comes with Dask

    begun = time.perf_counter()
    with Workers(WORKERS) as pool:
        _wait_for_all(pool)
        starts = {"local": time.perf_counter() - begun}
        here = {size: _spread(pool, size, most, {}) for size in SIZES}
    begun = time.perf_counter()
    with OwnCluster(folder) as own, ExitStack() as stack:
        crew = _opened(own, WORKERS, stack)
        starts["dask"] = time.perf_counter() - begun
        clocks: dict[str, Clock] = {
            "sender": time.process_time,
            "scheduler": _clock([Process(own.scheduler.pid)]),
            "worker": _clock([Process(worker.pid) for worker in own.workers]),
        }
        there = {size: _spread(crew, size, most, clocks) for size in SIZES}
        begun = time.perf_counter()
        list(crew.each(time.sleep, [(number, (WAIT_S,)) for number in range(WAITS)]))
        waited = time.perf_counter() - begun
    rows = [
        {"bytes": size, "tasks": _count(size, most), "local_ms": here[size]["ms"], **there[size]}
        for size in SIZES
    ]
    shown = {name: round(seconds, 2) for name, seconds in starts.items()}
    speed_up = round(WAITS * WAIT_S / waited, 2)  # of tasks that take no processor's time
    return {"workers": WORKERS, "start_s": shown, "waiting_speed_up": speed_up, "sizes": rows}


def _opened(own: OwnCluster, workers: int, stack: ExitStack) -> Crew:
    """The crew of so many workers, all there and ready."""
    while len(own.workers) < workers:
        own.add()
    crew = stack.enter_context(DaskWorkers(own.address, lambda text: None))
    while len(crew.members) < workers:
        crew.look()
        time.sleep(0.05)
    _wait_for_all(crew)
    return crew


def _wait_for_all(crew: Crew) -> None:
    """Until the processes of tasks are there."""
    list(crew.each(time.sleep, [(number, (0.2,)) for number in range(2 * WORKERS)]))


def _clock(processes: list) -> Clock:
    """Processor time of these, in seconds."""

    def seconds() -> float:
        return sum(sum(process.cpu_times()[:2]) for process in processes)

    return seconds


def _spread(crew: Crew, size: int, most: int, clocks: dict[str, Clock]) -> dict[str, float]:
    """Milliseconds a task, of the wall's clock and of the others."""
    count = _count(size, most)
    tasks = ((number, (bytes(size),)) for number in range(count))
    before = {name: clock() for name, clock in clocks.items()}
    begun = time.perf_counter()
    done = sum(len(result) == size for _, result in crew.each(bytes, tasks))
    spent = {"ms": time.perf_counter() - begun}
    spent |= {f"{name}_ms": clock() - before[name] for name, clock in clocks.items()}
    assert done == count
    return {name: round(1e3 * seconds / count, 3) for name, seconds in spent.items()}


def _count(size: int, most: int) -> int:
    return max(1, min(most, MOST_BYTES // max(1, size)))


def _speed_up(folder: Path, sweep: Path) -> dict[str, Any]:
    """Seconds of a sweep from an empty store, processes started before: the shorter of REPEATS
    turns, of which each measures every way once, so that all see the same of what else runs."""
    ways: dict[str, float] = {}
    with OwnCluster(folder) as one, OwnCluster(_below(folder, "two")) as two:
        for turn in range(REPEATS):
            for workers, own in ((1, one), (WORKERS, two)):
                with ExitStack() as stack:
                    crews: dict[str, Crew] = {"local": stack.enter_context(Workers(workers))}
                    _wait_for_all(crews["local"])
                    crews["dask"] = _opened(own, workers, stack)
                    for name, crew in crews.items():
                        place = _below(folder, f"{name}{workers}-{turn}")
                        seconds = _sweep_time(sweep, place, crew)
                        key = f"{name}_{workers}"
                        ways[key] = min(seconds, ways.get(key, seconds))
    points = len(list_points(read_sweep(sweep)).points)
    return {"sweep": sweep.name, "points": points, **{k: round(v, 2) for k, v in ways.items()}}


def _below(folder: Path, name: str) -> Path:
    place = folder / name
    place.mkdir()
    return place


def _sweep_time(sweep: Path, folder: Path, crew: Crew) -> float:
    read = read_sweep(sweep)
    points = list_points(read).points
    begun = time.perf_counter()
    with ResultStore(folder / "results.db") as store:
        run_sweep(read, points, store, folder, crew)
    return time.perf_counter() - begun


def _show_overhead(told: dict[str, Any]) -> None:
    header = ("bytes", "tasks", "local, ms", "Dask, ms", "sender", "scheduler", "worker", "for all")
    names = ("local_ms", "ms", "sender_ms", "scheduler_ms", "worker_ms")
    rows = []
    for row in told["sizes"]:
        least = MANY * max(row["sender_ms"], row["scheduler_ms"]) / 1e3
        shown = (f"{row[name]:.2f}" for name in names)
        rows.append((f"{row['bytes']:,}", f"{row['tasks']:,}", *shown, f"{least:.1f} s"))
    starts = told["start_s"]
    title = "a task beside its own work: time, then processor time of sender, scheduler, worker; "
    title += f"how long it must take for {MANY:,} workers to be busy. {told['workers']} start in "
    title += f"{starts['local']} s here, {starts['dask']} s with Dask; tasks that wait "
    title += f"{WAIT_S} s end {told['waiting_speed_up']} times as fast as one behind the other"
    show_table(title, rows, header)


def _show_speed_up(told: dict[str, Any]) -> None:
    header = ("", "1, s", f"{WORKERS}, s", "times as fast")
    rows = []
    for name, way in (("processes", "local"), ("workers of Dask", "dask")):
        alone, together = told[f"{way}_1"], told[f"{way}_{WORKERS}"]
        rows.append((name, f"{alone:.1f}", f"{together:.1f}", f"{alone / together:.2f}"))
    show_table(f"{told['sweep']}, {told['points']} points", rows, header)


if __name__ == "__main__":
    main()
