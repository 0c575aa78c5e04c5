"""A sweep as data: which macros, on which targets, measured how, and which of them are best."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import Any

from cimforge.explore.condition import Condition
from cimforge.explore.measurements.handed_in import HandedIn
from cimforge.explore.metric import (
    ANSWERS,
    CHECKED,
    LABELS,
    LIBRARY,
    NETWORK,
    PERIOD,
    PLACED,
    POWER,
    SIZE,
    TREE_ERROR,
)
from cimforge.explore.metrics import METRICS, needed
from cimforge.flow.board import Board
from cimforge.flow.families import check_fabric
from cimforge.flow.synth.storage_check import check_storage
from cimforge.flow.synth.targets import LIBERTY, TARGETS
from cimforge.hdl.params.config import MacroConfig

__all__ = ["GRID", "MAXIMISE", "MINIMISE", "OPTIMISE", "RANDOM", "Sweep", "SweepTarget"]

GRID, RANDOM, OPTIMISE = "grid", "random", "optimise"
MINIMISE, MAXIMISE = "minimise", "maximise"
OF_MACROS = frozenset((NETWORK, ANSWERS, LABELS, TREE_ERROR, CHECKED))  # on any target


@dataclass(frozen=True)
class SweepTarget:
    """A target of TARGETS, or the ``libraries`` together, or a ``board``, whose family's target is
    the ``kind``, placed with each of the placer's ``seeds``; ``name`` is what reports call it,
    ``board_name`` what the board's files are called."""

    name: str
    kind: str
    libraries: tuple[Path, ...] = ()
    board_name: str = ""
    board: Board | None = field(default=None, compare=False)
    seeds: tuple[int, ...] = ()

    @property
    def unit(self) -> str:
        """The unit of its sizes."""
        if self.kind == LIBERTY:
            return "um2"
        return TARGETS[self.kind].unit if self.kind in TARGETS else "luts"

    @property
    def measurable(self) -> frozenset[str]:
        """The measurements that there are of a macro on it, and what else metrics need."""
        if self.kind == LIBERTY:
            return OF_MACROS | {SIZE, PERIOD, LIBRARY, POWER}
        sizes = {SIZE} if self.kind in TARGETS else set()  # not on every board
        return OF_MACROS | sizes | ({PERIOD, PLACED} if self.board else set())

    def measures(self, metric: str) -> bool:
        """Whether ``metric`` is known on it: periods are of libraries and boards alone."""
        return METRICS[metric].needs <= self.measurable

    def refuse(self, config: MacroConfig) -> None:
        """Raise InputError where it has no cell for the macro's storage."""
        if self.board:
            check_fabric(config, self.board, self.name)
        else:
            check_storage(config, self.kind)


@dataclass(frozen=True)
class Sweep:
    """A checked sweep file (read_sweep). ``base`` are the parameters that are the same in all
    points; the product of ``axes`` is the grid, of which ``search`` takes all, or ``samples`` drawn
    with ``seed``, or as many on each target chosen by what earlier ones measured. ``objectives``
    are MINIMISE or MAXIMISE by metric. ``network`` is the file of the network that metrics ask
    for, ``inputs`` and ``labels`` are those of its answers; ``handed_in`` measures what other rooms
    do."""

    name: str
    base: Mapping[str, Any]
    axes: Mapping[str, tuple[Any, ...]]
    when: tuple[Condition, ...]
    targets: tuple[SweepTarget, ...]
    metrics: tuple[str, ...]
    objectives: Mapping[str, str]
    constraints: tuple[Condition, ...]
    search: str = GRID
    samples: int = 0
    seed: int = 0
    network: Path | None = None
    inputs: Path | None = None
    labels: Path | None = None
    handed_in: HandedIn | None = field(default=None, compare=False)

    @property
    def grid(self) -> int:
        """Combinations of the axes' values."""
        return prod(len(values) for values in self.axes.values())

    def measurements(self, target: SweepTarget) -> frozenset[str]:
        """What has to be measured on a target: on a board a period comes of its placement."""
        asked = needed({name for name in self.asked if target.measures(name)})
        return (asked - {PERIOD}) | {PLACED} if target.board and PERIOD in asked else asked

    @property
    def of_network(self) -> tuple[str, ...]:
        """The metrics that ask for a network."""
        return tuple(name for name in self.asked if METRICS[name].needs & {NETWORK, ANSWERS})

    @property
    def asked(self) -> tuple[str, ...]:
        """The metrics that are told, judged by or asked for in a constraint, each once."""
        of_constraints = [n for n in METRICS if any(n in c.names for c in self.constraints)]
        return tuple(dict.fromkeys((*self.metrics, *self.objectives, *of_constraints)))
