"""The regression of one emitted macro: builds it, runs the suite in parallel jobs, gathers one
report."""

import json
import shutil
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cimforge.cocotb_tests.coverage import Bins, merge
from cimforge.cocotb_tests.discovery import PlannedTest, chosen, exactly, planned_tests
from cimforge.cocotb_tests.testplan import waived_bins
from cimforge.flow.simulate.bounded_run import LIMIT_S
from cimforge.flow.simulate.simulator import Design, build, locked, run_tests
from cimforge.flow.worker_pool import WorkerPool

__all__ = ["ARRAY_SUITE", "BUS_SUITE", "SUITE", "Failure", "Report", "run_regression"]

MODULES = (
    *("values", "handshakes", "banks", "reset", "turns", "dependence", "absent", "scan_mode"),
    *("drawn_timing", "row_groups", "tables", "zero_skip", "binary", "fused_slices"),
)
SUITE = tuple(f"suite.{name}" for name in MODULES)
ARRAY_SUITE = ("array.array_suite",)
BUS_SUITE = ("bus.bus_suite", "bus.command_suite")
PACKAGE = "cimforge.cocotb_tests"


@dataclass(frozen=True)
class Failure:
    """A failed test: its full name and the first line of what went wrong."""

    test: str
    message: str


@dataclass
class Report:
    """Outcome of a regression. ``planned`` counts the tests that must run or say why not,
    ``passes`` the matrix-vector products compared with golden; ``waivers`` are the bins that need
    not be hit, with the reason; ``partial`` says that only some tests were asked for."""

    simulator: str
    seed: int
    tests: int = 0
    skipped: list[str] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    passes: int = 0
    coverage: Bins = field(default_factory=dict)
    planned: int = 0
    waivers: dict[str, str] = field(default_factory=dict)
    partial: bool = False
    junit: Path = Path()
    waves: list[Path] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Whether every planned test ran or does not apply, some ran, and none failed."""
        whole = self.tests == self.planned and self.tests > len(self.skipped)
        return whole and not self.failures

    @property
    def complete(self) -> bool:
        """Whether the tests passed and, where all were asked for, left no hole in coverage."""
        return self.passed and (self.partial or not self.holes)

    @property
    def bins(self) -> int:
        """Coverage bins in all."""
        return sum(len(bins) for bins in self.coverage.values())

    @property
    def holes(self) -> list[str]:
        """Coverage bins that no test hit, and that no waiver names."""
        return [name for name in self.missed if name not in self.waivers]

    @property
    def waived(self) -> list[str]:
        """Coverage bins that no test hit, and need not."""
        return [name for name in self.missed if name in self.waivers]

    @property
    def missed(self) -> list[str]:
        """Coverage bins that no test hit, waived or not."""
        return [f"{g}: {n}" for g, bins in self.coverage.items() for n, c in bins.items() if not c]

    def as_json(self) -> dict:
        """The JSON contract of ``cimforge verify``."""
        return {
            "passed": self.complete,
            "tests": self.tests,
            "failed": len(self.failures),
            "skipped": len(self.skipped),
            "passes": self.passes,
            "seed": self.seed,
            "simulator": self.simulator,
            "coverage": {
                "hit": self.bins - len(self.missed),
                "bins": self.bins,
                "waived": len(self.waived),
            },
            "failures": [
                {"test": failure.test, "message": failure.message} for failure in self.failures
            ],
            "planned": self.planned,
            "holes": self.holes,
            "waves": [str(path) for path in self.waves],
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
    limit: float = LIMIT_S,
    announce: Callable[[str], None] = print,
) -> Report:
    """Run the suite (or the tests whose full name matches the regular expression) on ``design``.

    Results go to ``folder``: results.xml (JUnit), coverage.json, a log for each job and, with
    ``waves``, a VCD or FST. ``suite`` names test modules, which ``options`` reach; ``stop_early``
    fails every test of a job after its first failure without running it. A simulation in which no
    test begins or ends for ``limit`` seconds is ended. Equal seeds give equal stimuli, whatever the
    jobs or the filter. Waits for another regression of the same folder.

    Raises InputError where no test matches, SuiteError where the tests cannot be loaded, BuildError
    where the build fails.
    """
    settings = {"seed": seed, "stop_early": stop_early, **(options or {})}
    with locked(design.folder / "sim" / "regression.lock", announce):
        modules = [f"{PACKAGE}.{module}" for module in suite]
        planned = chosen(planned_tests(modules, design.config, settings), test_filter)
        # cocotb runs a test that a filter matches even where it is to be skipped.
        left_out = [test for test in planned if test_filter and test.skip]
        due = [test for test in planned if test not in left_out]
        only = exactly(due) if test_filter else None
        run = _Run(design, simulator, folder, settings, only, waves, limit)
        build(design, simulator, waves=waves, announce=announce)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        shares = _shares(due, modules, jobs)
        announce(f"running the tests of {design.config.module}")
        endings = _run_shares(run, shares)
        report = Report(simulator, seed, planned=len(planned), junit=folder / "results.xml")
        report.partial = bool(test_filter)
        report.tests, report.skipped = len(left_out), [test.short for test in left_out]
        suites = ET.Element("testsuites", name=f"cimforge verify {design.config.module}")
        for index, (share, ending) in enumerate(zip(shares, endings, strict=True)):
            mine = [test for test in due if test.module in share]
            _gather(report, suites, mine, folder / f"job{index}", ending)
        report.waivers = waived_bins(design.config, report.missed)
        ET.ElementTree(suites).write(report.junit, encoding="unicode", xml_declaration=True)
        (folder / "coverage.json").write_text(json.dumps(report.coverage, indent=1) + "\n")
    return report


def _shares(planned: list[PlannedTest], modules: list[str], jobs: int) -> list[list[str]]:
    """The modules that have tests to run, dealt out to at most ``jobs`` processes."""
    needed = {test.module for test in planned}
    modules = [module for module in modules if module in needed]
    return [modules[job::jobs] for job in range(min(jobs, len(modules)))]


@dataclass(frozen=True)
class _Run:
    """What all jobs of a regression have in common."""

    design: Design
    simulator: str
    folder: Path
    settings: dict
    test_filter: str | None
    waves: bool
    limit: float


def _run_shares(run: _Run, shares: list[list[str]]) -> list[str]:
    """Run each share of the modules in a process of its own; why each ended early, or nothing."""
    if not shares:
        return []
    with WorkerPool(len(shares), "fork") as pool:
        started = [pool.submit(_run_share, run, share, i) for i, share in enumerate(shares)]
        endings = dict.fromkeys(started, "")
        for each in pool.ended(started):
            try:
                endings[each] = each.result()
            except BrokenProcessPool:
                endings[each] = "its process was ended from outside, perhaps out of memory"
    return list(endings.values())


def _run_share(run: _Run, share: list[str], index: int) -> str:
    folder = run.folder / f"job{index}"
    job = {**run.settings, "coverage": str((folder / "coverage.json").resolve())}
    options: dict[str, Any] = {"test_filter": run.test_filter, "waves": run.waves}
    options |= {"job": job, "limit": run.limit}
    return run_tests(run.design, run.simulator, share, folder, **options)


def _gather(
    report: Report, suites: ET.Element, due: list[PlannedTest], folder: Path, ending: str
) -> None:
    """Add one job's outcome. A job without a readable JUnit file is itself a failure, and so is a
    planned test that it does not hold."""
    try:
        found = ET.parse(folder / "results.xml").getroot()
    except (OSError, ET.ParseError):
        if due:
            cause = f": {ending}" if ending else ""
            message = f"the simulator ended early{cause}; see {folder / 'sim.log'}"
            modules = sorted({test.short.partition(".")[0] for test in due})
            report.failures.append(Failure(" ".join(modules), message))
            report.tests += 1
        return
    seen = [_count(report, case) for case in found.iter("testcase")]
    _compare(report, due, seen, folder)
    suites.extend(found.iter("testsuite"))
    report.waves += sorted([*folder.glob("dump.vcd"), *folder.glob("dump.fst")])
    covered = folder / "coverage.json"
    if covered.exists():
        part = json.loads(covered.read_text())
        report.passes += part["passes"]
        report.coverage = merge([report.coverage, part["bins"]])


def _count(report: Report, case: ET.Element) -> PlannedTest:
    """Add one test's outcome; the test as it ran, or was skipped."""
    skipped = case.find("skipped") is not None
    test = PlannedTest(f"{case.get('classname', '')}.{case.get('name')}", skipped)
    report.tests += 1
    if skipped:
        report.skipped.append(test.short)
    failure = case.find("failure") if case.find("failure") is not None else case.find("error")
    if failure is not None:
        report.failures.append(Failure(test.short, _first_line(failure)))
    return test


def _compare(report: Report, due: list[PlannedTest], seen: list[PlannedTest], folder: Path) -> None:
    """Fail where other tests ran than were planned, or one was skipped that applies."""
    names = Counter(test.name for test in seen)
    missing = [test for test in due if not names[test.name]]
    extra = names - Counter(test.name for test in due)
    if missing or extra:
        first = missing[0].short if missing else f"{next(iter(extra))}, which is not in the plan,"
        count = f"{len(due) - len(missing)} of {len(due)} tests ran"
        what = "is missing" if missing else "ran"
        failure = Failure("suite", f"{count}: {first} {what}; see {folder / 'sim.log'}")
        report.failures.append(failure)
    left_out = {test.name for test in seen if test.skip} - {test.name for test in due if test.skip}
    report.failures += [
        Failure(test.short, "was skipped, and applies") for test in due if test.name in left_out
    ]


def _first_line(failure: ET.Element) -> str:
    text = failure.get("message") or failure.get("error_msg") or failure.text or "failed"
    return text.strip().splitlines()[0]
