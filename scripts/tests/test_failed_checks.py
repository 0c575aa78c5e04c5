"""A failed check is exit status 1, with --json still the verb's object, and never hidden."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from cimforge.cocotb_tests.regression import Failure, Report
from cimforge.hdl.params.install_hint import install_hint
from cimforge.scripts.tests.conftest import COMMAND, SIMULATOR, environment
from cimforge.scripts.tests.test_commands import VERIFY_KEYS
from cimforge.scripts.tests.test_mvm import JSON_KEYS

MVM = ("mvm", "tiny", "--weights", "w.npy", "--inputs", "x.npy", "-o", "y.npy")
FAILURES = [
    Failure("flow.test_full/idle=0.5", "y came a cycle late"),
    Failure("values banks", "the simulator ended early; see sim.log"),
]


@pytest.fixture
def numbers(folder):
    """w.npy and x.npy in the working folder."""
    np.save(folder / "w.npy", np.ones((8, 4), int))
    np.save(folder / "x.npy", np.ones((2, 8), int))
    return folder


@pytest.fixture
def tool(numbers, monkeypatch):
    """Puts a program of this name, a shell script, first on PATH."""
    tools = numbers / "tools"
    tools.mkdir()
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")

    def install(name: str, script: str) -> None:
        (tools / name).write_text(f"#!/bin/sh\n{script}\n")
        (tools / name).chmod(0o755)

    return install


@pytest.fixture
def broken_icarus(tool):
    """An iverilog on PATH that builds nothing."""
    tool("iverilog", "exit 1")


def report_of(monkeypatch, failures=(), tests=3, skipped=(), planned=None, coverage=None):
    """Makes verify's regression end in this report."""
    report = Report("icarus", 7, tests, list(skipped), list(failures), 0, coverage or {})
    report.planned = tests if planned is None else planned
    monkeypatch.setattr("cimforge.scripts.verify_run.run_regression", lambda *_, **__: report)
    monkeypatch.setattr("cimforge.scripts.verify.check_simulator", lambda _: None)


def test_failed_tests_are_listed_with_their_replay(cimforge, monkeypatch):
    report_of(monkeypatch, FAILURES)
    words = ("verify", "tiny", "--set", "rows = 5", "--simulator", "icarus", "--seed", "7")
    done = cimforge(*words, "--json")
    assert done.status == 1
    assert list(done.json)[: len(VERIFY_KEYS)] == VERIFY_KEYS
    assert (done.json["passed"], done.json["tests"], done.json["failed"]) == (False, 3, 2)
    first, replay, second, whole_job, summary = done.messages
    assert first == "FAILED flow.test_full/idle=0.5: y came a cycle late"
    again = "  replay: cimforge verify tiny --set 'rows = 5' --simulator icarus --seed 7 --test "
    assert replay == again + r"'flow\.test_full/idle=0\.5$'"
    assert second.startswith("FAILED values banks: the simulator ended early")
    assert whole_job == again + r"'\.(values|banks)\.'"
    assert summary == "cimforge: 2 of 3 tests failed"
    assert cimforge(*words).status == 1


def test_a_replay_uses_the_folder_that_was_given(cimforge, monkeypatch):
    report_of(monkeypatch, FAILURES)
    done = cimforge("verify", "tiny", "-o", "my folder")
    assert done.messages[1].count(" -o 'my folder' --test ") == 1
    assert " -o " not in cimforge("verify", "tiny").err


@pytest.mark.parametrize("minutes", ["nan", "inf", "0", "-1"])
def test_a_time_limit_that_is_none_is_refused(cimforge, minutes):
    done = cimforge("verify", "tiny", "--timeout", minutes)
    assert (done.status, done.out) == (2, "")
    (line,) = done.messages
    assert line.startswith("cimforge: Invalid value for '--timeout': ")


def test_a_filter_that_leaves_no_test_has_checked_nothing(cimforge, monkeypatch):
    report_of(monkeypatch, tests=1, skipped=["banks.test_missing_rows"])
    done = cimforge("verify", "tiny", "--test", "missing")
    assert done.status == 1
    assert "cimforge: no test ran" in done.err


def test_a_filter_that_matches_nothing_is_refused_before_any_build(cimforge, folder):
    done = cimforge("verify", "tiny", "--test", "cornrs", "--simulator", SIMULATOR, "-o", "out")
    assert (done.status, done.out) == (2, "")
    assert done.messages == [
        "cimforge: --test cornrs: no test's name matches; did you mean corners?"
    ]
    assert not list(folder.rglob("build.log"))


def test_fewer_tests_than_planned_are_a_failure(cimforge, monkeypatch):
    report_of(monkeypatch, tests=1, planned=60)
    done = cimforge("verify", "tiny", "--json")
    assert (done.status, done.json["passed"], done.json["planned"]) == (1, False, 60)
    assert done.err == "cimforge: 1 of 60 tests ran\n"


def test_holes_in_coverage_are_a_failure(cimforge, monkeypatch):
    report_of(monkeypatch, coverage={"stall": {"0": 2, "1": 0, "2": 0}})
    done = cimforge("verify", "tiny", "--json")
    assert (done.status, done.json["passed"], done.json["failed"]) == (1, False, 0)
    assert done.json["coverage"] == {"hit": 1, "bins": 3, "waived": 0}
    assert done.json["holes"] == ["stall: 1", "stall: 2"]
    rule = "2 of 3 coverage bins were not hit, and no waiver in the test plan names them"
    assert done.err == f"cimforge: {rule}: stall: 1, stall: 2\n"


def test_a_build_that_fails_keeps_the_json_of_verify(cimforge, broken_icarus):
    done = cimforge("verify", "tiny", "--simulator", "icarus", "-o", "out", "--json")
    assert (done.status, done.json["passed"], done.json["passes"]) == (1, False, 0)
    assert list(done.json)[: len(VERIFY_KEYS)] == VERIFY_KEYS
    (line,) = done.messages
    cause = "iverilog ended with status 1 and no message"
    start = f"cimforge: icarus could not build the design: {cause}; its messages are in "
    assert line.startswith(start)
    assert line.endswith("build.log")


@pytest.mark.parametrize(
    ("name", "script", "cause"),
    [
        ("iverilog", "echo 'm.v:3: syntax error'; exit 2", "m.v:3: syntax error"),
        ("iverilog", "kill -9 $$", "iverilog was ended by SIGKILL, perhaps out of memory"),
        ("g++", "echo 'cc1plus: out of memory allocating 9 bytes' >&2; exit 1", "cc1plus: out of"),
        ("g++", "kill -11 $$", "Segmentation fault"),
        ("make", "exit 7", "make ended with status 7 and no message"),
        ("perl", 'echo "Can\'t locate Pod/Usage.pm in @INC" >&2; exit 2', "Can't locate Pod/Us"),
    ],
)
def test_a_tool_that_fails_is_told_in_its_own_words(cimforge, tool, name, script, cause):
    simulator = "icarus" if name == "iverilog" else "verilator"
    tool(name, script)
    tool("ar", "exit 0")
    done = cimforge("verify", "tiny", "--simulator", simulator, "-o", "out", "--json")
    assert (done.status, done.json["passed"]) == (1, False)
    (line,) = done.messages
    assert line.startswith(f"cimforge: {simulator} could not build the design: ")
    assert cause in line
    (log,) = Path("out").rglob("build.log")
    assert line.endswith(f"; its messages are in {log.resolve()}")
    assert done.json["failures"][0]["message"] == line.removeprefix("cimforge: ")


@pytest.mark.skipif(SIMULATOR != "icarus", reason="no iverilog on PATH; install Icarus Verilog")
@pytest.mark.parametrize(
    ("script", "cause"),
    [("kill -9 $$", "was ended by SIGKILL"), ("echo 'vvp: bad alloc error'; exit 1", "vvp: bad")],
)
def test_a_simulation_that_dies_is_told_in_its_own_words(cimforge, tool, script, cause):
    tool("vvp", f'[ "$1" = -V ] && exit 0\n{script}')
    done = cimforge("verify", "tiny", "--simulator", "icarus", "-o", "out", "--json")
    assert (done.status, done.json["passed"]) == (1, False)
    assert all(cause in failure["message"] for failure in done.json["failures"])
    assert "sim.log" in done.err
    done = cimforge(*MVM, "--simulator", "icarus", "--json")
    assert (done.status, done.json["bit_exact"]) == (1, False)
    (line,) = done.messages
    assert line.startswith("cimforge: the simulation ended without results: vvp")
    assert cause in line


@pytest.mark.skipif(SIMULATOR != "icarus", reason="no iverilog on PATH; install Icarus Verilog")
def test_a_simulation_that_hangs_is_ended(cimforge, tool):
    tool("vvp", '[ "$1" = -V ] && exit 0\nexec sleep 600')
    words = ("--simulator", "icarus", "-o", "out", "--timeout", "0.02", "--test", "corners")
    done = cimforge("verify", "tiny", *words)
    assert done.status == 1
    assert "vvp was ended after 1.2 s without a sign of life" in done.err


def test_a_bus_without_its_extra_is_one_line(cimforge, monkeypatch):
    for package, name in (
        ("cocotb_bus", "cocotb-bus"),
        ("cocotbext.wishbone", "cocotbext-wishbone"),
    ):
        monkeypatch.setitem(sys.modules, package, None)
        done = cimforge("verify", "tiny", "--bus", "wishbone", "--simulator", SIMULATOR)
        assert (done.status, done.out) == (2, "")
        assert done.err == f"cimforge: --bus: needs {name}; run {install_hint('bus')}\n"
        monkeypatch.undo()


def test_a_build_that_fails_keeps_the_json_of_mvm(cimforge, broken_icarus, folder):
    done = cimforge(*MVM, "--simulator", "icarus", "--json")
    assert (done.status, list(done.json)) == (1, [*JSON_KEYS, "failed"])
    assert (done.json["bit_exact"], done.json["shape"]) == (False, [2, 4])
    assert done.json["failed"].startswith("icarus could not build the design: iverilog ended")
    assert [done.json[key] for key in ("utilisation", "clock_mhz", "gops")] == [None] * 3
    assert not (folder / "y.npy").exists()
    assert len(done.messages) == 1
    assert cimforge(*MVM, "--simulator", "icarus").out == ""


def test_a_build_that_fails_keeps_the_json_of_run(cimforge, broken_icarus, folder):
    words = ("run", "digits", "--config", "tiny", "--images", "8", "--simulator", "icarus")
    done = cimforge(*words, "-o", "demo", "--json")
    assert done.status == 1
    assert (done.json["accuracy"], done.json["bit_exact"]) == (None, False)
    assert done.json["failed"].startswith("icarus could not build the design: iverilog ended")
    assert not (folder / "demo/report.json").exists()
    assert len(done.messages) == 1


def test_a_result_unlike_golden_s_fails_mvm(cimforge, numbers, monkeypatch):
    monkeypatch.setattr("cimforge.compiler.backends.rtl.run_job_golden", lambda *_: np.zeros(1))
    done = cimforge(*MVM, "--simulator", SIMULATOR, "--json")
    assert (done.status, done.json["bit_exact"]) == (1, False)
    assert done.messages == [
        "cimforge: the Verilog's results differ from the golden model's",
    ]


def test_a_tool_that_is_missing_fails_doctor(cimforge, folder, monkeypatch):
    monkeypatch.setenv("PATH", str(folder))
    done = cimforge("doctor", "--json")
    assert (done.status, done.json["ok"]) == (1, False)
    assert done.err == "cimforge: missing: g++, make, perl\n"
    assert "to get g++: apt install g++" in cimforge("doctor").out.splitlines()


@pytest.mark.parametrize("verb", [["generate", "tiny"], ["schema"], ["doctor"], ["--help"]])
def test_a_reader_that_has_gone_away_is_no_error(folder, verb):
    command = [*COMMAND, *verb]
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        command, cwd=folder, env=environment(), stdout=writer, stderr=subprocess.PIPE, text=True
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_reader_that_has_gone_away_hides_no_failed_check(folder):
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [*COMMAND, "doctor", "--json"],
        cwd=folder,
        env=environment(PATH=str(folder)),
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (
        1,
        "cimforge: missing: g++, make, perl\n",
    )
