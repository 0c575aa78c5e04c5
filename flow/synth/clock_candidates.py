"""Configurations that may reach a clock period, as data: what may change, in order of its cost."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

from cimforge.flow.liberty.leaf_cells import Match
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.errors import ConfigError
from cimforge.hdl.params.trees import FINAL_ADDERS, TREES

__all__ = ["AXES", "Axis", "Candidate", "clock_candidates"]

Cells = Mapping[str, Match | None]
Costs = dict[Any, float]

# Area that a choice adds to a macro, as a share of it; of 64 rows of 8b in Nangate45. They order
# the candidates and say when no further one can be smaller: what is reported is measured.
RANK = 0.025
FINALS = {"ripple": 0.0, "split": 0.012, "prefix": 0.013}
EXACT = {"csa": 0.0, "csa42": 0.001, "ripple": 0.04, "behavioral": 0.14}
UNKNOWN = 0.05  # of a style that has no figure here


@dataclass(frozen=True)
class Axis:
    """A parameter ``key`` that trades area for speed.

    ``costs(config, cells)`` are the values worth trying where the library has these leaf cells,
    with the share of the area that each adds; ``blocks`` are those that it changes: a critical path
    through none of them stays what it is.
    """

    key: str
    blocks: frozenset[str]
    costs: Callable[[MacroConfig, Cells], Costs]


def _ranks(config: MacroConfig, cells: Cells) -> Costs:
    """From none to one behind every second level: between closer ones registers are most of it."""
    most = max(config.tree_levels // 2, config.pipeline_stages)
    return {ranks: RANK * ranks for ranks in range(most + 1)}


def _final_adders(config: MacroConfig, cells: Cells) -> Costs:
    return {name: FINALS.get(name, UNKNOWN) for name in FINAL_ADDERS}


def _trees(config: MacroConfig, cells: Cells) -> Costs:
    """Exact trees stand in for each other, compressors where the library has one; never an
    approximate tree for an exact one, or the other way round."""
    if not config.tree_traits.exact:
        return {config.tree: 0.0}
    worth = {config.tree, "csa", *(["csa42"] if cells.get("c42") else [])}
    return {name: EXACT.get(name, UNKNOWN) for name in TREES if name in worth}


RANKED = frozenset({"tree", "input sum", "plane sum"})
SUMS = RANKED | {"accumulator", "accumulate sum", "pair sum", "pair adder"}
AXES = (
    Axis("tree_stages", RANKED, _ranks),
    Axis("final_adder", SUMS, _final_adders),
    Axis("tree", SUMS, _trees),
)


@dataclass(frozen=True)
class Candidate:
    """A configuration, the share of area that it is expected to add to the plainest one, and the
    axes along which candidates ``vary``."""

    config: MacroConfig
    cost: float
    vary: tuple[Axis, ...] = AXES

    def differs(self, other: "Candidate") -> list[Axis]:
        """The axes along which two candidates differ."""
        return [
            axis
            for axis in AXES
            if getattr(self.config, axis.key) != getattr(other.config, axis.key)
        ]

    @property
    def label(self) -> str:
        """Its values along those axes, as KEY=VALUE."""
        return " ".join(f"{axis.key}={getattr(self.config, axis.key)}" for axis in self.vary)

    @property
    def folder(self) -> str:
        """Those values as the name of a folder."""
        return "-".join(str(getattr(self.config, axis.key)) for axis in self.vary)


def clock_candidates(config: MacroConfig, cells: Cells) -> list[Candidate]:
    """``config`` as given first (its ``tree_stages = auto`` as a number), then all others that its
    parameters allow, those with least expected area first."""
    given = config.model_copy(update={"tree_stages": config.pipeline_stages})
    costs = {axis.key: axis.costs(given, cells) for axis in AXES}
    vary = tuple(axis for axis in AXES if len(costs[axis.key]) > 1)
    found: list[Candidate] = []
    for values in product(*costs.values()):
        try:
            changed = given.model_copy(update=dict(zip(costs, values, strict=True)))
        except ConfigError:
            continue  # such a tree has no such adder, or not so many levels
        if changed != given:
            found.append(Candidate(changed, _cost(changed, costs), vary))
    found.sort(key=lambda candidate: candidate.cost)
    return [Candidate(given, _cost(given, costs), vary), *found]


def _cost(config: MacroConfig, costs: Mapping[str, Costs]) -> float:
    return sum(known.get(getattr(config, key), UNKNOWN) for key, known in costs.items())
