"""Runs of sweeps: what is kept, what is shared, what a killed run leaves, what fails."""

import shutil
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cimforge.explore import run_sweep as module
from cimforge.explore.points import list_points
from cimforge.explore.result_store import ResultStore
from cimforge.explore.run_sweep import run_sweep
from cimforge.explore.sweep_file import read_sweep
from cimforge.explore.workers import Workers
from cimforge.flow.synth.synth_report import synth_macro
from cimforge.hdl.emit.package import emit_macro

SWEEP = """
preset = "tiny"
metrics = ["area", "area_tree", "cycles"]
[fixed]
input_bits = 2
[axes]
rows = [2, 3]
cols = [1, 2]
"""
KILLED = """
import os, signal, sys
from pathlib import Path
from cimforge.explore import run_sweep as module
from cimforge.explore.points import list_points
from cimforge.explore.result_store import ResultStore
from cimforge.explore.sweep_file import read_sweep
from cimforge.explore.workers import Workers

path, folder, jobs, last = sys.argv[1:]
kept = []

class Dying(ResultStore):
    def add_point(self, *arguments):
        if len(kept) == int(last):
            pool = workers[0]._pool
            print(*(pool._processes if pool else []), flush=True)
            self._file.execute("BEGIN IMMEDIATE")
            self._file.execute("INSERT INTO points VALUES ('half', 'generic', '{}')")
            os.kill(os.getpid(), signal.SIGKILL)
        kept.append(1)
        super().add_point(*arguments)

workers = []

class Told(Workers):
    def __enter__(self):
        workers.append(self)
        return super().__enter__()

if __name__ == "__main__":
    sweep = read_sweep(Path(path))
    store = Dying(Path(folder, "results.db"))
    with Told(int(jobs)) as pool:
        module.run_sweep(sweep, list_points(sweep).points, store, Path(folder), pool)
"""


@pytest.fixture(scope="module")
def sweep(tmp_path_factory):
    path = tmp_path_factory.mktemp("sweep") / "s.toml"
    path.write_text(SWEEP)
    return path


def run(path: Path, folder: Path, jobs: int = 1, **told):
    read = read_sweep(path)
    with ResultStore(folder / "results.db") as store, Workers(jobs) as workers:
        return run_sweep(read, list_points(read).points, store, folder, workers, **told)


@pytest.fixture(scope="module")
def whole(sweep, tmp_path_factory):
    """The sweep, run once; folder, results and what it told of its progress."""
    folder, told = tmp_path_factory.mktemp("whole"), []
    results = run(sweep, folder, progress=lambda *state: told.append(state))
    return folder, results, told


def test_progress_ends_at_all_points_with_no_time_left(whole):
    folder, _, told = whole
    assert told[-1][:2] == (4, 4)
    assert told[-1][2] == pytest.approx(0, abs=0.01)
    assert [done for done, _, _ in told] == sorted(done for done, _, _ in told)
    assert list((folder / "work").iterdir()) == []


def test_figures_are_those_of_synth(whole, tmp_path):
    measured = whole[1][-1]
    config = measured.point.config
    emit_macro(config, tmp_path)
    report = synth_macro(config, tmp_path, "generic", announce=lambda text: None)
    assert measured.figures["area"] == report.total
    assert measured.figures["area_tree"] == report.breakdown["tree"]
    assert measured.figures["flip_flops"] == report.ffs
    assert measured.figures["cycles"] == config.cycles_per_pass()
    assert len(whole[1]) == 4
    assert all(each.fresh for each in whole[1])


def test_a_point_is_measured_once_whatever_the_macro_is_called(whole, sweep, tmp_path, monkeypatch):
    def forbidden(*arguments):
        raise AssertionError("measured again")

    for name in ("describe", "map_packed", "measure", "measure_whole"):
        monkeypatch.setattr(module, name, forbidden)
    again = run(sweep, whole[0])
    assert [each.figures for each in again] == [each.figures for each in whole[1]]
    assert not any(each.fresh for each in again)
    other = tmp_path / "other.toml"
    other.write_text(SWEEP.replace("[fixed]", "[fixed]\nname = 'mine'"))
    with pytest.raises(Exception, match="name is not a parameter"):
        run(other, whole[0])


def test_equal_blocks_are_mapped_once(sweep, tmp_path, monkeypatch):
    mapped: list[str] = []
    original = module.map_packed

    def watched(blocks, *arguments):
        mapped.extend(block.name for block in blocks)
        return original(blocks, *arguments)

    monkeypatch.setattr(module, "map_packed", watched)
    monkeypatch.setattr(module, "ROUND", 2)  # so that a round finds blocks of those before it
    results = run(sweep, tmp_path)
    assert len(mapped) == len(set(mapped))
    needed = sum(len(each.modules) for each in module.describe([m.point.config for m in results]))
    assert len(mapped) < needed * 0.8
    assert [path.name for path in tmp_path.iterdir() if path.name != "work"] == ["results.db"]
    assert list((tmp_path / "work").iterdir()) == []


@pytest.mark.parametrize(("jobs", "last"), [(1, 0), (2, 3)])
def test_a_killed_run_goes_on_and_loses_nothing(whole, sweep, tmp_path, monkeypatch, jobs, last):
    script = tmp_path / "killed.py"
    script.write_text(KILLED)
    folder = tmp_path / "folder"
    folder.mkdir()
    words = [sys.executable, script, sweep, folder, str(jobs), str(last)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120)
    assert done.returncode == -9, done.stderr
    for process in done.stdout.split():
        _wait_until_gone(int(process))
    with ResultStore(folder / "results.db") as store:
        keys = [row[0] for row in store._file.execute("SELECT key FROM points")]
    assert "half" not in keys
    assert len(keys) == last
    monkeypatch.setattr(module, "map_packed", None)  # the blocks are there
    results = run(sweep, folder)
    assert [each.figures for each in results] == [each.figures for each in whole[1]]
    assert sum(not each.fresh for each in results) == len(keys)
    assert list((folder / "work").iterdir()) == []


def _wait_until_gone(process: int) -> None:
    limit = time.monotonic() + 20
    while time.monotonic() < limit:
        try:
            state = Path("/proc", str(process), "stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return
        if state == "Z":
            return
        time.sleep(0.1)
    raise AssertionError(f"worker {process} outlives its parent")


def test_a_block_that_fails_takes_its_points_alone(whole, sweep, tmp_path, monkeypatch):
    original = module.map_packed
    points = list_points(read_sweep(sweep)).points
    (last,) = module.describe([points[-1].config])
    bad = last.modules[-1].name  # its top, which no other macro holds

    def failing(blocks, *arguments):
        if any(block.name == bad for block in blocks):
            return {}, {bad: "Yosys failed: a reason"}
        return original(blocks, *arguments)

    monkeypatch.setattr(module, "map_packed", failing)
    shutil.copy(whole[0] / "results.db", tmp_path)
    with sqlite3.connect(tmp_path / "results.db") as file:  # all blocks are known but its top
        file.executescript("DELETE FROM figures; DELETE FROM points;")
        assert file.execute("DELETE FROM blocks WHERE name = ?", (bad,)).rowcount == 1
    results = run(sweep, tmp_path)
    assert [each.why for each in results] == [""] * 3 + ["Yosys failed: a reason"]
    assert [each.figures for each in results[:3]] == [each.figures for each in whole[1][:3]]
    monkeypatch.undo()
    again = run(sweep, tmp_path)
    assert [each.fresh for each in again] == [False] * 3 + [True]
