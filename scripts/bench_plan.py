"""What a bench can measure on this machine: rows by their figures, budgets that hold here, and what
is left out."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from cimforge.flow.synth.static_timing import STA
from cimforge.scripts.bench_libraries import Located, with_libraries
from cimforge.scripts.bench_table import Bench, Row
from cimforge.scripts.figures import Figure

__all__ = ["Plan", "make_plan", "missing_here"]

ICARUS, PERIOD = "iverilog", "min_period_ns"


@dataclass(frozen=True)
class Plan:
    """Rows with the libraries of this machine; figures to measure and budgets to hold, by row;
    rows measured on what the committed figures were measured on; what is left out, in words."""

    rows: list[Row]
    jobs: dict[str, Figure]
    budgets: dict[str, Mapping[str, float]]
    comparable: frozenset[str]
    left_out: list[str]


def make_plan(
    bench: Bench,
    rows: Sequence[Row],
    further: Sequence[str],
    figures: Mapping[str, Figure],
    found: Mapping[str, Located],
) -> Plan:
    """The plan for ``rows`` and ``further`` figures, libraries being where ``found`` says."""
    placed = with_libraries(rows, found, bench)
    if shutil.which(ICARUS) is None:
        placed = [row for row in placed if row.verb != "power"]
    jobs = {row.name: _figure(row, figures) for row in placed}
    jobs |= {name: figures[name] for name in further}
    others = {row.name for row in placed if row.library and found[row.on].why}
    budgets = {name: bench.budgets.get(name, {}) for name in jobs if name not in others}
    if shutil.which(STA) is None:
        budgets = {
            name: {key: most for key, most in budget.items() if key != PERIOD}
            for name, budget in budgets.items()
        }
    return Plan(placed, jobs, budgets, frozenset(jobs) - others, missing_here(rows, found))


def missing_here(rows: Sequence[Row], found: Mapping[str, Located]) -> list[str]:
    """What cannot be measured, compared or kept on this machine, and what would help."""
    told = []
    for name, located in found.items():
        count = sum(row.on == name for row in rows)
        if located.path is None and count:
            told.append(f"{name} is missing: {count} rows left out; {located.why}")
        elif located.why and count:
            told.append(f"{name}: {located.why}: measured, but not kept and in no budget")
    powers = sum(row.verb == "power" for row in rows)
    if powers and shutil.which(ICARUS) is None:
        told.append(
            f"{ICARUS} is missing: {powers} rows of energy left out (Debian: apt install iverilog)"
        )
    if shutil.which(STA) is None and any(row.library for row in rows):
        told.append(
            f"{STA} is missing: no clock periods, and such rows are not kept (Debian: apt install "
            "opensta)"
        )
    return told


def _figure(row: Row, figures: Mapping[str, Figure]) -> Figure:
    """The figure of a row with its library where it is here; a new one for a user's library."""
    if row.figure in figures:
        return replace(figures[row.figure], command=row.command)
    return Figure(row.figure, row.command, [], [])
