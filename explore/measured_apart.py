"""Takes the measurements by themselves that a sweep asks for: each key once, kept at once."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cimforge.explore.measurements.by_name import MEASUREMENTS
from cimforge.explore.measurements.measurement import Measurement
from cimforge.explore.metric import LABELS, PERIOD, PLACED
from cimforge.explore.metrics import added_figures_of
from cimforge.explore.points import Point
from cimforge.explore.result_store import ResultStore
from cimforge.explore.sweep import Sweep
from cimforge.explore.time_left import Progress, TimeLeft
from cimforge.explore.workers import Crew

__all__ = ["Apart", "measure_apart"]


@dataclass
class Apart:
    """What measurements by themselves told of a point: numbers by name, which measurements are
    ``known``, in one line ``why`` one failed, whether its board has no room for it, and whether
    this run measured any of it (``fresh``)."""

    raw: dict[str, float] = field(default_factory=dict)
    known: set[str] = field(default_factory=set)
    why: str = ""
    unfit: bool = False
    fresh: bool = False

    def add(self, name: str, told: dict[str, float] | str, point: Point) -> None:
        """What the measurement ``name`` told."""
        if isinstance(told, str):
            self.why = self.why or told
        elif name == PLACED and PERIOD not in told:
            self.unfit, self.why = True, f"does not fit {point.target.name}"
        else:
            self.raw |= told
            self.known |= {name, *({PERIOD} if name == PLACED else ())}

    def figures(self, sweep: Sweep, point: Point, figures: dict[str, float]) -> dict[str, float]:
        """A point's ``figures``, those of its blocks and of its parameters, and all that follow."""
        period = {PERIOD} if PERIOD in figures else set()
        known = frozenset(self.known | period | ({LABELS} if sweep.labels else set()))
        return figures | added_figures_of(point.config, figures, self.raw, known)


def measure_apart(
    sweep: Sweep,
    points: Sequence[Point],
    store: ResultStore,
    work: Path,
    workers: Crew,
    progress: Progress,
) -> list[Apart]:
    """What every point measures apart, in their order: known, or measured by ``workers``."""
    found = [Apart() for _ in points]
    for name, measurement in MEASUREMENTS.items():
        asked = [
            place
            for place, point in enumerate(points)
            if name in sweep.measurements(point.target) and not found[place].why
        ]
        keys = {place: measurement.key(sweep, points[place]) for place in asked}
        known: dict[str, dict[str, float] | str] = dict(store.apart(keys.values()))
        wanted: dict[str, Point] = {}
        for place, key in keys.items():
            if key not in known:
                wanted.setdefault(key, points[place])
        fresh = _Run(sweep, measurement, store, work, workers).run(wanted, progress)
        for place, key in keys.items():
            found[place].add(name, (known | fresh)[key], points[place])
            found[place].fresh |= key in fresh
    return found


@dataclass(frozen=True)
class _Run:
    """A measurement, of the points that the store does not know."""

    sweep: Sweep
    measurement: Measurement
    store: ResultStore
    work: Path
    workers: Crew

    def run(
        self, wanted: dict[str, Point], progress: Progress
    ) -> dict[str, dict[str, float] | str]:
        """What was measured, by key: the largest macros first, for none to be left at the end."""
        found: dict[str, dict[str, float] | str] = {}
        watch = TimeLeft(len(wanted), progress)
        if wanted:
            progress(0, len(wanted), None)  # the first may take minutes
        functions: dict[Callable, list] = {}
        for key in sorted(wanted, key=lambda key: -wanted[key].config.macs_1b):
            folder = self.work / key
            function, arguments = self.measurement.task(self.sweep, wanted[key], folder)
            functions.setdefault(function, []).append((key, arguments))
        for function, tasks in functions.items():
            for key, told in self.workers.each(function, tasks, self.measurement.needs):
                shutil.rmtree(self.work / key, ignore_errors=True)
                if not isinstance(told, str):
                    self.store.add_apart(key, told)
                found[key] = told
                watch.add(1, 1)
        return found
