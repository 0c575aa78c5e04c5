"""Budgets of the bench: what a design may take at most, and who exceeds it."""

from collections.abc import Mapping
from typing import Any

from cimforge.scripts.bench_table import Bench

__all__ = ["budget_text", "over_budget"]

# What is bounded: of libraries' rows and of targets'. Times are the machine's affair.
BOUNDED = ("per_1b_mac", "min_period_ns", "fj_per_1b_mac", "luts")
UNBOUNDED = ("ablation",)  # groups that show what an idea is worth
ROOM = 1.01  # for changes that cost a little and bring something else
HEAD = f"""# What rows of bench.toml may take at most: units a 1b-MAC, clock period in ns, fJ a 1b-MAC, logic cells of a board. Continuous integration fails beyond.
# `python -m cimforge.scripts.bench --budgets` writes it from the committed figures with {ROOM - 1:.0%} of room; a budget that
# grows in a commit wants a reason in its message.
"""  # noqa: E501


def over_budget(budget: Mapping[str, float], measured: Mapping[str, Any]) -> list[str]:
    """Each value that exceeds its budget, or that is not there to be compared with it."""
    found = []
    for key, most in budget.items():
        value = measured.get(key)
        if value is None:
            found.append(f"no {key} (budget {most:g})")
        elif value > most:
            found.append(f"{key} {value:g} exceeds its budget {most:g}")
    return found


def budget_text(bench: Bench, kept: Mapping[str, Mapping[str, Any]]) -> str:
    """The budgets file, from the committed measurements by row: of generated designs as they are
    meant, none of naive ones and ablations."""
    parts = [HEAD]
    for row in bench.rows:
        measured = kept.get(row.name, {})
        bounds = {key: measured[key] for key in BOUNDED if measured.get(key) is not None}
        if bounds and row.verb != "naive" and row.group not in UNBOUNDED and not row.off:
            lines = [f"{key} = {value * ROOM:.4g}" for key, value in bounds.items()]
            parts.append("\n".join([f"[{row.name}]", *lines]) + "\n")
    return "\n".join(parts)
