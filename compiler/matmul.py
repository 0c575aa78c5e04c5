"""Matmul: the one product a network needs, on NumPy or on a macro."""

from collections.abc import Callable

import numpy as np

from cimforge.compiler.precision import Ints
from cimforge.compiler.tiling import Job, make_job, run_job_golden
from cimforge.hdl.params.config import MacroConfig

__all__ = ["Matmul", "RunJob", "exact_matmul", "tiled_matmul"]

Matmul = Callable[[Ints, Ints], Ints]
"""``y = x @ w`` for int64 values: x (batch, K), w (K, N), y (batch, N)."""

RunJob = Callable[[MacroConfig, Job], Ints]
"""Runs a job and returns its results (tiles, batch, cols)."""


def exact_matmul(x: Ints, w: Ints) -> Ints:
    """``x @ w`` in int64 by NumPy, without tiles: the reference for every other backend."""
    return np.asarray(x, np.int64) @ np.asarray(w, np.int64)


def tiled_matmul(config: MacroConfig, run_job: RunJob = run_job_golden) -> Matmul:
    """A matmul that tiles onto a macro of ``config``; ``run_job`` is the golden model or a
    simulator of the Verilog.

    The matmul raises ValueError for operands that ``config`` cannot hold (see make_job).
    """

    def matmul(x: Ints, w: Ints) -> Ints:
        job = make_job(config, x, w)
        return job.assemble(run_job(config, job))

    return matmul
