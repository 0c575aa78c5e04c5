"""One mutant: built, run through the regression, and what became of it."""

import resource
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from cimforge.cocotb_tests.mutation.mutation_list import Mutation
from cimforge.cocotb_tests.mutation.subjects import Subject
from cimforge.cocotb_tests.regression import run_regression
from cimforge.flow.simulate.simulator import BuildError, Design

__all__ = ["Mutant", "Trial", "attempt", "cpu_limited"]

SILENT_SECONDS = 120  # of one test
CPU_SECONDS = 60  # of one simulation: several times the longest unbroken one


@dataclass(frozen=True)
class Mutant:
    """A mutation of a subject and the texts of the whole design, without and with it; ``whole`` is
    the design as emitted. The mutation None stands for the unbroken design."""

    subject: Subject
    whole: Design
    mutation: Mutation | None
    unbroken: str
    broken: str


@dataclass(frozen=True)
class Trial:
    """What became of a mutant: ``outcome`` is killed, proven, bounded or survived, ``by`` the test
    that failed first, or what was compared. ``seconds`` it took."""

    mutant: Mutant
    outcome: str
    by: str
    seconds: float = 0.0

    def __str__(self) -> str:
        mutation = self.mutant.mutation
        place = mutation.command if mutation else "unbroken"
        return f"{self.outcome} by {self.by}, {self.seconds:.1f} s: {place}"


def attempt(mutant: Mutant, folder: Path, simulator: str) -> Trial:
    """Run the regression on the mutant; ``folder`` is removed where it is noticed.

    A simulation that ends early, at a time limit or by itself, is noticed as well.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    start = time.monotonic()
    trial = _attempt(mutant, folder, simulator)
    if trial.outcome == "killed":
        shutil.rmtree(folder)
    return replace(trial, seconds=time.monotonic() - start)


def _attempt(mutant: Mutant, folder: Path, simulator: str) -> Trial:
    subject = mutant.subject
    try:
        with cpu_limited():
            report = run_regression(
                subject.broken(mutant.whole, mutant.broken, folder),
                folder / "verify",
                simulator=simulator,
                suite=subject.suite,
                options=dict(subject.options),
                stop_early=True,
                limit=SILENT_SECONDS,
                announce=lambda _: None,
            )
    except BuildError:
        return Trial(mutant, "killed", "the build")
    if report.passed:
        return Trial(mutant, "survived", "the whole regression")
    return Trial(mutant, "killed", report.failures[0].test)


@contextmanager
def cpu_limited() -> Iterator[None]:
    """Meanwhile a simulator that loops without time passing is ended by the system.

    The limit is inherited, so it is set here; afterwards this process has its own back.
    """
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft, hard = resource.getrlimit(resource.RLIMIT_CPU)
    limit = int(used.ru_utime + used.ru_stime) + CPU_SECONDS
    own = [each for each in (limit, soft, hard) if each != resource.RLIM_INFINITY]
    resource.setrlimit(resource.RLIMIT_CPU, (min(own), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))
