"""Where hardware first differs from the golden model: layer, tile, vector, column, bit plane."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cimforge.compiler.map.macro_products import JobDone, JobRunner
from cimforge.compiler.network.layer_names import short_names_of
from cimforge.compiler.tiling import Job, Tile, TilePlan, run_job_golden
from cimforge.hdl.params.config import MacroConfig

__all__ = ["Divergence", "DivergenceError", "check_job", "one_tile"]

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Divergence:
    """Vector ``vector`` of a layer, of item ``item``, in a job's ``tile`` gave ``got``, and golden
    gives ``expected``, in column ``column`` of the macro, which is output ``output`` of the layer.

    ``job`` is the least that shows it again: one tile, and as few vectors as do. ``planes`` are the
    bit planes of the input that differ when they are sent alone, none where it takes several
    together."""

    layer: str
    operator: str
    macro: int
    tile: int
    rows: tuple[int, int]
    output: int
    item: int
    vector: int
    column: int
    got: int
    expected: int
    planes: tuple[int, ...]
    job: Job

    def __str__(self) -> str:
        planes = ", ".join(map(str, self.planes)) or "none alone"
        place = (
            f"tile {self.tile} of macro {self.macro} (inputs {self.rows[0]}..{self.rows[1] - 1})"
        )
        where = f"item {self.item}, vector {self.vector}"
        where += f", column {self.column} (output {self.output})"
        told = f"got {self.got}, golden gives {self.expected}; bit planes that differ: {planes}"
        (layer,) = short_names_of([self.layer])
        return f"layer {layer!r} ({self.operator}), {place}, {where}: {told}"

    def as_json(self) -> dict[str, Any]:
        """All but the job."""
        shown = {name: value for name, value in vars(self).items() if name != "job"}
        return {**shown, "rows": list(self.rows), "planes": list(self.planes)}


class DivergenceError(Exception):
    """Hardware differs from golden: the text says where."""

    def __init__(self, divergence: Divergence):
        super().__init__(str(divergence))
        self.divergence = divergence


def check_job(config: MacroConfig, runner: JobRunner, done: JobDone) -> None:
    """Compare a job's results with golden's. Raises DivergenceError for the first that differs,
    once ``runner`` has told how little of the job shows it."""
    job = done.job
    golden = run_job_golden(config, job)
    if np.array_equal(done.results, golden):
        return
    tile, vector, column = (int(place) for place in np.argwhere(done.results != golden)[0])
    held, place = job.plan.tiles[tile], done.planned.first + vector
    found = Divergence(
        layer=done.call.node.name,
        operator=done.call.operator.title,
        macro=done.planned.macro,
        tile=tile,
        rows=(held.k0, held.k1),
        output=held.n0 + column,
        item=place * done.call.items // done.plan.vectors,
        vector=place,
        column=column,
        got=int(done.results[tile, vector, column]),
        expected=int(golden[tile, vector, column]),
        planes=_planes(config, runner, job, tile, vector),
        job=_least(config, runner, job, tile, vector),
    )
    raise DivergenceError(found)


def one_tile(job: Job, tile: int, vectors: Ints) -> Job:
    """One tile of a job, in its bank, with ``vectors`` (vectors, rows) in place of its own."""
    rows, cols = job.plan.rows, job.plan.cols
    bank = int(job.banks[tile])
    plan = TilePlan(len(vectors), rows, cols, rows, cols, (Tile(0, rows, 0, cols, bank),))
    return Job(
        plan=plan,
        weights=job.weights[tile : tile + 1],
        inputs=vectors[None],
        k_index=np.zeros(1, np.int64),
        banks=np.array([bank]),
        x_bits=job.x_bits,
        x_signed=job.x_signed,
        w_signed=job.w_signed,
        fuse=job.fuse,
    )


def _planes(
    config: MacroConfig, runner: JobRunner, job: Job, tile: int, vector: int
) -> tuple[int, ...]:
    """The planes of a vector that differ from golden alone."""
    x = job.inputs[job.k_index[tile], vector]
    top = job.x_bits - 1
    alone = np.stack([((x >> plane) & 1) << plane for plane in range(job.x_bits)])
    if job.x_signed:
        alone[top] = -alone[top]
    single = one_tile(job, tile, alone)
    differs = runner.run_job(config, single) != run_job_golden(config, single)
    return tuple(int(plane) for plane in np.flatnonzero(differs.any(axis=(0, 2))))


def _least(config: MacroConfig, runner: JobRunner, job: Job, tile: int, vector: int) -> Job:
    """The vector alone if that differs too, else with as many before it as make it differ; the
    whole job where its other tiles have a part in it."""
    own = job.inputs[job.k_index[tile]]
    before = 1
    while True:
        first = max(0, vector + 1 - before)
        tried = one_tile(job, tile, own[first : vector + 1])
        if not np.array_equal(runner.run_job(config, tried), run_job_golden(config, tried)):
            return tried
        if not first:
            return job
        before *= 4
