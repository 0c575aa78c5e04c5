"""A network's cycles on every macro of a sweep: those of the planner, kept, told by constraints."""

from pathlib import Path

import numpy as np
import pytest

from cimforge.compiler.importers.model_file import import_model
from cimforge.compiler.importers.tests.onnx_writer import Net, saved
from cimforge.compiler.map.layer_plan import plan_network
from cimforge.explore.measurements import network_cycles
from cimforge.explore.metric import NETWORK, PERIOD
from cimforge.explore.metrics import added_figures_of, figures_of
from cimforge.explore.network_plans import plan_key
from cimforge.explore.points import list_points
from cimforge.explore.result_store import ResultStore
from cimforge.explore.run_sweep import run_sweep
from cimforge.explore.sweep_file import read_sweep
from cimforge.explore.sweep_report import SweepReport
from cimforge.explore.workers import Workers
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import InputError

SWEEP = """
preset = "tiny"
network = "{network}"
metrics = ["area", "network_use"]
constraints = ["network_cycles < 300"]
[fixed]
cols = 2
[axes]
rows = [2, 4]
[objectives]
network_cycles = "minimise"
"""


def network(folder: Path) -> Path:
    """Six inputs, four outputs; one item of three vectors."""
    net = Net()
    x = net.quantised(net.feed(np.ones((3, 6), np.float32)))
    weights, _ = net.weights((6, 4))
    return saved(net.model(net.quantised(net.add("MatMul", x, weights))), folder)


@pytest.fixture(scope="module")
def sweep(tmp_path_factory):
    folder = tmp_path_factory.mktemp("network")
    path = folder / "s.toml"
    path.write_text(SWEEP.format(network=network(folder)))
    return path


def run(path: Path, folder: Path):
    read = read_sweep(path)
    with ResultStore(folder / "results.db") as store:
        return run_sweep(read, list_points(read).points, store, folder, Workers(1))


@pytest.fixture(scope="module")
def whole(sweep, tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    return folder, run(sweep, folder)


def test_cycles_are_those_that_run_predicts(whole, sweep):
    graph = import_model(read_sweep(sweep).network)
    told = {}
    for each in whole[1]:
        (layer,) = plan_network(graph, each.point.config)
        assert each.figures["network_cycles"] == layer.cycles
        assert each.figures["network_use"] == layer.utilisation
        assert "network_time" not in each.figures
        told[each.point.config.rows] = layer.cycles
    assert told[4] < 300 < told[2]


def test_a_constraint_and_an_objective_ask_for_them(whole, sweep):
    read = read_sweep(sweep)
    assert read.of_network == ("network_use", "network_cycles")
    report = SweepReport(read, list_points(read), whole[1])
    (best,) = report.front(read.targets[0])
    assert best.point.config.rows == 4
    assert len(report.feasible(read.targets[0])) == 1
    assert "network_cycles,network_use" in report.as_csv().splitlines()[0]


def test_a_plan_is_made_once(whole, sweep, monkeypatch):
    monkeypatch.setattr(network_cycles, "plan_on", None)
    again = run(sweep, whole[0])
    assert [each.figures for each in again] == [each.figures for each in whole[1]]
    assert not any(each.fresh for each in again)


def test_a_plan_is_of_its_file_and_its_macro(sweep, tmp_path):
    path = read_sweep(sweep).network
    other = tmp_path / "other.onnx"
    other.write_bytes(path.read_bytes() + b"\x12\x01a")  # the name of what wrote it
    tiny, named = MacroConfig(rows=2), MacroConfig(rows=2, name="mine")
    assert plan_key(path, tiny) == plan_key(path, named)
    assert len({plan_key(path, tiny), plan_key(other, tiny), plan_key(path, MacroConfig())}) == 3


def test_time_is_cycles_at_the_shortest_period():
    plan = {"network_cycles": 5000.0, "network_cells": 3.0, "network_room": 4.0}
    own = figures_of(MacroConfig(), {}, frozenset())
    timed = {**own, "period": 2.5, "fmax": 400.0, "tops": 1.0}
    told = added_figures_of(MacroConfig(), timed, plan, frozenset((NETWORK, PERIOD)))
    assert told == {"network_cycles": 5000, "network_use": 0.75, "network_time": 12.5}
    alone = added_figures_of(MacroConfig(), own, plan, frozenset((NETWORK,)))
    assert alone == {"network_cycles": 5000, "network_use": 0.75}


def test_a_macro_that_no_network_runs_on_is_refused(sweep, tmp_path):
    path = tmp_path / "s.toml"
    text = sweep.read_text().replace("cols = 2", "cols = 2\nweight_bits = 1\ninput_bits = 1")
    path.write_text(text.replace("[axes]", "[axes]\nmultiply = ['plain', 'xnor']"))
    listed = list_points(read_sweep(path))
    assert len(listed.points) == 2
    (rule,) = listed.rules
    assert rule.startswith("a network needs integers, and multiply = xnor")


def test_a_network_of_floats_alone_is_refused_in_one_line(tmp_path):
    net = Net()
    weights = net.constant(np.ones((6, 4), np.float32))
    made = net.add("MatMul", net.feed(np.ones((3, 6), np.float32)), weights)
    path = tmp_path / "s.toml"
    path.write_text(SWEEP.format(network=saved(net.model(made), tmp_path)))
    with pytest.raises(
        InputError, match=r"s.toml: network: .*net.onnx: has no product of integers"
    ):
        read_sweep(path)
