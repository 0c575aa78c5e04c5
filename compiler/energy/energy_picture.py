"""Picture: bytes and energy of a network on macros, beside a von Neumann machine, as an SVG."""

from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from cimforge.compiler.energy.movement import DESIGNS, LEVELS, LayerEnergy, summed

__all__ = ["draw_energies"]

INK, MUTED, LINE, PAPER = "#12304d", "#66788a", "#d3dae1", "#ffffff"
APART = "#b4bfca"
PARTS = (*LEVELS, "compute")
COLORS = dict(zip(PARTS, ("#c8102e", "#e39a2d", "#6b9ac4", INK), strict=True))
NAMES = dict(zip(PARTS, ("DRAM", "SRAM", "weights into macros", "computing"), strict=True))
DESIGN_NAMES = {"macros": "macros", "von_neumann": "von Neumann"}
MOST_LAYERS = 40
ROW = 0.34  # inches a layer
BYTES, JOULES = ("B", "kB", "MB", "GB", "TB"), ("pJ", "nJ", "µJ", "mJ", "J")


def draw_energies(
    path: str | Path | BinaryIO, layers: Sequence[LayerEnergy], title: str, subtitle: str
) -> None:
    """Write an SVG: bytes by level and energy by level of both designs, and the energy of each
    layer (the first 40). Equal input gives equal bytes under one version of
    matplotlib.

    Raises ValueError where there is no layer.
    """
    if not layers:
        raise ValueError("layers must hold at least one layer to draw, not 0")
    shown = layers[:MOST_LAYERS]
    height = 3.9 + ROW * len(shown)
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams["svg.hashsalt"] = "cimforge"
        figure = Figure(figsize=(11, height), facecolor=PAPER)
        figure.text(0.03, 1 - 0.35 / height, title, size=15, weight="bold", color=INK)
        figure.text(0.03, 1 - 0.65 / height, subtitle, size=9.5, color=MUTED)
        totals = {name: summed([getattr(each, name) for each in layers]) for name in DESIGNS}
        bars = {name: [getattr(total, level) for level in LEVELS] for name, total in totals.items()}
        top = (0.16, 1 - 2.05 / height, 0.33, 0.95 / height)
        _stacks(figure.add_axes(top), bars, "bytes moved", BYTES)
        for name, total in totals.items():
            bars[name] = [getattr(total, f"{level}_pj") for level in PARTS]
        _stacks(figure.add_axes((0.62, *top[1:])), bars, "energy", JOULES)
        _legend(figure, 1 - 2.6 / height)
        body = (0.26, 0.55 / height, 0.69, (height - 3.7) / height)
        _layers(figure.add_axes(body), shown, len(layers))
        FigureCanvasSVG(figure).print_svg(path, metadata={"Date": None, "Creator": None})


def _stacks(axes: Axes, bars: dict[str, list[float]], what: str, units: tuple[str, ...]) -> None:
    """A stacked bar a design, its sum behind it."""
    most = max(sum(parts) for parts in bars.values())
    for place, (design, parts) in enumerate(bars.items()):
        left = 0.0
        for level, part in zip(COLORS, parts, strict=False):
            axes.barh(place, part, left=left, color=COLORS[level], height=0.62)
            left += part
        told = f" {_scaled(left, units)}"
        axes.text(left, place, told, va="center", size=9, color=INK)
        axes.text(-0.02 * most, place, DESIGN_NAMES[design], va="center", ha="right", size=9.5)
    axes.set(xlim=(0, most * 1.28), ylim=(len(bars) - 0.5, -0.5), xticks=[], yticks=[])
    axes.set_title(what, size=11, color=INK, loc="left", pad=6)
    for side in ("top", "right", "bottom"):
        axes.spines[side].set_visible(False)
    axes.spines["left"].set_color(LINE)


def _legend(figure: Figure, height: float) -> None:
    for place, (level, color) in enumerate(COLORS.items()):
        left = 0.16 + 0.17 * place
        figure.text(left, height, "■", size=11, color=color)
        figure.text(left + 0.018, height, NAMES[level], size=9.5, color=MUTED)


def _layers(axes: Axes, layers: Sequence[LayerEnergy], count: int) -> None:
    """A pair of bars a layer."""
    for place, layer in enumerate(layers):
        for shift, design, color in ((-0.19, "macros", INK), (0.19, "von_neumann", APART)):
            energy = getattr(layer, design).total_pj * 1e-6
            axes.barh(place + shift, energy, height=0.36, color=color)
    names = [f"{each.label(place)}: {each.ratio:,.3g}" for place, each in enumerate(layers)]
    axes.set_yticks(range(len(layers)), names, size=8)
    axes.set_ylim(len(layers) - 0.4, -0.6)
    more = f", the first {len(layers)} of {count}" if count > len(layers) else ""
    title = (
        f"energy of each layer, µJ{more}: macros (dark), von Neumann (pale); how many times less"
    )
    axes.set_title(title, size=10, color=INK, loc="left", pad=6)
    axes.grid(axis="x", color=LINE, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, labelsize=8, colors=MUTED)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _scaled(value: float, units: tuple[str, ...]) -> str:
    """A value in the unit that leaves one to three digits before the point."""
    place = 0
    while value >= 1000 and place < len(units) - 1:
        value, place = value / 1000, place + 1
    return f"{value:.3g} {units[place]}"
