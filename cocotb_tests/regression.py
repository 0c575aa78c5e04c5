"""The regression of one emitted macro: builds it, runs the suite in parallel jobs, gathers one
report."""

import json
import shutil
import signal
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from cimforge.cocotb_tests.coverage import Bins, merge
from cimforge.flow.simulate.simulator import Design, build, run_tests

__all__ = ["BUS_SUITE", "SUITE", "Failure", "Report", "run_regression"]

MODULES = (
    *("values", "handshakes", "banks", "reset", "turns", "dependence", "absent", "scan_mode"),
    "drawn_timing",
)
SUITE = tuple(f"suite.{name}" for name in MODULES)
BUS_SUITE = ("bus.bus_suite",)


@dataclass(frozen=True)
class Failure:
    """A failed test: its full name and the first line of what went wrong."""

    test: str
    message: str


@dataclass
class Report:
    """Outcome of a regression. ``passes`` counts the matrix-vector products compared with
    golden."""

    simulator: str
    seed: int
    tests: int = 0
    skipped: list[str] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    passes: int = 0
    coverage: Bins = field(default_factory=dict)
    junit: Path = Path()
    waves: list[Path] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Whether tests ran and none failed."""
        return self.tests > len(self.skipped) and not self.failures

    @property
    def bins(self) -> int:
        """Coverage bins in all."""
        return sum(len(bins) for bins in self.coverage.values())

    @property
    def holes(self) -> list[str]:
        """Coverage bins that no test hit."""
        return [
            f"{g}: {n}"
            for g, bins in self.coverage.items()
            for n, count in bins.items()
            if not count
        ]

    def as_json(self) -> dict:
        """The JSON contract of ``cimforge verify``."""
        return {
            "passed": self.passed,
            "tests": self.tests,
            "failed": len(self.failures),
            "skipped": len(self.skipped),
            "passes": self.passes,
            "seed": self.seed,
            "simulator": self.simulator,
            "coverage": {"hit": self.bins - len(self.holes), "bins": self.bins},
            "failures": [
                {"test": failure.test, "message": failure.message} for failure in self.failures
            ],
        }


def run_regression(
    design: Design,
    folder: Path,
    *,
    simulator: str = "verilator",
    seed: int = 1,
    jobs: int = 1,
    suite: Sequence[str] = SUITE,
    options: dict | None = None,
    test_filter: str | None = None,
    waves: bool = False,
    stop_early: bool = False,
    announce: Callable[[str], None] = print,
) -> Report:
    """Run the suite (or the tests whose full name matches the regular expression) on ``design``.

    Results go to ``folder``: results.xml (JUnit), coverage.json, a log for each job and, with
    ``waves``, a VCD or FST. ``suite`` names test modules, which ``options`` reach; ``stop_early``
    fails every test of a job after its first failure without running it. Equal seeds give equal
    stimuli, whatever the jobs or the filter. Raises BuildError where the build fails.
    """
    build(design, simulator, waves=waves, announce=announce)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    shares = [
        [m for i, m in enumerate(suite) if i % jobs == job] for job in range(min(jobs, len(suite)))
    ]
    settings = {"seed": seed, "stop_early": stop_early, **(options or {})}
    announce(f"running the tests of {design.config.module}")
    with ProcessPoolExecutor(len(shares), initializer=_end_on_interrupt) as pool:
        runs = [
            pool.submit(
                _run_share,
                design,
                simulator,
                share,
                folder / f"job{i}",
                settings,
                test_filter,
                waves,
            )
            for i, share in enumerate(shares)
        ]
        outcomes = [run.result() for run in runs]
    report = Report(simulator, seed, junit=folder / "results.xml")
    suites = ET.Element("testsuites", name=f"cimforge verify {design.config.module}")
    for share, outcome in zip(shares, outcomes, strict=True):
        _gather(report, suites, share, outcome)
    ET.ElementTree(suites).write(report.junit, encoding="unicode", xml_declaration=True)
    (folder / "coverage.json").write_text(json.dumps(report.coverage, indent=1) + "\n")
    return report


def _end_on_interrupt() -> None:
    """A worker ends without a traceback on Ctrl-C; the parent says so once."""
    signal.signal(signal.SIGINT, lambda *_: sys.exit(130))


def _run_share(design, simulator, share, folder, settings, test_filter, waves) -> Path:
    modules = [f"cimforge.cocotb_tests.{module}" for module in share]
    job = {**settings, "coverage": str((folder / "coverage.json").resolve())}
    run_tests(design, simulator, modules, folder, job=job, test_filter=test_filter, waves=waves)
    return folder


def _gather(report: Report, suites: ET.Element, share: list[str], folder: Path) -> None:
    """Add one job's outcome; a job without a readable JUnit file is itself a failure."""
    try:
        found = ET.parse(folder / "results.xml").getroot()
    except (OSError, ET.ParseError):
        message = f"the simulator ended early; see {folder / 'sim.log'}"
        modules = " ".join(module.rpartition(".")[2] for module in share)
        report.failures.append(Failure(modules, message))
        report.tests += 1
        return
    for case in found.iter("testcase"):
        report.tests += 1
        name = f"{case.get('classname', '').rpartition('.')[2]}.{case.get('name')}"
        if case.find("skipped") is not None:
            report.skipped.append(name)
        failure = case.find("failure") if case.find("failure") is not None else case.find("error")
        if failure is not None:
            report.failures.append(Failure(name, _first_line(failure)))
    suites.extend(found.iter("testsuite"))
    report.waves += sorted([*folder.glob("dump.vcd"), *folder.glob("dump.fst")])
    covered = folder / "coverage.json"
    if covered.exists():
        part = json.loads(covered.read_text())
        report.passes += part["passes"]
        report.coverage = merge([report.coverage, part["bins"]])


def _first_line(failure: ET.Element) -> str:
    text = failure.get("message") or failure.get("error_msg") or failure.text or "failed"
    return text.strip().splitlines()[0]
