"""cimforge explore: many macros measured, the best of them told."""

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from cimforge.explore.cluster.cluster_place import ClusterPlace
from cimforge.explore.optimiser import optimise
from cimforge.explore.points import Point, Points, list_points
from cimforge.explore.result_store import STORE, ResultStore
from cimforge.explore.run_sweep import Measured, run_sweep
from cimforge.explore.run_sweep import Progress as Told
from cimforge.explore.sweep import OPTIMISE, SweepTarget
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
    facts = [("combinations of the axes", f"{points.drawn:,}")]
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
    if not front:
        show_table(f"{report.sweep.name} on {target.name}", [("no point fulfils the constraints",)])
        return
    axes = report.sweep.axes
    header = (*axes, *(f"{name} ({report.unit(name, target)})" for name in metrics))
    rows = [
        (
            *(str(each.point.choice[axis]) for axis in axes),
            *(_shown(each.figures[name]) for name in metrics),
        )
        for each in front[:SHOWN_POINTS]
    ]
    of = f"{len(front)} of {len(report.feasible(target))} feasible points"
    ways = ", ".join(f"{way} {name}" for name, way in report.sweep.objectives.items())
    shown = "" if len(front) <= SHOWN_POINTS else f", the first {SHOWN_POINTS}"
    show_table(f"{report.sweep.name} on {target.name}: {ways}; {of}{shown}", rows, header)


def _shown(value: float) -> str:
    """Six digits, without an exponent."""
    return f"{value:,.0f}" if abs(value) >= 1e5 else f"{value:,.6g}"


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
