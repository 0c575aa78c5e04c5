"""Real workers, each a process with a file system of its own: what they return is what this machine
does, whoever dies. The tests of this file come in their order: workers get fewer."""

import signal
import time
from pathlib import Path

import pytest

pytest.importorskip("distributed", reason="a cluster needs Dask (make cluster)")

from psutil import Process, wait_procs

from cimforge.explore.cluster import dask_workers, spread_tasks
from cimforge.explore.cluster.dask_workers import DaskWorkers
from cimforge.explore.cluster.tests.conftest import kill
from cimforge.explore.cluster.tests.sent_tasks import end_once, read_and_write, whose
from cimforge.explore.points import list_points
from cimforge.explore.result_store import ResultStore
from cimforge.explore.run_sweep import run_sweep
from cimforge.explore.sweep_file import read_sweep
from cimforge.explore.sweep_report import SweepReport
from cimforge.explore.workers import Workers
from cimforge.hdl.params.config_file import InputError

LIMIT_S = 120  # of a test
SWEEP = """
preset = "tiny"
metrics = ["area", "area_tree", "cycles"]
[fixed]
input_bits = 2
weight_bits = 1
[axes]
rows = [2]
cols = [1]
"""


@pytest.fixture
def lines() -> list[str]:
    """What a person is told."""
    return []


@pytest.fixture
def crew(cluster, lines):
    with DaskWorkers(cluster.address, lines.append) as opened:
        yield opened


@pytest.fixture(autouse=True)
def limited():
    """What waits for ever fails."""

    def end(number, frame):
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, end)
    signal.alarm(LIMIT_S)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def two(crew) -> None:
    """Wait for both."""
    end = time.monotonic() + 60
    while len(crew.members) < 2:
        assert time.monotonic() < end
        crew.look()
        time.sleep(0.1)


def test_each_task_is_done_once_by_both_workers(cluster, crew):
    two(crew)
    told = list(crew.each(whose, ((number, (number, 0.02)) for number in range(30))))
    assert sorted((label, result[0]) for label, result in told) == [(n, n * n) for n in range(30)]
    assert {result[2] for _, result in told} == {worker.pid for worker in cluster.workers}


def test_files_are_carried_and_paths_come_back_as_they_were(crew, tmp_path):
    source, folder = tmp_path / "cells.lib", tmp_path / "work"
    source.write_text("library (a) {}")
    ((label, told),) = crew.each(read_and_write, [("one", (source, folder))])
    assert label == "one"
    assert told == ("library (a) {}", folder / "log", f"see {folder}/log, {source}")
    assert not folder.exists()  # it was the worker's own


def test_what_a_task_raises_is_raised_here(crew):
    with pytest.raises(TypeError, match="whose"):
        list(crew.each(whose, [(1, ())]))
    assert [label for label, _ in crew.each(whose, [(2, (2,))])] == [2]


def test_a_task_whose_process_is_ended_is_done_again(crew, tmp_path):
    marker = tmp_path / "marker"
    assert list(crew.each(end_once, [(1, (str(marker),))])) == [(1, "done")]
    assert marker.exists()


def test_a_worker_with_another_text_is_refused(cluster, lines, monkeypatch):
    theirs = dask_workers.own_release()["cimforge"]
    ours = {**dask_workers.own_release(), "cimforge": "0123"}
    monkeypatch.setattr(dask_workers, "own_release", lambda: ours)
    rule = f"all its workers are refused: its cimforge is {theirs}, here it is 0123; install"
    with pytest.raises(InputError, match=rule), DaskWorkers(cluster.address, lines.append, 0.2):
        pass
    assert len([line for line in lines if "is refused: its cimforge" in line]) == 2


def test_what_a_worker_that_hangs_had_to_do_is_done_by_another(cluster, crew, monkeypatch):
    monkeypatch.setattr(spread_tasks, "SLOW_S", 1.0)
    two(crew)
    hung, labels = cluster.workers[0], []
    try:
        for label, result in crew.each(whose, ((n, (n, 0.1)) for n in range(12))):
            assert result[0] == label * label
            labels.append(label)
            if len(labels) == 2:
                hung.send_signal(signal.SIGSTOP)
    finally:
        hung.send_signal(signal.SIGCONT)
    assert sorted(labels) == list(range(12))


def test_a_task_that_no_worker_begins_is_given_up(crew, monkeypatch, tmp_path):
    monkeypatch.setattr(DaskWorkers, "_give", lambda *_: None)
    (tmp_path / "x.lib").write_text("of this test alone")
    rule = "no worker begins a task: a file's content is missing"
    with pytest.raises(InputError, match=rule):
        list(crew.each(read_and_write, [(1, (tmp_path / "x.lib", tmp_path / "work"))]))


def sweep_of(folder: Path, crew, told=lambda done, total, left: None) -> str:
    """All that a sweep's table tells."""
    folder.mkdir()
    (folder / "s.toml").write_text(SWEEP)
    read = read_sweep(folder / "s.toml")
    points = list_points(read)
    with ResultStore(folder / "results.db") as store:
        found = run_sweep(read, points.points, store, folder, crew, told)
    return SweepReport(read, points, found).as_csv()


def test_a_sweep_is_the_same_though_a_worker_is_killed(cluster, crew, lines, tmp_path):
    killed = cluster.workers[0]
    tasks: list[Process] = []

    def told(done: int, total: int, left: float | None) -> None:
        if not tasks:
            tasks.extend(Process(killed.pid).children())
            kill(killed)

    two(crew)
    there = sweep_of(tmp_path / "there", crew, told)
    assert tasks, "no task was at work"
    with Workers(1) as here:
        assert sweep_of(tmp_path / "here", here) == there
    assert len(there.splitlines()) == 2
    assert [line for line in lines if "has gone; others do its work" in line]
    _, alive = wait_procs(tasks, timeout=30)
    assert not alive


def test_a_worker_without_a_tool_gets_no_task_that_calls_it(cluster, crew, lines):
    (whole,) = (worker for worker in cluster.workers if worker.poll() is None)
    cluster.add(PATH="")
    two(crew)
    tasks = [(number, (number, 0.05)) for number in range(12)]
    done = {result[2] for _, result in crew.each(whose, tasks, ("verilator",))}
    assert done == {whole.pid}
    (line,) = lines
    assert "gets none of this: needs perl on PATH (Debian: apt install perl)" in line
    assert len({result[2] for _, result in crew.each(whose, tasks)}) == 2
    kill(whole)
    rule = r"none of its workers can: needs perl on PATH \(Debian: apt install perl\)"
    with pytest.raises(InputError, match=rule):
        list(crew.each(whose, [(n, (n, 0.5)) for n in range(4)], ("verilator",)))


def test_a_lost_scheduler_is_one_line_and_what_was_done_is_kept(cluster, crew):
    kept = []
    with pytest.raises(InputError, match="its scheduler is lost; what was finished is kept"):  # noqa: PT012
        for label, _ in crew.each(whose, [(number, (number, 0.2)) for number in range(50)]):
            kept.append(label)
            if len(kept) == 2:
                kill(cluster.scheduler)
    assert len(kept) >= 2


def test_no_scheduler_is_one_line(lines, monkeypatch):
    monkeypatch.setattr(dask_workers, "CONNECT_S", 0.5)
    with (
        pytest.raises(InputError, match="no scheduler answers there; start one: dask scheduler"),
        DaskWorkers("tcp://127.0.0.1:9", lines.append),
    ):
        pass
