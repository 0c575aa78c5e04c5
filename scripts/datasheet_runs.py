"""The runs that a datasheet tells of: their commands, and what each left, while it is true."""

import hashlib
import json
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import canonical_command

__all__ = ["CHECKS", "Bench", "Check", "due"]

SOURCES = ("hdl", "golden", "flow", "cocotb_tests")  # rooms that decide what a run finds
LEFT_OUT = ("tests", "__pycache__", "datasheet")  # folders that decide nothing
KINDS = (".py", ".v", ".j2")
VERIFY = ("tests", "failed", "skipped", "passes", "coverage", "seed", "simulator", "failures")
SYNTH = ("total", "unit", "per_1b_mac", "ffs", "adders", "breakdown")
PERIOD = ("min_period_ns", "wire_load", "tops", "tops_per_mm2", "cells", "notes")
PROVE = ("proven", "adders", "whole", "laws", "unclaimed", "faults")
MUTANTS = ("generated", "killed", "proven", "bounded", "survived", "share", "seed", "survivors")
NO_RUN = "the command ended without a result"


@dataclass(frozen=True)
class Check:
    """A verb and its words; ``told`` are the keys of its JSON that the page shows, ``mapped`` says
    that it needs a cell library, ``simulated`` that it takes --simulator and --seed."""

    title: str
    words: tuple[str, ...]
    told: tuple[str, ...]
    mapped: bool = False
    simulated: bool = False


CHECKS: Mapping[str, Check] = {
    "verify": Check("regression of the Verilog", ("verify",), VERIFY, simulated=True),
    "netlist": Check(
        "regression of the netlist", ("verify", "--netlist", "{target}"), VERIFY, simulated=True
    ),
    "prove": Check("formal proof of the adders", ("prove",), PROVE),
    "mutants": Check("mutants of this macro", ("mutants",), MUTANTS, simulated=True),
    "synth": Check("size", ("synth", "--target", "{target}"), SYNTH),
    "library-netlist": Check(
        "regression of the netlist of library cells",
        ("verify", "--netlist", "liberty"),
        VERIFY,
        mapped=True,
        simulated=True,
    ),
    "library-prove": Check(
        "formal proof of the adders in library cells", ("prove",), (*PROVE, "mapped"), mapped=True
    ),
    "library-synth": Check(
        "area and period on the library",
        ("synth", "--target", "liberty"),
        (*SYNTH, *PERIOD),
        mapped=True,
    ),
}


@dataclass(frozen=True)
class Bench:
    """Where the checks of ``macro`` run: files in ``folder``, which is named where it is ``given``,
    on the ``libraries``, with this ``simulator``. ``verilog`` are the hashes of the emitted
    files, ``tools`` versions by name."""

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
        key, command = self._key(name), shlex.join(self._command(name))
        if kept.get("key") == key and kept.get("command") == command and kept.get("result"):
            return dict(kept)
        why = "what decides it has changed since it ran" if kept.get("result") else ""
        return self._told(name, "not run", why, None)

    def run(self, name: str) -> dict[str, Any]:
        """The entry of a check that is run now, in a process of its own."""
        program = [sys.executable, "-m", "cimforge.scripts.main", *self._command(name)[1:]]
        done = subprocess.run(program, capture_output=True, text=True, check=False)
        said = [line for line in done.stderr.splitlines() if not line.endswith(" …")]
        why = said[-1].removeprefix("cimforge: ") if said else ""
        try:
            result = json.loads(done.stdout)
        except ValueError:
            return self._told(name, "not run", why or NO_RUN, None)
        if done.returncode:
            return self._told(name, "failed", why, result)
        return self._told(name, "passed", "", result)

    def _told(self, name: str, status: str, why: str, result: Any) -> dict[str, Any]:
        check = CHECKS[name]
        return {
            "title": check.title,
            "status": status,
            "why": why,
            "command": shlex.join(self._command(name)),
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
        verb, *words = (word.format(target=self.macro.ram or "generic") for word in check.words)
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
            *(hashlib.sha256(path.read_bytes()).hexdigest() for path in libraries),
            *self._command(name),
            _sources(),
        ]
        return hashlib.sha256("\n".join(told).encode()).hexdigest()[:16]


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
    """Checks that have not passed, those of ``only`` alone where it names some."""
    asked = only or CHECKS
    return [name for name, told in entries.items() if told["status"] != "passed" and name in asked]
