"""What a job must give, by the golden model, of any macro; also of one whose bits are -1 and 1."""

import numpy as np

from cimforge.compiler.player.job_file import patterns_of, rows_counted
from cimforge.compiler.precision import Ints
from cimforge.compiler.tiling import Job, run_job_golden
from cimforge.golden.macro import MacroModel
from cimforge.hdl.params.config import MacroConfig

__all__ = ["expected_results"]


def expected_results(config: MacroConfig, job: Job) -> Ints:
    """Results (tiles, batch, outputs) of the golden model, int64."""
    return _of_matches(config, job) if config.binary else run_job_golden(config, job)


def _of_matches(config: MacroConfig, job: Job) -> Ints:
    """Of values -1 and 1, and 0 where a tile holds none: in each tile its first rows count."""
    model = MacroModel(config)
    weights = patterns_of(config, job.weights, 1).astype(np.int64) * 2 - 1
    inputs = patterns_of(config, job.inputs, 1).astype(np.int64)
    results = []
    for tile, counted in enumerate(rows_counted(config, job)):
        bank, block = int(job.banks[tile]), job.k_index[tile]
        model.load(weights[tile], bank=bank, signed=False)
        results.append(model.mvm(inputs[block], bank=bank, x_rows=int(counted)))
    return np.array(results, np.int64)
