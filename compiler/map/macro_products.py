"""Products of a network's nodes on one macro, tile by tile, and what each node took."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cimforge.compiler.graph.tensor import Tensor
from cimforge.compiler.map.diagonal import packed, unpacked
from cimforge.compiler.matmul import RunJob
from cimforge.compiler.precision import Precision
from cimforge.compiler.reference.call import Call
from cimforge.compiler.reference.lowering import Part
from cimforge.compiler.tiling import golden_pass_cycles, make_job, run_job_golden
from cimforge.hdl.params.config import MacroConfig

__all__ = ["MacroProducts", "NodeUse"]

Ints = NDArray[np.int64]


@dataclass
class NodeUse:
    """What a node's products took: ``macs`` multiply-accumulates of the network, ``tiles`` sets of
    weights, ``passes`` vectors through one, ``pass_cycles`` cycles of those, ``cells`` of all tiles
    that hold a weight, of ``room`` that there are."""

    name: str
    operator: str
    macs: int = 0
    tiles: int = 0
    passes: int = 0
    pass_cycles: int = 0
    cells: int = 0
    room: int = 0

    @property
    def utilisation(self) -> float:
        """Share of the cells that hold a weight, 0..1."""
        return self.cells / self.room if self.room else 0.0


class MacroProducts:
    """Products (see reference.call) on macros of ``config``: groups are packed side by side, the
    rest is cut into tiles, and ``run_job`` runs these (golden, or a simulator of the Verilog).

    Operands take the precision of their tensors' kinds. ``nodes`` tells what each node took, in the
    order of their work; ``progress`` is called with the node's name when it begins.

    Raises ValueError where the macro does not hold an operand's precision.
    """

    def __init__(
        self,
        config: MacroConfig,
        run_job: RunJob = run_job_golden,
        progress: Callable[[str], None] | None = None,
    ):
        self._config, self._run, self._progress = config, run_job, progress
        self.nodes: dict[str, NodeUse] = {}

    def __call__(self, call: Call, parts: Sequence[Part]) -> list[Ints]:
        """The sums of each part."""
        config, node = self._config, call.node
        use = self.nodes.setdefault(node.name, NodeUse(node.name, type(node.operator).__name__))
        if self._progress:
            self._progress(node.name)
        x_held, w_held = _precision(call.tensor(0)), _precision(call.tensor(1))
        outputs = max(
            (mode.outputs for mode in config.modes if mode.weight_bits >= w_held.bits), default=1
        )
        found: list[Ints] = []
        for pack in packed(config.rows, outputs, parts):
            try:
                job = make_job(config, pack.x, pack.w, x_held, w_held)
            except ValueError as error:
                raise ValueError(f"{node}: {error}") from None
            found += unpacked(pack, job.assemble(self._run(config, job)))
            use.tiles += len(job.plan.tiles)
            use.passes += job.plan.passes
            use.pass_cycles += golden_pass_cycles(config, job)
            use.room += len(job.plan.tiles) * job.plan.rows * job.plan.cols
        for part in parts:
            use.macs += len(part.x) * part.w.size
            use.cells += part.w.size
        return found


def _precision(tensor: Tensor) -> Precision:
    """Bits and sign of a tensor's kind."""
    low, high = tensor.limits
    return Precision((high - low).bit_length(), low < 0)
