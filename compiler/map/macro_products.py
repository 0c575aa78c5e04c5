"""Products of a network's nodes on macros, job by job, and what each node took."""

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from cimforge.compiler.map.golden_jobs import GoldenJobs
from cimforge.compiler.map.node_jobs import NodeJobs
from cimforge.compiler.map.node_plan import JobPlan, NodePlan, plan_node
from cimforge.compiler.map.product_trace import operand_precisions, part_sizes
from cimforge.compiler.reference.call import Call, exact_products
from cimforge.compiler.reference.lowering import Part
from cimforge.compiler.tiling import Job
from cimforge.hdl.params.config import MacroConfig

__all__ = ["JobDone", "JobRunner", "MacroProducts", "NodeUse"]

Ints = NDArray[np.int64]


class JobRunner(Protocol):
    """Who runs jobs: the golden model, the Verilog in a simulator, a board."""

    @property
    def cycles(self) -> int:
        """Of the clock, of all jobs until now; 0 where none are counted."""

    @property
    def pass_cycles(self) -> int:
        """Of those, in which the array computed."""

    def run_job(self, config: MacroConfig, job: Job) -> Ints:
        """The job's results (tiles, vectors, cols)."""


@dataclass
class NodeUse:
    """What a node's products took: ``macs`` multiply-accumulates of the network, ``tiles`` sets of
    weights, ``passes`` vectors through one, of all macros; ``cycles`` from first to last of the
    macros side by side, and ``pass_cycles`` of all macros."""

    name: str
    operator: str
    macs: int = 0
    tiles: int = 0
    passes: int = 0
    cycles: int = 0
    pass_cycles: int = 0


class JobDone(NamedTuple):
    """A job of a node behind it: the node's ``call`` and ``plan``, the job's plan ``planned``, the
    ``job`` and its ``results`` (tiles, vectors, cols)."""

    call: Call
    plan: NodePlan
    planned: JobPlan
    job: Job
    results: Ints


@dataclass
class MacroProducts:
    """Products (see reference.call) on ``macros`` macros of ``config``, by ``runner``.

    Operands take the precision of their tensors' kinds. Nodes that are not in ``chosen`` (all,
    where it is None) are multiplied by NumPy. ``uses`` tells what each node took, by name;
    ``begin`` is called with a node's name when it begins, ``watch`` behind each job.
    """

    config: MacroConfig
    runner: JobRunner = field(default_factory=GoldenJobs)
    macros: int = 1
    chosen: Collection[str] | None = None
    begin: Callable[[str], None] | None = None
    watch: Callable[[JobDone], None] | None = None

    def __post_init__(self) -> None:
        self.uses: dict[str, NodeUse] = {}

    def __call__(self, call: Call, parts: Sequence[Part]) -> list[Ints]:
        """The sums of each part. Raises ValueError, one line with the node, for what no macro of
        this config multiplies."""
        if self.chosen is not None and call.node.name not in self.chosen:
            return exact_products(call, parts)
        node = call.node
        use = self.uses.setdefault(node.name, NodeUse(node.name, node.operator.title))
        if self.begin:
            self.begin(node.name)
        held = operand_precisions(call, parts)
        sizes = part_sizes(parts)
        try:
            plans = plan_node(self.config, *held, sizes, self.macros)
        except ValueError as error:
            raise ValueError(f"{node}: {error}") from None
        found: list[Ints] = []
        for plan in plans:
            jobs = NodeJobs(plan, parts, held)
            busy: defaultdict[int, int] = defaultdict(int)  # of each macro
            for planned, job in jobs:
                cycles, passing = self.runner.cycles, self.runner.pass_cycles
                results = self.runner.run_job(self.config, job)
                busy[planned.macro] += self.runner.cycles - cycles
                use.pass_cycles += self.runner.pass_cycles - passing
                if self.watch:
                    self.watch(JobDone(call, plan, planned, job, results))
                jobs.take(planned, job, results)
                use.passes += job.plan.passes
            found += jobs.sums()
            use.tiles += plan.tiles
            use.cycles += max(busy.values(), default=0)
        use.macs += sum(size.macs for size in sizes)
        return found
