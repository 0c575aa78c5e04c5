"""Runs a sweep: what the store knows is read, the rest is measured, blocks shared, and kept."""

import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any

from cimforge.explore.measured_apart import Apart, ask_apart, measure_apart
from cimforge.explore.metric import LIBRARY, PERIOD, SIZE
from cimforge.explore.metrics import METRICS, figures_of
from cimforge.explore.needs import TIMING
from cimforge.explore.point_key import mapping_target, point_key
from cimforge.explore.points import Point
from cimforge.explore.result_store import ResultStore
from cimforge.explore.sweep import Sweep
from cimforge.explore.time_left import Progress, TimeLeft
from cimforge.explore.workers import Crew
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
JOBS_OF_ROUND = 12  # that it keeps busy; where more work, a round has more points
CHUNK = 4  # points that a process describes at once
BATCH = 6  # blocks that it maps at once, and that are kept at once
SHARES = {"described": 0.1, "mapped": 0.4, "measured": 0.5}  # of its time
WORK = "work"  # folder of what the tools read and write


@dataclass(frozen=True)
class Measured:
    """A point with its figures; none, and ``why``, where it could not be measured, or (``unfit``)
    its board has no room for it, which is a result. ``fresh`` where this run measured any of it."""

    point: Point
    key: str
    figures: dict[str, float]
    why: str = ""
    fresh: bool = False
    unfit: bool = False


def run_sweep(
    sweep: Sweep,
    points: Sequence[Point],
    store: ResultStore,
    folder: Path,
    workers: Crew,
    progress: Progress = lambda done, total, left: None,
) -> list[Measured]:
    """The figures of every point, in the order of ``points``: from the store where it knows them,
    else measured by ``workers`` (entered) and kept at once. A killed run goes on where it was.

    What is measured by itself comes first, quick things before slow ones, then what the blocks of
    all points share. Files go to a folder of its own below ``folder``, which is removed. Raises
    InputError.
    """
    keys = [point_key(point) for point in points]
    known = store.figures(keys)
    wanted: dict[str, Point] = {}
    for point, key in zip(points, keys, strict=True):
        asked = _of_blocks(sweep, point)
        if not asked and key not in known:
            own = figures_of(point.config, {}, asked)
            store.add_point(key, point.target.name, point.config, own)
        if not _whole(known.get(key, {}), asked):
            wanted.setdefault(key, point)
    work = folder / WORK / str(os.getpid())
    _clear(folder / WORK)
    failed: dict[str, str] = {}
    try:
        others = ask_apart(sweep, points, store)
        total = len(wanted) + sum(each.missing for each in others)
        watch = TimeLeft(total, len(wanted) + sum(each.work for each in others), progress)
        apart = measure_apart(sweep, points, others, store, work, workers, watch)
        for target, some in _rounds(wanted, ROUND * ceil(workers.jobs / JOBS_OF_ROUND)):
            run = _Round(sweep, target, some, store, work, workers, watch)
            failed |= run.run()
    finally:
        shutil.rmtree(work, ignore_errors=True)
    found = store.figures(keys)
    return [
        _measured(sweep, point, key, found.get(key, {}), failed.get(key, ""), each, key in wanted)
        for point, key, each in zip(points, keys, apart, strict=True)
    ]


def _measured(
    sweep: Sweep,
    point: Point,
    key: str,
    found: dict[str, float],
    failed: str,
    apart: Apart,
    fresh: bool,
) -> Measured:
    """A point, of the figures that were ``found`` of its blocks and of what it measured apart."""
    why = failed or apart.why
    if why:
        return Measured(point, key, {}, why, unfit=apart.unfit and not failed)
    return Measured(point, key, apart.figures(sweep, point, found), fresh=fresh or apart.fresh)


def _of_blocks(sweep: Sweep, point: Point) -> frozenset[str]:
    """What is measured of a point's blocks, where anything is: its size too, for a period comes of
    the same netlist."""
    asked = sweep.measurements(point.target) & {SIZE, PERIOD}
    return asked | {SIZE} | (point.target.measurable & {LIBRARY}) if asked else asked


def _whole(figures: dict[str, float], measured: frozenset[str]) -> bool:
    """Whether all figures of what is ``measured`` are there; where that is nothing, none needs to
    be."""
    told = (name for name, metric in METRICS.items() if metric.needs <= measured)
    return not measured or all(name in figures for name in told)


def _rounds(
    wanted: dict[str, Point], most: int
) -> Iterator[tuple[MappingTarget, dict[str, Point]]]:
    """Points of one target by key, at most so many at once."""
    by_target: dict[MappingTarget, list[str]] = {}
    for key, point in wanted.items():
        by_target.setdefault(mapping_target(point), []).append(key)
    for target, keys in by_target.items():
        for low in range(0, len(keys), most):
            yield target, {key: wanted[key] for key in keys[low : low + most]}


def _clear(work: Path) -> None:
    """Remove what killed runs left behind: folders of processes that are no more."""
    for left in work.glob("*"):
        if left.name.isdigit() and not Path("/proc", left.name).exists():
            shutil.rmtree(left, ignore_errors=True)


@dataclass
class _Round:
    """Some points of one target: describe them, map the blocks that are new, measure each."""

    sweep: Sweep
    target: MappingTarget
    points: dict[str, Point]
    store: ResultStore
    work: Path
    workers: Crew
    watch: TimeLeft

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
            self.watch.add(SHARES["described"] * len(keys))
        return {key: found[key] for key in self.points}

    def _map(self, blocks: dict[str, ContentModule]) -> dict[str, str]:
        """Map blocks that the store does not know, and keep them; returns why not, by name."""
        known = self.store.blocks(self.target.digest, blocks)
        new = [block for name, block in blocks.items() if name not in known]
        broken: dict[str, str] = {}
        tasks = [(batch, self._task(batch, blocks)) for batch in _batches(new, self.workers.jobs)]
        for batch, (mapped, failed) in self.workers.each(map_packed, tasks):
            self.store.add_blocks(self.target.digest, mapped)
            broken |= failed
            self.watch.add(SHARES["mapped"] * len(self.points) * len(batch) / len(new))
        return broken

    def _task(self, batch: list[ContentModule], blocks: dict[str, ContentModule]) -> tuple:
        inside = {name for block in batch for _, name, _ in block.inside}
        others = [blocks[name] for name in sorted(inside) if name in blocks]
        return batch, others, self.target, self.work / batch[0].name

    def _measure(self, described: dict[str, Described]) -> dict[str, str]:
        """Measure and keep each point; returns why not, by key."""
        failed: dict[str, str] = {}
        measured = frozenset().union(*(_of_blocks(self.sweep, p) for p in self.points.values()))
        largest = sorted(described, key=lambda key: -described[key].config.macs_1b)
        whole = [key for key in largest if not described[key].modules]
        parts = [key for key in largest if described[key].modules]  # none is left alone at the end
        tasks = (
            (key, (described[key], self._packed(described[key]), *self._how(key, measured)))
            for key in parts
        )
        alone = ((key, (self.points[key].config, *self._how(key, measured))) for key in whole)
        needs = (TIMING,) if PERIOD in measured else ()
        for key, raw in self.workers.each(measure, tasks, needs):
            failed |= self._keep(key, raw, measured)
        for key, raw in self.workers.each(measure_whole, alone, needs):
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
        self.watch.add(SHARES["measured"], 1)
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
