"""A scheduler and workers as processes of their own."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

START_S = 60


class Cluster:
    """A Dask scheduler with workers of one thread each, which a test may kill."""

    def __init__(self, folder: Path):
        self._folder = folder
        self._told = folder / "scheduler.json"
        told = ("--port", "0", "--host", "127.0.0.1", "--scheduler-file", self._told)
        self.scheduler = self._start("scheduler", *told)
        end = time.monotonic() + START_S
        while not self._told.exists():
            assert time.monotonic() < end, "no scheduler"
            time.sleep(0.05)
        time.sleep(0.1)
        self.address = json.loads(self._told.read_text())["address"]
        self.workers: list[subprocess.Popen] = []

    def add(self, **environment: str) -> subprocess.Popen:
        """Start a worker; it joins when it is ready."""
        options = ("--nthreads", "1", "--no-nanny", "--local-directory", self._folder / "dask")
        worker = self._start("worker", self.address, *options, **environment)
        self.workers.append(worker)
        return worker

    def end(self) -> None:
        """End them all."""
        for process in (*self.workers, self.scheduler):
            process.kill()
            process.wait()

    def _start(self, kind: str, *arguments, **environment: str) -> subprocess.Popen:
        command = (sys.executable, "-m", f"distributed.cli.dask_{kind}", "--no-dashboard")
        with (self._folder / f"{kind}.log").open("ab") as log:
            return subprocess.Popen(
                (*command, *map(str, arguments)),
                env={**os.environ, **environment},
                stdout=log,
                stderr=log,
                cwd=self._folder,
            )


@pytest.fixture(scope="module")
def cluster(tmp_path_factory) -> Iterator[Cluster]:
    pytest.importorskip("distributed", reason="a cluster needs Dask (make cluster)")
    made = Cluster(tmp_path_factory.mktemp("cluster"))
    made.add(TMPDIR=str(tmp_path_factory.mktemp("one")))  # file systems of their own
    made.add(TMPDIR=str(tmp_path_factory.mktemp("two")))
    yield made
    made.end()


def kill(process: subprocess.Popen) -> None:
    """As a machine that loses its power."""
    process.send_signal(signal.SIGKILL)
    process.wait()
