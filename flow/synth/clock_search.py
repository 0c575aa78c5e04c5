"""Searches the configuration of least area that reaches a clock period on a library."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cimforge.flow.synth.clock_candidates import Candidate
from cimforge.flow.synth.synth_report import SynthReport
from cimforge.hdl.macro.top import build_macro
from cimforge.hdl.netlist.module import distinct_modules
from cimforge.hdl.params.config_file import plain_overrides, plain_toml

__all__ = ["MOST_RUNS", "ClockSearch", "Tried", "delay_by_role", "search_clock"]

MOST_RUNS = 12  # candidates that are synthesised, at most
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
    def blocks(self) -> set[str]:
        """The blocks on the critical path."""
        return {step.block for step in self.report.timing.path} if self.report.timing else set()


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
    period, the least expected area first, at most ``most`` in all. It ends when no other is
    expected to be smaller than the best found. Where nothing seems to reach the period, the rest of
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
        reach = [each.area for each in self.tried if each.period <= self._clock]
        if reach:
            left = [c for c in left if self._expected(c) < min(reach) and self._may_reach(c)]
        else:
            left = [c for c in left if self._may_reach(c)] or left
        return left[0] if left else None

    def _expected(self, candidate: Candidate) -> float:
        """Area expected of a candidate, from that of the configuration as given."""
        given = self.tried[0]
        return given.area * (1 + candidate.cost) / (1 + given.candidate.cost)

    def _misses(self, candidate: Candidate) -> bool:
        """Whether a path that is too long stays as it is: no block on it changes."""
        for each in self.tried:
            changed = {block for axis in candidate.differs(each.candidate) for block in axis.blocks}
            if each.period > self._clock and not changed & each.blocks:
                return True
        return False

    def _may_reach(self, candidate: Candidate) -> bool:
        """Whether as many registers cut a path finely enough that was too long with others: into
        equal parts, at best. Fewer registers than too few are too few."""
        ranks = candidate.config.pipeline_stages
        for each in self.tried:
            other = each.candidate.config.pipeline_stages
            alone = [axis.key for axis in candidate.differs(each.candidate)] == ["tree_stages"]
            if not alone or each.period <= self._clock:
                continue
            if ranks < other or each.period * (other + 1) / (ranks + 1) > self._clock:
                return False
        return True


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
