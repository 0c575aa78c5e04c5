"""Picture of a network's layers on macros: cycles, and how much of the array holds weights."""

from io import BytesIO
from typing import Any

import matplotlib
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from cimforge.compiler.network.layer_names import short_names_of

__all__ = ["draw_layers"]

INK, MUTED, PALE, PAPER = "#12304d", "#66788a", "#a9c4dd", "#ffffff"
MOST = 60  # layers that a picture shows: beyond, the costliest


def draw_layers(report: dict[str, Any]) -> bytes:
    """An SVG: for each layer of ``cimforge run``'s report its cycles, which of them the array
    computed in, and the share of the tiles' cells that hold weights.

    Equal input gives equal bytes under one version of matplotlib.
    """
    names = short_names_of([layer["name"] for layer in report["layers"]])
    layers = list(zip(names, report["layers"], strict=True))
    if len(layers) > MOST:
        least = sorted((layer["predicted_cycles"] for _, layer in layers), reverse=True)[MOST - 1]
        layers = [pair for pair in layers if pair[1]["predicted_cycles"] >= least][:MOST]
    with matplotlib.rc_context({"svg.hashsalt": "cimforge", "svg.fonttype": "none"}):
        figure = Figure(figsize=(11, 1.6 + 0.3 * len(layers)), facecolor=PAPER)
        canvas = FigureCanvasSVG(figure)
        left, right = figure.subplots(1, 2, sharey=True, width_ratios=(3, 1))
        rows = range(len(layers))
        counts = [layer["cycles"] or layer["predicted_cycles"] for _, layer in layers]
        macros = report["macros"]
        busy = [(layer["pass_cycles"] or 0) / macros for _, layer in layers]
        left.barh(rows, counts, color=PALE, label="loading weights, or waiting")
        left.barh(rows, busy, color=INK, label="array computing")
        left.set_yticks(rows, [_name(*pair) for pair in layers])
        items = f"{report['images']} item{'s' * (report['images'] != 1)}"
        left.set_xlabel(f"cycles of {items}{', macros side by side' * (macros > 1)}")
        left.invert_yaxis()
        left.legend(frameon=False, loc="lower right", fontsize=8)
        shares = [100 * layer["utilisation"] for _, layer in layers]
        right.barh(rows, shares, color=MUTED)
        for row, share in zip(rows, shares, strict=True):
            inside = share > 80  # where there is no room behind the bar
            place, side, color = (share - 2, "right", PAPER) if inside else (share + 2, "left", INK)
            right.text(place, row, f"{share:.0f}", va="center", ha=side, color=color, fontsize=8)
        right.set_xlim(0, 100)
        right.set_xlabel("% of cells that hold a weight")
        for axes in (left, right):
            axes.spines[["top", "right"]].set_visible(False)
            axes.tick_params(colors=INK, labelsize=8)
        several = f" x {macros}" if macros > 1 else ""
        figure.suptitle(
            f"{report['model']} on {report['macro']}{several}: {report['cycles']:,} cycles, "
            f"{report['macs']:,} multiply-accumulates",
            fontsize=11,
            color=INK,
        )
        figure.tight_layout()
        file = BytesIO()
        canvas.print_svg(file, metadata={"Date": None, "Creator": None})
    return file.getvalue()


def _name(name: str, layer: dict[str, Any]) -> str:
    host = "" if layer["on"] == "macro" else ", host"
    return f"{name} ({layer['operator']}{host})"
