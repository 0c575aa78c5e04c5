"""Runs one program of the layout: its own folder, its log, its end in one line."""

import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

from cimforge.flow.simulate.bounded_run import first_error
from cimforge.flow.simulate.tool_environment import clean_environment

__all__ = ["ToolError", "run_tool"]

LIMIT_S = 4 * 3600.0


class ToolError(Exception):
    """A program of the layout failed; the text says which, how, and where its messages are."""


def run_tool(
    command: Sequence[str], folder: Path, step: str, *writes: str, limit: float = LIMIT_S
) -> Path:
    """Run ``command`` in ``folder``, input closed; its log is ``step``.log there.

    Of the files that it ``writes`` none may be left from before, and each must be there
    afterwards. Whatever ends this ends the programs that it started too. Raises ToolError where it
    fails, leaves a file out, or takes more than ``limit`` seconds.
    """
    log = folder / f"{step}.log"
    for name in writes:
        (folder / name).unlink(missing_ok=True)
    status = _status(command, folder, log, step, limit)
    said = first_error(log)
    if status:
        how = f"was ended by {signal.Signals(-status).name}" if status < 0 else f"status {status}"
        raise ToolError(f"{step}: {command[0]}: {said or how}; its messages are in {log}")
    if missing := [name for name in writes if not (folder / name).is_file()]:
        told = said or "no message"
        raise ToolError(f"{step}: {command[0]} wrote no {missing[0]} ({told}); see {log}")
    return log


def _status(command: Sequence[str], folder: Path, log: Path, step: str, limit: float) -> int:
    """The exit status. The placer leaves its own programs running where it alone is ended, so all
    are one group of processes, which is ended as one."""
    with log.open("wb") as output:
        try:
            process = subprocess.Popen(
                command,
                cwd=folder,
                env=clean_environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            raise ToolError(f"{step}: {command[0]} does not start: {error.strerror}") from None
        try:
            return process.wait(limit)
        except subprocess.TimeoutExpired:
            took = f"{command[0]} was ended after {limit:g} s"
            raise ToolError(f"{step}: {took}; its messages are in {log}") from None
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
