"""The points of a sweep: legal macros on targets; what is not one is counted, with the reason."""

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cimforge.compiler.precision import check_integers
from cimforge.explore.sweep import RANDOM, Sweep, SweepTarget
from cimforge.flow.synth.storage_check import check_storage
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import InputError
from cimforge.hdl.params.errors import ConfigError

__all__ = ["Point", "Points", "Refused", "list_points"]


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

    points: tuple[Point, ...]
    refused: tuple[Refused, ...]
    left_out: int
    drawn: int

    @property
    def rules(self) -> Counter:
        """How many combinations each rule refuses."""
        return Counter(each.rule for each in self.refused)


def list_points(sweep: Sweep) -> Points:
    """Every point of a sweep in the order of the grid, the last axis fastest: the same for the same
    file. Raises InputError where a condition's values do not go together."""
    points: list[Point] = []
    refused: list[Refused] = []
    left_out = drawn = 0
    for choice in _choices(sweep):
        drawn += 1
        parameters = {**sweep.base, **choice}
        if not all(each.holds(_with_defaults(parameters)) for each in sweep.when):
            left_out += 1
            continue
        try:
            config = MacroConfig(**parameters)
        except ConfigError as error:
            refused.append(Refused(choice, str(error)))
            continue
        if sweep.network:
            try:
                check_integers(config, "a network")
            except ValueError as error:
                refused.append(Refused(choice, str(error)))
                continue
        for target in sweep.targets:
            try:
                check_storage(config, target.kind)
            except InputError as error:
                refused.append(Refused(choice, str(error), target.name))
            else:
                points.append(Point(choice, config, target))
    return Points(tuple(points), tuple(refused), left_out, drawn)


def _choices(sweep: Sweep) -> Iterator[dict[str, Any]]:
    """Combinations of the axes' values, by number of the grid."""
    numbers: Any = range(sweep.grid)
    if sweep.search == RANDOM and sweep.samples < sweep.grid:
        drawn = random.Random(sweep.seed).sample(range(sweep.grid), sweep.samples)
        numbers = sorted(drawn)
    for number in numbers:
        choice = {}
        for name, values in reversed(list(sweep.axes.items())):
            number, place = divmod(number, len(values))
            choice[name] = values[place]
        yield {name: choice[name] for name in sweep.axes}


def _with_defaults(parameters: dict[str, Any]) -> dict[str, Any]:
    """What a condition may ask for."""
    fields = MacroConfig.model_fields.items()
    return {key: field.default for key, field in fields} | parameters
