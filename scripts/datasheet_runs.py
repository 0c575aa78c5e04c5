"""The runs that a datasheet tells of: their commands, and what each left, while it is true."""

import hashlib
import json
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from cimforge.flow.datasheet.checks import CHECKS, own_target
from cimforge.flow.machine import TOOLS
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import canonical_command

__all__ = ["Bench", "due", "ended", "program_version"]

SOURCES = ("hdl", "golden", "flow", "cocotb_tests")  # rooms that decide what a run finds
# Folders that decide nothing.
LEFT_OUT = ("tests", "__pycache__", "datasheet", "handover", "layout")
KINDS = (".py", ".v", ".j2")
NO_RUN = "the command ended without a result"
LOOK_S = 0.5  # between looks at what a check says
TASKS = re.compile(r"^(\d+ of \d+ \w+).*…$", re.M)  # a line of task_progress
GRACE_S = 10  # that an interrupted check may take to end its tools


@dataclass(frozen=True)
class Bench:
    """Where the checks of ``macro`` run: files in ``folder``, which is named where it is ``given``,
    on the ``libraries``, with this ``simulator``. ``verilog`` are the hashes of the emitted
    files, ``tools`` versions by name of what every check runs on."""

    macro: MacroConfig
    folder: Path
    given: bool
    libraries: tuple[Path, ...]
    simulator: str
    verilog: tuple[str, ...]
    tools: Mapping[str, str]

    def entry(self, name: str, kept: Mapping[str, Any]) -> dict[str, Any]:
        """The datasheet's entry of a check: what was ``kept`` of it, where the design, the
        libraries, the tools and the sources that decided it are the same, else not run."""
        key, command = self._key(name), self.command(name)
        if kept.get("key") == key and kept.get("command") == command and kept.get("result"):
            return dict(kept)
        why = "what decides it has changed since it ran" if kept.get("result") else ""
        return self._told(name, "not run", why, None)

    def run(self, name: str, told: Callable[[str], None] = lambda count: None) -> dict[str, Any]:
        """The entry of a check that is run now, in a process of its own; ``told`` how many of its
        tasks have ended, as "3 of 20 trials"."""
        needed = CHECKS[name].needs(self.simulator)
        missing = next((each for each in needed if program_version(each) is None), None)
        if missing:
            way = next(tool.get for tool in TOOLS if tool.name == missing)
            return self._told(name, "not run", f"needs {missing} (Debian: {way})", None)
        program = [sys.executable, "-m", "cimforge.scripts.main", *self._command(name)[1:]]
        status, out, err = ended(program, told)
        said = [line for line in err.splitlines() if not line.endswith(" …")]
        why = said[-1].removeprefix("cimforge: ") if said else ""
        try:
            result = json.loads(out)
        except ValueError:
            return self._told(name, "not run", why or NO_RUN, None)
        if status:
            return self._told(name, "failed", why, result)
        return self._told(name, "passed", "", result)

    def command(self, name: str) -> str:
        """What runs a check, as it is typed."""
        return shlex.join(self._command(name))

    def programs(self, name: str) -> dict[str, str]:
        """Releases of the programs that are not Python's and that a check uses, where they are
        installed."""
        check = CHECKS[name]
        used = dict.fromkeys((*check.needs(self.simulator), *check.helped))
        found = {each: program_version(each) for each in used}
        return {each: release for each, release in found.items() if release}

    def _told(self, name: str, status: str, why: str, result: Any) -> dict[str, Any]:
        check = CHECKS[name]
        return {
            "title": check.title,
            "status": status,
            "why": why,
            "command": self.command(name),
            "key": self._key(name) if result else None,
            "libraries": [
                {"path": str(path), "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
                for path in (self.libraries if check.mapped else ())
            ],
            "told": [key for key in check.told if result and key in result],
            "result": result,
        }

    def _command(self, name: str) -> list[str]:
        """As it is typed."""
        check = CHECKS[name]
        verb, *words = (word.format(target=own_target(self.macro)) for word in check.words)
        program, _, *chosen = shlex.split(canonical_command(self.macro))
        if check.simulated:
            words += ["--simulator", self.simulator]
        if check.mapped:
            words += [word for path in self.libraries for word in ("--liberty", str(path))]
        there = ["-o", str(self.folder)] if self.given else []
        return [program, verb, *chosen, *words, *there, "--json"]

    def _key(self, name: str) -> str:
        """SHA-256, 16 digits, of what decides what the check finds."""
        libraries = self.libraries if CHECKS[name].mapped else ()
        told = [
            *self.verilog,
            *(f"{tool} {version}" for tool, version in self.tools.items()),
            *(f"{tool} {version}" for tool, version in self.programs(name).items()),
            *(hashlib.sha256(path.read_bytes()).hexdigest() for path in libraries),
            *self._command(name),
            _sources(),
        ]
        return hashlib.sha256("\n".join(told).encode()).hexdigest()[:16]


def ended(
    program: Sequence[str], told: Callable[[str], None] = lambda count: None
) -> tuple[int, str, str]:
    """Exit status, stdout and stderr of a program, and while it runs what it has ``told`` last of
    its tasks. Ctrl-C ends it, and all that it began."""
    process = subprocess.Popen(
        program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        while True:
            try:
                out, err = process.communicate(timeout=LOOK_S)
                break
            except subprocess.TimeoutExpired as waiting:  # it holds what was written until now
                said = (waiting.stderr or b"").decode(errors="replace")
                if counts := TASKS.findall(said):
                    told(counts[-1])
    except BaseException:
        process.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            process.wait(GRACE_S)  # what it began may hold its pipes open
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise
    return process.returncode, out, err


@cache
def program_version(name: str) -> str | None:
    """The release of a program that doctor knows by this name; None where it is not installed."""
    return next(tool for tool in TOOLS if tool.name == name).examine().version


@cache
def _sources() -> str:
    """SHA-256 of the text of what emits, models and checks."""
    digest = hashlib.sha256()
    for room in SOURCES:
        for name, text in _texts(files(f"cimforge.{room}"), room):
            digest.update(name.encode() + text)
    return digest.hexdigest()


def _texts(folder: Traversable, above: str) -> Iterator[tuple[str, bytes]]:
    """Path and text of each source below a folder, in order."""
    for each in sorted(folder.iterdir(), key=lambda found: found.name):
        path = f"{above}/{each.name}"
        if each.is_dir() and each.name not in LEFT_OUT:
            yield from _texts(each, path)
        elif each.name.endswith(KINDS):
            yield path, each.read_bytes()


def due(entries: Mapping[str, Mapping[str, Any]], only: Sequence[str]) -> list[str]:
    """Checks that have not passed: those of ``only``, or where it names none all but those that are
    to be asked for."""
    asked = only or [name for name, check in CHECKS.items() if not check.asked]
    return [name for name, told in entries.items() if told["status"] != "passed" and name in asked]
