"""Runs a sweep: what the store knows is read, the rest is measured, blocks shared, and kept."""

import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any

from cimforge.explore.metrics import (
    METRICS,
    NETWORK,
    PERIOD,
    SIZE,
    figures_of,
    network_figures_of,
)
from cimforge.explore.network_plans import plan_key, plan_on
from cimforge.explore.point_key import mapping_target, point_key
from cimforge.explore.points import Point
from cimforge.explore.result_store import ResultStore
from cimforge.explore.sweep import Sweep
from cimforge.explore.workers import Workers
from cimforge.flow.shared_blocks.content_modules import ContentModule
from cimforge.flow.shared_blocks.mapping_target import MappingTarget
from cimforge.flow.shared_blocks.measure_tasks import (
    Described,
    Raw,
    describe,
    leaf_names,
    map_packed,
    measure,
    measure_whole,
)

__all__ = ["Measured", "Progress", "run_sweep"]

ROUND = 48  # points whose blocks are mapped before the first of them is measured
CHUNK = 4  # points that a process describes at once
BATCH = 24  # blocks that it maps at once
SHARES = {"described": 0.1, "mapped": 0.4, "measured": 0.5, "planned": 1.0}  # of its time
WORK = "work"  # folder of what Yosys and OpenSTA read and write

Progress = Callable[[int, int, float | None], None]  # points done, of how many, seconds left


@dataclass(frozen=True)
class Measured:
    """A point with its figures; none, and ``why``, where it could not be measured. ``fresh`` where
    this run measured it."""

    point: Point
    key: str
    figures: dict[str, float]
    why: str = ""
    fresh: bool = False


def run_sweep(
    sweep: Sweep,
    points: Sequence[Point],
    store: ResultStore,
    folder: Path,
    workers: Workers,
    progress: Progress = lambda done, total, left: None,
) -> list[Measured]:
    """The figures of every point, in the order of ``points``: from the store where it knows them,
    else measured by ``workers`` (entered) and kept at once. A killed run goes on where it was.

    A network is planned on each macro first, as that is quick. Files go to a folder of its own
    below ``folder``, which is removed. Raises InputError.
    """
    keys = [point_key(point) for point in points]
    known = store.figures(keys)
    wanted: dict[str, Point] = {}
    for point, key in zip(points, keys, strict=True):
        if not _whole(known.get(key, {}), _measurements(sweep, point)):
            wanted.setdefault(key, point)
    work = folder / WORK / str(os.getpid())
    _clear(folder / WORK)
    failed: dict[str, str] = {}
    try:
        plans = _plans(sweep, points, store, workers, progress)
        watch = _Watch(len(wanted), progress)
        for target, some in _rounds(wanted):
            run = _Round(sweep, target, some, store, work, workers, watch)
            failed |= run.run()
    finally:
        shutil.rmtree(work, ignore_errors=True)
    found = store.figures(keys)
    return [
        Measured(
            point,
            key,
            {} if key in failed else _with_network(point, found[key], plans),
            failed.get(key, ""),
            key in wanted and key not in failed,
        )
        for point, key in zip(points, keys, strict=True)
    ]


def _measurements(sweep: Sweep, point: Point) -> frozenset[str]:
    """What is measured of a point: its size always, for a period comes of the same netlist."""
    return (sweep.measurements(point.target) - {NETWORK}) | {SIZE}


def _plans(
    sweep: Sweep, points: Sequence[Point], store: ResultStore, workers: Workers, progress: Progress
) -> dict[str, Raw]:
    """The network's plan on each macro, by its digest: one plan for all targets, kept at once."""
    if sweep.network is None:
        return {}
    configs = {point.config.digest: point.config for point in points}
    keys = {digest: plan_key(sweep.network, config) for digest, config in configs.items()}
    plans: dict[str, Raw] = dict(store.plans(keys.values()))
    wanted = {key: configs[digest] for digest, key in keys.items() if key not in plans}
    watch = _Watch(len(wanted), progress)
    tasks = ((key, (sweep.network, config)) for key, config in wanted.items())
    for key, plan in workers.each(plan_on, tasks):
        store.add_plan(key, plan)
        plans[key] = plan
        watch.add("planned", 1, 1)
    return {digest: plans[key] for digest, key in keys.items()}


def _with_network(
    point: Point, figures: dict[str, float], plans: dict[str, Raw]
) -> dict[str, float]:
    """Figures, and those of the network where there is one."""
    if point.config.digest not in plans:
        return figures
    raw = {**figures, **plans[point.config.digest]}
    return figures | network_figures_of(point.config, raw)


def _whole(figures: dict[str, float], measured: frozenset[str]) -> bool:
    return all(name in figures for name, metric in METRICS.items() if metric.needs <= measured)


def _rounds(wanted: dict[str, Point]) -> Iterator[tuple[MappingTarget, dict[str, Point]]]:
    """Points of one target by key, at most ROUND at once."""
    by_target: dict[MappingTarget, list[str]] = {}
    for key, point in wanted.items():
        by_target.setdefault(mapping_target(point), []).append(key)
    for target, keys in by_target.items():
        for low in range(0, len(keys), ROUND):
            yield target, {key: wanted[key] for key in keys[low : low + ROUND]}


def _clear(work: Path) -> None:
    """Remove what killed runs left behind: folders of processes that are no more."""
    for left in work.glob("*"):
        if left.name.isdigit() and not Path("/proc", left.name).exists():
            shutil.rmtree(left, ignore_errors=True)


class _Watch:
    """Tells how far a run is and how long it will take, from the time that it took so far."""

    def __init__(self, total: int, progress: Progress):
        self._total, self._progress = total, progress
        self._begun, self._share, self._done = time.monotonic(), 0.0, 0

    def add(self, step: str, points: float, done: int = 0) -> None:
        """``points`` have come through ``step``; ``done`` of them are finished."""
        self._share += SHARES[step] * points / self._total
        self._done += done
        spent = time.monotonic() - self._begun
        left = spent * max(0.0, 1 - self._share) / self._share if self._share > 0.05 else None
        self._progress(self._done, self._total, left)


@dataclass
class _Round:
    """Some points of one target: describe them, map the blocks that are new, measure each."""

    sweep: Sweep
    target: MappingTarget
    points: dict[str, Point]
    store: ResultStore
    work: Path
    workers: Workers
    watch: _Watch

    def run(self) -> dict[str, str]:
        """Measure and keep them; returns why not, by key, of those that failed."""
        described = self._describe()
        blocks = {m.name: m for each in described.values() for m in each.modules}
        broken = self._map(blocks)
        failed = {}
        for key, each in described.items():
            why = next((broken[m.name] for m in each.modules if m.name in broken), "")
            if why:
                failed[key] = why
        left = {key: each for key, each in described.items() if key not in failed}
        return failed | self._measure(left)

    def _describe(self) -> dict[str, Described]:
        tasks = [
            (keys, ([self.points[key].config for key in keys],))
            for keys in _chunks(list(self.points), CHUNK)
        ]
        found: dict[str, Described] = {}
        for keys, told in self.workers.each(describe, tasks):
            found.update(zip(keys, told, strict=True))
            self.watch.add("described", len(keys))
        return {key: found[key] for key in self.points}

    def _map(self, blocks: dict[str, ContentModule]) -> dict[str, str]:
        """Map blocks that the store does not know, and keep them; returns why not, by name. Of a
        batch that fails the halves are tried."""
        known = self.store.blocks(self.target.digest, blocks)
        new = [block for name, block in blocks.items() if name not in known]
        broken: dict[str, str] = {}
        batches = _batches(new, self.workers.jobs)
        while batches:
            again: list[list[ContentModule]] = []
            tasks = [(batch, self._task(batch, blocks)) for batch in batches]
            for batch, result in self.workers.each(map_packed, tasks):
                if isinstance(result, dict):
                    self.store.add_blocks(self.target.digest, result)
                    self.watch.add("mapped", len(self.points) * len(batch) / len(new))
                elif len(batch) == 1:
                    broken[batch[0].name] = result
                else:
                    again += _chunks(batch, ceil(len(batch) / 2))
            batches = again
        return broken

    def _task(self, batch: list[ContentModule], blocks: dict[str, ContentModule]) -> tuple:
        inside = {name for block in batch for _, name, _ in block.inside}
        others = [blocks[name] for name in sorted(inside) if name in blocks]
        return batch, others, self.target, self.work / batch[0].name

    def _measure(self, described: dict[str, Described]) -> dict[str, str]:
        """Measure and keep each point; returns why not, by key."""
        failed: dict[str, str] = {}
        measured = frozenset().union(*(_measurements(self.sweep, p) for p in self.points.values()))
        largest = sorted(described, key=lambda key: -described[key].config.macs_1b)
        whole = [key for key in largest if not described[key].modules]
        parts = [key for key in largest if described[key].modules]  # none is left alone at the end
        tasks = (
            (key, (described[key], self._packed(described[key]), *self._how(key, measured)))
            for key in parts
        )
        alone = ((key, (self.points[key].config, *self._how(key, measured))) for key in whole)
        for key, raw in self.workers.each(measure, tasks):
            failed |= self._keep(key, raw, measured)
        for key, raw in self.workers.each(measure_whole, alone):
            failed |= self._keep(key, raw, measured)
        return failed

    def _how(self, key: str, measured: frozenset[str]) -> tuple[MappingTarget, bool, Path]:
        """Target, whether a period is wanted, and a folder."""
        return self.target, PERIOD in measured, self.work / key

    def _packed(self, described: Described) -> dict[str, bytes]:
        names = [module.name for module in described.modules]
        return self.store.blocks(self.target.digest, [*names, *leaf_names(self.target)])

    def _keep(self, key: str, raw: Raw | str, measured: frozenset[str]) -> dict[str, str]:
        """Keep a point's figures; returns why not, by key, where there are none."""
        point = self.points[key]
        failed = {}
        if isinstance(raw, str):
            failed[key] = raw
        else:
            figures = figures_of(point.config, raw, measured)
            self.store.add_point(key, point.target.name, point.config, figures)
        self.watch.add("measured", 1, 1)
        return failed


def _chunks(items: list[Any], size: int) -> list[list[Any]]:
    return [items[low : low + size] for low in range(0, len(items), size)]


def _batches(blocks: list[ContentModule], jobs: int) -> list[list[ContentModule]]:
    """Batches of about equal text, as many as all ``jobs`` are busy with."""
    count = min(len(blocks), jobs * ceil(len(blocks) / BATCH / jobs))
    batches: list[list[ContentModule]] = [[] for _ in range(count)]
    sizes = [0] * count
    for block in sorted(blocks, key=lambda each: (-len(each.source), each.name)):
        least = sizes.index(min(sizes))
        batches[least].append(block)
        sizes[least] += len(block.source)
    return batches
