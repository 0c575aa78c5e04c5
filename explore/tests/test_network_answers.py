"""Accuracy and agreement of a network on a sweep's macros: golden's, shared where results are."""

from pathlib import Path

import numpy as np
import pytest

from cimforge.compiler.importers.model_file import import_model
from cimforge.compiler.importers.tests.onnx_writer import Net, saved
from cimforge.compiler.map.macro_products import MacroProducts
from cimforge.compiler.reference.execution import execute
from cimforge.explore.measurements import network_answers as module
from cimforge.explore.points import list_points
from cimforge.explore.result_store import ResultStore
from cimforge.explore.run_sweep import run_sweep
from cimforge.explore.sweep_file import read_sweep
from cimforge.explore.workers import Workers
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import InputError

ITEMS = 24
SWEEP = """
preset = "tiny"
network = "{folder}/net.onnx"
inputs = "{folder}/x.npy"
labels = "{folder}/y.npy"
metrics = ["accuracy", "agreement"]
[fixed]
rows = 4
[axes]
tree = ["csa", "ripple", "approx2"]
cols = [2, 3]
"""


@pytest.fixture
def sweep(tmp_path, monkeypatch):
    """A network of six inputs and four outputs, ITEMS random items, the labels of exact products
    but for every third."""
    monkeypatch.chdir(tmp_path)
    draw = np.random.default_rng(3)
    net = Net()
    x = net.quantised(net.feed(np.ones((1, 6), np.float32)))
    weights, _ = net.weights((6, 4))
    path = saved(net.model(net.quantised(net.add("MatMul", x, weights))), tmp_path)
    items = draw.uniform(-1, 1, (ITEMS, 6)).astype(np.float32)
    path.rename("net.onnx")
    np.save("x.npy", items)
    np.save("y.npy", answers(None) + np.where(np.arange(ITEMS) % 3, 0, 1))
    Path("s.toml").write_text(SWEEP.replace("{folder}", str(tmp_path)))
    return Path("s.toml")


def answers(products) -> np.ndarray:
    """Answers of the network, item by item."""
    graph = import_model(Path("net.onnx"))
    (name,), (out,) = graph.inputs, graph.outputs
    told = {} if products is None else {"products": products}
    items = [execute(graph, {name: item[None]}, **told)[out] for item in np.load("x.npy")]
    return np.array([item.argmax() for item in items])


def run(path: Path, folder: Path):
    read = read_sweep(path)
    with ResultStore(folder / "results.db") as store, Workers(1) as workers:
        return run_sweep(read, list_points(read).points, store, folder, workers)


def test_answers_are_those_of_golden_and_shared_where_results_are(sweep, tmp_path, monkeypatch):
    asked = []
    original = module.answer

    def watched(network, inputs, labels, config):
        asked.append(config.tree)
        return original(network, inputs, labels, config)

    monkeypatch.setattr(module, "answer", watched)
    measured = run(sweep, tmp_path)
    assert sorted(asked) == ["approx2", "csa"]  # not of columns, nor of exact trees
    exact, labels = answers(None), np.load("y.npy")
    for each in measured:
        config = each.point.config
        found = answers(MacroProducts(config))
        assert each.figures["agreement"] == np.mean(found == exact), config.tree
        assert each.figures["accuracy"] == np.mean(found == labels), config.tree
    told = {each.point.config.tree: each.figures for each in measured}
    assert told["ripple"]["agreement"] == 1
    assert told["ripple"]["accuracy"] == 16 / 24
    assert told["approx2"]["agreement"] < 1
    again = run(sweep, tmp_path)
    assert len(asked) == 2
    assert [each.figures for each in again] == [each.figures for each in measured]
    np.save("y.npy", exact)
    module._digest.cache_clear()
    assert run(sweep, tmp_path)[0].figures["accuracy"] == 1


@pytest.mark.parametrize("multiply", ["plain", "booth"])
def test_what_is_left_out_of_the_key_changes_no_answer(sweep, tmp_path, multiply):
    own = {"rows": 4, "input_bits": 4, "bits_per_cycle": 2, "tree": "approx2", "multiply": multiply}
    other = {
        "cols": 5,
        "banks": 3,
        "storage": "latch",
        "tree_stages": 1,
        "features": ("zero_skip",),
    }
    one, two = MacroConfig(**own), MacroConfig(**own, **other)
    assert module._results_of(one) == module._results_of(two)
    assert module._results_of(one) != module._results_of(MacroConfig(**own | {"rows": 8}))
    files = Path(tmp_path, "net.onnx"), Path(tmp_path, "x.npy")
    found = [module._answers(*files, config, None) for config in (one, two)]
    np.testing.assert_array_equal(*found)
    assert found[0].tolist() != module._exact_answers(*files).tolist()


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('inputs = "{folder}/x.npy"', "", "accuracy is told of inputs: add inputs = 'FILE.npy'"),
        ('labels = "{folder}/y.npy"', "", "accuracy is told of labels: add labels = 'FILE.npy'"),
        ('"accuracy", ', "", "labels: no metric asks for them; add accuracy to metrics"),
        ('x.npy"', 'no.npy"', "no.npy: No such file"),
        ('y.npy"', 'x.npy"', r"x.npy: must hold an integer for each of 24 items, not an array"),
        ('"{folder}/x.npy"', "3", "inputs: must be a .npy file, not 3"),
    ],
)
def test_files_that_do_not_fit_are_refused_in_one_line(sweep, tmp_path, old, new, told):
    text = SWEEP.replace(old, new).replace("{folder}", str(tmp_path))
    sweep.write_text(text)
    with pytest.raises(InputError, match=r"^s.toml: ") as refused:
        read_sweep(sweep)
    assert told in str(refused.value)
    assert "\n" not in str(refused.value)
