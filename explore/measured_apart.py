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
from cimforge.explore.time_left import TimeLeft
from cimforge.explore.workers import Crew

__all__ = ["Apart", "Asked", "ask_apart", "measure_apart"]


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


@dataclass(frozen=True)
class Asked:
    """A measurement that the points at ``keys`` ask for, each with what decides its result, and
    what the store knows of those."""

    name: str
    keys: dict[int, str]
    known: dict[str, dict[str, float] | str]

    @property
    def missing(self) -> int:
        """How many of them have to be taken."""
        return len(set(self.keys.values()) - set(self.known))

    @property
    def work(self) -> float:
        """How long that takes, in TimeLeft's unit."""
        return MEASUREMENTS[self.name].cost * self.missing


def ask_apart(sweep: Sweep, points: Sequence[Point], store: ResultStore) -> list[Asked]:
    """What the points ask for beside their blocks, quick measurements first."""
    asked = []
    for name, measurement in MEASUREMENTS.items():
        keys = {
            place: measurement.key(sweep, point)
            for place, point in enumerate(points)
            if name in sweep.measurements(point.target)
        }
        asked.append(Asked(name, keys, dict(store.apart(keys.values()))))
    return asked


def measure_apart(
    sweep: Sweep,
    points: Sequence[Point],
    asked: Sequence[Asked],
    store: ResultStore,
    work: Path,
    workers: Crew,
    watch: TimeLeft,
) -> list[Apart]:
    """What every point measures apart, in their order: known, or measured by ``workers``. A point
    at which one measurement failed is not measured further."""
    found = [Apart() for _ in points]
    for each in asked:
        measurement = MEASUREMENTS[each.name]
        keys = {place: key for place, key in each.keys.items() if not found[place].why}
        wanted: dict[str, Point] = {}
        for place, key in keys.items():
            if key not in each.known:
                wanted.setdefault(key, points[place])
        fresh = _Run(sweep, measurement, store, work, workers, watch).run(wanted)
        if spared := each.missing - len(wanted):
            watch.add(measurement.cost * spared, spared)
        for place, key in keys.items():
            found[place].add(each.name, (each.known | fresh)[key], points[place])
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
    watch: TimeLeft

    def run(self, wanted: dict[str, Point]) -> dict[str, dict[str, float] | str]:
        """What was measured, by key: the largest macros first, for none to be left at the end."""
        found: dict[str, dict[str, float] | str] = {}
        if wanted:
            self.watch.add(0)  # tells what is to come: the first may take minutes
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
                self.watch.add(self.measurement.cost, 1)
        return found
