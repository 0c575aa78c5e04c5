"""The backend that runs jobs on the emitted Verilog by a compiled player, without cocotb."""

import shutil
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import numpy as np

from cimforge.compiler.backends.rtl import SimulationError
from cimforge.compiler.player.expected_results import expected_results
from cimforge.compiler.player.job_file import Played, read_results, write_job
from cimforge.compiler.player.player_build import build_player
from cimforge.compiler.precision import Ints
from cimforge.compiler.tiling import Job
from cimforge.flow.simulate.bounded_run import first_error
from cimforge.flow.simulate.simulator import Design, locked
from cimforge.flow.simulate.tool_environment import clean_environment
from cimforge.hdl.params.config import MacroConfig

__all__ = ["PlayerBackend"]


class PlayerBackend:
    """Runs jobs on the macro that emit_macro wrote into ``folder``; with ``compare`` every result
    of every job is compared with the golden model's.

    Counts over all jobs: ``cycles`` of the clock from a job's first beat to its last result,
    ``passes`` and, of ``cycles``, ``pass_cycles`` (measured), ``macs`` of the products (padding not
    counted), ``seconds`` of simulation and ``build_seconds`` before it, ``bit_exact`` whether every
    result compared equals golden's, ``compared`` results. ``progress`` is called with (passes done,
    passes in all). ``opened`` makes another design of the folder's files.

    A job of a macro of -1 and 1 holds these values, and 0 where a tile has no weight.
    """

    def __init__(
        self,
        folder: Path,
        announce: Callable[[str], None] = print,
        progress: Callable[[int, int], None] | None = None,
        *,
        compare: bool = True,
        opened: Callable[[MacroConfig, Path], Design] = Design.emitted,
    ):
        self._folder, self._announce, self._progress = folder, announce, progress
        self._compare, self._open = compare, opened
        self.cycles, self.passes, self.pass_cycles, self.macs = 0, 0, 0, 0
        self.seconds, self.build_seconds = 0.0, 0.0
        self.bit_exact, self.compared = True, 0
        self._array_macs = 0  # of every cell in every pass, whether it holds a weight or not

    def run_job(self, config: MacroConfig, job: Job) -> Ints:
        """The job's results (tiles, batch, outputs); an empty batch runs nothing.

        Raises InputError where Verilator or a compiler is missing, BuildError where one refuses the
        Verilog, SimulationError where the simulation ends without results.
        """
        if job.plan.batch == 0:
            return np.zeros((len(job.plan.tiles), 0, job.plan.cols), np.int64)
        began = time.perf_counter()
        program = build_player(self._open(config, self._folder), announce=self._announce)
        built = time.perf_counter()
        played = self._play(program, config, job)
        self.build_seconds += built - began
        self.seconds += time.perf_counter() - built
        self.cycles += played.cycles
        self.passes += job.plan.passes
        self.pass_cycles += played.pass_cycles
        self.macs += job.plan.batch * job.plan.k * job.plan.n
        self._array_macs += job.plan.passes * job.plan.rows * job.plan.cols
        if self._compare:
            self.bit_exact &= np.array_equal(played.results, expected_results(config, job))
            self.compared += played.results.size
        return played.results

    def facts(self) -> dict[str, Any]:
        """What the simulation took, as JSON data."""
        seconds = self.seconds or None
        return {
            "simulated_cycles_per_second": seconds and round(self.cycles / seconds),
            "array_macs_per_second": seconds and round(self._array_macs / seconds),
            "build_seconds": round(self.build_seconds, 3),
            "results_compared": self.compared,
        }

    def _play(self, program: Path, config: MacroConfig, job: Job) -> Played:
        # A folder of its own, so that runs at the same time do not mix their jobs.
        folder = Path(mkdtemp(prefix="play-", dir=self._folder)).resolve()
        inputs, outputs, log = folder / "job.bin", folder / "results.bin", folder / "player.log"
        write_job(inputs, config, job)
        with locked(program.parent.with_suffix(".lock"), self._announce, shared=True):
            status = self._run([str(program), str(inputs), str(outputs)], log)
        if status:
            cause = first_error(log) or f"the player ended with status {status}"
            raise SimulationError(log, cause)
        played = read_results(outputs, config, job)
        shutil.rmtree(folder)
        return played

    def _run(self, command: Sequence[str], log: Path) -> int:
        """The program's exit status; what it says on its way goes to ``progress``."""
        with (
            log.open("wb") as errors,
            subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=errors, env=clean_environment(), text=True
            ) as process,
        ):
            try:
                for line in process.stdout or ():
                    if self._progress:
                        done, total = line.split()
                        self._progress(int(done), int(total))
                return process.wait()
            finally:
                process.kill()
