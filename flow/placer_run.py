"""Runs the programs of place and route: their phases told, their failures in one line."""

import re
import subprocess
import sysconfig
import time
from collections.abc import Callable
from pathlib import Path

from cimforge.hdl.netlist.yosys import ending, failure_cause
from cimforge.hdl.params.config_file import InputError

__all__ = ["FlowError", "program", "run_tool"]

# What a placer says as a phase begins, and what we say then.
PHASES = (
    (re.compile(r"^Info: Packing "), "packing cells"),
    (
        re.compile(r"^Info: (?:Creating initial|Running (?:main )?analytic)"),
        "placing",
    ),
    (re.compile(r"^Info: Running simulated annealing"), "refining the placement"),
    (re.compile(r"^Info: Routing\.\."), "routing"),
)
TOLD_AFTER_S = 2.0  # a program that takes less says nothing
# What a placer says of a design that is too large, and of a pin or part that the device has not.
TOO_LARGE = re.compile(
    r"unable to (?:find|place|fit)|no bels|no more|failed to expand region|not enough|"
    r"ran out of|could not find|unable to allocate|exceed",
    re.I,
)
NO_SUCH = re.compile(
    r"not have a pin named|does not exist|unsupported (?:device|package)|unknown location|"
    r"pin \S+ not found|no package for|unable to load uarch",
    re.I,
)


class FlowError(RuntimeError):
    """A tool of the flow failed; the text names it and what it said."""


def program(tool: str) -> Path:
    """Where a tool of the environment is."""
    return Path(sysconfig.get_path("scripts")) / tool


def run_tool(
    work: Path, tool: str, *arguments: str, announce: Callable[[str], None] = lambda _: None
) -> None:
    """Run a tool of the environment's scripts folder in ``work``; its messages go to TOOL.log.

    Phases that begin after the first two seconds are announced. Raises InputError where the design
    does not fit the device or the board names what the device has not, FlowError where it fails
    otherwise.
    """
    started, told, lines = time.monotonic(), "", []
    try:
        run = subprocess.Popen(
            (str(program(tool)), *arguments),
            cwd=work,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
    except OSError as error:
        raise FlowError(f"{tool} does not start: {error.strerror}") from None
    with run:
        try:
            for line in run.stdout or ():
                lines.append(line)
                phase = next((name for begin, name in PHASES if begin.match(line)), told)
                if phase != told and time.monotonic() - started > TOLD_AFTER_S:
                    told = phase
                    announce(f"{phase} ({time.monotonic() - started:.0f} s)")
        except BaseException:
            run.kill()  # as subprocess.run does
            raise
    log = "".join(lines)
    (work / f"{tool}.log").write_text(log)
    if run.returncode:
        raise _failure(tool, log, run.returncode, work / f"{tool}.log")


def _failure(tool: str, log: str, status: int, where: Path) -> InputError | FlowError:
    """One line on a failed run."""
    errors = re.findall(r"^ERROR: (.*)$", log, re.M)
    reason = errors[0] if errors else failure_cause(log, log) or ending(status)
    if TOO_LARGE.search(reason):
        rule = f"does not fit the device ({reason}); take a smaller macro or a larger board"
        return InputError(f"{tool}: the design {rule}")
    if NO_SUCH.search(reason):
        return InputError(f"{tool}: {reason}: the board's file names what its device does not have")
    return FlowError(f"{tool} failed: {reason}; its messages are in {where}")
