"""What a layout came to: areas, wires, checks and periods, beside the estimates before it."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cimforge.flow.layout.attempt import Attempt
from cimforge.flow.layout.lef_file import Lef
from cimforge.flow.layout.lvs import MATCH
from cimforge.flow.layout.placement import PLACER_SEED
from cimforge.flow.layout.routed_timing import RoutedTiming
from cimforge.flow.layout.technology import Technology
from cimforge.flow.layout.wire_tree import WireTree
from cimforge.hdl.params.config import MacroConfig

__all__ = ["CONTRACT", "LayoutReport"]


@dataclass
class LayoutReport:
    """A routed macro: the best ``attempt`` of ``tries``. ``estimate`` and ``estimate_period`` are
    synth's area in um2 and period in ns (None without OpenSTA); ``trees`` the wires of each net of
    a signal; ``seconds`` those of each step, next to none where an earlier run's files were
    taken."""

    config: MacroConfig
    technology: Technology
    attempt: Attempt
    tries: int
    lef: Lef
    trees: Mapping[str, WireTree]
    estimate: float
    estimate_period: float | None
    timing: RoutedTiming | None
    files: Mapping[str, Path]
    seconds: Mapping[str, float]
    notes: list[str] = field(default_factory=list)

    @property
    def failures(self) -> list[str]:
        """What is wrong with it, a line each; none where it is whole."""
        found, rules, density = [], self.attempt.rules, self.attempt.density
        if self.attempt.unrouted:
            nets = f"{self.attempt.unrouted} of {len(self.attempt.design.nets)} nets"
            found.append(f"{nets} have no route at a density of {density:g}")
        gaps = [name for name, tree in self.trees.items() if tree.gaps]
        if gaps and not self.attempt.unrouted:
            found.append(f"{len(gaps)} nets are not whole: {', '.join(gaps[:4])}")
        if self.attempt.verdict != MATCH:
            found.append(f"layout and netlist differ (Netgen: {self.attempt.verdict})")
        if rules:
            many = f" and {len(rules) - 1} more" if len(rules) > 1 else ""
            places = f"{rules[0].places} place{'s' if rules[0].places > 1 else ''}"
            found.append(f"a design rule is broken at {places}: {rules[0].rule}{many}")
        return found

    @property
    def cell_area(self) -> float:
        """Of all cells but fillers, by the LEF file, in um2."""
        return sum(self._size(cell.kind) for cell in self.attempt.netlist.cells)

    @property
    def row_area(self) -> float:
        """Of the rows, fillers included, in um2."""
        return sum(self._size(cell.kind) for cell in self.attempt.design.cells.values())

    @property
    def lengths(self) -> dict[str, float]:
        """Length of the wires of signals by layer, in um."""
        wires = [wire for net in self.attempt.design.nets.values() for wire in net.wires]
        every = {
            layer: sum(w.length for w in wires if w.layer == layer) for layer in self.lef.layers
        }
        return {layer: round(length, 1) for layer, length in every.items() if length}

    @property
    def vias(self) -> dict[str, int]:
        """Vias of signals by kind."""
        count = Counter(via.name for net in self.attempt.design.nets.values() for via in net.vias)
        return dict(sorted(count.items()))

    @property
    def wire_load(self) -> float:
        """Capacitance of all wires of signals, in fF."""
        return 1000 * sum(tree.capacitance for tree in self.trees.values())

    def as_json(self) -> dict[str, Any]:
        """The JSON contract of ``cimforge layout``."""
        left, bottom, right, top = self.attempt.design.die
        timing = self.timing
        return {
            "technology": self.technology.name,
            "cells": len(self.attempt.netlist.cells),
            "port_buffers": self.attempt.netlist.port_buffers,
            "fillers": len(self.attempt.design.cells) - len(self.attempt.netlist.cells),
            "nets": len(self.attempt.design.nets),
            "unrouted": self.attempt.unrouted,
            "lvs": self.attempt.verdict,
            "broken_rules": {rule.rule: rule.places for rule in self.attempt.rules},
            "metal_patches": self.attempt.patches,
            "whole": not self.failures,
            "estimate_um2": round(self.estimate, 2),
            "cell_um2": round(self.cell_area, 2),
            "row_um2": round(self.row_area, 2),
            "die_um2": round(self.attempt.design.area, 2),
            "die_um": [round(right - left, 3), round(top - bottom, 3)],
            "utilisation": round(self.cell_area / self.attempt.design.area, 4),
            "density": self.attempt.density,
            "tries": self.tries,
            "wire_um": round(sum(self.lengths.values()), 1),
            "wire_um_by_layer": self.lengths,
            "vias": sum(self.vias.values()),
            "vias_by_kind": self.vias,
            "wire_ff": round(self.wire_load, 1),
            "estimate_period_ns": _rounded(self.estimate_period),
            "unloaded_period_ns": _rounded(timing.unloaded if timing else None),
            "min_period_ns": _rounded(timing.period if timing else None),
            "critical_path": [step.as_json() for step in timing.path] if timing else None,
            "placer_seed": PLACER_SEED,
            "files": {name: str(path) for name, path in self.files.items()},
            "notes": self.notes,
            "step_seconds": {name: round(value, 2) for name, value in self.seconds.items()},
            "seconds": round(sum(self.seconds.values()), 2),
        }

    def _size(self, kind: str) -> float:
        cell = self.lef.cells[kind]
        return cell.width * cell.height


CONTRACT = (
    *("technology", "cells", "port_buffers", "fillers", "nets", "unrouted", "lvs", "broken_rules"),
    *(
        "metal_patches",
        "whole",
        "estimate_um2",
        "cell_um2",
        "row_um2",
        "die_um2",
        "die_um",
        "utilisation",
    ),
    *("density", "tries", "wire_um", "wire_um_by_layer", "vias", "vias_by_kind", "wire_ff"),
    *("estimate_period_ns", "unloaded_period_ns", "min_period_ns", "critical_path"),
    *("placer_seed", "files", "notes", "step_seconds", "seconds"),
)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
