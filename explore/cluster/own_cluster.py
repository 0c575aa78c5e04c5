"""A Dask scheduler and workers started here as processes of their own, to try and to measure."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from cimforge.hdl.params.config_file import InputError

__all__ = ["OwnCluster"]

START_S = 60
LOOK_S = 0.05


class OwnCluster:
    """A scheduler on a free port of this machine alone, at ``address``; ``add`` starts workers of
    one thread each. What they say goes to files in ``folder``. All end with the context."""

    def __init__(self, folder: Path):
        self._folder = folder
        self.workers: list[subprocess.Popen] = []

    def __enter__(self) -> Self:
        told = self._folder / "scheduler.json"
        options = ("--port", "0", "--host", "127.0.0.1", "--scheduler-file", str(told.resolve()))
        self.scheduler = self._start("scheduler", *options)
        self.address = self._address(told)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        failure: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for process in (*self.workers, self.scheduler):
            process.kill()
            process.wait()

    def add(self, **environment: str) -> subprocess.Popen:
        """Start a worker, whose environment differs in these; it joins when it is ready."""
        place = str((self._folder / "dask").resolve())
        options = ("--nthreads", "1", "--no-nanny", "--local-directory", place)
        worker = self._start("worker", self.address, *options, **environment)
        self.workers.append(worker)
        return worker

    def _address(self, told: Path) -> str:
        end = time.monotonic() + START_S
        while time.monotonic() < end and self.scheduler.poll() is None:
            try:
                return str(json.loads(told.read_text())["address"])
            except (OSError, ValueError):  # not there, or not whole
                time.sleep(LOOK_S)
        self.__exit__(None, None, None)
        raise InputError(f"no Dask scheduler started; see {self._folder / 'scheduler.log'}")

    def _start(self, kind: str, *arguments: str, **environment: str) -> subprocess.Popen:
        command = (sys.executable, "-m", f"distributed.cli.dask_{kind}", "--no-dashboard")
        with (self._folder / f"{kind}.log").open("ab") as log:
            return subprocess.Popen(
                (*command, *arguments), env={**os.environ, **environment}, stdout=log, stderr=log
            )
