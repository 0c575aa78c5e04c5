"""The bench: every design of results/bench.toml measured, before → after, budgets, charts.

``python -m cimforge.scripts.bench [ROW ...]`` measures rows (DESIGN_PLACE; without names all but
those marked full), prints what the committed figures say and what this tree gives, and fails where
a budget of results/budgets.toml is exceeded. ``--keep`` makes it the committed figures and writes
the documents' tables. Run in a checkout.
"""

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from cimforge.hdl.params.config_file import InputError
from cimforge.hdl.params.ranges import nearest_word
from cimforge.scripts.bench_budgets import budget_text, over_budget
from cimforge.scripts.bench_libraries import locate_libraries
from cimforge.scripts.bench_plan import Plan, make_plan
from cimforge.scripts.bench_report import aims_reached, before_after, result_object
from cimforge.scripts.bench_table import BUDGETS, Bench, Row, load_bench
from cimforge.scripts.bench_tables import derived, refresh_tables
from cimforge.scripts.figures import RESULTS, Figure, keep, kept_result, load_figures, measure

__all__ = ["main"]

OUTPUT = Path("build/bench")


def main(arguments: list[str] | None = None) -> int:
    """Run the bench; 0, 1 where a row failed or exceeds its budget, 2 for bad input."""
    options = _options(arguments)
    try:
        bench = load_bench()
        figures = {figure.name: figure for figure in load_figures()}
        rows = _chosen(bench, options)
        found = locate_libraries(bench, options.liberty)
    except InputError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    known = _known(bench, figures)
    if options.tables or options.budgets:
        return _write_again(bench, known, options)
    further = [] if options.names or options.quick else bench.figures
    plan = make_plan(bench, rows, further, figures, found)
    for line in plan.left_out:
        print(line, flush=True)
    return _run(bench, plan, figures, known, options)


def _run(
    bench: Bench,
    plan: Plan,
    figures: Mapping[str, Figure],
    known: Mapping[str, dict[str, Any]],
    options: argparse.Namespace,
) -> int:
    """Measure what is planned, write and judge it."""
    kept = [name for name in plan.jobs if name in plan.comparable and options.keep]
    stamps = {name: figures[plan.jobs[name].name].stamp() for name in kept}
    measured, failed = _measure_all(plan.jobs, known, plan.budgets, options.jobs)
    told = {name: derived(value) for name, value in measured.items()}
    over = {name: over_budget(plan.budgets.get(name, {}), value) for name, value in told.items()}
    aims = aims_reached(bench, {**known, **told})
    _write(result_object(bench, plan.rows, told, known, over, aims, plan.left_out, failed))
    if options.keep:
        _keep_rows(bench, measured, stamps, figures)
    if not (options.names or options.quick):
        _print_aims(aims)
    return _judge(told, failed, over, plan.left_out)


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m cimforge.scripts.bench")
    parser.add_argument("names", nargs="*", metavar="ROW", help="rows, or designs at all places")
    parser.add_argument("--quick", action="store_true", help="rows marked quick: under a minute")
    parser.add_argument("--full", action="store_true", help="rows marked full as well")
    parser.add_argument("--keep", action="store_true", help="make these the committed figures")
    parser.add_argument("--tables", action="store_true", help="only write the documents' tables")
    parser.add_argument("--budgets", action="store_true", help="only write the budgets anew")
    parser.add_argument(
        "--liberty",
        action="append",
        type=_file,
        default=[],
        metavar="FILE",
        help="a library of the table by its file's name, or one of your own; repeatable",
    )
    most = min(2, os.cpu_count() or 1)
    parser.add_argument("--jobs", type=int, default=most, metavar="N", help="processes at once")
    return parser.parse_args(arguments)


def _file(text: str) -> Path:
    path = Path(text)
    if not path.is_file():
        raise argparse.ArgumentTypeError(f"{text} is no file")
    return path


def _chosen(bench: Bench, options: argparse.Namespace) -> list[Row]:
    """The rows asked for. Raises InputError for a name that is none."""
    if options.names:
        known = {row.name for row in bench.rows} | {row.design for row in bench.rows}
        for name in options.names:
            if name not in known:
                near = nearest_word(name, sorted(known)) or ", ".join(sorted(known)[:6])
                raise InputError(f"no row {name!r} in results/bench.toml (near: {near})")
        names = set(options.names)
        return [row for row in bench.rows if {row.name, row.design} & names]
    if options.quick:
        return [row for row in bench.rows if row.quick]
    return [row for row in bench.rows if options.full or not row.full]


def _measure_all(
    jobs: Mapping[str, Figure],
    known: Mapping[str, Mapping[str, Any]],
    budgets: Mapping[str, Mapping[str, float]],
    processes: int,
) -> tuple[dict[str, dict[str, Any]], dict[str, str]]:
    """Measurements by row, and what failed; each is told as it comes."""
    measured: dict[str, dict[str, Any]] = {}
    failed: dict[str, str] = {}
    with ThreadPoolExecutor(processes) as pool:
        waiting = {pool.submit(measure, figure, True): name for name, figure in jobs.items()}
        for done in as_completed(waiting):
            name = waiting[done]
            try:
                measured[name] = done.result()
            except RuntimeError as error:
                failed[name] = str(error)
                print(f"failed  {error}", flush=True)
                continue
            told = before_after(known.get(name), measured[name])
            print(f"{len(measured) + len(failed):3}/{len(jobs)} {name:28} {told}", flush=True)
            for line in over_budget(budgets.get(name, {}), measured[name]):
                print(f"        {line}", flush=True)
    return {name: measured[name] for name in jobs if name in measured}, failed


def _known(bench: Bench, figures: Mapping[str, Figure]) -> dict[str, dict[str, Any]]:
    """The committed measurements by row."""
    kept = {name: kept_result(figures[figure]) for name, figure in bench.figure_names.items()}
    return {name: derived(value) for name, value in kept.items() if value is not None}


def _keep_rows(
    bench: Bench,
    measured: Mapping[str, dict[str, Any]],
    stamps: Mapping[str, str],
    figures: Mapping[str, Figure],
) -> None:
    """Commit what was measured of the rows that have a stamp, and write the tables; a row without a
    period that it had, as on a machine without OpenSTA, stays as it was."""
    names = bench.figure_names
    libraries = {row.name for row in bench.rows if row.library}
    for name, value in measured.items():
        if name not in stamps:
            continue
        if name in libraries and value.get("min_period_ns", value.get("period_ns")) is None:
            print(f"{name} is not kept: it has no clock period without OpenSTA")
            continue
        keep(figures[names[name]], value, stamps[name])
    for line in refresh_tables(bench, _known(bench, figures)):
        print(f"written: {line}")


def _write_again(
    bench: Bench, known: Mapping[str, dict[str, Any]], options: argparse.Namespace
) -> int:
    """Write tables or budgets from the committed figures."""
    if options.budgets:
        path = RESULTS / BUDGETS
        path.write_text(budget_text(bench, known))
        print(f"written: {path}")
    if options.tables:
        for line in refresh_tables(bench, known):
            print(f"written: {line}")
    return 0


def _write(result: dict[str, Any]) -> None:
    from cimforge.scripts.bench_charts import draw_charts  # needs the extra networks

    OUTPUT.mkdir(parents=True, exist_ok=True)
    path = OUTPUT / "results.json"
    path.write_text(json.dumps(result, indent=1) + "\n")
    print(f"written: {path}, {', '.join(p.name for p in draw_charts(result, OUTPUT))}")


def _print_aims(aims: Sequence[Mapping[str, Any]]) -> None:
    for aim in aims:
        mark = {True: "reached", False: "open   ", None: "unknown"}[aim["reached"]]
        value = "-" if aim["value"] is None else f"{aim['value']:.5g}"
        row = f", {aim['row']}" if aim["row"] else ""
        print(f"{mark}  {aim['what']}: {value} (aim {aim['bound']}{row})")


def _judge(
    measured: Mapping[str, Any],
    failed: Mapping[str, str],
    over: Mapping[str, list[str]],
    left_out: Sequence[str],
) -> int:
    wrong = [f"{name}: {line}" for name, lines in over.items() for line in lines]
    for line in wrong:
        print(line, file=sys.stderr)
    missing = f", {len(left_out)} things missing (above)" if left_out else ""
    print(f"{len(measured)} rows, {len(failed)} failed, {len(wrong)} over budget{missing}")
    return int(bool(failed or wrong))


if __name__ == "__main__":
    sys.exit(main())
