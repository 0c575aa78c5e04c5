"""Shared by the tests of the command line: run it as a user does, and look at what comes out."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from cimforge.scripts.main import main

SIMULATOR = "icarus" if shutil.which("iverilog") else "verilator"
COMMAND = (sys.executable, "-m", "cimforge.scripts.main")


def verify_folder(simulator: str = SIMULATOR) -> str:
    """Where verify's results are, in the folder of the macro."""
    return "verify" if simulator == "verilator" else f"verify-{simulator}"


class Outcome(NamedTuple):
    """What a command left: its exit status, stdout and stderr."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The one object that all of stdout is."""
        value = json.loads(self.out)
        assert isinstance(value, dict)
        return value

    @property
    def messages(self) -> list[str]:
        """Lines of stderr that are no progress."""
        return [line for line in self.err.splitlines() if not line.endswith(" …")]


Run = Callable[..., Outcome]


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """An empty working folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def cimforge(folder, capfd) -> Run:
    """Runs the command line in this process, in ``folder``."""

    def run(*arguments: str | Path) -> Outcome:
        capfd.readouterr()
        status = main([str(argument) for argument in arguments])
        return Outcome(status, *capfd.readouterr())

    return run


@pytest.fixture(scope="session")
def in_folder() -> Run:
    """Runs the command line as a process of its own, in a folder."""

    def run(where: Path, *arguments: str | Path, **options: Any) -> Outcome:
        words = [*COMMAND, *(str(argument) for argument in arguments)]
        done = subprocess.run(
            words, cwd=where, env=environment(), capture_output=True, text=True, **options
        )
        return Outcome(done.returncode, done.stdout, done.stderr)

    return run


def environment(**changes: str) -> dict[str, str]:
    """This process's environment, in which the checkout is importable from every folder."""
    return {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), **changes}
