"""Runs OpenSTA on scripts, several beside each other."""

import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from cimforge.flow.synth.static_timing import STA, TimingError
from cimforge.hdl.netlist.yosys import ending

__all__ = ["run_opensta", "run_together"]

PATIENCE = 0.2  # s between two looks at what is printed


class _Run(NamedTuple):
    process: subprocess.Popen[bytes]
    log: Path
    complaints: Path


def run_opensta(script: str, folder: Path, name: str) -> str:
    """What OpenSTA prints for ``script``; see run_together."""
    return run_together({name: script}, folder)[0]


def run_together(
    scripts: Mapping[str, str], folder: Path, watch: Callable[[], None] = lambda: None
) -> list[str]:
    """What OpenSTA prints for each of ``scripts``, by name; all run at once. A script is kept as
    NAME.tcl in ``folder``, beside NAME.log, which grows with what is printed; ``watch`` is called
    while they run. None runs on when this ends, by whatever exception.

    Raises TimingError where there is no OpenSTA, and with its own message where it fails.
    """
    program = shutil.which(STA)
    if program is None:
        raise TimingError("needs OpenSTA (Debian: apt install opensta)")
    runs: list[_Run] = []
    try:
        for name, script in scripts.items():
            (folder / f"{name}.tcl").write_text(script)
            runs.append(_start(program, folder, name))
        printed = []
        for run in runs:
            _await(run.process, watch)
            printed.append(_printed(run))
        return printed
    finally:
        for run in runs:
            run.process.kill()
            run.process.wait()
            run.complaints.unlink(missing_ok=True)


def _start(program: str, folder: Path, name: str) -> _Run:
    log, complaints = folder / f"{name}.log", folder / f"{name}.err"
    try:
        with log.open("wb") as printed, complaints.open("wb") as complained:
            process = subprocess.Popen(
                (program, "-exit", f"{name}.tcl"),
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=complained,
            )
    except OSError as error:
        complaints.unlink()
        raise TimingError(f"OpenSTA ({program}) does not start: {error.strerror}") from None
    return _Run(process, log, complaints)


def _await(process: subprocess.Popen[bytes], watch: Callable[[], None]) -> None:
    while True:
        try:
            process.wait(PATIENCE)
            return
        except subprocess.TimeoutExpired:
            watch()


def _printed(run: _Run) -> str:
    """What a run that has ended printed; its complaints join its log. Raises TimingError where it
    failed."""
    printed = run.log.read_text(errors="replace")
    complaints = run.complaints.read_text(errors="replace")
    errors = re.findall(r"^Error: .*", printed + complaints, re.M)
    with run.log.open("a") as log:
        log.write(complaints)
    if run.process.returncode or errors:
        said = errors[0] if errors else ending(run.process.returncode)
        raise TimingError(f"OpenSTA: {said}; its messages are in {run.log}")
    return printed
