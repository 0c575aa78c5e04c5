"""Sweep files: the points they mean, and one line for each fault."""

import sys

import pytest

from cimforge.explore.points import list_points
from cimforge.explore.sweep_file import read_sweep
from cimforge.hdl.params.config_file import InputError

AXES = "[axes]\nrows = [2, 4]\n"


@pytest.fixture
def sweep(tmp_path):
    def read(text):
        path = tmp_path / "s.toml"
        path.write_text(text)
        return read_sweep(path)

    return read


def test_points_are_the_grid_in_order_less_what_the_conditions_leave_out(sweep):
    text = """
    preset = "tiny"
    when = ["rows * cols <= 16", "weight_bits == 4"]
    [fixed]
    banks = 2
    [axes]
    rows = { from = 2, to = 8, factor = 2 }
    cols = { from = 3, to = 5 }
    """
    listed = list_points(sweep(text))
    shapes = [(p.config.rows, p.config.cols) for p in listed.points]
    assert shapes == [(2, 3), (2, 4), (2, 5), (4, 3), (4, 4)]
    assert (listed.drawn, listed.left_out, listed.refused) == (9, 4, ())
    assert {(p.config.banks, p.config.input_bits) for p in listed.points} == {(2, 4)}
    assert listed.points[1].choice == {"rows": 2, "cols": 4}


def test_an_axis_takes_whatever_its_parameter_takes(sweep):
    text = """
    preset = "tiny"
    when = "'zero_skip' not in features or rows > 1"
    [axes]
    rows = { from = -1, to = 2 }
    tree_stages = { from = 0, to = 1 }
    features = [[], ["zero_skip"]]
    final_adder = ["ripple", "prefix"]
    """
    listed = list_points(sweep(text))
    told = [(p.config.rows, p.config.tree_stages, p.config.features) for p in listed.points]
    skipping = [(2, 0, ("zero_skip",)), (2, 1, ("zero_skip",))]
    assert sorted(set(told)) == sorted([(2, 0, ()), (2, 1, ()), *skipping, (1, 0, ())])
    rules = " ".join(listed.rules)
    assert "rows must be an integer in 1..1024, not -1" in rules
    assert "not 0" in rules
    texts = sweep("preset = 'tiny'\n[axes]\ntree_stages = [0, 'auto', true]\n")
    assert [p.config.tree_stages for p in list_points(texts).points] == [0, "auto"]


def test_every_refused_combination_is_counted_with_its_rule(sweep):
    text = """
    preset = "tiny"
    targets = ["generic", "ice40"]
    [axes]
    bits_per_cycle = [1, 3]
    storage = ["flop", "latch"]
    """
    listed = list_points(sweep(text))
    told = [(p.config.storage, p.target.name) for p in listed.points]
    assert told == [("flop", "generic"), ("flop", "ice40"), ("latch", "generic")]
    assert sorted(listed.rules.values()) == [1, 2]
    (rule, count), (other, _) = listed.rules.most_common()
    assert rule.startswith("bits_per_cycle must divide input_bits = 4, not 3")
    assert count == 2
    assert "storage latch has no cell on ice40" in other
    assert [each.target for each in listed.refused if each.rule == other] == ["ice40"]


def test_a_random_search_draws_the_same_points_for_the_same_seed(sweep):
    text = "search = 'random'\nsamples = 7\nseed = {}\n[axes]\nrows = {{from = 1, to = 1000}}\n"
    text += "cols = {{from = 1, to = 1000}}\nweight_bits = [1, 2, 4, 8]\n"
    draws = [[p.choice for p in list_points(sweep(text.format(seed))).points] for seed in (1, 1, 2)]
    assert draws[0] == draws[1] != draws[2]
    assert len({str(choice) for choice in draws[0]}) == 7


def test_a_sample_of_a_smaller_grid_is_the_grid(sweep):
    listed = list_points(sweep("search = 'random'\nsamples = 9\n" + AXES))
    assert [p.config.rows for p in listed.points] == [2, 4]


def test_objectives_constraints_and_metrics_decide_what_is_measured(sweep):
    read = sweep("metrics = ['cycles']\nconstraints = ['area_tree < 9 and rows > 1']\n" + AXES)
    assert read.asked == ("cycles", "area_tree")
    assert read.objectives == {"cycles": "minimise"}
    assert read.measurements(read.targets[0]) == {"size"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("rows = [", "not TOML"),
        ("axis = 3\n" + AXES, "no key 'axis'; did you mean 'axes'?"),
        ("[axes]\n", "axes: must name a parameter"),
        ("axes = 3\n", "axes: must be a table, [axes], not 3"),
        ("[axes]\nrow = [1]\n", "axes: row is not a parameter; did you mean 'rows'?"),
        ("[axes]\nname = ['a']\n", "axes: name is not a parameter"),
        ("[axes]\nrows = []\n", "axes.rows: must be a list or a range, not []"),
        ("[axes]\nrows = 4\n", "axes.rows: must be a list or a range, not 4"),
        ("[axes]\nrows = [4, 2, 4]\n", "axes.rows: 4 stands twice"),
        ("[axes]\nrows = {from = 2}\n", "axes.rows: a range needs 'to'"),
        ("[axes]\nrows = {from = 2, to = 1}\n", "(nearest legal value: 2)"),
        ("[axes]\nrows = {from = 'a', to = 1}\n", "axes.rows.from: must be an integer, not 'a'"),
        (
            "[axes]\nrows = {from = 0, to = 8, factor = 2}\n",
            "from: must be at least 1 where each is",
        ),
        ("[axes]\nrows = {from = 0, to = 8, step = 0}\n", "axes.rows.step: must be an integer of"),
        (
            "[axes]\nrows = {from = 1, to = 9, factor = 1}\n",
            "axes.rows.factor: must be an integer of at least 2",
        ),
        ("[axes]\nrows = {from = 1, to = 9, by = 1}\n", "no key 'by' in a range"),
        ("[axes]\nrows = {from = 1, to = 9, step = 1, factor = 2}\n", "'step' or 'factor'"),
        ("[axes]\nrows = {from = 1, to = 9999999}\n", "more than 4096 values"),
        ("preset = 'tinny'\n" + AXES, "no preset 'tinny'; did you mean 'tiny'?"),
        ("[fixed]\nrow = 3\n" + AXES, "fixed: row is not a parameter; did you mean 'rows'?"),
        ("[fixed]\nrows = 3\n" + AXES, "rows: is an axis and fixed"),
        ("when = 3\n" + AXES, "when: must be a text or a list of texts"),
        ("when = 'area < 3'\n" + AXES, "nothing is named 'area'"),
        ("constraints = ['aera < 3']\n" + AXES, "did you mean 'area'?"),
        ("targets = []\n" + AXES, "targets: must be a list of generic, ice40"),
        ("targets = ['ice4']\n" + AXES, "targets: no target 'ice4'; did you mean 'ice40'?"),
        ("targets = ['ice40', 'ice40']\n" + AXES, "two are named 'ice40'"),
        (
            "targets = [{liberty = 'no.lib'}]\n" + AXES,
            "targets: liberty no.lib: no such file; give {",
        ),
        ("targets = [{liberty = 'Makefile'}]\n" + AXES, "targets: liberty Makefile: not a Lib"),
        ("targets = [{liberty = 3}]\n" + AXES, "liberty: must be a file or a list of files"),
        ("targets = [{libery = 'a'}]\n" + AXES, "did you mean 'liberty'?"),
        ("metrics = []\n" + AXES, "metrics: must be a list of metrics"),
        ("metrics = ['aera']\n" + AXES, "no metric 'aera'; did you mean 'area'?"),
        ("metrics = ['period']\n" + AXES, "period is measured on a library or a board alone"),
        (
            AXES + "[objectives]\ntops = 'maximise'\n",
            "tops is measured on a library or a board alone",
        ),
        (AXES + "[objectives]\narea = 'minimize'\n", "did you mean 'minimise'?"),
        ("network = 3\n" + AXES, "network: must be a .onnx or .tflite file, not 3"),
        ("network = 'a.txt'\n" + AXES, "network: a.txt: must be a network in a .tflite or .onnx"),
        ("metrics = ['network_cycles']\n" + AXES, "network_cycles is told of a network: add"),
        ("search = 'gird'\n" + AXES, "no search 'gird'; did you mean 'grid'?"),
        ("samples = 3\n" + AXES, "samples: only with search = 'random'"),
        ("search = 'random'\n" + AXES, "search = 'random' needs samples, an integer of"),
        ("search = 'optimise'\nsamples = 0\n" + AXES, "samples: must be an integer of at least 1"),
        ("search = 'random'\nsamples = 1\nseed = -1\n" + AXES, "seed: must be an integer"),
        (
            "[axes]\nrows = {from = 1, to = 200}\ncols = {from = 1, to = 200}\n",
            "40,000 combinations of the axes: at most 20,000",
        ),
    ],
)
def test_a_fault_is_told_in_one_line_with_its_place(sweep, text, told):
    with pytest.raises(InputError) as refused:
        sweep(text)
    line = str(refused.value)
    assert told in line
    assert "s.toml: " in line
    assert "--liberty" not in line


def test_a_network_that_is_missing_is_told_before_its_package(sweep, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(InputError, match=r"network: none\.onnx: no such file$"):
        sweep("network = 'none.onnx'\n" + AXES)


def test_a_period_needs_opensta(sweep, monkeypatch):
    monkeypatch.setattr("cimforge.explore.sweep_file.shutil.which", lambda program: None)
    text = "targets = [{liberty = 'flow/tests/small.lib'}]\nmetrics = ['fmax']\n"
    with pytest.raises(InputError, match=r"needs OpenSTA \(Debian: apt install opensta\)"):
        sweep(text + AXES)
