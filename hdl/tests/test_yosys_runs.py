"""Runs of Yosys as forks of one process: each is by itself, and none is lost with that process."""

import os
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from cimforge.hdl.netlist import yosys_runs
from cimforge.hdl.netlist.yosys_runs import start_yosys

SAY = "tee -o {0} log {0}\n"
LONG = "help\n" * 200_000


@pytest.fixture(autouse=True)
def idle(monkeypatch):
    """The starters of a test are its own."""
    monkeypatch.setattr(yosys_runs, "_idle", [])
    yield yosys_runs._idle
    yosys_runs._end()


def test_runs_follow_each_other_on_one_starter(tmp_path, idle):
    for name in ("one", "two"):
        assert start_yosys(("-q", "-"), SAY.format(name), tmp_path).status == 0
        assert (tmp_path / name).read_text() == f"{name}\n"
    assert len(idle) == 1
    failed = start_yosys(("-q", "-"), "nonsense\n", tmp_path)
    assert failed.status == 1
    assert "No such command: nonsense" in failed.stderr
    assert len(idle) == 1


def test_a_run_has_the_folder_and_the_environment_of_now(tmp_path, monkeypatch, idle):
    start_yosys(("-V",), "", tmp_path)
    monkeypatch.setenv("YOWASP_MOUNT", "no equals sign")
    assert start_yosys(("-V",), "", tmp_path).status == 64  # as the sandbox refuses a mount
    monkeypatch.delenv("YOWASP_MOUNT")
    monkeypatch.chdir(tmp_path)
    assert start_yosys(("-q", "-"), SAY.format("here")).status == 0
    assert (tmp_path / "here").exists()
    assert start_yosys(("-V",), "", tmp_path / "nowhere").status == 1
    assert len(idle) == 1


def test_threads_run_beside_each_other(tmp_path, idle):
    names = [f"t{number}" for number in range(6)]
    with ThreadPoolExecutor(3) as threads:
        list(threads.map(lambda n: start_yosys(("-q", "-"), SAY.format(n), tmp_path), names))
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    assert 1 <= len(idle) <= 3


def test_a_starter_that_was_ended_is_replaced(tmp_path, idle):
    start_yosys(("-V",), "", tmp_path)
    (first,) = idle
    first._process.kill()
    first._process.wait()
    assert start_yosys(("-V",), "", tmp_path).status == 0
    assert idle[0] is not first


def test_a_program_that_is_no_starter_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(yosys_runs, "COMMAND", (sys.executable, "-c", "raise SystemExit"))
    with pytest.raises(OSError, match="ended from outside"):
        start_yosys(("-V",), "", tmp_path)


def test_a_fork_does_not_answer_for_its_parent(tmp_path, idle):
    """Both would write to one line."""
    start_yosys(("-V",), "", tmp_path)
    child = os.fork()
    if child == 0:
        fine = not idle and start_yosys(("-V",), "", tmp_path).status == 0
        yosys_runs._end()
        os._exit(0 if fine else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert start_yosys(("-V",), "", tmp_path).status == 0
    assert len(idle) == 1


def test_a_run_that_is_ended_tells_its_signal(tmp_path, monkeypatch):
    found: list[int] = []
    answer = yosys_runs._Starter._answer

    def remember(starter: yosys_runs._Starter) -> int:
        found.append(answer(starter))
        return found[-1]

    monkeypatch.setattr(yosys_runs._Starter, "_answer", remember)

    def end() -> None:
        while not found:
            time.sleep(0.01)
        os.kill(found[0], signal.SIGTERM)

    ender = threading.Thread(target=end)
    ender.start()
    ended = start_yosys(("-q", "-"), LONG, tmp_path)
    ender.join()
    assert ended.status == -signal.SIGTERM


def test_an_interrupt_ends_the_run(tmp_path, monkeypatch, idle):
    """Neither the run nor its starter stays behind."""
    started: list[yosys_runs._Starter] = []
    answer = yosys_runs._Starter._answer

    def interrupted(starter: yosys_runs._Starter) -> int:
        started.append(starter)
        if len(started) == 1:
            pids.append(answer(starter))
            return pids[0]
        raise KeyboardInterrupt

    pids: list[int] = []
    monkeypatch.setattr(yosys_runs._Starter, "_answer", interrupted)
    with pytest.raises(KeyboardInterrupt):
        start_yosys(("-q", "-"), LONG, tmp_path)
    assert started[0]._process.returncode == 0
    with pytest.raises(ProcessLookupError):
        os.kill(pids[0], 0)
    assert idle == []
