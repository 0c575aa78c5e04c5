"""Picture: test images with their predicted labels beside the confusion matrix, as a PNG."""

from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from cimforge.compiler.precision import Ints

__all__ = ["confusion_matrix", "draw_predictions"]

TITLE = "Handwritten digits on a compute-in-memory macro"
SIDE, CLASSES = 8, 10
GRID_ROWS, GRID_COLUMNS = 8, 12
PITCH_X, PITCH_Y = 10.2, 11.4  # of the grid, in pixels of an image
INK, MUTED, LINE, WRONG, PAPER = "#12304d", "#66788a", "#d3dae1", "#c8102e", "#ffffff"
INKS = LinearSegmentedColormap.from_list("inks", [PAPER, INK])
DPI = 120


def draw_predictions(
    path: str | Path | BinaryIO,
    images: Ints,
    labels: Ints,
    predictions: Ints,
    accuracies: Mapping[str, float],
    subtitle: str = "",
) -> None:
    """Write a PNG: up to 96 images with predicted labels, and the confusion matrix of all.

    ``images`` (count, 64) of pixels 0..16, ``labels`` and ``predictions`` (count,) of 0..9. Wrong
    predictions are red, with the true label; all are drawn that fit half the grid, more than their
    share, so a caption counts both kinds. ``accuracies`` (0..1) stand under the title in their
    order, ``subtitle`` opposite them. Equal input gives equal bytes under one version of
    matplotlib: no time, no user style.

    Raises ValueError where counts differ, or there is no image.
    """
    if not len(images) == len(labels) == len(predictions):
        counts = f"{len(images)} images, {len(labels)} labels and {len(predictions)} predictions"
        raise ValueError(f"images, labels and predictions must be equally many, not {counts}")
    if not len(images):
        raise ValueError("images must hold at least one image to draw, not 0")
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        figure = Figure(figsize=(13, 6.6), dpi=DPI, facecolor=PAPER)
        canvas = FigureCanvasAgg(figure)
        _draw_title(figure, accuracies, subtitle)
        _draw_images(figure, images, labels, predictions)
        _draw_confusion(figure, confusion_matrix(labels, predictions))
        _draw_caption(figure, labels, predictions)
        canvas.print_png(path, metadata={"Software": None})


def confusion_matrix(labels: Ints, predictions: Ints) -> Ints:
    """Counts (10, 10): row the true label, column the predicted one."""
    counts = np.zeros((CLASSES, CLASSES), np.int64)
    np.add.at(counts, (labels, predictions), 1)
    return counts


def _draw_title(figure: Figure, accuracies: Mapping[str, float], subtitle: str) -> None:
    shares = "    ".join(f"{name} {share:.2%}" for name, share in accuracies.items())
    figure.text(0.025, 0.945, TITLE, size=17, weight="bold", color=INK)
    figure.text(0.025, 0.9, shares, size=12, color=INK)
    figure.text(0.975, 0.9, subtitle, size=9.5, color=MUTED, ha="right")


def _draw_images(figure: Figure, images: Ints, labels: Ints, predictions: Ints) -> None:
    axes = figure.add_axes((0.025, 0.03, 0.595, 0.84))
    axes.set_axis_off()
    axes.set(xlim=(-0.3, GRID_COLUMNS * PITCH_X - 1.9), ylim=(GRID_ROWS * PITCH_Y - 3.1, -3))
    for place, index in enumerate(_chosen(labels, predictions)):
        top, left = place // GRID_COLUMNS * PITCH_Y, place % GRID_COLUMNS * PITCH_X
        box = (left, left + SIDE, top + SIDE, top)
        right = labels[index] == predictions[index]
        text = f"{predictions[index]}" if right else f"{predictions[index]} (is {labels[index]})"
        color, weight, width = (INK, "normal", 0.4) if right else (WRONG, "bold", 2.0)
        pixels = images[index].reshape(SIDE, SIDE)
        axes.imshow(
            pixels, cmap=INKS, vmin=0, vmax=16, interpolation="nearest", extent=box, aspect="auto"
        )
        axes.add_patch(
            Rectangle((left, top), SIDE, SIDE, fill=False, edgecolor=color, linewidth=width)
        )
        axes.text(left + SIDE / 2, top - 0.4, text, ha="center", size=9, color=color, weight=weight)


def _chosen(labels: Ints, predictions: Ints) -> Ints:
    """Indices of the images to draw, ascending: errors in up to half the grid, then right ones."""
    room = GRID_ROWS * GRID_COLUMNS
    errors = _spread(np.flatnonzero(labels != predictions), room // 2)
    right = _spread(np.flatnonzero(labels == predictions), room - len(errors))
    return np.sort(np.concatenate([errors, right]))


def _spread(indices: Ints, most: int) -> Ints:
    """At most ``most`` of ``indices``, evenly spaced."""
    count = min(most, len(indices))
    return indices[np.arange(count) * len(indices) // max(1, count)]


def _draw_confusion(figure: Figure, counts: Ints) -> None:
    axes = figure.add_axes((0.67, 0.185, 0.305, 0.6))
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, cmap=INKS, vmin=0, vmax=5)  # pale enough for the counts in front
    for true, predicted in np.argwhere(counts):
        color, weight = (INK, "normal") if true == predicted else (WRONG, "bold")
        place, count = {"ha": "center", "va": "center"}, str(counts[true, predicted])
        axes.text(predicted, true, count, place, size=9, color=color, weight=weight)
    total, right = int(counts.sum()), int(counts.trace())
    axes.set_title(f"{total} held-out images, {total - right} wrong", size=11, color=INK, pad=10)
    axes.set_xlabel("predicted", color=MUTED)
    axes.set_ylabel("true", color=MUTED)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_ticks(range(CLASSES))
        axis.set_ticks(np.arange(CLASSES + 1) - 0.5, minor=True)
    axes.grid(which="minor", color=LINE, linewidth=0.6)
    axes.tick_params(which="both", length=0, labelsize=9, colors=MUTED)
    for spine in axes.spines.values():
        spine.set(color=LINE, linewidth=0.6)


def _draw_caption(figure: Figure, labels: Ints, predictions: Ints) -> None:
    chosen = _chosen(labels, predictions)
    wrong = labels != predictions
    shown, missed = int(wrong[chosen].sum()), int(wrong.sum())
    counts = f"{shown} of {missed} wrong and {len(chosen) - shown} of {len(labels) - missed} right"
    text = f"shown: {counts} predictions"
    figure.text(0.8225, 0.055, text, size=9.5, color=MUTED, ha="center")
