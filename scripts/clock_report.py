"""cimforge synth --clock: what it refuses, the search's progress, and its report."""

import shutil
from math import isfinite
from pathlib import Path

import click

from cimforge.flow.liberty.leaf_cells import choose_cells
from cimforge.flow.liberty.library import read_library
from cimforge.flow.liberty.library_path import Found
from cimforge.flow.macro_files import macro_extras
from cimforge.flow.synth.clock_candidates import Candidate, clock_candidates
from cimforge.flow.synth.clock_search import MOST_RUNS, ClockSearch, search_clock
from cimforge.flow.synth.static_timing import STA, check_timed
from cimforge.flow.synth.synth_report import NO_PERIOD, SynthReport, synth_macro
from cimforge.flow.synth.targets import LIBERTY
from cimforge.hdl.emit.package import emit_macro
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import InputError, canonical_command, plain_toml
from cimforge.scripts.options import CheckFailedError, print_json, show_table, steps

__all__ = ["check_clock", "check_search", "run_search"]


def check_clock(
    context: click.Context, parameter: click.Parameter, value: float | None
) -> float | None:
    """The period of --clock, refused where there is no such clock."""
    if value is not None and not (isfinite(value) and value > 0):
        raise click.BadParameter(f"must be a period in ns above 0, for example 1.5, not {value:g}")
    return value


def check_search(target: str, flatten: bool, sram: Path | None) -> None:
    """Raise InputError where a search makes no sense, or has no tool."""
    if target != LIBERTY:
        raise InputError(f"--clock: only with --target {LIBERTY}, not {target}")
    for option, given in (("--flatten", flatten), ("--sram", sram is not None)):
        if given:
            raise InputError(
                f"--clock: not with {option}; search first, then measure what is found"
            )
    if shutil.which(STA) is None:
        raise InputError(f"--clock: no {STA} on PATH; install OpenSTA (Debian: opensta)")


def run_search(
    macro: MacroConfig,
    clock: float,
    folder: Path,
    found: Found,
    overrides: dict[str, str],
    as_json: bool,
) -> None:
    """Search, each candidate in a folder of its own below ``folder``; print what came out.

    Raises CheckFailedError where nothing reaches the period.
    """
    library = read_library(*found.paths)
    leaves = choose_cells(library, overrides, latches=bool(macro.storage_traits.control_ports))
    check_timed(library)
    with steps(f"searching for {clock:g} ns") as announce:

        def measure(candidate: Candidate) -> SynthReport:
            place = folder / "clock" / candidate.folder
            emit_macro(candidate.config, place, macro_extras(candidate.config))
            report = synth_macro(
                candidate.config,
                place,
                LIBERTY,
                liberty=found.paths,
                overrides=overrides,
                announce=lambda text: None,
            )
            if report.timing is None:
                cause = next(note for note in report.notes if note.startswith(NO_PERIOD))
                raise CheckFailedError(f"--clock: {cause}")
            report.notes[:0] = found.notes
            return report

        candidates = clock_candidates(macro, leaves.cells)
        search = search_clock(candidates, clock, measure, announce, MOST_RUNS)
    if as_json:
        print_json(search.as_json())
    else:
        _show(search, library.name)
    if not search.met:
        raise CheckFailedError(f"--clock: nothing reaches {clock:g} ns; {_best_in_words(search)}")


def _best_in_words(search: ClockSearch) -> str:
    """The best that was reached, and what limits it."""
    best = search.best
    limits = ", ".join(f"{role} {delay:.2f}" for role, delay in best.limits.items())
    return f"best {best.period:.2f} ns with {best.candidate.label}, limited by (ns): {limits}"


def _show(search: ClockSearch, library: str) -> None:
    rows = [
        (
            ("→ " if each is search.best else "") + each.candidate.label,
            f"{each.period:.2f}",
            f"{search.slack(each):+.2f}",
            f"{each.area:,.0f}",
            f"{search.growth(each):+.1%}",
            ", ".join(f"{role} {delay:.2f}" for role, delay in each.limits.items()),
        )
        for each in search.tried
    ]
    header = ("candidate", "ns", "slack", "µm²", "area", "critical path, ns")
    show_table(f"{search.clock:g} ns on {library}", rows, header)
    best, config = search.best, search.best.candidate.config
    reached = "least area that reaches it" if search.met else "nothing reaches it; the fastest is"
    cycles = f"{config.latency()} (as given {search.given.candidate.config.latency()})"
    facts = [(reached, best.candidate.label), ("latency, cycles", cycles)]
    facts += [("tried", f"{len(search.tried)} of {search.candidates}")]
    below = [("netlist", best.report.folder / "netlist.v"), ("the same", canonical_command(config))]
    show_table("", facts, below=below)
    click.echo(f"as TOML:\n{plain_toml(config)}", nl=False)
