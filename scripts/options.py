"""Options and output shared by the verbs."""

import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from cimforge.flow.liberty.leaf_cells import LEAVES
from cimforge.hdl.bus.bus_wrapper import BUSES, PATIENCE
from cimforge.hdl.bus.register_access import MOST_PATIENCE
from cimforge.hdl.emit.output_paths import BUILD, PathError, check_file, check_folder
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import InputError
from cimforge.hdl.params.errors import shown
from cimforge.hdl.params.presets import PRESETS

__all__ = [
    "SIMULATORS",
    "CheckFailedError",
    "OutputPath",
    "bus_options",
    "cell_option",
    "config_epilog",
    "config_options",
    "default_folder",
    "liberty_option",
    "print_json",
    "set_option",
    "short_names",
    "show_table",
    "simulation_progress",
    "simulator_option",
    "stderr",
    "steps",
    "views_option",
]

SIMULATORS = ("verilator", "icarus")  # the first is the default

PIPED_WIDTH = 120  # of tables that no terminal bounds: names of tests stay whole

stderr = Console(stderr=True, highlight=False, markup=False, emoji=False, soft_wrap=True)
stdout = Console(highlight=False, markup=False, emoji=False)


class CheckFailedError(Exception):
    """A check failed: exit status 1. The verb has already said what; the text is one more line, or
    empty."""


class OutputPath(click.Path):
    """A folder, or with ``suffix`` a file that ends so, to write: refused before any work where
    hdl.emit.output_paths forbids it."""

    def __init__(self, suffix: str = ""):
        super().__init__(file_okay=bool(suffix), dir_okay=not suffix, path_type=Path)
        self.suffix = suffix

    def convert(
        self, value: Any, parameter: click.Parameter | None, context: click.Context | None
    ) -> Path:
        """The path of the argument ``value``."""
        text = os.fspath(value)
        if not text:
            self.fail("must not be empty", parameter, context)
        if text.startswith("-"):
            self.fail(f"{text!r} is an option; for that name write ./{text}", parameter, context)
        try:
            check_file(Path(text), self.suffix) if self.suffix else check_folder(Path(text))
        except PathError as error:
            self.fail(str(error), parameter, context)
        return Path(text)


config_epilog = f"CONFIG: a preset ({', '.join(PRESETS)}) or a TOML file; see cimforge schema."


def set_option(command: Callable) -> Callable:
    """--set, and --name, which reaches the verb as one --set more."""

    @wraps(command)
    def named(*arguments: Any, name: str | None, overrides: tuple[str, ...], **others: Any) -> Any:
        chosen = () if name is None else (f"name={json.dumps(name)}",)  # quoted: true is a name
        return command(*arguments, overrides=(*overrides, *chosen), **others)

    for decorate in (
        click.option("--name", metavar="NAME", help="Name of module and files: --set name=NAME."),
        click.option(
            "--set",
            "overrides",
            multiple=True,
            metavar="KEY=VALUE",
            help="Change a parameter, for example rows=37; repeatable.",
        ),
    ):
        named = decorate(named)
    return named


def config_options(command: Callable, *, required: bool = True) -> Callable:
    """CONFIG, --set, -o and --json; CONFIG is None where it is missing and not ``required``."""
    for decorate in (
        click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout."),
        click.option(
            "-o", "--output", type=OutputPath(), help="Folder to write to.  [default: build/NAME]"
        ),
        set_option,
        click.argument("config", metavar="CONFIG", required=required),
    ):
        command = decorate(command)
    return command


def simulator_option(command: Callable) -> Callable:
    """--simulator."""
    return click.option(
        "--simulator",
        type=click.Choice(SIMULATORS),
        default=SIMULATORS[0],
        show_default=True,
        help="Icarus builds faster and simulates slower.",
    )(command)


def bus_options(command: Callable) -> Callable:
    """--bus and --patience; the verb takes ``bus`` and ``patience``, None where not given."""
    tails = ", ".join(f"NAME_{bus.tail}" for bus in BUSES.values())

    @wraps(command)
    def checked(*arguments: Any, bus: str | None, patience: int | None, **others: Any) -> Any:
        waiting = [name for name, known in BUSES.items() if known.patience]
        if patience is not None and bus not in waiting:
            raise InputError(f"--patience: only with --bus {' or '.join(waiting)}")
        return command(*arguments, bus=bus, patience=patience, **others)

    for decorate in (
        click.option(
            "--patience",
            type=click.IntRange(0, MOST_PATIENCE),
            metavar="CYCLES",
            help="How long an access that comes too early waits before its error, AXI4-Lite and "
            f"APB only.  [default: {PATIENCE}]",
        ),
        click.option(
            "--bus", type=click.Choice(list(BUSES)), help=f"The macro behind this bus: {tails}."
        ),
    ):
        checked = decorate(checked)
    return checked


def views_option(command: Callable) -> Callable:
    """--views."""
    return click.option(
        "--views",
        is_flag=True,
        help="The registers also as IP-XACT, as HTML pages and as Python classes.",
    )(command)


def liberty_option(command: Callable) -> Callable:
    """--liberty."""
    return click.option(
        "--liberty",
        multiple=True,
        metavar="FILE",
        help="Cell library (.lib, .lib.gz), or a part of the name of one below PDK_ROOT; "
        "repeatable: the libraries are used together.  [default: the typical corner below "
        "PDK_ROOT, or Debian's osu018]",
    )(command)


def _overrides(
    context: click.Context, parameter: click.Parameter, values: tuple[str, ...]
) -> dict[str, str]:
    """Parse ``role=NAME``."""
    pairs = [value.partition("=") for value in values]
    for (role, _, name), value in zip(pairs, values, strict=True):
        if not role or not name:
            raise click.BadParameter(f"must be role=NAME, for example fa=FA_X1, not {shown(value)}")
        if role.strip() not in LEAVES:
            raise click.BadParameter(f"no role {shown(role.strip())}; roles: {', '.join(LEAVES)}")
    return {role.strip(): name.strip() for role, _, name in pairs}


def cell_option(command: Callable) -> Callable:
    """--cell."""
    return click.option(
        "--cell",
        "cells",
        multiple=True,
        callback=_overrides,
        metavar="ROLE=NAME",
        help=f"Library cell of a role: {', '.join(LEAVES)}; repeatable.",
    )(command)


def short_names(paths: Iterable[str]) -> list[str]:
    """Files by path, those of a folder as one: ``FOLDER/ (COUNT files)``."""
    names = [path.partition("/") for path in paths]
    count = Counter(first for first, inside, _ in names if inside)
    told = [f"{first}/ ({count[first]} files)" if inside else first for first, inside, _ in names]
    return list(dict.fromkeys(told))


def default_folder(output: Path | None, config: MacroConfig) -> Path:
    """Where a verb writes: -o, or build/NAME."""
    return output or Path(BUILD) / config.module


def print_json(value: dict[str, Any]) -> None:
    """One JSON object on stdout."""
    _write(json.dumps(value, indent=2) + "\n")


def show_table(
    title: str,
    rows: Sequence[tuple[str, ...]],
    header: tuple[str, ...] = (),
    below: Sequence[tuple[str, object]] = (),
) -> None:
    """A table on stdout; without ``header`` the first column names the rows.

    ``below`` are paths and commands, one labelled line each, never broken: they are to be copied.
    """
    if not stdout.is_terminal:
        stdout.width = PIPED_WIDTH
    table = Table(title=title, title_justify="left", show_header=bool(header))
    for column in header or [""] * len(rows[0]):
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*row)
    with stdout.capture() as text:
        stdout.print(table)
        for label, text_to_copy in below:
            stdout.print(f"{label}: {text_to_copy}", soft_wrap=True)
    _write(text.get())


def _write(text: str) -> None:
    """``text`` on stdout. A reader that has gone away changes nothing, least of all a check's
    outcome."""
    try:
        click.echo(text, nl=False)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextmanager
def steps(title: str) -> Iterator[Callable[[str], None]]:
    """A spinner on stderr: yields what announces the step under way."""
    with stderr.status(f"{title} …") as status:

        def announce(text: str) -> None:
            status.update(f"{text} …")
            if not stderr.is_terminal:
                stderr.print(f"{text} …")

        yield announce


@contextmanager
def simulation_progress() -> Iterator[tuple[Callable[[str], None], Callable[[int, int], None]]]:
    """A progress bar on stderr: yields what announces a step and what reports (passes done, in
    all)."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=stderr, transient=True, disable=not stderr.is_terminal) as bar:
        task = bar.add_task("preparing", total=None)

        def announce(text: str) -> None:
            bar.update(task, description=text)
            if not stderr.is_terminal:
                stderr.print(f"{text} …")

        def progress(done: int, total: int) -> None:
            bar.update(task, description="passes", completed=done, total=total)

        yield announce, progress
