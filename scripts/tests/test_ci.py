"""What CI runs exists, and its bare machine is bare."""

import os
import re
import subprocess
import sys

from cimforge.flow.machine import TOOLS
from cimforge.scripts.tests.test_setup import ROOT, TARGETS

BARE = (sys.executable, str(ROOT / ".ci/bare.py"))


def bare(*command: str) -> subprocess.CompletedProcess[str]:
    """Run a command as on a bare machine."""
    environment = {**os.environ, "PDK_ROOT": "/pdk"}
    return subprocess.run([*BARE, *command], env=environment, capture_output=True, text=True)


def test_a_bare_machine_has_what_is_asked_for_and_no_option():
    names = bare("--list").stdout.split()
    required = {tool.name for tool in TOOLS if tool.command and tool.required}
    optional = {tool.command[0] for tool in TOOLS if tool.command and not tool.required}
    assert required | {"python3", "sh", "ld"} <= set(names)
    assert not optional & set(names)
    seen = bare("sh", "-c", "echo $CIMFORGE_BARE/$PDK_ROOT; command -v iverilog sta yosys")
    assert seen.stdout == "1/\n"


def test_a_bare_machine_passes_the_check_and_an_exit_status():
    assert bare("sh", "scripts/check_machine.sh", "python3").stderr == ""
    assert bare("sh", "-c", "exit 3").returncode == 3
    shown = bare("python3", "-c", "import sys; print(sys.executable)").stdout
    assert shown.strip() == os.path.realpath(sys.executable)


def test_a_bare_run_finds_no_packaged_library():
    script = "import conftest; conftest.pytest_configure(None); "
    script += "from cimforge.flow.liberty.library_path import OSU018; print(OSU018)"
    environment = {**os.environ, "CIMFORGE_BARE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert done.stdout == "/nowhere/osu018.lib\n", done.stderr


def test_every_command_of_ci_exists():
    text = (ROOT / ".ci/run").read_text()
    targets = re.findall(r"^(?:python3 \.ci/bare\.py )?make (\w+)$", text, re.M)
    assert {"demo", "lint", "test"} <= set(targets) <= set(TARGETS)
    files = re.findall(r"(\S+\.(?:py|md))\b", text)
    assert files
    assert all((ROOT / file).exists() for file in files)
