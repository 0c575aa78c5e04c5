"""What an example is, what it leaves, and how its products are counted and compared."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from cimforge.compiler.matmul import Matmul, RunJob, exact_matmul
from cimforge.compiler.precision import Ints
from cimforge.compiler.tiling import Job
from cimforge.hdl.params.config import MacroConfig

__all__ = ["Compared", "CountedJobs", "Example", "Outcome"]


class Outcome(NamedTuple):
    """``equal``: whether all is as ``reference``, by other code, says; ``facts`` are numbers for a
    program, ``rows`` the same (label, text) for a reader."""

    equal: bool
    reference: str
    facts: dict[str, Any]
    rows: list[tuple[str, str]]


@dataclass(frozen=True)
class Example:
    """Something that an array does: ``about`` in a line; on ``preset`` with ``settings`` unless
    told otherwise, and only on macros of -1 and 1 where it is ``binary``. ``run`` takes a macro,
    what runs its jobs, and the seed of all that is drawn."""

    about: str
    preset: str
    settings: tuple[str, ...]
    binary: bool
    run: Callable[[MacroConfig, RunJob, int], Outcome]


class Compared:
    """A matmul whose products NumPy makes too: ``equal`` says whether all were the same."""

    def __init__(self, matmul: Matmul):
        self._matmul = matmul
        self.equal = True

    def __call__(self, x: Ints, w: Ints) -> Ints:
        """``x @ w``."""
        y = self._matmul(x, w)
        self.equal &= np.array_equal(y, exact_matmul(x, w))
        return y


class CountedJobs:
    """A RunJob that counts what passes through: ``tiles`` of weights, ``passes`` of vectors,
    ``macs`` of the products without padding, and ``room``, the same with it."""

    def __init__(self, run_job: RunJob):
        self._run = run_job
        self.tiles, self.passes, self.macs, self.room = 0, 0, 0, 0

    def __call__(self, config: MacroConfig, job: Job) -> Ints:
        """The job's results (tiles, batch, cols)."""
        plan = job.plan
        self.tiles += len(plan.tiles)
        self.passes += plan.passes
        self.macs += plan.batch * plan.k * plan.n
        self.room += plan.passes * plan.rows * plan.cols
        return self._run(config, job)
