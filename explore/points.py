"""The points of a sweep: legal macros on targets; what is not one is counted, with the reason."""

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cimforge.compiler.precision import check_integers
from cimforge.explore.measurements.by_name import refuse_point
from cimforge.explore.sweep import RANDOM, Sweep, SweepTarget
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import InputError
from cimforge.hdl.params.errors import ConfigError

__all__ = ["Combinations", "Point", "Points", "Refused", "choice_at", "list_points", "places_at"]


@dataclass(frozen=True)
class Point:
    """A macro on a target; ``choice`` are the values of the axes that make it."""

    choice: dict[str, Any]
    config: MacroConfig
    target: SweepTarget


@dataclass(frozen=True)
class Refused:
    """A combination that is no macro, or has no cell on ``target`` (empty: on none), and the
    ``rule`` that refuses it."""

    choice: dict[str, Any]
    rule: str
    target: str = ""


@dataclass(frozen=True)
class Points:
    """All of a sweep's combinations (``drawn`` of its grid): those that are measured, those refused
    and the number of those ``left_out`` by its conditions. A combination that is refused on some
    targets counts there."""

    points: tuple[Point, ...] = ()
    refused: tuple[Refused, ...] = ()
    left_out: int = 0
    drawn: int = 0

    @property
    def rules(self) -> Counter:
        """How many combinations each rule refuses."""
        return Counter(each.rule for each in self.refused)


class Combinations:
    """Combinations of a sweep's axes, as they are drawn: which are points, which are refused."""

    def __init__(self, sweep: Sweep):
        self._sweep = sweep
        self._points: list[Point] = []
        self._refused: list[Refused] = []
        self._left_out = self._drawn = 0

    def add(self, choice: dict[str, Any]) -> list[Point]:
        """The points of one combination, one a target at most. Raises InputError where a
        condition's values do not go together."""
        sweep = self._sweep
        self._drawn += 1
        parameters = {**sweep.base, **choice}
        if not all(each.holds(_with_defaults(parameters)) for each in sweep.when):
            self._left_out += 1
            return []
        try:
            config = MacroConfig(**parameters)
            if sweep.network:
                check_integers(config, "a network")
        except (ConfigError, ValueError) as error:
            self._refused.append(Refused(choice, str(error)))
            return []
        points = []
        for target in sweep.targets:
            try:
                refuse_point(sweep, target, config)
            except (InputError, ValueError) as error:
                self._refused.append(Refused(choice, str(error), target.name))
            else:
                points.append(Point(choice, config, target))
        self._points += points
        return points

    def told(self) -> Points:
        """All that were drawn so far."""
        return Points(tuple(self._points), tuple(self._refused), self._left_out, self._drawn)


def list_points(sweep: Sweep) -> Points:
    """Every point of a sweep in the order of the grid, the last axis fastest: the same for the same
    file. Raises InputError where a condition's values do not go together."""
    combinations = Combinations(sweep)
    for choice in _choices(sweep):
        combinations.add(choice)
    return combinations.told()


def places_at(sweep: Sweep, number: int) -> dict[str, int]:
    """Where on each axis the combination with this number in the grid stands."""
    places = {}
    for name, values in reversed(list(sweep.axes.items())):
        number, places[name] = divmod(number, len(values))
    return {name: places[name] for name in sweep.axes}


def choice_at(sweep: Sweep, number: int) -> dict[str, Any]:
    """The values of the axes of that combination."""
    return {name: sweep.axes[name][place] for name, place in places_at(sweep, number).items()}


def _choices(sweep: Sweep) -> Iterator[dict[str, Any]]:
    """Combinations of the axes' values, by number of the grid."""
    numbers: Any = range(sweep.grid)
    if sweep.search == RANDOM and sweep.samples < sweep.grid:
        drawn = random.Random(sweep.seed).sample(range(sweep.grid), sweep.samples)
        numbers = sorted(drawn)
    return (choice_at(sweep, number) for number in numbers)


def _with_defaults(parameters: dict[str, Any]) -> dict[str, Any]:
    """What a condition may ask for."""
    fields = MacroConfig.model_fields.items()
    return {key: field.default for key, field in fields} | parameters
