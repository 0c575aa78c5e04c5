"""What a run of the bench comes to: before and after, aims, and all of it as one object."""

from collections.abc import Mapping, Sequence
from typing import Any

from cimforge.scripts.bench_table import Bench, Row

__all__ = ["aims_reached", "before_after", "result_object"]

# Told of each row, in this order, where it has it: the key, and how it is written.
WATCHED = (
    ("total", "{:,.0f} {unit}"),
    ("per_1b_mac", "{:.3f}/1b-MAC"),
    ("min_period_ns", "{:.2f} ns"),
    ("fj_per_1b_mac", "{:.2f} fJ/1b-MAC"),
    ("text_256", "{:.2f} x text"),
    ("ratio", "{:.1f} x"),
    ("luts", "{:,.0f} cells"),
    ("fmax_mhz", "{:.1f} MHz"),
    ("gops_int8", "{:.3g} GOPS"),
)
UNITS = {"um2": "µm²", "luts": "LUTs", "cells": "cells"}


def before_after(kept: Mapping[str, Any] | None, fresh: Mapping[str, Any]) -> str:
    """One line: what was committed → what is measured, with the change; once where it is equal."""
    parts = []
    for key, form in WATCHED:
        new = fresh.get(key)
        if new is None:
            continue
        unit = UNITS.get(fresh.get("unit", ""), "")
        old = (kept or {}).get(key)
        if old is None:
            parts.append(f"{form.format(new, unit=unit)} (new)")
        elif old == new:
            parts.append(form.format(new, unit=unit))
        else:
            number = form.split()[0] if " " in form else form
            change = f"{new / old - 1:+.1%}" if old else "from 0"
            parts.append(f"{number.format(old, unit='')} → {form.format(new, unit=unit)} {change}")
    return ", ".join(parts) or "measured"


def aims_reached(bench: Bench, measured: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Each aim with the best value of its rows, that row, and whether it is reached; None where
    nothing was measured."""
    told = []
    for aim in bench.aims:
        values = {
            name: measured[name][aim.value]
            for name in aim.rows
            if name in measured and measured[name].get(aim.value) is not None
        }
        best = aim.best(list(values.values())) if values else None
        row = next((name for name, value in values.items() if value == best), None)
        reached = None if best is None else aim.reached(best)
        told.append(
            {"what": aim.what, "bound": aim.bound, "value": best, "row": row, "reached": reached}
        )
    return told


def result_object(
    bench: Bench,
    rows: Sequence[Row],
    measured: Mapping[str, Mapping[str, Any]],
    kept: Mapping[str, Mapping[str, Any] | None],
    over: Mapping[str, list[str]],
    aims: list[dict[str, Any]],
    left_out: list[str],
    failed: Mapping[str, str],
) -> dict[str, Any]:
    """All of a run as plain data: what is in build/bench/results.json."""
    by_name = {row.name: row for row in rows}
    told = {}
    for name, value in measured.items():
        row = by_name.get(name)
        place = {"design": row.design, "on": bench.label(row.on), "group": row.group} if row else {}
        told[name] = {
            **place,
            "command": row.command if row else None,
            "measured": value,
            "committed": kept.get(name),
            "budget": bench.budgets.get(name),
            "over_budget": over.get(name, []),
        }
    return {"rows": told, "aims": aims, "left_out": left_out, "failed": dict(failed)}
