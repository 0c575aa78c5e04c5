"""Searches the configuration of least area that reaches a clock period on a library."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cimforge.flow.synth.clock_candidates import Candidate
from cimforge.flow.synth.static_timing import Step
from cimforge.flow.synth.synth_report import SynthReport
from cimforge.hdl.macro.top import build_macro
from cimforge.hdl.netlist.module import distinct_modules
from cimforge.hdl.params.config_file import plain_overrides, plain_toml

__all__ = ["MOST_RUNS", "ClockSearch", "Tried", "delay_by_role", "search_clock"]

MOST_RUNS = 12  # candidates that are synthesised, at most
NEAR = 1.5  # how far beyond the period an expectation may lie to be worth a run for less area
Measure = Callable[[Candidate], SynthReport]


@dataclass(frozen=True)
class Tried:
    """A candidate and what its synthesis came to: shortest ``period`` in ns, ``area``, and the
    critical path's delay in each role, in ns."""

    candidate: Candidate
    report: SynthReport
    period: float
    area: float
    limits: dict[str, float]

    @property
    def path(self) -> tuple[Step, ...]:
        """The critical path, block by block."""
        return self.report.timing.path if self.report.timing else ()


@dataclass(frozen=True)
class ClockSearch:
    """What was found for a period ``clock`` in ns: all that was ``tried``, the configuration as
    given first, out of ``candidates``."""

    clock: float
    tried: tuple[Tried, ...]
    candidates: int

    @property
    def given(self) -> Tried:
        """The configuration as given."""
        return self.tried[0]

    @property
    def met(self) -> bool:
        """Whether a candidate reaches the period."""
        return any(each.period <= self.clock for each in self.tried)

    @property
    def best(self) -> Tried:
        """The least area among those that reach the period, else the shortest period."""
        reach = [each for each in self.tried if each.period <= self.clock]
        if reach:
            return min(reach, key=lambda each: (each.area, each.period))
        return min(self.tried, key=lambda each: (each.period, each.area))

    def slack(self, tried: Tried) -> float:
        """The period wanted less the shortest one, in ns."""
        return self.clock - tried.period

    def growth(self, tried: Tried) -> float:
        """Area that is more than that of the configuration as given, as a share of it."""
        return tried.area / self.given.area - 1

    def as_json(self) -> dict[str, Any]:
        """The JSON contract of ``cimforge synth --clock``: the keys of synth's for the best
        candidate, and those of the search."""
        best = self.best
        return {
            **best.report.as_json(),
            "clock_ns": self.clock,
            "slack_ns": round(self.slack(best), 3),
            "met": self.met,
            "configuration": {
                "toml": plain_toml(best.candidate.config),
                "set": plain_overrides(best.candidate.config),
            },
            "limits": _rounded(best.limits),
            "candidates": self.candidates,
            "tried": [self._tried_json(each) for each in self.tried],
            "seconds": round(sum(each.report.seconds for each in self.tried), 2),
        }

    def _tried_json(self, tried: Tried) -> dict[str, Any]:
        return {
            "candidate": tried.candidate.label,
            "ranks": tried.candidate.config.pipeline_stages,
            "min_period_ns": round(tried.period, 3),
            "slack_ns": round(self.slack(tried), 3),
            "total": round(tried.area, 2),
            "area_change": round(self.growth(tried), 4),
            "limits": _rounded(tried.limits),
        }


def search_clock(
    candidates: list[Candidate],
    clock: float,
    measure: Measure,
    announce: Callable[[str], None] = print,
    most: int = MOST_RUNS,
) -> ClockSearch:
    """The configuration of least area among ``candidates`` with a period of at most ``clock`` ns.

    ``measure`` synthesises one; the first (as given) always, of the others those that may reach the
    period, at most ``most`` in all: the least expected area first of those that are expected to
    reach it, while there are none the shortest expected period. Once one reaches it, those expected
    to be smaller and not far from it follow. Where nothing seems to reach the period, the rest of
    the runs looks for the shortest.
    """
    search = _Search(candidates, clock)
    while (candidate := search.following()) is not None and len(search.tried) < most:
        told = f"{len(search.tried) + 1} of at most {min(most, len(candidates))}"
        announce(f"candidate {told}: {candidate.label}{search.so_far()}")
        search.add(candidate, measure(candidate))
    return ClockSearch(clock, tuple(search.tried), len(candidates))


class _Search:
    def __init__(self, candidates: list[Candidate], clock: float):
        self._candidates, self._clock = candidates, clock
        self.tried: list[Tried] = []

    def add(self, candidate: Candidate, report: SynthReport) -> None:
        assert report.timing is not None
        limits = delay_by_role(report)
        self.tried.append(Tried(candidate, report, report.timing.period, report.total, limits))

    def so_far(self) -> str:
        """The best result, in words that go on a line."""
        if not self.tried:
            return ""
        best = ClockSearch(self._clock, tuple(self.tried), 0).best
        return f" (best so far {best.period:.2f} ns, {best.area:,.0f} µm²)"

    def following(self) -> Candidate | None:
        """The candidate to measure next, or None where no further one is worth it."""
        if not self.tried:
            return self._candidates[0]
        done = {each.candidate.label for each in self.tried}
        left = [c for c in self._candidates if c.label not in done and not self._misses(c)]
        may = [c for c in left if self._may_reach(c)]
        reach = [each.area for each in self.tried if each.period <= self._clock]
        if reach:
            near = [c for c in may if self._expected_period(c) <= NEAR * self._clock]
            return next((c for c in near if self._expected(c) < min(reach)), None)
        likely = [c for c in may if self._expected_period(c) <= self._clock]
        return next(iter(likely), None) or min(may or left, key=self._expected_period, default=None)

    def _expected(self, candidate: Candidate) -> float:
        """Area expected of a candidate, from that of the one most like it."""
        near = min(self.tried, key=lambda each: len(candidate.differs(each.candidate)))
        return near.area * (1 + candidate.cost) / (1 + near.candidate.cost)

    def _expected_period(self, candidate: Candidate) -> float:
        """The longest of the paths known, in ns, each as the axes along which they differ are
        expected to change it."""
        return max(_changed_path(each, candidate) for each in self.tried)

    def _misses(self, candidate: Candidate) -> bool:
        """Whether a path that is too long stays so: no block on it changes, or those that stay
        take too long already."""
        for each in self.tried:
            axes = candidate.differs(each.candidate)
            changed = {block for axis in axes for block in axis.touches(each.path)}
            if each.period > self._clock and not changed:
                return True
            if sum(step.delay for step in each.path if step.block not in changed) > self._clock:
                return True
        return False

    def _may_reach(self, candidate: Candidate) -> bool:
        """Whether more registers cut a path finely enough that was too long with others: into
        equal parts, at best. No more registers than too few are too few."""
        for each in self.tried:
            axes = candidate.differs(each.candidate)
            if each.period <= self._clock or not all(axis.cut for axis in axes):
                continue
            parts = 1.0
            for axis in (axis for axis in axes if axis.touches(each.path)):
                parts *= max(1.0, axis.delay(each.candidate[axis]) / axis.delay(candidate[axis]))
            if parts == 1 or each.period / parts > self._clock:
                return False
        return True


def _changed_path(tried: Tried, candidate: Candidate) -> float:
    """What a candidate is expected to make of a critical path, in ns."""
    axes = candidate.differs(tried.candidate)
    period = tried.period
    for step in tried.path:
        share = 1.0
        for axis in axes:
            if step.block in axis.touches(tried.path):
                share *= axis.delay(candidate[axis]) / axis.delay(tried.candidate[axis])
        period += step.delay * (share - 1)
    return period


def delay_by_role(report: SynthReport) -> dict[str, float]:
    """The critical path's delay in cells of each role, in ns, in the order of the path."""
    assert report.timing is not None
    top = build_macro(report.config)
    roles = {"top": top.role}
    for module in distinct_modules(top):
        for child in module.children:
            label = child.about or child.module.kind.replace("_", " ")
            roles[label] = child.role or child.module.role
    found: dict[str, float] = {}
    for step in report.timing.path:
        role = roles.get(step.block, step.block)
        found[role] = found.get(role, 0.0) + step.delay
    return found


def _rounded(limits: dict[str, float]) -> dict[str, float]:
    return {role: round(delay, 3) for role, delay in limits.items()}
