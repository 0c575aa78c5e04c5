"""The score of a set of mutants, as text and as JSON data."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from cimforge.cocotb_tests.mutation.equivalence import CHANCE_CYCLES
from cimforge.cocotb_tests.mutation.trial import Trial

__all__ = ["LEAST", "Score"]

LEAST = 0.98  # of the mutants that are not equivalent
OUTCOMES = ("killed", "proven", "bounded", "survived")


@dataclass
class Score:
    """Counts of outcomes. Proven and bounded mutants are equivalent and do not count; ``share`` is
    killed / (killed + survived), and without the bound killed / (generated - proven)."""

    seed: int
    simulator: str
    trials: list[Trial] = field(default_factory=list)

    def count(self, outcome: str) -> int:
        """Mutants with this outcome."""
        return sum(trial.outcome == outcome for trial in self.trials)

    @property
    def share(self) -> float:
        """Killed of the mutants that are not equivalent; 1 where there are none."""
        killed, survived = self.count("killed"), self.count("survived")
        return killed / (killed + survived) if killed + survived else 1.0

    @property
    def passed(self) -> bool:
        """Whether enough were killed."""
        return self.share >= LEAST

    def as_json(self) -> dict[str, Any]:
        """Everything but times, in an order that does not depend on them."""
        return {
            "seed": self.seed,
            "simulator": self.simulator,
            "generated": len(self.trials),
            **{outcome: self.count(outcome) for outcome in OUTCOMES},
            "share": round(self.share, 4),
            "share_without_bound": round(self._share_without_bound(), 4),
            "random_cycles": CHANCE_CYCLES,
            "by_design": self._table(lambda trial: trial.mutant.subject.name),
            "by_mode": self._table(lambda trial: _mutation(trial).mode),
            "killers": self._killers(),
            "survivors": self._listed("survived"),
            "bounded_ones": self._listed("bounded"),
        }

    def lines(self) -> Iterable[str]:
        """The score in words, every survivor with its cell and source line."""
        counts = ", ".join(f"{self.count(outcome)} {outcome}" for outcome in OUTCOMES)
        yield f"{len(self.trials)} mutants, seed {self.seed}: {counts}"
        yield f"killed {self.share:.1%} of those not equivalent, at least {LEAST:.0%} asked"
        for name, row in self._table(lambda trial: trial.mutant.subject.name).items():
            yield f"{name}: " + ", ".join(f"{row[outcome]} {outcome}" for outcome in OUTCOMES)
        for entry in self._listed("survived"):
            place = f"{entry['source']}: {entry['text']}"
            yield f"survived: {entry['command']}\n  {place}\n  {entry['by']}"

    def _share_without_bound(self) -> float:
        counted = len(self.trials) - self.count("proven")
        return self.count("killed") / counted if counted else 1.0

    def _table(self, key) -> dict[str, dict[str, int]]:
        counts = Counter((key(trial), trial.outcome) for trial in self.trials)
        names = sorted({name for name, _ in counts})
        return {n: {outcome: counts[n, outcome] for outcome in OUTCOMES} for n in names}

    def _killers(self) -> dict[str, int]:
        killed = (trial.by.partition("/")[0] for trial in self.trials if trial.outcome == "killed")
        return dict(sorted(Counter(killed).items(), key=lambda entry: (-entry[1], entry[0])))

    def _listed(self, outcome: str) -> list[dict[str, Any]]:
        found = [_entry(trial) for trial in self.trials if trial.outcome == outcome]
        return sorted(found, key=lambda entry: entry["command"])


def _mutation(trial: Trial):
    mutation = trial.mutant.mutation
    assert mutation is not None
    return mutation


def _entry(trial: Trial) -> dict[str, Any]:
    mutation = _mutation(trial)
    name, line = mutation.line
    text = ""
    if name:
        text = (trial.mutant.whole.folder / name).read_text().splitlines()[line - 1].strip()
    return {
        "command": mutation.command,
        "source": f"{name}:{line}",
        "text": text,
        "wire": mutation.wire,
        "by": trial.by,
    }
