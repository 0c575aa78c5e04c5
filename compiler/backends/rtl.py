"""The backend that runs jobs through the emitted Verilog in a simulator."""

import json
import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import mkdtemp

import numpy as np

from cimforge.compiler.precision import Ints
from cimforge.compiler.tiling import Job, golden_pass_cycles, run_job_golden
from cimforge.flow.simulate.bounded_run import first_error
from cimforge.flow.simulate.simulator import Design, build, run_tests
from cimforge.flow.simulate.watch import watch
from cimforge.hdl.params.config import MacroConfig

__all__ = ["RtlBackend", "SimulationError"]


PLAY, LINK_PLAY = (f"cimforge.compiler.backends.{module}" for module in ("play", "link_play"))


class SimulationError(Exception):
    """A simulation ended without results; ``log`` holds what it printed."""

    def __init__(self, log: Path, cause: str):
        reason = cause or first_error(log) or "no message"
        super().__init__(
            f"the simulation ended without results: {reason}; its messages are in {log}"
        )
        self.log = log


class RtlBackend:
    """Runs jobs on an emitted macro and compares every result with the golden model.

    With ``board``, which opens a board's top in the folder, they run through the host's driver and
    a simulated ``line``: a serial one of ``divisor`` clock cycles a bit, or one of SPI, of
    ``ratio`` cycles in one of sck.

    Counts over all jobs: ``cycles`` of the macro's clock, ``passes`` and, of ``cycles``,
    ``pass_cycles`` (measured; of a board the golden model's), ``macs`` of the products (padding not
    counted), ``seconds`` of simulation without the build, ``bit_exact`` whether every result of
    every tile equals golden's; of a board ``sent`` and ``received``, the bytes of rows and vectors,
    and of results, that passed the line. ``progress`` is called with (passes done, passes in all).
    """

    def __init__(
        self,
        folder: Path,
        simulator: str = "verilator",
        announce: Callable[[str], None] = print,
        progress: Callable[[int, int], None] | None = None,
        *,
        board: Callable[[MacroConfig, Path], Design] | None = None,
        line: Mapping[str, int] | None = None,
    ):
        self._folder, self._simulator = folder, simulator
        self._open = board or Design.emitted
        self._module, self._line = (LINK_PLAY if board else PLAY), line
        self._announce, self._progress = announce, progress
        self.cycles, self.macs, self.seconds, self.bit_exact = 0, 0, 0.0, True
        self.passes, self.pass_cycles = 0, 0
        self.sent, self.received = 0, 0

    def run_job(self, config: MacroConfig, job: Job) -> Ints:
        """The job's results (tiles, batch, cols); an empty batch runs nothing.

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
        self.pass_cycles += golden_pass_cycles(config, job) if measured is None else measured
        self.macs += job.plan.batch * job.plan.k * job.plan.n
        self.bit_exact &= np.array_equal(results, run_job_golden(config, job))
        return results

    def _play(self, design: Design, job: Job) -> tuple[Ints, int, int | None]:
        """Results, cycles of the clock and, where the macro's own streams are seen, of passes."""
        # A folder of its own, so that runs at the same time do not mix their jobs.
        folder = Path(mkdtemp(prefix="play-", dir=self._folder)).resolve()
        inputs, outputs, progress = folder / "job.npz", folder / "results.npz", folder / "progress"
        np.savez(
            inputs, weights=job.weights, inputs=job.inputs, k_index=job.k_index, banks=job.banks
        )
        options = {"x_bits": job.x_bits, "x_signed": job.x_signed, "w_signed": job.w_signed}
        options["fuse"] = job.fuse
        files = {"inputs": str(inputs), "outputs": str(outputs), "progress": str(progress)}
        settings = {**json.loads(json.dumps(options, default=int)), **files, "seed": 0}
        settings["line"] = self._line and dict(self._line)
        with watch(progress, self._progress):
            ending = run_tests(design, self._simulator, [self._module], folder, job=settings)
        if not outputs.exists():
            raise SimulationError(folder / "sim.log", ending)
        with np.load(outputs) as saved:
            results, cycles = saved["results"], int(saved["cycles"])
            measured = int(saved["pass_cycles"]) if "pass_cycles" in saved else None
            self.sent += int(saved["sent"]) if "sent" in saved else 0
            self.received += int(saved["received"]) if "received" in saved else 0
        shutil.rmtree(folder)
        return results, cycles, measured
