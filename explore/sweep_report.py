"""What a sweep came to: the points, those that fulfil its constraints, and the best of them."""

import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from cimforge.explore.condition import Condition
from cimforge.explore.metrics import METRICS
from cimforge.explore.pareto import pareto_front
from cimforge.explore.points import Points
from cimforge.explore.run_sweep import Measured
from cimforge.explore.sweep import Sweep, SweepTarget

__all__ = ["SweepReport", "broken_constraints", "tidy"]

DIGITS = 6  # significant ones that are told: more than a library's figures have


@dataclass(frozen=True)
class SweepReport:
    """A sweep, its points and what they measured."""

    sweep: Sweep
    points: Points
    measured: Sequence[Measured]

    @property
    def failed(self) -> list[Measured]:
        """The points that could not be measured."""
        return [each for each in self.measured if each.why and not each.unfit]

    @property
    def unfit(self) -> list[Measured]:
        """The points that their board has no room for."""
        return [each for each in self.measured if each.unfit]

    def metrics(self, target: SweepTarget) -> tuple[str, ...]:
        """Those asked for that are known on a target."""
        return tuple(name for name in self.sweep.asked if target.measures(name))

    def of(self, target: SweepTarget) -> list[Measured]:
        """What was measured, or tried to, on a target."""
        return [each for each in self.measured if each.point.target == target]

    def objectives(self, target: SweepTarget) -> dict[str, str]:
        """The objectives that are known on a target: those that its front is of."""
        return {name: way for name, way in self.sweep.objectives.items() if target.measures(name)}

    def judged(self, target: SweepTarget) -> list[str]:
        """The constraints that a target can judge."""
        return [c.text for c in self.sweep.constraints if _can_judge(target, c)]

    def not_judged(self, target: SweepTarget) -> dict[str, list[str]]:
        """The objectives and constraints that ask for a metric that no macro has there."""
        judged = self.judged(target)
        return {
            "objectives": [name for name in self.sweep.objectives if not target.measures(name)],
            "constraints": [c.text for c in self.sweep.constraints if c.text not in judged],
        }

    def refused_on(self, target: SweepTarget) -> list[tuple[str, int]]:
        """The rules that refuse combinations on a target, and how many each, the most first. One
        that is refused on all of them counts once, however many targets were searched."""
        refused = {
            (each.rule, str(each.choice)): each.rule
            for each in self.points.refused
            if each.target in ("", target.name)
        }
        return Counter(refused.values()).most_common()

    @cached_property
    def _feasible(self) -> set[int]:
        """Places in ``measured`` of the points that fulfil every constraint that their target can
        judge."""
        return {
            place
            for place, each in enumerate(self.measured)
            if not each.why and not broken_constraints(self.sweep, each)
        }

    def feasible(self, target: SweepTarget) -> list[int]:
        """Places in ``measured`` of a target's points that fulfil the constraints."""
        return [p for p in sorted(self._feasible) if self.measured[p].point.target == target]

    def front(self, target: SweepTarget) -> list[Measured]:
        """The feasible points of a target that no other beats, in the order of the first
        objective; points of different targets are not compared."""
        places = self.feasible(target)
        figures = [self.measured[place].figures for place in places]
        best = pareto_front(figures, self.objectives(target))
        return [self.measured[places[place]] for place in best]

    def as_json(self) -> dict[str, Any]:
        """The JSON of ``cimforge explore``, which depends on the sweep and its figures alone."""
        rules = self.points.rules.most_common()
        return {
            "sweep": self.sweep.name,
            "grid": self.sweep.grid,
            "combinations": self.points.drawn,
            "left_out": self.points.left_out,
            "refused": [{"rule": rule, "combinations": count} for rule, count in rules],
            "points": len(self.measured),
            "failed": [{**self._row(each), "why": each.why} for each in self.failed],
            "unfit": [{**self._row(each), "why": each.why} for each in self.unfit],
            "objectives": dict(self.sweep.objectives),
            "targets": [self._target(target) for target in self.sweep.targets],
        }

    def _target(self, target: SweepTarget) -> dict[str, Any]:
        return {
            "target": target.name,
            "units": {name: self.unit(name, target) for name in self.metrics(target)},
            "objectives": self.objectives(target),
            "not_judged": self.not_judged(target),
            "points": len(self.of(target)),
            "feasible": len(self.feasible(target)),
            "front": [self._row(each) for each in self.front(target)],
        }

    def _row(self, each: Measured) -> dict[str, Any]:
        told = {name: tidy(each.figures[name]) for name in self.sweep.asked if name in each.figures}
        return {"target": each.point.target.name, **each.point.choice, **told, "key": each.key}

    def unit(self, metric: str, target: SweepTarget) -> str:
        """The unit of a metric on a target."""
        unit = METRICS[metric].unit
        return target.unit if unit == "size" else unit

    def as_csv(self) -> str:
        """Every point, a line each: target, axes, all figures that were measured, whether it is
        feasible and on the front, why it failed, and its key."""
        figures = [name for name in METRICS if any(name in m.figures for m in self.measured)]
        columns = ["target", *self.sweep.axes, *figures, "feasible", "front", "why", "key"]
        best = {id(each) for target in self.sweep.targets for each in self.front(target)}
        text = io.StringIO()
        writer = csv.DictWriter(text, columns, lineterminator="\n")
        writer.writeheader()
        for place, each in enumerate(self.measured):
            row: Mapping[str, Any] = {
                "target": each.point.target.name,
                **each.point.choice,
                **{name: tidy(value) for name, value in each.figures.items()},
                "feasible": int(place in self._feasible),
                "front": int(id(each) in best),
                "why": each.why,
                "key": each.key,
            }
            writer.writerow(row)
        return text.getvalue()


def broken_constraints(sweep: Sweep, each: Measured) -> int:
    """How many of the constraints that its target can judge a point breaks."""
    values = {**each.point.config.parameters(), **each.figures}
    judged = [c for c in sweep.constraints if c.names <= set(values)]
    return sum(not condition.holds(values) for condition in judged)


def _can_judge(target: SweepTarget, condition: Condition) -> bool:
    return all(target.measures(name) for name in condition.names if name in METRICS)


def tidy(value: float) -> float:
    """Whole numbers as integers, others to DIGITS."""
    rounded = float(f"{value:.{DIGITS}g}")
    return int(value) if value == int(value) else rounded
