"""Results of jobs kept on disk, so that a run that was cut off goes on where it was."""

import hashlib
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from cimforge.compiler.map.macro_products import JobRunner
from cimforge.compiler.tiling import Job
from cimforge.hdl.params.config import MacroConfig

__all__ = ["KeptJobs"]

Ints = NDArray[np.int64]
WORTH_S = 0.5  # of work: less is done again sooner than it is kept


@dataclass
class KeptJobs:
    """A JobRunner whose results go to ``folder``, under the hash of all that they depend on:
    ``subject`` (who computes, and what Verilog) and the job's arrays. ``kept`` counts the jobs that
    were found there. A file that was cut off or damaged is not taken."""

    runner: JobRunner
    folder: Path
    subject: str

    def __post_init__(self) -> None:
        self.cycles = self.pass_cycles = self.kept = 0
        self.checked = False  # whether the last job's results are known to be golden's

    @property
    def seconds(self) -> float:
        """Of the runner at work now."""
        return float(getattr(self.runner, "seconds", 0.0))

    def run_job(self, config: MacroConfig, job: Job) -> Ints:
        """The job's results (tiles, vectors, cols)."""
        path = self._path(config, job)
        if (found := _load(path, job)) is not None:
            results, cycles, passing, self.checked = found
            self.kept += 1
        else:
            self.checked = False
            begun = time.perf_counter()
            cycles, passing = self.runner.cycles, self.runner.pass_cycles
            results = self.runner.run_job(config, job)
            cycles, passing = self.runner.cycles - cycles, self.runner.pass_cycles - passing
            if time.perf_counter() - begun >= WORTH_S:
                _save(path, results, cycles, passing)
        self.cycles += cycles
        self.pass_cycles += passing
        return results

    def has(self, config: MacroConfig, job: Job) -> bool:
        """Whether the job's results are there."""
        return _load(self._path(config, job), job) is not None

    def keep(
        self, config: MacroConfig, job: Job, results: Ints, counts: tuple[int, int], checked: bool
    ) -> None:
        """Keep what another process computed: results, ``counts`` of cycles and pass cycles, and
        whether it has compared them with golden's."""
        _save(self._path(config, job), results, *counts, checked)

    def _path(self, config: MacroConfig, job: Job) -> Path:
        return self.folder / f"{self._key(config, job)}.npz"

    def _key(self, config: MacroConfig, job: Job) -> str:
        told = (job.x_bits, job.x_signed, job.w_signed, job.fuse, job.plan.batch)
        digest = hashlib.sha256(repr((self.subject, config.parameters(), told)).encode())
        for array in (job.weights, job.inputs, job.k_index, job.banks):
            digest.update(repr(array.shape).encode())
            digest.update(np.ascontiguousarray(array, np.int64).tobytes())
        return digest.hexdigest()[:32]


def _load(path: Path, job: Job) -> tuple[Ints, int, int, bool] | None:
    try:
        with np.load(path, allow_pickle=False) as saved:
            results = saved["results"]
            counts = int(saved["cycles"]), int(saved["pass_cycles"]), bool(saved["checked"])
    except (OSError, ValueError, KeyError, EOFError, BadZipFile):
        return None
    shape = (len(job.plan.tiles), job.plan.batch, job.plan.cols)
    return (results, *counts) if results.shape == shape else None


def _save(path: Path, results: Ints, cycles: int, passing: int, checked: bool = False) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.stem}.{os.getpid()}.part")
    try:
        with partial.open("wb") as file:
            counts: dict[str, Any] = {"cycles": cycles, "pass_cycles": passing, "checked": checked}
            np.savez_compressed(file, results=results, **counts)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
