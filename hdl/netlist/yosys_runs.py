"""Starts runs of Yosys as forks of a process that has made their imports: half of a short one."""

import atexit
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile

__all__ = ["Ended", "start_yosys"]

# -P: no module of the working folder comes before Yosys.
COMMAND = (sys.executable, "-P", str(Path(__file__).with_name("yosys_starter.py")))


@dataclass(frozen=True)
class Ended:
    """How a run ended, as subprocess tells it, and what it said."""

    status: int
    stdout: str
    stderr: str


class _GoneError(Exception):
    """The starter is no more."""


class _Starter:
    """A process of yosys_starter, and the line to it. One run at a time."""

    def __init__(self):
        self._line, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                (*COMMAND, str(theirs.fileno())),
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
            )
        self._answers = self._line.makefile()

    def run(self, request: str, streams: Sequence[int]) -> int:
        """The status of a run. Raises _GoneError where there is no answer; a run that is not waited
        for is ended."""
        child = 0
        try:
            socket.send_fds(self._line, [b"\n"], streams)
            self._line.sendall(f"{request}\n".encode())
            child = self._answer()
            return self._answer()
        except OSError:
            raise _GoneError from None
        except BaseException:
            with suppress(OSError):
                if child:
                    os.kill(child, signal.SIGKILL)
            raise

    def _answer(self) -> int:
        told = self._answers.readline()
        if not told:
            raise _GoneError
        return int(told)

    def end(self) -> None:
        """Let it end."""
        self.hang_up()
        self._process.wait()

    def hang_up(self) -> None:
        """Close the line."""
        self._answers.close()
        self._line.close()

    def forget(self) -> None:
        """It is another process's."""
        self.hang_up()
        self._process.returncode = 0


_idle: list[_Starter] = []


def start_yosys(arguments: Sequence[str], script: str, folder: Path | None = None) -> Ended:
    """Run Yosys in ``folder`` (default: here) with ``script`` as its standard input.

    Threads run beside each other, each with a starter of its own. Raises OSError where no process
    starts.
    """
    request = {
        "arguments": list(arguments),
        "folder": str((folder or Path()).absolute()),
        "environment": dict(os.environ),
    }
    with TemporaryFile() as read, TemporaryFile() as printed, TemporaryFile() as said:
        read.write(script.encode())
        read.seek(0)
        status = _status(json.dumps(request), [each.fileno() for each in (read, printed, said)])
        for each in (printed, said):
            each.seek(0)
        told = [each.read().decode(errors="replace") for each in (printed, said)]
    return Ended(status, *told)


def _status(request: str, streams: Sequence[int]) -> int:
    """The status of a run; a starter that was ended from outside meanwhile is replaced, once."""
    while True:
        try:
            starter, fresh = _idle.pop(), False
        except IndexError:
            starter, fresh = _Starter(), True
        try:
            status = starter.run(request, streams)
        except BaseException as error:
            starter.end()
            if isinstance(error, _GoneError) and not fresh:
                continue
            if isinstance(error, _GoneError):
                raise OSError(0, "it was ended from outside") from None
            raise
        _idle.append(starter)
        return status


def _end() -> None:
    while _idle:
        _idle.pop().end()


def _forget() -> None:
    while _idle:
        _idle.pop().forget()


atexit.register(_end)
os.register_at_fork(after_in_child=_forget)
