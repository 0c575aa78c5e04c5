"""Chooses the points of a sweep by what earlier ones measured: for grids too large to measure."""

import random
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

from cimforge.explore.points import Combinations, Point, Points, choice_at, places_at
from cimforge.explore.run_sweep import Measured, Progress
from cimforge.explore.sweep import MAXIMISE, Sweep, SweepTarget
from cimforge.explore.sweep_report import broken_constraints
from cimforge.hdl.params.config_file import InputError
from cimforge.hdl.params.install_hint import install_hint

__all__ = ["GENERATION", "Measure", "check_optimiser", "optimise"]

GENERATION = 16  # points that are chosen before the first of them is measured
CANDIDATES = 64  # that the estimators judge for each point
PATIENCE = 1000  # combinations drawn in a row that are no point, before a search ends
BROKEN = "broken"  # of a trial: the number of constraints that it breaks
LISTED = 100_000  # combinations of a grid that is drawn from without drawing one twice

Measure = Callable[[Sequence[Point], Progress], list[Measured]]


def optimise(
    sweep: Sweep,
    measure: Measure,
    progress: Progress = lambda done, total, left: None,
) -> tuple[Points, list[Measured]]:
    """``sweep.samples`` points a target, fewer where its grid has fewer or PATIENCE combinations
    in a row are no point, chosen for the objectives and constraints by Parzen estimators of good
    and other points (multi-objective TPE: Ozaki et al., J. Artif. Intell. Res. 73, 2022; Optuna's),
    GENERATION at once; ``measure`` gives the figures of those that it is handed.

    No point is chosen twice: one that is known, or no macro, gives way to a combination drawn at
    random. The choice depends on the sweep, its seed and the figures alone: a run that goes on
    after a kill chooses the same points, and finds them measured. Raises InputError.
    """
    check_optimiser()
    watch = _Watch(len(sweep.targets) * min(sweep.samples, sweep.grid), progress)
    searches = [_Search(sweep, target) for target in sweep.targets]
    measured = [each for search in searches for each in search.run(measure, watch)]
    tried = [search.combinations.told() for search in searches]
    return Points(
        tuple(each.point for each in measured),
        tuple(refused for each in tried for refused in each.refused),
        sum(each.left_out for each in tried),
        sum(each.drawn for each in tried),
    ), measured


def check_optimiser() -> Any:
    """Optuna. Raises InputError where it is not installed."""
    try:
        import optuna
    except ModuleNotFoundError:
        hint = install_hint("optimise")
        raise InputError(f"search = 'optimise' needs Optuna; run {hint}") from None
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna


class _Watch:
    """Tells how far all searches are, and the time left at the pace of those points that took
    any."""

    def __init__(self, total: int, progress: Progress):
        self._total, self._progress, self._before, self._points = total, progress, 0, 0
        self._begun = time.monotonic()

    def told(self, done: int, total: int, left: float | None) -> None:
        """Of the generation that is measured now: so many of its measurements are done."""
        ahead = self._before + (done * self._points // total if total else 0)
        spent = time.monotonic() - self._begun
        pace = spent / ahead if ahead else None
        self._progress(ahead, self._total, pace and pace * (self._total - ahead))

    def begin(self, points: int) -> None:
        """A generation is to be measured."""
        self._points = points

    def end(self) -> None:
        """It is measured."""
        self._before += self._points
        self.told(0, 0, None)


class _Search:
    """The search on one target."""

    def __init__(self, sweep: Sweep, target: SweepTarget):
        optuna = check_optimiser()
        self._sweep = replace(sweep, targets=(target,))
        self.combinations = Combinations(self._sweep)
        self._states = optuna.trial.TrialState
        self._ways = {n: way for n, way in sweep.objectives.items() if target.measures(n)}
        if not self._ways:
            rule = "none is told there, and a search needs one; leave the target out, or add one"
            raise InputError(f"{sweep.name}: objectives: {target.name}: {rule}")
        self._axes = {
            name: optuna.distributions.IntDistribution(0, len(values) - 1)
            if _is_ordered(values)
            else optuna.distributions.CategoricalDistribution(range(len(values)))
            for name, values in sweep.axes.items()
        }
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            sampler = optuna.samplers.TPESampler(
                n_startup_trials=GENERATION,
                n_ei_candidates=CANDIDATES,
                multivariate=True,  # axes judged together: a wide tree is dear in many columns
                seed=random.Random(sweep.seed).getrandbits(32),  # the most that Optuna takes
            )
        directions = ["maximize" if way == MAXIMISE else "minimize" for way in self._ways.values()]
        self._study = optuna.create_study(directions=directions, sampler=sampler)
        self._numbers = _numbers(sweep)
        self._tried: set[int] = set()

    def run(self, measure: Measure, watch: _Watch) -> list[Measured]:
        """Points and their figures, in the order of their choice."""
        found: list[Measured] = []
        while len(found) < self._sweep.samples:
            most = min(GENERATION, self._sweep.samples - len(found))
            chosen = self._generation(most)
            if not chosen:
                break
            watch.begin(len(chosen))
            results = measure([point for _, point in chosen], watch.told)
            for (trial, _), result in zip(chosen, results, strict=True):
                self._tell(trial, result)
            watch.end()
            found += results
        return found

    def _generation(self, most: int) -> list[tuple[Any, Point]]:
        """Trials of the study, and their points; fewer than ``most`` where there are no more."""
        chosen: list[tuple[Any, Point]] = []
        while len(chosen) < most:
            trial = self._study.ask(self._axes)
            point = self._take(self._number(trial.params))
            if point is None:
                self._study.tell(trial, state=self._states.FAIL)
                drawn = self._draw()
                if drawn is None:
                    break
                number, point = drawn
                self._study.enqueue_trial(places_at(self._sweep, number))
                trial = self._study.ask(self._axes)
            chosen.append((trial, point))
        return chosen

    def _take(self, number: int) -> Point | None:
        """The point of a combination that was not tried before; None where there is none."""
        if number in self._tried:
            return None
        self._tried.add(number)
        return next(iter(self.combinations.add(choice_at(self._sweep, number))), None)

    def _draw(self) -> tuple[int, Point] | None:
        """A combination drawn at random that is a point, with it; None where none was found."""
        for number in islice(self._numbers, PATIENCE):
            if point := self._take(number):
                return number, point
        return None

    def _number(self, places: dict[str, int]) -> int:
        """The number in the grid of a combination, given as places on the axes."""
        number = 0
        for name, values in self._sweep.axes.items():
            number = number * len(values) + places[name]
        return number

    def _tell(self, trial: Any, result: Measured) -> None:
        """A point that failed teaches nothing; one that breaks constraints, how many."""
        if result.why:
            self._study.tell(trial, state=self._states.FAIL)
            return
        trial.set_constraint(BROKEN, broken_constraints(self._sweep, result))
        self._study.tell(trial, [result.figures[name] for name in self._ways])


def _is_ordered(values: Sequence[Any]) -> bool:
    """Whether neighbours on an axis are likely to be alike: rising integers."""
    return all(type(value) is int for value in values) and list(values) == sorted(values)


def _numbers(sweep: Sweep) -> Iterator[int]:
    """Combinations in an order drawn with the seed; of a large grid one may come again."""
    draw = random.Random(sweep.seed)
    if sweep.grid <= LISTED:
        yield from draw.sample(range(sweep.grid), sweep.grid)
    while sweep.grid > LISTED:
        yield draw.randrange(sweep.grid)
