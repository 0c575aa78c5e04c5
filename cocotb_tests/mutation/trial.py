"""One mutant: built, run through the regression, and what became of it."""

import resource
import shutil
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from cimforge.cocotb_tests.mutation.mutation_list import Mutation
from cimforge.cocotb_tests.mutation.subjects import Subject
from cimforge.cocotb_tests.regression import run_regression
from cimforge.flow.simulate.simulator import BuildError

__all__ = ["Trial", "attempt"]

SILENT_SECONDS = 120  # of one test
CPU_SECONDS = 40  # for one simulation: several times the longest unbroken run


@dataclass(frozen=True)
class Trial:
    """A mutation of a subject and its outcome: killed, survived, or equivalent with the proof's
    name. ``by`` is the test that failed first, ``seconds`` the run's time."""

    subject: str
    mutation: Mutation | None  # None for the unbroken design
    outcome: str = ""
    by: str = ""
    seconds: float = 0.0

    def __str__(self) -> str:
        place = self.mutation.command if self.mutation else "unbroken"
        return f"{self.outcome} {self.seconds:.1f} s: {self.subject}: {place} {self.by}"

    def as_json(self) -> dict:
        """Plain data; the test's parameters and the time, which differ from run to run, are left
        out."""
        data = asdict(self)
        del data["seconds"]
        return data


def attempt(trial: Trial, subject: Subject, text: str, folder: Path, simulator: str) -> Trial:
    """Run the regression on ``text``, the broken design; the folder is removed where it is
    noticed.

    A simulation that ends early, by a time limit or by itself, is noticed as well.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    design = subject.broken(text, folder)
    start = time.monotonic()
    _limit_cpu()
    try:
        report = run_regression(
            design,
            folder / "verify",
            simulator=simulator,
            suite=subject.suite,
            options=dict(subject.options),
            stop_early=True,
            limit=SILENT_SECONDS,
            announce=lambda _: None,
        )
    except BuildError:
        return replace(trial, outcome="killed", by="the build")
    seconds = time.monotonic() - start
    if report.passed:
        return replace(trial, outcome="survived", seconds=seconds)
    by = report.failures[0].test if report.failures else "no test ran"
    shutil.rmtree(folder)
    return replace(trial, outcome="killed", by=by, seconds=seconds)


def _limit_cpu() -> None:
    """A simulator that loops without time passing is ended by the system."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    limit = int(used.ru_utime + used.ru_stime) + CPU_SECONDS
    resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.getrlimit(resource.RLIMIT_CPU)[1]))
