"""The golden model as what runs jobs, with the cycles that the hardware takes."""

import time

import numpy as np
from numpy.typing import NDArray

from cimforge.compiler.map.job_cycles import job_cycles
from cimforge.compiler.tiling import Job, golden_pass_cycles, run_job_golden
from cimforge.golden.cycles import result_interval
from cimforge.hdl.params.config import MacroConfig

__all__ = ["GoldenJobs"]

Ints = NDArray[np.int64]


class GoldenJobs:
    """Runs jobs on the golden model. Counts over all jobs: ``cycles`` as job_cycles has them,
    ``pass_cycles`` of those, ``passes``, ``macs`` of the products (padding not counted) and
    ``seconds``."""

    bit_exact = True  # it is what others are compared with

    def __init__(self) -> None:
        self.cycles = self.pass_cycles = self.passes = self.macs = 0
        self.seconds = 0.0

    def run_job(self, config: MacroConfig, job: Job) -> Ints:
        """The job's results (tiles, vectors, cols)."""
        began = time.perf_counter()
        results = run_job_golden(config, job)
        self.seconds += time.perf_counter() - began
        skips = "zero_skip" in config.features
        blocks = _all_blocks(job) if skips else None
        self.cycles += job_cycles(config, job.plan, job.x_bits, job.x_signed, job.fuse, blocks)
        if skips:
            self.pass_cycles += golden_pass_cycles(config, job)
        else:
            each = result_interval(config, job.x_bits, job.x_signed)
            self.pass_cycles += job.plan.passes * each
        self.passes += job.plan.passes
        self.macs += job.plan.batch * job.plan.k * job.plan.n
        return results


def _all_blocks(job: Job) -> Ints:
    """The inputs of every block of rows of the plan, of those that no tile takes zeros."""
    blocks = np.zeros((job.plan.k_tiles, *job.inputs.shape[1:]), np.int64)
    for tile, block in zip(job.plan.tiles, job.k_index, strict=True):
        blocks[tile.k0 // job.plan.rows] = job.inputs[block]
    return blocks
