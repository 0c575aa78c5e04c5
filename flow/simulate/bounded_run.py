"""Runs a simulator's commands: bounded in time, every end of theirs explained in one line."""

import re
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

__all__ = ["LIMIT_S", "CommandError", "first_error", "run_commands"]

LIMIT_S = 3600.0  # without a sign of life
POLL_S = 0.1
TEXT_CHARS = 400  # long enough for two paths

# Lines that name a cause, the surest first; make's own last line at best repeats it.
CAUSES = (
    r"^%Error(?!: Exiting)|\berror: |\bfatal error\b|: syntax error|undefined reference to",
    r"No such file or directory|[Cc]annot |[Cc]an't |not found|No space left|[Oo]ut of memory|"
    r"memory exhausted|std::bad_alloc|Segmentation fault|[Kk]illed|did not converge",
    r"^(?:\w*Error|\w*Exception)\b|\b(?:ERROR|CRITICAL)\b|^%Error|\b[Ee]rror\b",
)
SAID = re.compile(r"(?!make\b)[\w./+-]+: \S")  # a program's message, by its name


class CommandError(Exception):
    """A command that did not start, failed, or was ended; the text says how, in one line."""


def run_commands(
    commands: Iterable[Sequence[str]],
    folder: Path | str,
    environment: Mapping[str, str],
    log: Path,
    *,
    limit: float = LIMIT_S,
) -> None:
    """Run ``commands`` one after the other in ``folder``; what they print goes to ``log``.

    A command that leaves no sign of life (nothing in its log, no file changed beside it) for
    ``limit`` seconds is ended. Raises CommandError with the first error in the log.
    """
    with log.open("wb") as output:
        for command in commands:
            program, begun = Path(command[0]).name, log.stat().st_size
            try:
                process = subprocess.Popen(
                    command, cwd=folder, env=environment, stdout=output, stderr=subprocess.STDOUT
                )
            except OSError as error:
                raise CommandError(f"{program} does not start: {error.strerror}") from None
            try:
                silent = _wait(process, log, limit)
            finally:
                if process.poll() is None:
                    process.kill()
                    process.wait()
            if silent:
                raise CommandError(f"{program} was ended after {limit:g} s without a sign of life")
            if process.returncode:
                raise CommandError(_explain(program, process.returncode, first_error(log, begun)))


def _wait(process: subprocess.Popen, log: Path, limit: float) -> bool:
    """Wait for the process; whether it had to be given up."""
    alive, seen = time.monotonic(), 0.0
    while True:
        try:
            process.wait(POLL_S)
            return False
        except subprocess.TimeoutExpired:
            pass
        if (newest := _last_change(log)) != seen:
            alive, seen = time.monotonic(), newest
        if time.monotonic() - alive > limit:
            return True


def _last_change(log: Path) -> float:
    """When the log, or a file beside it (a job's progress, a waveform), last changed."""
    times = [0.0]
    for path in log.parent.iterdir():
        try:
            times.append(path.stat().st_mtime)
        except OSError:
            continue  # just renamed
    return max(times)


def _explain(program: str, status: int, found: str) -> str:
    if status < 0:
        name = signal.Signals(-status).name
        guess = ", perhaps out of memory" if name == "SIGKILL" else ""
        return f"{program} was ended by {name}{guess}" + (f": {found}" if found else "")
    return found or f"{program} ended with status {status} and no message"


def first_error(log: Path, begun: int = 0) -> str:
    """The first line of a log, from byte ``begun``, that names a cause; else its last line, else
    nothing."""
    try:
        text = log.read_bytes()[begun:].decode(errors="replace")
    except OSError:
        return ""
    lines = [line for line in map(str.strip, text.splitlines()) if line]
    repeats = [line for line in lines if line.startswith("make: ***")]
    for causes in CAUSES:
        for line in lines:
            if re.search(causes, line) and line not in repeats:
                return _shortened(line)
    before = lines[: lines.index(repeats[0])] if repeats else []
    said = [line for line in before if SAID.match(line)]
    return _shortened((said[-1:] or repeats[:1] or lines[-1:] or [""])[0])


def _shortened(line: str) -> str:
    return line if len(line) <= TEXT_CHARS else line[: TEXT_CHARS - 1] + "…"
