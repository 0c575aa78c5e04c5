"""A sweep as data: which macros, on which targets, measured how, and which of them are best."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from cimforge.explore.condition import Condition
from cimforge.explore.metrics import METRICS, NETWORK, PERIOD, needed
from cimforge.flow.synth.targets import LIBERTY, TARGETS

__all__ = ["GRID", "MAXIMISE", "MINIMISE", "OPTIMISE", "RANDOM", "Sweep", "SweepTarget"]

GRID, RANDOM, OPTIMISE = "grid", "random", "optimise"
MINIMISE, MAXIMISE = "minimise", "maximise"


@dataclass(frozen=True)
class SweepTarget:
    """A target of TARGETS, or the ``libraries`` together; ``name`` is what reports call it."""

    name: str
    kind: str
    libraries: tuple[Path, ...] = ()

    @property
    def unit(self) -> str:
        """The unit of its sizes."""
        return "um2" if self.kind == LIBERTY else TARGETS[self.kind].unit

    def measures(self, metric: str) -> bool:
        """Whether ``metric`` is known on it: periods are of libraries alone."""
        return self.kind == LIBERTY or PERIOD not in METRICS[metric].needs


@dataclass(frozen=True)
class Sweep:
    """A checked sweep file (read_sweep). ``base`` are the parameters that are the same in all
    points; the product of ``axes`` is the grid, of which ``search`` takes all, or ``samples`` drawn
    with ``seed``, or as many on each target chosen by what earlier ones measured. ``objectives``
    are MINIMISE or MAXIMISE by metric. ``network`` is the file of the network that metrics ask
    for."""

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

    @property
    def grid(self) -> int:
        """Combinations of the axes' values."""
        return prod(len(values) for values in self.axes.values())

    def measurements(self, target: SweepTarget) -> frozenset[str]:
        """What has to be measured on a target."""
        return needed({name for name in self.asked if target.measures(name)})

    @property
    def of_network(self) -> tuple[str, ...]:
        """The metrics that ask for a network."""
        return tuple(name for name in self.asked if NETWORK in METRICS[name].needs)

    @property
    def asked(self) -> tuple[str, ...]:
        """The metrics that are told, judged by or asked for in a constraint, each once."""
        of_constraints = [n for n in METRICS if any(n in c.names for c in self.constraints)]
        return tuple(dict.fromkeys((*self.metrics, *self.objectives, *of_constraints)))
