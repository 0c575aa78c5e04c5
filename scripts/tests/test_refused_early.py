"""What cannot work is refused before any work: output folders, missing simulators; and Ctrl-C."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from cimforge.compiler import digits
from cimforge.hdl.params.install_hint import install_hint
from cimforge.scripts.tests.conftest import COMMAND, SIMULATOR, environment, verify_folder
from cimforge.scripts.tests.test_bad_input import check_refused

NEEDS_ICARUS = "--simulator icarus: no iverilog on PATH; install Icarus Verilog"
VERBS = [
    ("verify", "tiny"),
    ("mvm", "tiny", "--weights", "w.npy", "--inputs", "x.npy"),
    ("run", "digits"),
    ("example", "genes"),
]
INTERRUPTED = (
    "cimforge: interrupted; files are written whole or not at all, so run the command again"
)

ONE_JOB_ENDS_EARLY = """
import os, pathlib, sys, time
from cimforge.cocotb_tests import regression
from cimforge.scripts.main import main

def run_share(run, share, index):
    if index:
        time.sleep(float(os.environ.get("SECONDS", "60")))
    pathlib.Path("ended").touch()
    return "stopped by the test"

regression.build = lambda *_, **__: None
regression._run_share = run_share
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("", "Invalid value for '-o' / '--output': must not be empty"),
        ("taken", "taken is not a folder"),
        ("taken/a/b", "taken is not a folder"),
        ("/dev/null/a", "/dev/null is not a folder"),
        ("a" * 300, "File name too long"),
    ],
    ids=lambda value: value[:12],
)
@pytest.mark.parametrize("verb", [("generate", "tiny"), VERBS[0], *VERBS[2:]])
def test_a_folder_that_cannot_be_written_is_refused(cimforge, folder, verb, output, expected):
    (folder / "taken").write_text("a file\n")
    check_refused(cimforge(*verb, "-o", output, "--json"), expected)
    assert [path.name for path in folder.iterdir()] == ["taken"]


def test_a_folder_without_permission_is_refused(cimforge, monkeypatch):
    monkeypatch.setattr("os.access", lambda path, mode: False)
    check_refused(cimforge("generate", "tiny", "-o", "a"), ". may not be written to")


def test_build_that_is_a_file_is_refused(cimforge, folder):
    (folder / "build").write_text("a file\n")
    check_refused(
        cimforge("generate", "tiny"), "build/cim_r8c4_w4x4_k1_b1_flop_csa: Not a directory"
    )


def test_verify_never_clears_a_folder_that_holds_other_files(cimforge, folder):
    results = verify_folder()
    (folder / "project" / results).mkdir(parents=True)
    (folder / "project" / results / "thesis.txt").write_text("years of work\n")
    words = ("verify", "tiny", "--simulator", SIMULATOR, "-o", "project")
    check_refused(cimforge(*words), f"project/{results}/thesis.txt is not one of its results")
    assert [path.name for path in (folder / "project").iterdir()] == [results]
    (folder / "other").mkdir()
    (folder / "other" / results).write_text("a file\n")
    check_refused(cimforge(*words[:-1], "other"), f"other/{results} is not one of its results")


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb[0])
def test_icarus_that_is_not_installed_is_named(cimforge, folder, monkeypatch, verb):
    monkeypatch.setenv("PATH", str(folder))
    check_refused(cimforge(*verb, "--simulator", "icarus"), NEEDS_ICARUS)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("missing", ["perl", "g++", "make"])
def test_a_tool_of_verilator_that_is_missing_is_named(cimforge, folder, monkeypatch, missing):
    for tool in {"perl", "g++", "make"} - {missing}:
        (folder / tool).write_text("#!/bin/sh\n")
        (folder / tool).chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    outcome = cimforge("verify", "tiny")
    check_refused(outcome, f"--simulator verilator: needs {missing} on PATH (Debian: apt install ")


def test_an_installation_that_verilator_cannot_use_is_named(cimforge, folder, monkeypatch):
    monkeypatch.setattr("sys.prefix", "/my code/.venv")
    rule = (
        "--simulator verilator: /my code/.venv holds ' ', which make cannot take; move it, or use"
    )
    check_refused(cimforge("verify", "tiny"), rule)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("package", ["sklearn", "matplotlib"])
def test_a_package_of_an_extra_that_is_missing_is_named(cimforge, folder, monkeypatch, package):
    digits.load.cache_clear()
    for name in [name for name in sys.modules if name.partition(".")[0] == package]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    outcome = cimforge("run", "digits", "--simulator", SIMULATOR)
    check_refused(outcome, f"run digits: needs {package}", f"; run {install_hint('networks')}")
    assert list(folder.iterdir()) == []


def test_generate_needs_no_simulator_and_no_compiler(cimforge, folder, monkeypatch):
    monkeypatch.setenv("PATH", str(folder))
    assert cimforge("generate", "tiny").status == 0


def test_a_disk_that_is_full_is_one_line(folder):
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*COMMAND, "schema"], stdout=full, stderr=subprocess.PIPE, text=True, env=environment()
        )
    assert (done.returncode, done.stderr) == (2, "cimforge: No space left on device\n")


def appeared(folder: Path, pattern: str) -> bool:
    """Is there a file of that pattern by now? Folders come and go while one looks."""
    try:
        return any(folder.glob(pattern))
    except FileNotFoundError:
        return False


def interrupt(
    command: list[str], folder: Path, started: str = "", handler: signal.Handlers = signal.SIG_DFL
) -> tuple[int, str, str]:
    """Run a command and press Ctrl-C, once a file ``started`` exists where one is named: its
    status, stdout and stderr."""
    run = subprocess.Popen(
        command,
        cwd=folder,
        env=environment(),
        start_new_session=True,
        # The tests may run in the background, where Ctrl-C is ignored and stays so in children.
        preexec_fn=lambda: signal.signal(signal.SIGINT, handler),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 180
    while started and not appeared(folder, started) and time.monotonic() < deadline:
        assert run.poll() is None, run.communicate()
        time.sleep(0.02)
    time.sleep(0.4)
    os.killpg(run.pid, signal.SIGINT)  # a terminal signals the whole group
    out, err = run.communicate(timeout=60)
    return run.returncode, out, err


def test_ctrl_c_while_starting_is_one_line(folder):
    status, out, err = interrupt([*COMMAND, "generate", "wide", "--set", "rows=1024"], folder)
    assert (status, out, err.splitlines()) == (130, "", [INTERRUPTED])
    assert not list(folder.rglob("*.part"))


AT_IMPORT = """
import os, signal, sys
class Extension:  # one that loses the exception
    def find_spec(self, name, path, target=None):
        if name == "cimforge.hdl":
            try:
                os.kill(os.getpid(), signal.SIGINT)
            except KeyboardInterrupt:
                pass
sys.meta_path.insert(0, Extension())
from cimforge.scripts import main as command
sys.exit(command.main(["generate", "tiny"]))
"""

AT_BUILDING = """
import sys
from amaranth.hdl import Fragment, Module
from cimforge.scripts import main as command
def build(words):
    Fragment.get(Module(), None)  # one that is finished
    m = Module()
    raise KeyboardInterrupt
command._run = build
sys.exit(command.main([]))
"""


@pytest.mark.parametrize("program", [AT_IMPORT, AT_BUILDING], ids=["import", "building"])
def test_ctrl_c_at_a_bad_moment_is_one_line(folder, program):
    (folder / "command.py").write_text(program)
    words = [sys.executable, "command.py"]
    run = subprocess.run(
        words,
        cwd=folder,
        env=environment(),
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stdout, run.stderr.splitlines()) == (130, "", [INTERRUPTED])


def test_ctrl_c_while_simulating_is_one_line_and_the_next_run_is_whole(folder, in_folder):
    np.save(folder / "w.npy", np.ones((8, 4), int))
    np.save(folder / "x.npy", np.ones((3000, 8), int))
    words = ["mvm", "tiny", "--weights", "w.npy", "--inputs", "x.npy", "--simulator", SIMULATOR]
    status, out, err = interrupt([*COMMAND, *words, "-o", "y.npy"], folder, "**/built")
    assert (status, out, err.splitlines()[2:]) == (130, "", [INTERRUPTED])
    assert not (folder / "y.npy").exists()
    np.save(folder / "x.npy", np.ones((3, 8), int))
    again = in_folder(folder, *words, "-o", "y.npy", "--json")
    assert (again.status, again.json["bit_exact"], again.messages) == (0, True, [])


def test_ctrl_c_while_verifying_is_one_line(folder):
    (folder / "command.py").write_text(ONE_JOB_ENDS_EARLY)
    words = ["verify", "tiny", "--simulator", SIMULATOR, "--jobs", "2", "-o", "out"]
    status, out, err = interrupt([sys.executable, "command.py", *words], folder, "ended")
    assert (status, out, err.splitlines()[1:]) == (130, "", [INTERRUPTED])


def test_a_job_in_the_background_goes_on(folder, monkeypatch):
    """There, Ctrl-C is ignored, for it is meant for another command."""
    monkeypatch.setenv("SECONDS", "2")
    (folder / "command.py").write_text(ONE_JOB_ENDS_EARLY)
    words = ["verify", "tiny", "--simulator", SIMULATOR, "--jobs", "2", "-o", "out"]
    command = [sys.executable, "command.py", *words]
    status, _, err = interrupt(command, folder, "ended", signal.SIG_IGN)
    assert (status, err.count("the simulator ended early: stopped by the test")) == (1, 2)
