"""A failed check is exit status 1, with --json still the verb's object, and never hidden."""

import os
import subprocess

import numpy as np
import pytest

from cimforge.cocotb_tests.regression import Failure, Report
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
def broken_icarus(numbers, monkeypatch):
    """An iverilog on PATH that builds nothing."""
    tools = numbers / "tools"
    tools.mkdir()
    (tools / "iverilog").write_text("#!/bin/sh\nexit 1\n")
    (tools / "iverilog").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")


def report_of(monkeypatch, failures=(), tests=3, skipped=()):
    """Makes verify's regression end in this report."""
    report = Report("icarus", 7, tests, list(skipped), list(failures))
    monkeypatch.setattr("cimforge.scripts.verify.run_regression", lambda *_, **__: report)
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


def test_a_filter_that_leaves_no_test_has_checked_nothing(cimforge, monkeypatch):
    report_of(monkeypatch, tests=0)
    done = cimforge("verify", "tiny", "--test", "zzz", "--json")
    assert (done.status, done.json["passed"]) == (1, False)
    assert done.err == "cimforge: --test zzz: no test's name matches\n"
    report_of(monkeypatch, tests=1, skipped=["banks.test_missing_rows"])
    done = cimforge("verify", "tiny", "--test", "missing")
    assert done.status == 1
    assert "cimforge: no test ran" in done.err


def test_a_build_that_fails_keeps_the_json_of_verify(cimforge, broken_icarus):
    done = cimforge("verify", "tiny", "--simulator", "icarus", "-o", "out", "--json")
    assert (done.status, done.json["passed"], done.json["passes"]) == (1, False, 0)
    assert list(done.json)[: len(VERIFY_KEYS)] == VERIFY_KEYS
    (line,) = done.messages
    assert line.startswith("cimforge: icarus could not build the design; its messages are in ")
    assert line.endswith("build.log")


def test_a_build_that_fails_keeps_the_json_of_mvm(cimforge, broken_icarus, folder):
    done = cimforge(*MVM, "--simulator", "icarus", "--json")
    assert (done.status, list(done.json)) == (1, JSON_KEYS)
    assert (done.json["bit_exact"], done.json["shape"]) == (False, [2, 4])
    assert not (folder / "y.npy").exists()
    assert len(done.messages) == 1
    assert cimforge(*MVM, "--simulator", "icarus").out == ""


def test_a_build_that_fails_keeps_the_json_of_run(cimforge, broken_icarus, folder):
    words = ("run", "digits", "--config", "tiny", "--images", "8", "--simulator", "icarus")
    done = cimforge(*words, "-o", "demo", "--json")
    assert done.status == 1
    assert (done.json["accuracy"], done.json["bit_exact"]) == (None, False)
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
    assert (done.returncode, done.stderr) == (1, "cimforge: missing: g++, make, perl\n")
