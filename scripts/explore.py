"""cimforge explore: many macros measured, the best of them told."""

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import floor, log10
from pathlib import Path

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from cimforge.explore.cluster.cluster_place import ClusterPlace
from cimforge.explore.optimiser import optimise
from cimforge.explore.points import Point, Points, list_points
from cimforge.explore.result_store import STORE, ResultStore
from cimforge.explore.run_sweep import Measured, run_sweep
from cimforge.explore.run_sweep import Progress as Told
from cimforge.explore.shown_units import SHOWN_UNITS
from cimforge.explore.sweep import GRID, OPTIMISE, SweepTarget
from cimforge.explore.sweep_file import read_sweep
from cimforge.explore.sweep_page import sweep_page
from cimforge.explore.sweep_report import SweepReport
from cimforge.hdl.emit.output_paths import BUILD
from cimforge.hdl.emit.outputs import write_file
from cimforge.hdl.params.config_file import InputError
from cimforge.scripts.cluster_option import cluster_option, opened_crew
from cimforge.scripts.options import (
    CheckFailedError,
    OutputPath,
    print_json,
    show_table,
    stderr,
)
from cimforge.scripts.sweep_rooms import HANDED_IN

__all__ = ["explore"]

FOLDER = Path(BUILD) / "explore"
SHOWN_RULES = 6
SHOWN_POINTS = 20
DIGITS = 4  # of a figure in the table; the CSV has more
WHOLE = 1000  # from here on those behind the point do not matter


@click.command(short_help="Measure a sweep of macros, tell the best.")
@click.argument("sweep", metavar="SWEEP.toml", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=OutputPath(),
    default=FOLDER,
    show_default=True,
    help="Folder of the store, results.db, and of the sweep's CSV, JSON and page. A point that "
    "is in the store is not measured again.",
)
@click.option(
    "--jobs",
    type=click.IntRange(1, 256),
    help="Processes at once.  [default: one a core]",
)
@cluster_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout.")
def explore(
    sweep: Path, output: Path, jobs: int | None, cluster: ClusterPlace, as_json: bool
) -> None:
    """Measure every macro of SWEEP.toml (axes, targets, metrics) and tell those that no other
    beats in its objectives. Equal blocks are synthesised once for all; what is measured is kept, so
    an interrupted run goes on where it was."""
    begun = time.monotonic()
    read = read_sweep(sweep, HANDED_IN)
    chosen = read.search == OPTIMISE
    points = Points() if chosen else _checked(list_points(read), sweep)
    crew = opened_crew(cluster, jobs)
    with ResultStore(output / STORE) as store, _progress() as told, crew as workers:

        def measure(some: Sequence[Point], told: Told) -> list[Measured]:
            return run_sweep(read, some, store, output, workers, told)

        if chosen:
            points, measured = optimise(read, measure, told)
            _checked(points, sweep)
        else:
            measured = measure(points.points, told)
    report = SweepReport(read, points, measured)
    path = output / read.name
    write_file(path.with_suffix(".csv"), report.as_csv())
    told_json = report.as_json()
    write_file(path.with_suffix(".json"), json.dumps(told_json, indent=2) + "\n")
    write_file(path.with_suffix(".html"), sweep_page(report))
    fresh = sum(each.fresh for each in measured)
    seconds = time.monotonic() - begun
    if as_json:
        print_json({**told_json, "fresh": fresh, "seconds": round(seconds, 2)})
    else:
        _show(report, output, fresh, seconds)
    if report.failed:
        first = report.failed[0]
        raise CheckFailedError(
            f"{len(report.failed)} of {len(measured)} points failed: {first.why}"
        )


def _checked(points: Points, sweep: Path) -> Points:
    """The same; InputError where there is none."""
    if not points.points:
        rule, _ = points.rules.most_common(1)[0] if points.rules else ("'when' leaves none", 0)
        raise InputError(f"{sweep}: no legal point among {points.drawn}: {rule}")
    return points


def _show(report: SweepReport, output: Path, fresh: int, seconds: float) -> None:
    for target in report.sweep.targets:
        _show_front(report, target)
    points = report.points
    facts = [("combinations of the axes", f"{report.sweep.grid:,}")]
    if report.sweep.search != GRID:
        several = len(report.sweep.targets) > 1 and report.sweep.search == OPTIMISE
        facts.append(("tried", f"{points.drawn:,}" + (", all targets together" * several)))
    if points.left_out:
        facts.append(("left out by 'when'", f"{points.left_out:,}"))
    rules = points.rules.most_common()
    facts += [("refused", f"{count:,}: {rule}") for rule, count in rules[:SHOWN_RULES]]
    if more := sum(count for _, count in rules[SHOWN_RULES:]):
        facts.append(("refused", f"{more:,} by {len(rules) - SHOWN_RULES} other rules (JSON)"))
    known = len(report.measured) - fresh - len(report.failed) - len(report.unfit)
    facts.append(("points", f"{fresh:,} measured, {known:,} known, {len(report.failed):,} failed"))
    if report.unfit:
        facts.append(("do not fit", f"{len(report.unfit):,} on their board"))
    facts.append(("time", f"{seconds:.1f} s"))
    below: list[tuple[str, object]] = [("store", output / STORE)]
    below += [("every point", output / f"{report.sweep.name}.csv")]
    below += [("page", output / f"{report.sweep.name}.html")]
    show_table("", facts, below=below)


def _show_front(report: SweepReport, target: SweepTarget) -> None:
    """The front of a target: the axes that it varies along, and the metrics asked for."""
    front, metrics = report.front(target), report.metrics(target)
    name = f"{report.sweep.name} on {target.name}"
    if not front:
        show_table(f"{name}: no front", [(line,) for line in _why_none(report, target)])
        return
    axes = report.sweep.axes
    header = (*axes, *(_with_unit(metric, report.unit(metric, target)) for metric in metrics))
    rows = [
        (
            *(str(each.point.choice[axis]) for axis in axes),
            *(_shown(each.figures[name]) for name in metrics),
        )
        for each in front[:SHOWN_POINTS]
    ]
    ways = ", ".join(f"{way} {name}" for name, way in report.objectives(target).items())
    held = " that fulfil the constraints" if report.judged(target) else ""
    of = f"front of {len(front)}, of {len(report.feasible(target))}{held or ' points'}"
    shown = "" if len(front) <= SHOWN_POINTS else f", the first {SHOWN_POINTS}"
    below = [(f"not judged on {target.name}", told) for told in _not_judged(report, target)]
    title = f"{name}: {ways or 'no objective is told there'}; {of}{shown}"
    show_table(title, rows, header, below)


def _not_judged(report: SweepReport, target: SweepTarget) -> list[str]:
    """One line of the objectives and constraints whose metrics a target does not tell, or none."""
    of = report.not_judged(target)
    told = [f"{kind[:-1]} {each}" for kind, all_of in of.items() for each in all_of]
    return [f"{', '.join(told)} (not measured there)"] if told else []


def _why_none(report: SweepReport, target: SweepTarget) -> list[str]:
    """Why a target has no front, a line a reason."""
    own = report.of(target)
    if any(not each.why for each in own):
        return [f"no point fulfils the constraints ({'; '.join(report.judged(target))})"]
    rules = report.refused_on(target)
    lines = ["no macro was measured there"]
    lines += [f"refused, {number:,}: {rule}" for rule, number in rules[:SHOWN_RULES]]
    if unfit := sum(each.unfit for each in own):
        lines.append(f"do not fit, {unfit:,}")
    if failed := len(own) - unfit:
        lines.append(f"failed, {failed:,}")
    return lines


def _with_unit(name: str, unit: str) -> str:
    shown = SHOWN_UNITS.get(unit, unit)
    return f"{name} ({shown})" if shown and shown != name else name


def _shown(value: float) -> str:
    """Whole numbers and those of a thousand and more without a point, others to four digits; none
    has an exponent."""
    if value == int(value) or abs(value) >= WHOLE:
        return f"{value:,.0f}"
    decimals = DIGITS - 1 - floor(log10(abs(value)))
    return f"{value:.{decimals}f}".rstrip("0").rstrip(".")


@contextmanager
def _progress() -> Iterator[Told]:
    """A bar on stderr, with the time that is left."""
    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("measured{task.fields[left]}"))
    with Progress(*columns, console=stderr, transient=True, disable=not stderr.is_terminal) as bar:
        task = bar.add_task("", total=None, left="")
        last = -1

        def told(done: int, total: int, left: float | None) -> None:
            nonlocal last
            text = "" if left is None else f", about {left:,.0f} s left"
            bar.update(task, completed=done, total=total, left=text)
            if not stderr.is_terminal and done != last:
                stderr.print(f"{done} of {total} measured{text} …")
            last = done

        yield told
