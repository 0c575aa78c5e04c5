"""A node's plan with its numbers: jobs that a simulator or a board runs, and their sums."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from cimforge.compiler.map.node_plan import JobPlan, NodePlan
from cimforge.compiler.map.operand_digits import digit_values
from cimforge.compiler.precision import Precision
from cimforge.compiler.reference.lowering import Part
from cimforge.compiler.tiling import Job

__all__ = ["NodeJobs"]

Ints = NDArray[np.int64]


class NodeJobs:
    """The jobs of ``plan`` for ``parts``, whose inputs and weights are of ``held``, one by one;
    ``take`` each one's results, then ask for the ``sums`` of each part."""

    def __init__(self, plan: NodePlan, parts: Sequence[Part], held: tuple[Precision, Precision]):
        self._plan, self._parts, self._held = plan, parts, held
        width = sum(pack.width for pack in plan.packs)
        self._sums = np.zeros((plan.vectors, width), np.int64)

    def __iter__(self) -> Iterator[tuple[JobPlan, Job]]:
        """Each job with its plan."""
        for planned in self._plan.jobs:
            yield planned, self._job(planned)

    def take(self, planned: JobPlan, job: Job, results: Ints) -> None:
        """Add a job's results (tiles, vectors, cols)."""
        shift = planned.x.shift + planned.w.shift
        self._sums[planned.first : planned.last] += job.assemble(results) << shift

    def sums(self) -> list[Ints]:
        """The sums (vectors, n) of each part."""
        found = []
        for pack in self._plan.packs:
            own = self._sums[:, pack.col : pack.col + pack.width]
            found += np.split(own, pack.parts, axis=1)
        return found

    def _job(self, planned: JobPlan) -> Job:
        tiles = planned.tiles
        rows = tiles.rows
        weights = np.zeros((len(tiles.tiles), rows, tiles.cols), np.int64)
        matrices = {pack.row: self._matrix(place) for place, pack in enumerate(self._plan.packs)}
        starts = np.array(sorted(matrices))
        # Blocks of rows that no tile takes stay away.
        blocks, k_index = np.unique([tile.k0 // rows for tile in tiles.tiles], return_inverse=True)
        for block, tile in zip(weights, tiles.tiles, strict=True):
            place = int(np.searchsorted(starts, tile.k0, side="right")) - 1
            pack = self._plan.packs[place]
            k0, n0 = tile.k0 - pack.row, tile.n0 - pack.col
            held = matrices[pack.row][k0 : k0 + tile.k1 - tile.k0, n0 : n0 + tile.n1 - tile.n0]
            block[: held.shape[0], : held.shape[1]] = digit_values(held, planned.w, self._held[1])
        return Job(
            plan=tiles,
            weights=weights,
            inputs=np.ascontiguousarray(self._inputs(planned)[blocks]),
            k_index=k_index,
            banks=np.array([tile.bank for tile in tiles.tiles], np.int64),
            x_bits=planned.x.held.bits,
            x_signed=planned.x.held.signed,
            w_signed=planned.w.held.signed,
            fuse=planned.fuse,
        )

    def _matrix(self, place: int) -> Ints:
        """A pack's weights, part beside part on the diagonal."""
        pack = self._plan.packs[place]
        w = np.zeros((pack.depth, pack.width), np.int64)
        for n, part in enumerate(self._parts[pack.first : pack.first + pack.parts]):
            w[n * pack.k : (n + 1) * pack.k, n * pack.n : (n + 1) * pack.n] = part.w
        return w

    def _inputs(self, planned: JobPlan) -> Ints:
        """(blocks of rows, vectors, rows) of one digit, of all packs."""
        tiles = planned.tiles
        x = np.zeros((tiles.batch, tiles.k_tiles * tiles.rows), np.int64)
        for pack in self._plan.packs:
            for n, part in enumerate(self._parts[pack.first : pack.first + pack.parts]):
                col = pack.row + n * pack.k
                own = part.x[planned.first : planned.last].astype(np.int64)
                x[:, col : col + pack.k] = digit_values(own, planned.x, self._held[0])
        return x.reshape(tiles.batch, tiles.k_tiles, tiles.rows).swapaxes(0, 1)
