"""cimforge verify: the cocotb regression of the emitted Verilog."""

import os
import re
import shlex
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click

from cimforge.cocotb_tests.regression import BUS_SUITE, Failure, Report, run_regression
from cimforge.cocotb_tests.testplan import reason_to_skip
from cimforge.flow.liberty.library_path import find_libraries
from cimforge.flow.macro_files import macro_extras
from cimforge.flow.simulate.simulator import BuildError, Design, check_simulator
from cimforge.flow.synth.netlist_models import NETLISTS, netlist_design
from cimforge.flow.synth.synth_report import check_storage
from cimforge.flow.synth.targets import LIBERTY
from cimforge.hdl.emit.package import emit_macro
from cimforge.hdl.netlist.yosys import YosysError
from cimforge.hdl.params.config_file import InputError, load_config
from cimforge.hdl.params.install_hint import install_hint
from cimforge.scripts.options import (
    CheckFailedError,
    bus_option,
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

RESULTS = ("results.xml", "coverage.json", "job*")  # what a regression writes to its folder


def _regex(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    try:
        re.compile(value or "")
    except (re.error, RecursionError, OverflowError) as error:
        raise click.BadParameter(f"{value!r} is no regular expression: {error}") from None
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
@bus_option
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
    if bus and find_spec("cocotbext.wishbone") is None:
        raise InputError(f"--bus: needs cocotbext-wishbone; run {install_hint('bus')}")
    if netlist and bus:
        raise InputError("--bus: the wrapper is checked as Verilog, not with --netlist")
    folder = default_folder(output, macro)
    results = folder / "-".join(("verify", *filter(None, (netlist, bus))))
    _check_results(results)
    emit_macro(macro, folder, macro_extras(macro, bus))
    unbuilt = ""
    options: dict[str, Any] = {"simulator": simulator, "seed": seed, "jobs": jobs}
    with steps(f"checking {macro.module}") as announce:
        try:
            design = Design.emitted(macro, folder)
            if netlist:
                announce(f"synthesising {macro.module} for {netlist}")
                design = netlist_design(macro, folder, netlist, libraries)
            if bus:
                design = Design.wrapped(macro, folder)
                options |= {"suite": BUS_SUITE}
            options |= {"test_filter": test_filter, "waves": waves, "announce": announce}
            report = run_regression(design, results, **options)
        except (BuildError, YosysError) as error:
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
    _judge(report, replay, test_filter)


def _judge(report: Report, replay: list[str], test_filter: str | None) -> None:
    """Raise CheckFailedError unless tests ran and passed; each failure with its replay first."""
    for failure in report.failures:
        stderr.print(f"FAILED {failure.test}: {failure.message}")
        stderr.print(f"  replay: {shlex.join([*replay, '--test', _pattern(failure.test)])}")
    if not report.tests:
        raise CheckFailedError(f"--test {test_filter}: no test's name matches")
    if report.failures:
        raise CheckFailedError(f"{len(report.failures)} of {report.tests} tests failed")
    if not report.passed:
        raise CheckFailedError("no test ran: none of those chosen applies to this configuration")


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
    covered = f"{report.bins - len(report.holes)} of {report.bins} bins"
    rows = [
        ("tests", f"{passed} passed, {len(report.failures)} failed"),
        ("not applicable", _skips(report)),
        ("passes compared with golden", str(report.passes)),
        ("coverage", "\nnot hit: ".join([covered, *report.holes[:8]])),
        ("seed, simulator", f"{report.seed}, {report.simulator}"),
    ]
    show_table(name, rows, below=[("JUnit", report.junit)])


def _skips(report: Report) -> str:
    reasons: dict[str, int] = {}
    for test in report.skipped:
        reason = f"{test.partition('/')[0]}: {reason_to_skip(test)}"
        reasons[reason] = reasons.get(reason, 0) + 1
    return "\n".join(f"{count} {reason}" for reason, count in reasons.items()) or "none"
