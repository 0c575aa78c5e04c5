"""A regression as the verb verify runs it: of whatever design, with its report, its exit status and
the command that replays a failure."""

import re
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from cimforge.cocotb_tests.discovery import SuiteError
from cimforge.cocotb_tests.regression import Failure, Report, run_regression
from cimforge.cocotb_tests.testplan import reason_to_skip
from cimforge.flow.simulate.given_sources import given_design
from cimforge.flow.simulate.simulator import BuildError, Design
from cimforge.hdl.netlist.module import Module
from cimforge.hdl.netlist.yosys import YosysError
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import InputError
from cimforge.hdl.params.install_hint import install_hint
from cimforge.scripts.options import (
    SIMULATORS,
    CheckFailedError,
    default_folder,
    print_json,
    show_table,
    stderr,
    steps,
)

__all__ = ["Asked", "check_packages"]

SHOWN = 10  # failures printed; the rest is in the JUnit file
RESULTS = ("results.xml", "coverage.json", "job*")  # what a regression writes to its folder


@dataclass(frozen=True)
class Asked:
    """What the command line asks of a regression, whatever the design is: the options of verify of
    the same names; ``timeout`` is in minutes."""

    config: str
    overrides: tuple[str, ...]
    output: Path | None
    as_json: bool
    simulator: str
    seed: int
    jobs: int
    test_filter: str | None
    sources: tuple[Path, ...]
    models: tuple[Path, ...]
    top: str | None
    timeout: float
    waves: bool

    def folder(self, macro: MacroConfig) -> Path:
        """Where the design is: emitted there or, of given sources, only simulated."""
        return default_folder(self.output, macro) / ("verify-sources" if self.sources else "")

    def results(self, folder: Path, *kinds: str | None) -> Path:
        """Where the results of such a design go, cleared before: each has a folder of its own.

        Raises InputError where that would clear anything else.
        """
        other = self.simulator if self.simulator != SIMULATORS[0] else None
        results = folder / "-".join(("verify", *filter(None, (*kinds, other))))
        _check_results(results)
        return results

    def given(self, macro: MacroConfig, folder: Path, ours: Module) -> Design:
        """The sources that are given, in place of the module ``ours``, as given_design."""
        told: dict[str, Any] = {"models": self.models, "top": self.top}
        return given_design(macro, folder, self.sources, ours, **told)

    def check(
        self,
        name: str,
        results: Path,
        design: Callable[[Callable[[str], None]], Design],
        words: Sequence[str] = (),
        left_out: str = "",
        **options: Any,
    ) -> None:
        """Run the regression of what ``design`` makes, told how to announce a step, and report.

        ``options`` are run_regression's; ``left_out`` says what the design leaves out;
        ``words`` of the command line beside those here make the
        replay. Raises CheckFailedError unless every test ran and passed and covered what it must.
        """
        options |= {"simulator": self.simulator, "seed": self.seed, "jobs": self.jobs}
        options |= {"test_filter": self.test_filter, "waves": self.waves}
        unbuilt = ""
        with steps(f"checking {name}") as announce:
            try:
                made, limit = design(announce), self.timeout * 60
                report = run_regression(made, results, limit=limit, announce=announce, **options)
            except (BuildError, SuiteError, YosysError) as error:
                unbuilt = str(error)
                report = Report(self.simulator, self.seed, failures=[Failure("build", unbuilt)])
        if self.as_json:
            print_json(report.as_json())
        elif not unbuilt:
            _show(name, report, left_out)
        if unbuilt:
            raise CheckFailedError(unbuilt)
        _judge(report, [*self._command(), *words, *self._given()])

    def _command(self) -> list[str]:
        sets = [word for override in self.overrides for word in ("--set", override)]
        told = ["--simulator", self.simulator, "--seed", str(self.seed)]
        return ["cimforge", "verify", self.config, *sets, *told]

    def _given(self) -> list[str]:
        words = [word for source in self.sources for word in ("--sources", str(source))]
        words += [word for model in self.models for word in ("--models", str(model))]
        words += ["--top", self.top] if self.top else []
        return words + (["-o", str(self.output)] if self.output else [])


def check_packages(packages: Sequence[str]) -> None:
    """Raise InputError where what drives the bus is not installed."""
    for package in packages:
        try:
            import_module(package)
        except ImportError:
            what = package.replace(".", "-").replace("_", "-")
            raise InputError(f"--bus: needs {what}; run {install_hint('bus')}") from None


def _judge(report: Report, replay: list[str]) -> None:
    """Raise CheckFailedError unless every test ran and passed, and covered what it must; each
    failure with its replay first."""
    for failure in report.failures[:SHOWN]:
        stderr.print(f"FAILED {failure.test}: {failure.message}")
        only = [] if failure.test == "suite" else ["--test", _pattern(failure.test)]
        stderr.print(f"  replay: {shlex.join([*replay, *only])}")
    if report.failures:
        more = f"; all are in {report.junit}" if len(report.failures) > SHOWN else ""
        raise CheckFailedError(f"{len(report.failures)} of {report.tests} tests failed{more}")
    if report.tests != report.planned:
        raise CheckFailedError(f"{report.tests} of {report.planned} tests ran")
    if not report.passed:
        raise CheckFailedError("no test ran: none of those chosen applies to this configuration")
    if not report.complete:
        few = ", ".join(report.holes[:4])
        raise CheckFailedError(
            f"{len(report.holes)} of {report.bins} coverage bins were not hit, and no waiver in the"
            f" test plan names them: {few}{', …' if len(report.holes) > 4 else ''}"
        )


def _check_results(folder: Path) -> None:
    """A regression clears its folder: refuse where that would take anything else with it."""
    if not folder.exists():
        return
    for entry in folder.iterdir() if folder.is_dir() else [folder]:
        if not any(entry.match(pattern) for pattern in RESULTS):
            rule = f"{entry} is not one of its results, and verify clears {folder}"
            raise InputError(f"-o {folder.parent}: {rule}; choose another folder")


def _pattern(test: str) -> str:
    """A regular expression that matches just this test, or all of a job that ended early."""
    if "." not in test:
        return rf"\.({'|'.join(test.split())})\."
    return re.escape(test) + "$"


def _show(name: str, report: Report, left_out: str) -> None:
    passed = report.tests - len(report.failures) - len(report.skipped)
    covered = f"{report.bins - len(report.missed)} of {report.bins} bins"
    if report.partial:
        covered += " (a part of the tests ran, --test)"
    elif report.waived:
        covered += f", {len(report.waived)} waived"
    holes = [] if report.partial else report.holes[:8]
    rows = [
        (
            "tests",
            f"{report.tests} of {report.planned}: {passed} passed, {len(report.failures)} failed",
        ),
        ("not applicable", _skips(report)),
        ("passes compared with golden", str(report.passes)),
        ("coverage", "\nnot hit: ".join([covered, *holes])),
        ("seed, simulator", f"{report.seed}, {report.simulator}"),
        *([("not checked", left_out)] if left_out else []),
    ]
    waves = [("waveforms", path) for path in report.waves]
    show_table(name, rows, below=[("JUnit", report.junit), *waves])


def _skips(report: Report) -> str:
    reasons: dict[str, int] = {}
    for test in report.skipped:
        reason = f"{test.partition('/')[0]}: {reason_to_skip(test)}"
        reasons[reason] = reasons.get(reason, 0) + 1
    return "\n".join(f"{count} {reason}" for reason, count in reasons.items()) or "none"
