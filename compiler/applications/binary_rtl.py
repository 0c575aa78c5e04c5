"""The backend that runs jobs of -1 and 1 through the emitted Verilog under cocotb."""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from cimforge.compiler.backends.rtl import RtlBackend
from cimforge.compiler.player.expected_results import expected_results
from cimforge.compiler.precision import Ints
from cimforge.compiler.tiling import Job
from cimforge.flow.simulate.simulator import build
from cimforge.hdl.params.config import MacroConfig

__all__ = ["BinaryRtlBackend"]


class BinaryRtlBackend(RtlBackend):
    """RtlBackend of macros of -1 and 1, and of jobs that make_binary_job makes; a job whose batch
    is empty has no rows that count, and runs nothing."""

    def __init__(
        self,
        folder: Path,
        simulator: str = "verilator",
        announce: Callable[[str], None] = print,
        progress: Callable[[int, int], None] | None = None,
    ):
        super().__init__(folder, simulator, announce, progress)
        self._module = "cimforge.compiler.applications.binary_play"

    def run_job(self, config: MacroConfig, job: Job) -> Ints:
        """The job's results (tiles, batch, cols).

        Raises BuildError or SimulationError where the simulator fails.
        """
        if job.plan.batch == 0:
            return np.zeros((len(job.plan.tiles), 0, job.plan.cols), np.int64)
        design = self._open(config, self._folder)
        build(design, self._simulator, announce=self._announce)
        self._announce(f"simulating {design.top}")
        started = time.perf_counter()
        results, cycles, measured = self._play(design, job)
        self.seconds += time.perf_counter() - started
        self.cycles += cycles
        self.passes += job.plan.passes
        self.pass_cycles += measured or 0
        self.macs += job.plan.batch * job.plan.k * job.plan.n
        self.bit_exact &= np.array_equal(results, expected_results(config, job))
        return results
