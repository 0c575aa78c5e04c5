"""Measurements by themselves: taken once, kept at once, tried again where they failed."""

import pytest

from cimforge.explore.measurements import tree_errors as module
from cimforge.explore.points import list_points
from cimforge.explore.result_store import ResultStore
from cimforge.explore.run_sweep import run_sweep
from cimforge.explore.sweep_file import read_sweep
from cimforge.explore.workers import Workers

SWEEP = """
preset = "tiny"
targets = ["generic", "ecp5"]
metrics = ["error_mred"]
[axes]
tree = ["csa", "ripple", "approx1"]
rows = [2, 4]
banks = [1, 2]
"""


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Runs the sweep; ``measured`` are (tree, rows) of what was, ``faults`` what then happens."""
    path = tmp_path / "s.toml"
    path.write_text(SWEEP)
    original = module.tree_errors

    def watched(config):
        run.measured.append((config.tree, config.rows))
        fault = run.faults.get(config.rows)
        if isinstance(fault, type):
            raise fault
        return fault or original(config)

    def run(progress=lambda done, total, left: None):
        run.measured.clear()
        read = read_sweep(path)
        with ResultStore(tmp_path / "results.db") as store, Workers(1) as workers:
            points = list_points(read).points
            return run_sweep(read, points, store, tmp_path, workers, progress)

    monkeypatch.setattr(module, "tree_errors", watched)
    run.measured, run.faults = [], {}
    return run


def test_points_that_share_what_decides_share_it(run):
    told = []
    results = run(lambda *state: told.append(state))
    assert run.measured == [("approx1", 4), ("csa", 2), ("approx1", 2)]  # the largest first
    assert len(results) == 24
    assert all(each.fresh for each in results)
    assert [state[:2] for state in told] == [(0, 3), (1, 3), (2, 3), (3, 3)]
    assert told[-1][2] == pytest.approx(0, abs=0.01)
    by_tree = {(e.point.config.tree, e.point.config.rows): e.figures for e in results}
    assert by_tree["ripple", 4]["error_mred"] == 0 < by_tree["approx1", 4]["error_mred"]
    assert "area" not in by_tree["csa", 2]  # nothing asks for it
    again = run()
    assert run.measured == []
    assert [each.figures for each in again] == [each.figures for each in results]
    assert not any(each.fresh for each in again)


def test_what_was_measured_before_an_interrupt_is_kept(run):
    run.faults[2] = KeyboardInterrupt
    with pytest.raises(KeyboardInterrupt):
        run()
    assert run.measured == [("approx1", 4), ("csa", 2)]
    run.faults.clear()
    run()
    assert run.measured == [("csa", 2), ("approx1", 2)]


def test_a_failure_is_its_points_alone_and_is_tried_again(run):
    run.faults[4] = "a tool failed"
    results = run()
    failed = [each for each in results if each.why]
    assert {(e.point.config.tree, e.point.config.rows, e.why) for e in failed} == {
        ("approx1", 4, "a tool failed")
    }
    assert all(each.figures == {} for each in failed)
    run.faults.clear()
    assert not any(each.why for each in run())
    assert run.measured == [("approx1", 4)]
