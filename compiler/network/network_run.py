"""Runs a network with its products on a macro, item group by item group, and checks as it goes."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from cimforge.compiler.graph.graph import Graph
from cimforge.compiler.map.layer_plan import LayerPlan, plan_network
from cimforge.compiler.map.macro_products import JobDone, MacroProducts, NodeUse
from cimforge.compiler.network.divergence import check_job
from cimforge.compiler.network.expected import Expected
from cimforge.compiler.network.feeds import Feeds
from cimforge.compiler.network.layer_names import short_names_of
from cimforge.compiler.reference.call import Call, exact_products
from cimforge.compiler.reference.execution import keeps_items, steps
from cimforge.compiler.reference.lowering import Part
from cimforge.hdl.params.config import MacroConfig

__all__ = ["Layer", "NetworkRun"]

Ints = NDArray[np.int64]
GROUP_BYTES = 1 << 28  # of inputs and results that a layer's jobs hold at once


class Layer(NamedTuple):
    """A layer with products: what was planned for it, whether it is for macros (else NumPy's), and
    what it took, nothing where the run ended before it."""

    plan: LayerPlan
    chosen: bool
    use: NodeUse | None


class Worker(Protocol):
    """Who multiplies: see MacroProducts and SocProducts."""

    uses: dict[str, NodeUse]
    begin: Callable[[str], None] | None

    @property
    def chosen(self) -> Collection[str] | None:
        """Names of nodes that it takes; None is all."""

    def __call__(self, call: Call, parts: Sequence[Part]) -> list[Ints]:
        """The sums of each part."""


@dataclass
class NetworkRun:
    """``graph`` with its products by ``worker``, planned for ``macros`` macros of ``config``.

    Where ``compare``, each job's results on macros are compared with golden's; each tensor with
    ``expected``. ``announce`` says
    which layer begins, ``progress`` gets (passes done, in all).

    Behind ``run``: ``outputs`` by name, all items; ``layers``, ``macs`` on macros, ``host_macs`` of
    products that were not chosen, ``cycles``; ``exact`` is False where a sum differs from NumPy's,
    which approximate trees do.
    """

    graph: Graph
    config: MacroConfig
    worker: Worker
    macros: int = 1
    expected: Expected | None = None
    compare: bool = True
    announce: Callable[[str], None] = print
    progress: Callable[[int, int], None] = lambda done, total: None
    outputs: dict[str, NDArray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.worker.begin = self._begin
        if isinstance(self.worker, MacroProducts):
            self.worker.watch = self._watch
        self.exact, self.host_macs, self.done_items = True, 0, 0
        self._done = self._total = 0

    def run(self, feeds: Feeds) -> None:
        """All items.

        Raises GraphError for a network that is not computed here, ValueError for one that the macro
        does not take, DivergenceError and DifferenceError, and what the runner raises.
        """
        self._plan = plan_network(self.graph, self.config, self.macros, feeds.items)
        self._total = sum(layer.passes for layer in self._plan if self._takes(layer.name))
        together = self._together(feeds.items)
        found: dict[str, list[NDArray]] = {name: [] for name in self.graph.outputs}
        for first in range(0, feeds.items, together):
            last = min(first + together, feeds.items)
            some = feeds.some(self.graph, first, last)
            made_all = {name: some[name] for name in self.graph.outputs if name in some}
            for node, made in steps(self.graph, some, self._multiply):
                if self.expected:
                    self.expected.check(self.graph, node, made, first)
                made_all |= {name: made[name] for name in made if name in found}
            for name, array in made_all.items():
                found[name].append(array)
            self.done_items = last
        self.outputs = {name: np.concatenate(arrays) for name, arrays in found.items() if arrays}

    @property
    def layers(self) -> tuple[Layer, ...]:
        """In the order of their work."""
        uses = self.worker.uses
        return tuple(
            Layer(plan, self._takes(plan.name), uses.get(plan.name)) for plan in self._plan
        )

    @property
    def macs(self) -> int:
        """Multiply-accumulates of the network on macros."""
        return sum(use.macs for use in self.worker.uses.values())

    @property
    def cycles(self) -> int:
        """Of all layers, one behind the other, the macros of each side by side."""
        return sum(use.cycles for use in self.worker.uses.values())

    def job_progress(self, done: int, total: int) -> None:
        """A runner's own progress within a job: passes done, of ``total``."""
        self.progress(min(self._done + done, self._total), self._total)

    def _takes(self, name: str) -> bool:
        return self.worker.chosen is None or name in self.worker.chosen

    def _together(self, items: int) -> int:
        """Items side by side: as many as GROUP_BYTES hold of the largest layer."""
        if not keeps_items(self.graph):
            return 1
        most = max((_job_bytes(layer) for layer in self._plan), default=0) // items
        return max(1, min(items, GROUP_BYTES // max(1, most)))

    def _multiply(self, call: Call, parts: Sequence[Part]) -> list[Ints]:
        found = self.worker(call, parts)
        if not self._takes(call.node.name):
            self.host_macs += sum(len(part.x) * part.w.size for part in parts)
            return found
        wanted = exact_products(call, parts)
        if any(not np.array_equal(*pair) for pair in zip(found, wanted, strict=True)):
            self.exact = False
        return found

    def _begin(self, name: str) -> None:
        names = [layer.name for layer in self._plan]
        place = names.index(name)
        self.announce(f"layer {place} of {len(names)}, {short_names_of(names)[place]}")

    def _watch(self, done: JobDone) -> None:
        if self.compare and isinstance(self.worker, MacroProducts):
            runner = self.worker.runner
            if not getattr(runner, "checked", False):  # another process has compared it
                check_job(self.config, runner, done)
        self._done += done.job.plan.passes
        self.progress(min(self._done, self._total), self._total)


def _job_bytes(layer: LayerPlan) -> int:
    """What a layer's operands and results take, int64, of all items."""
    return 8 * (layer.parts * layer.vectors * (2 * layer.k + 4 * layer.n))
