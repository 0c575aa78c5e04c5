"""cimforge datasheet: one page a macro, of what was measured and proven."""

import shlex
from collections.abc import Iterator, Mapping
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from time import monotonic
from typing import Any

import click
from click.core import ParameterSource

from cimforge.flow.datasheet.checks import CHECKS, checks_of
from cimforge.flow.datasheet.highlights import LIBRARY_TITLES, highlights
from cimforge.flow.datasheet.macro_facts import macro_facts
from cimforge.flow.liberty.library import read_library
from cimforge.flow.liberty.library_path import find_libraries
from cimforge.flow.macro_files import macro_extras
from cimforge.flow.synth.storage_check import check_storage
from cimforge.hdl.emit.package import emit_macro
from cimforge.hdl.netlist.yosys import YosysError
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import InputError, canonical_command, load_config
from cimforge.scripts.datasheet_pages import PAGE, DatasheetPages
from cimforge.scripts.datasheet_progress import check_progress
from cimforge.scripts.datasheet_runs import Bench, due
from cimforge.scripts.options import (
    CheckFailedError,
    config_epilog,
    config_options,
    default_folder,
    print_json,
    show_table,
    simulator_option,
    stderr,
)

__all__ = ["datasheet"]

SIMULATION = ("cocotb", "verilator")
INTERRUPTED = 130


@click.command(epilog=config_epilog, short_help="One page: figures, ports, registers, proof.")
@config_options
@simulator_option
@click.option(
    "--liberty",
    multiple=True,
    metavar="FILE",
    help="Checks on this cell library too; repeatable.  [default: what the page has]",
)
@click.option("--run", is_flag=True, help="Run the checks that have not passed yet.")
@click.option(
    "--only",
    multiple=True,
    type=click.Choice(list(CHECKS)),
    help="With --run: only this check; repeatable. Netlists of FPGAs are checked only so.",
)
def datasheet(
    config: str,
    overrides: tuple[str, ...],
    output: Path | None,
    as_json: bool,
    simulator: str,
    liberty: tuple[str, ...],
    run: bool,
    only: tuple[str, ...],
) -> None:
    """Write the datasheet of CONFIG: an HTML page that prints, and beside it the JSON that all its
    values are from. Results of checks are kept there, as long as nothing that decides them changes;
    what was not run, the page says, with the command. Libraries and the simulator stay the page's
    until others are named."""
    if only and not run:
        raise InputError("--only: only with --run")
    macro = load_config(config, overrides)
    libraries = find_libraries(liberty).paths if liberty else ()
    if libraries:
        read_library(*libraries)  # refused before anything runs, as each check would
    folder = default_folder(output, macro)
    pages = DatasheetPages(macro.module, folder / PAGE)
    old = pages.kept()
    libraries = libraries or _kept_libraries(old)
    given = click.get_current_context().get_parameter_source("simulator")
    if given is ParameterSource.DEFAULT:
        simulator = old.get("simulator", simulator)
    names = [name for name, check in checks_of(macro).items() if libraries or not check.mapped]
    for name in only:
        _check_asked(macro, name, names)
    extras = macro_extras(macro)
    try:
        manifest = emit_macro(macro, folder, extras)
    except YosysError as error:
        raise CheckFailedError(error) from None
    packages = {**manifest["tools"], **dict(_packages())}
    hashes = tuple(f["sha256"] for f in manifest["files"] if f["path"].endswith((".v", ".vlt")))
    bench = Bench(macro, folder, output is not None, libraries, simulator, hashes, packages)
    sheet = macro_facts(macro, manifest, extras["timing.json"])
    sheet["stored"], sheet["simulator"] = pages.stored, simulator
    sheet["command"] = _command(macro, simulator, libraries, output)
    kept = old.get("checks", {})
    sheet["checks"] = {name: bench.entry(name, kept.get(name, {})) for name in names}
    programs = [bench.programs(name) for name in names]
    sheet["versions"] = {**packages, **{tool: told[tool] for told in programs for tool in told}}
    _write(sheet, pages, bench, extras["timing.svg"])
    if run:
        _run(sheet, pages, bench, only, extras["timing.svg"])
    _report(sheet, pages, as_json)


def _kept_libraries(old: Mapping[str, Any]) -> tuple[Path, ...]:
    """The libraries that a page's checks are on, where all of them are still there."""
    told = [entry["libraries"] for entry in old.get("checks", {}).values() if entry["libraries"]]
    paths = tuple(Path(library["path"]) for library in told[0]) if told else ()
    gone = next((path for path in paths if not path.is_file()), None)
    if gone:
        stderr.print(f"{gone} is gone: the page loses its checks on it …")
    return () if gone else paths


def _check_asked(macro: MacroConfig, name: str, names: list[str]) -> None:
    """InputError where the check of --only is not among those of the page."""
    if name in names:
        return
    if name in checks_of(macro):
        raise InputError(f"--only {name}: needs a cell library; add --liberty FILE")
    check_storage(macro, CHECKS[name].target, f"--only {name}")
    raise InputError(f"--only {name}: not of this macro, which has {', '.join(checks_of(macro))}")


def _command(
    macro: MacroConfig, simulator: str, libraries: tuple[Path, ...], output: Path | None
) -> str:
    """What makes the page, as it is typed."""
    words = canonical_command(macro).replace("generate", PAGE, 1)
    chosen = [word for path in libraries for word in ("--liberty", str(path))]
    chosen += ["-o", str(output)] if output else []
    return " ".join([words, shlex.join(["--simulator", simulator, *chosen])])


def _packages() -> Iterator[tuple[str, str]]:
    """Releases of what simulates, where it is a Python package that is installed."""
    for package in SIMULATION:
        with suppress(PackageNotFoundError):
            yield package, version(package)


def _write(sheet: dict[str, Any], pages: DatasheetPages, bench: Bench, drawing: str) -> None:
    """The page, with what was measured until now first."""
    known = checks_of(bench.macro)
    orders = {name: bench.command(name) for name in sheet["checks"] if not CHECKS[name].asked}
    more = f"{sheet['command']} --run --liberty FILE"
    orders |= {name: more for name in LIBRARY_TITLES if name in known and name not in orders}
    sheet["measured"] = highlights(sheet["checks"], orders)
    pages.write(sheet, drawing)


def _run(
    sheet: dict[str, Any],
    pages: DatasheetPages,
    bench: Bench,
    only: tuple[str, ...],
    drawing: str,
) -> None:
    """Run what is due, and write the page after each: an interrupted run goes on where it was."""
    names = due(sheet["checks"], only)
    try:
        with check_progress(names, pages.seconds) as begin:
            for name in names:
                counted = begin(name)
                begun = monotonic()
                sheet["checks"][name] = told = bench.run(name, counted)
                if told["status"] == "passed":
                    pages.seconds[name] = round(monotonic() - begun, 1)
                _write(sheet, pages, bench, drawing)
    except KeyboardInterrupt:
        passed = sum(told["status"] == "passed" for told in sheet["checks"].values())
        kept = f"{passed} of {len(sheet['checks'])} checks have passed and are kept in {pages.path}"
        stderr.print(f"cimforge: interrupted; {kept}; the same command goes on")
        raise click.exceptions.Exit(INTERRUPTED) from None


def _report(sheet: dict[str, Any], pages: DatasheetPages, as_json: bool) -> None:
    checks = sheet["checks"]
    if as_json:
        print_json(sheet)
    else:
        rows = [
            (told["title"], " ".join([told["status"], told["why"]]).strip(), told["command"])
            for told in checks.values()
        ]
        show_table(sheet["name"], rows, ("check", "outcome", "command"), [("page", pages.path)])
    failed = [name for name, told in checks.items() if told["status"] == "failed"]
    if failed:
        raise CheckFailedError(f"{len(failed)} of {len(checks)} checks failed: {', '.join(failed)}")
