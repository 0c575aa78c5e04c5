"""cimforge verify: the cocotb regression of the emitted Verilog."""

import os
import re
import shlex
from collections.abc import Callable, Sequence
from importlib import import_module
from math import isnan
from pathlib import Path
from typing import Any

import click

from cimforge.cocotb_tests.discovery import SuiteError
from cimforge.cocotb_tests.regression import BUS_SUITE, Failure, Report, run_regression
from cimforge.cocotb_tests.testplan import reason_to_skip
from cimforge.flow.liberty.library_path import find_libraries
from cimforge.flow.macro_files import macro_extras
from cimforge.flow.simulate.bounded_run import LIMIT_S
from cimforge.flow.simulate.given_sources import given_design
from cimforge.flow.simulate.simulator import BuildError, Design, check_simulator, locked
from cimforge.flow.synth.netlist_models import NETLISTS, netlist_design
from cimforge.flow.synth.storage_check import check_storage
from cimforge.flow.synth.targets import LIBERTY
from cimforge.hdl.bus.bus_wrapper import BUSES
from cimforge.hdl.emit.package import emit_macro
from cimforge.hdl.netlist.yosys import YosysError
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import InputError, load_config
from cimforge.hdl.params.errors import shown
from cimforge.hdl.params.install_hint import install_hint
from cimforge.scripts.options import (
    SIMULATORS,
    CheckFailedError,
    bus_options,
    config_epilog,
    config_options,
    default_folder,
    liberty_option,
    print_json,
    show_table,
    simulator_option,
    stderr,
    steps,
)

__all__ = ["verify"]

SHOWN = 10  # failures printed; the rest is in the JUnit file
RESULTS = ("results.xml", "coverage.json", "job*")  # what a regression writes to its folder
VERILOG = click.Path(exists=True, dir_okay=False, readable=True, path_type=Path)
FRONT_SUITE = ("bus_fronts.wrapped_suite",)
BUS_PACKAGES = {
    "wishbone": ("cocotb_bus", "cocotbext.wishbone"),  # the second imports the first
    "axi4lite": ("cocotbext.axi",),
    "apb": ("cocotbext.apb",),
}


def _regex(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    try:
        re.compile(value or "")
    except (re.error, RecursionError, OverflowError) as error:
        raise click.BadParameter(f"{shown(value)} is no regular expression: {error}") from None
    return value


def _minutes(context: click.Context, parameter: click.Parameter, value: float) -> float:
    """A time-out that is a number: click's range takes nan."""
    if isnan(value):
        raise click.BadParameter("must be a number of minutes, not nan")
    return value


@click.command(epilog=config_epilog, short_help="Check the Verilog against the golden model.")
@config_options
@simulator_option
@click.option(
    "--seed",
    type=click.IntRange(0, 2**32 - 1),
    metavar="N",
    default=1,
    show_default=True,
    help="Seed of all stimuli.",
)
@click.option(
    "--jobs",
    type=click.IntRange(1, 64),
    metavar="N",
    default=min(2, os.cpu_count() or 1),
    show_default=True,
    help="Processes.",
)
@click.option(
    "--test",
    "test_filter",
    callback=_regex,
    metavar="REGEX",
    help="Only tests whose full name matches somewhere.",
)
@click.option(
    "--netlist",
    type=click.Choice(NETLISTS),
    help="Check the netlist synthesised for this target instead of the Verilog.",
)
@liberty_option
@bus_options
@click.option(
    "--sources",
    multiple=True,
    type=VERILOG,
    metavar="FILE",
    help="Check this Verilog, which is left as it is, instead of CONFIG's; repeatable.",
)
@click.option(
    "--models",
    multiple=True,
    type=VERILOG,
    metavar="FILE",
    help="Simulation models of the cells in --sources; repeatable.",
)
@click.option("--top", metavar="NAME", help="The macro's module in --sources.  [default: ours]")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True, max=60 * 24 * 7),
    callback=_minutes,
    metavar="MINUTES",
    default=LIMIT_S / 60,
    show_default=True,
    help="End a simulation in which no test begins or ends for so long.",
)
@click.option(
    "--waves", is_flag=True, help="Record waveforms (VCD with Verilator, FST with Icarus)."
)
def verify(
    config: str,
    overrides: tuple[str, ...],
    output: Path | None,
    as_json: bool,
    simulator: str,
    seed: int,
    jobs: int,
    test_filter: str | None,
    netlist: str | None,
    liberty: tuple[str, ...],
    bus: str | None,
    patience: int | None,
    sources: tuple[Path, ...],
    models: tuple[Path, ...],
    top: str | None,
    timeout: float,
    waves: bool,
) -> None:
    """Check the emitted Verilog of CONFIG against the golden model, value by value, cycle by
    cycle."""
    macro = load_config(config, overrides)
    check_simulator(simulator)
    if netlist:
        check_storage(macro, netlist, f"--netlist {netlist}")
    if liberty and netlist != LIBERTY:
        raise InputError(f"--liberty: only with --netlist {LIBERTY}")
    libraries = find_libraries(liberty).paths if netlist == LIBERTY else ()
    if bus:
        _check_bus(bus)
        _check_patience(macro, patience)
    _check_together(netlist, bus, sources, models, top)
    folder = default_folder(output, macro) / ("verify-sources" if sources else "")
    other = simulator if simulator != SIMULATORS[0] else None
    results = folder / "-".join(("verify", *filter(None, (netlist, bus, other))))
    _check_results(results)
    given: dict[str, Any] = {"models": models, "top": top, "bus": bus}
    options: dict[str, Any] = {"simulator": simulator, "seed": seed, "jobs": jobs}
    options |= {"test_filter": test_filter, "waves": waves, "limit": timeout * 60}
    unbuilt = ""
    with steps(f"checking {macro.module}") as announce:
        try:
            if sources:
                design = given_design(macro, folder, sources, **given)
            else:
                emit_macro(macro, folder, macro_extras(macro, bus, patience))
                design = _emitted_design(macro, folder, netlist, libraries, bus, announce)
            options |= _bus_suite(bus, patience) if bus else {}
            report = run_regression(design, results, **options, announce=announce)
        except (BuildError, SuiteError, YosysError) as error:
            unbuilt = str(error)
            report = Report(simulator, seed, failures=[Failure("build", unbuilt)])
    if as_json:
        print_json(report.as_json())
    elif not unbuilt:
        _show(macro.module, report)
    if unbuilt:
        raise CheckFailedError(unbuilt)
    sets = [word for override in overrides for word in ("--set", override)]
    replay = ["cimforge", "verify", config, *sets, "--simulator", simulator, "--seed", str(seed)]
    replay += ["--netlist", netlist] if netlist else []
    replay += [word for path in libraries for word in ("--liberty", str(path))]
    replay += ["--bus", bus] if bus else []
    replay += ["--patience", str(patience)] if patience is not None else []
    replay += [word for source in sources for word in ("--sources", str(source))]
    replay += [word for model in models for word in ("--models", str(model))]
    replay += ["--top", top] if top else []
    replay += ["-o", str(output)] if output else []
    _judge(report, replay)


def _bus_suite(bus: str, patience: int | None) -> dict[str, Any]:
    """The tests of a macro behind ``bus``."""
    if bus == "wishbone":
        return {"suite": BUS_SUITE}
    waited = BUSES[bus].patience if patience is None else patience
    return {"suite": FRONT_SUITE, "options": {"bus": bus, "patience": waited}}


def _check_bus(bus: str) -> None:
    """Raise InputError where what drives the bus is not installed."""
    for package in BUS_PACKAGES[bus]:
        try:
            import_module(package)
        except ImportError:
            what = package.replace(".", "-").replace("_", "-")
            raise InputError(f"--bus: needs {what}; run {install_hint('bus')}") from None


def _check_patience(macro: MacroConfig, patience: int | None) -> None:
    """Raise InputError where an access may end in an error before what it waits for has come: the
    tests poll nothing."""
    longest = max(macro.write_cycles(row) for row in range(macro.rows))
    least = 4 * (macro.latency() + longest) + 100
    if patience is not None and patience < least:
        rule = f"must be at least {least} to be checked, since the tests wait and do not poll"
        raise InputError(f"--patience: {rule}, not {patience}")


def _check_together(
    netlist: str | None,
    bus: str | None,
    sources: tuple[Path, ...],
    models: tuple[Path, ...],
    top: str | None,
) -> None:
    """Raise InputError where two options contradict each other."""
    if netlist and bus:
        raise InputError("--bus: the wrapper is checked as Verilog, not with --netlist")
    if netlist and sources:
        raise InputError(f"--netlist {netlist}: is made from our Verilog; give yours as --sources")
    if (models or top) and not sources:
        raise InputError(f"--{'models' if models else 'top'}: only together with --sources FILE")


def _emitted_design(
    macro: MacroConfig,
    folder: Path,
    netlist: str | None,
    libraries: Sequence[Path],
    bus: str | None,
    announce: Callable[[str], None],
) -> Design:
    """What was emitted into ``folder``, or the netlist synthesised from it there."""
    if bus:
        return Design.wrapped(macro, folder, bus)
    if not netlist:
        return Design.emitted(macro, folder)
    with locked(folder / "sim" / "netlist.lock", announce):
        announce(f"synthesising {macro.module} for {netlist}")
        return netlist_design(macro, folder, netlist, libraries)


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


def _show(name: str, report: Report) -> None:
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
    ]
    waves = [("waveforms", path) for path in report.waves]
    show_table(name, rows, below=[("JUnit", report.junit), *waves])


def _skips(report: Report) -> str:
    reasons: dict[str, int] = {}
    for test in report.skipped:
        reason = f"{test.partition('/')[0]}: {reason_to_skip(test)}"
        reasons[reason] = reasons.get(reason, 0) + 1
    return "\n".join(f"{count} {reason}" for reason, count in reasons.items()) or "none"
