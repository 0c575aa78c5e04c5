"""Runs one program of the layout: its own folder, its log, its end in one line."""

from collections.abc import Sequence
from pathlib import Path

from cimforge.flow.simulate.bounded_run import CommandError, first_error, run_commands
from cimforge.flow.simulate.tool_environment import clean_environment

__all__ = ["ToolError", "run_tool"]

SILENT_S = 1200.0  # without a line in the log


class ToolError(Exception):
    """A program of the layout failed; the text says which, how, and where its messages are."""


def run_tool(command: Sequence[str], folder: Path, step: str, *writes: str) -> Path:
    """Run ``command`` in ``folder``, input closed; its log is ``step``.log there.

    Of the files that it ``writes`` none may be left from before, and each must be there
    afterwards. Raises ToolError where it fails or leaves one out.
    """
    log = folder / f"{step}.log"
    for name in writes:
        (folder / name).unlink(missing_ok=True)
    try:
        run_commands([command], folder, clean_environment(), log, limit=SILENT_S)
    except CommandError as error:
        raise ToolError(f"{step}: {error}; its messages are in {log}") from None
    missing = [name for name in writes if not (folder / name).is_file()]
    if missing:
        said = first_error(log) or "no message"
        raise ToolError(f"{step}: {command[0]} wrote no {missing[0]} ({said}); see {log}")
    return log
