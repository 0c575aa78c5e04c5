"""Charts of a run of the bench, as SVG of equal bytes for equal results."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

__all__ = ["draw_charts"]

ROLES = ("storage", "multiply", "tree", "accumulate", "input", "control")
COLOURS = dict(
    zip(ROLES, ("#4477aa", "#66ccee", "#228833", "#ccbb44", "#ee6677", "#aa3377"), strict=True)
)
UNSPLIT = "#999999"  # a macro in one module has no roles
AREAS = ("peers", "planes", "styles", "approximate", "small")  # groups of rows
STYLE: Any = {"svg.hashsalt": "cimforge", "svg.fonttype": "path", "font.size": 9}

Rows = Sequence[tuple[str, Mapping[str, Any]]]  # name, row of the results


def draw_charts(result: Mapping[str, Any], folder: Path) -> list[Path]:
    """Write what the rows allow: areas by role, ablations, energies by role; the files."""
    with mpl.rc_context(STYLE):
        charts = {
            "areas.svg": _areas(
                _group(result, "peers", "planes", "styles", "approximate", "small")
            ),
            "ablations.svg": _ablations(result),
            "energies.svg": _energies(_group(result, "energy", "small")),
            "luts.svg": _areas(_group(result, "fpga"), "LUT sites per 1b-MAC", "luts"),
        }
        return [_save(chart, folder / name) for name, chart in charts.items() if chart is not None]


def _save(chart: Figure, path: Path) -> Path:
    chart.savefig(path, metadata={"Date": None})
    return path


def _group(result: Mapping[str, Any], *groups: str) -> Rows:
    return [(name, row) for name, row in result["rows"].items() if row.get("group") in groups]


def _places(rows: Rows, key: str) -> dict[str, Rows]:
    """Rows that have ``key`` by the place where they were measured."""
    found: dict[str, list] = {}
    for name, row in rows:
        if row["measured"].get(key) is not None:
            found.setdefault(row["on"], []).append((name, row))
    return dict(found)


def _panels(places: Mapping[str, Rows], label: str) -> tuple[Figure, list]:
    """A figure with a panel a place, one below the other, as high as it has rows."""
    heights = [len(rows) + 1.5 for rows in places.values()]
    chart = Figure(figsize=(8, 0.26 * sum(heights) + 0.6), layout="constrained")
    axes = chart.subplots(len(places), 1, squeeze=False, height_ratios=heights)[:, 0]
    for axis, place in zip(axes, places, strict=True):
        axis.set_title(place, loc="left", fontsize=9, fontweight="bold")
        axis.invert_yaxis()
        axis.margins(x=0.22, y=0.02)
        axis.spines[["top", "right"]].set_visible(False)
    axes[-1].set_xlabel(label)
    return chart, list(axes)


def _stacked(axis: Any, names: list[str], parts: Sequence[Mapping[str, float]]) -> None:
    """Horizontal bars of the roles one after the other."""
    left = [0.0] * len(names)
    for role in ROLES:
        sizes = [part.get(role, 0.0) for part in parts]
        axis.barh(names, sizes, left=left, color=COLOURS[role], label=role)
        left = [start + size for start, size in zip(left, sizes, strict=True)]
    whole = [part.get("whole", 0.0) for part in parts]
    axis.barh(names, whole, color=UNSPLIT, label="one module")


def _legend(chart: Figure, axes: Sequence[Any]) -> None:
    handles, labels = axes[0].get_legend_handles_labels()
    chart.legend(handles, labels, loc="outside upper right", ncols=7, fontsize=7, frameon=False)


def _areas(
    rows: Rows, label: str = "µm² of cells per 1b-MAC; clock period in ns", unit: str = "um2"
) -> Figure | None:
    """Area a 1b-MAC by role, with the clock period."""
    rows = [(name, row) for name, row in rows if row["measured"].get("unit") == unit]
    if not rows:
        return None
    places = _places(rows, "per_1b_mac")
    chart, axes = _panels(places, label)
    for axis, found in zip(axes, places.values(), strict=True):
        parts = []
        for _, row in found:
            macs, roles = row["measured"]["macs_1b"], row["measured"]["breakdown"]
            whole = {"whole": row["measured"]["per_1b_mac"]}
            parts.append({k: v / macs for k, v in roles.items()} if roles else whole)
        _stacked(axis, [row["design"] for _, row in found], parts)
        for place, (_, row) in enumerate(found):
            value, period = row["measured"]["per_1b_mac"], row["measured"]["min_period_ns"]
            text = f" {value:.2f}" + (f"; {period:.2f} ns" if period else "")
            axis.text(value, place, text, va="center", fontsize=7)
    _legend(chart, axes)
    return chart


def _energies(rows: Rows) -> Figure | None:
    """Dynamic energy a 1b-MAC by role, with the share of glitches."""
    places = _places(rows, "fj_per_1b_mac")
    if not places:
        return None
    chart, axes = _panels(places, "fJ per 1b-MAC, dynamic; share of glitches")
    for axis, found in zip(axes, places.values(), strict=True):
        names = [row["design"] for _, row in found]
        _stacked(axis, names, [row["measured"]["by_role"] for _, row in found])
        for place, (_, row) in enumerate(found):
            value, share = row["measured"]["fj_per_1b_mac"], row["measured"]["glitch_share"]
            axis.text(value, place, f" {value:.2f}; {share:.0%}", va="center", fontsize=7)
    _legend(chart, axes)
    return chart


def _ablations(result: Mapping[str, Any]) -> Figure | None:
    """Area and period of each ablation, as a change from ``base`` at the same place."""
    places = _places(_group(result, "ablation"), "per_1b_mac")
    bases = {
        row["on"]: row["measured"]
        for row in result["rows"].values()
        if row.get("design") == "base" and row["measured"].get("unit") == "um2"
    }
    places = {place: rows for place, rows in places.items() if place in bases}
    if not places:
        return None
    chart, axes = _panels(places, "change from base in latches, %")
    for axis, (place, found) in zip(axes, places.items(), strict=True):
        for offset, key, colour, label in (
            (-0.2, "per_1b_mac", "#4477aa", "area"),
            (0.2, "min_period_ns", "#ee6677", "period"),
        ):
            changes = [_change(row["measured"].get(key), bases[place].get(key)) for _, row in found]
            ticks = [index + offset for index in range(len(found))]
            axis.barh(ticks, changes, height=0.38, color=colour, label=label)
            for tick, change in zip(ticks, changes, strict=True):
                side = "left" if change >= 0 else "right"
                axis.text(change, tick, f" {change:+.1f} ", va="center", ha=side, fontsize=6)
        axis.set_yticks(range(len(found)), [row["design"] for _, row in found])
        axis.axvline(0, color="black", linewidth=0.6)
    _legend(chart, axes)
    return chart


def _change(value: float | None, base: float | None) -> float:
    return 100 * (value / base - 1) if value and base else 0.0
