"""Configurations that may reach a clock period, as data: what may change, in order of its cost."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from cimforge.flow.liberty.leaf_cells import Match
from cimforge.flow.synth.static_timing import Step
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.errors import ConfigError
from cimforge.hdl.params.trees import ACCUMULATE, FINAL_ADDERS, TREES

__all__ = ["AXES", "Axis", "Candidate", "clock_candidates"]

Cells = Mapping[str, Match | None]
Costs = dict[Any, float]

# Area that a choice adds to a macro, as a share of it; of 64 rows of 8b in Nangate45. They order
# the candidates and say when no further one can be smaller: what is reported is measured.
RANK = 0.025
KEPT = {"binary": 0.0, "carry_save": 0.027}
FINAL_RANK = 0.03
FINALS = {"ripple": 0.0, "split": 0.012, "prefix": 0.013}
EXACT = {"csa": 0.0, "csa42": 0.001, "ripple": 0.04, "behavioral": 0.14}
UNKNOWN = 0.05  # of a style that has no figure here
# Delay through what a choice changes, against the slowest: says what is worth measuring first.
FINAL_DELAYS = {"ripple": 1.0, "split": 0.65, "prefix": 0.45}
KEPT_DELAYS = {"binary": 1.0, "carry_save": 0.75}


@dataclass(frozen=True)
class Axis:
    """A parameter ``key`` that trades area for speed.

    ``costs(config, cells)`` are the values worth trying where the library has these leaf cells,
    with the share of the area that each adds; ``blocks`` are those that it changes: a critical path
    through none of them stays what it is. ``delays`` are what a path through them is expected to
    take with a value, against others; where the values are numbers of registers that ``cut`` it, n
    of them leave at least 1 / (n + 1). Of an axis ``inside`` only paths that begin in its blocks
    change. A label tells its values, ``plain`` ones left out.
    """

    key: str
    blocks: frozenset[str]
    costs: Callable[[MacroConfig, Cells], Costs]
    delays: Mapping[Any, float] = field(default_factory=dict)
    cut: bool = False
    inside: bool = False
    plain: Any = None

    def touches(self, path: Sequence[Step]) -> frozenset[str]:
        """The blocks that it changes on a path."""
        if not path or (self.inside and path[0].block not in self.blocks):
            return frozenset()
        return self.blocks & {step.block for step in path}

    def delay(self, value: Any) -> float:
        """What a path through the blocks is expected to take, against the slowest value."""
        return 1 / (value + 1) if self.cut else self.delays.get(value, 1.0)


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


def _accumulates(config: MacroConfig, cells: Cells) -> Costs:
    return {name: KEPT.get(name, UNKNOWN) for name in ACCUMULATE}


def _final_stages(config: MacroConfig, cells: Cells) -> Costs:
    """Ranks behind sums of two words: without those there is none."""
    most = max(way.most_final_stages for way in ACCUMULATE.values())
    return {ranks: FINAL_RANK * ranks for ranks in range(most + 1)}


RANKED = frozenset({"tree", "input sum", "plane sum"})
SUMS = RANKED | {"accumulator", "accumulate sum", "pair sum", "pair adder"}
RESULT = frozenset({"accumulator"})
AXES = (
    Axis("tree_stages", RANKED, _ranks, cut=True),
    Axis("final_adder", SUMS, _final_adders, FINAL_DELAYS),
    Axis("tree", SUMS, _trees, plain="csa"),
    Axis("accumulate", SUMS, _accumulates, KEPT_DELAYS, plain="binary"),
    Axis("final_stages", RESULT, _final_stages, cut=True, inside=True, plain=0),
)


@dataclass(frozen=True)
class Candidate:
    """A configuration, the share of area that it is expected to add to the plainest one, and the
    axes along which candidates ``vary``."""

    config: MacroConfig
    cost: float
    vary: tuple[Axis, ...] = AXES

    def __getitem__(self, axis: Axis) -> Any:
        """Its value along an axis."""
        return getattr(self.config, axis.key)

    def differs(self, other: "Candidate") -> list[Axis]:
        """The axes along which two candidates differ."""
        return [axis for axis in AXES if self[axis] != other[axis]]

    @property
    def label(self) -> str:
        """Its values along those axes, as KEY=VALUE, plain ones left out."""
        told = [axis for axis in self.vary if self[axis] != axis.plain]
        return " ".join(f"{axis.key}={self[axis]}" for axis in told) or "as given"

    @property
    def folder(self) -> str:
        """Those values as the name of a folder."""
        return "-".join(str(self[axis]) for axis in self.vary)


def clock_candidates(config: MacroConfig, cells: Cells) -> list[Candidate]:
    """``config`` as given first (its ``tree_stages = auto`` as a number), then all others that its
    parameters allow, those with least expected area first."""
    given = config.model_copy(update={"tree_stages": config.pipeline_stages})
    costs = {axis.key: axis.costs(given, cells) for axis in AXES}
    found = [given]
    for values in product(*costs.values()):
        try:
            changed = given.model_copy(update=dict(zip(costs, values, strict=True)))
        except ConfigError:
            continue  # such a tree has no such adder, or not so many levels
        if changed != given:
            found.append(changed)
    vary = tuple(axis for axis in AXES if len({getattr(each, axis.key) for each in found}) > 1)
    first, *others = [Candidate(each, _cost(each, costs), vary) for each in found]
    return [first, *sorted(others, key=lambda candidate: candidate.cost)]


def _cost(config: MacroConfig, costs: Mapping[str, Costs]) -> float:
    return sum(known.get(getattr(config, key), UNKNOWN) for key, known in costs.items())
