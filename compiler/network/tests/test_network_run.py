"""A network run layer by layer: equal to NumPy's, in groups, cut off and gone on with, and what
differs is named to the bit plane."""

import numpy as np
import pytest

from cimforge.compiler.graph.graph import GraphError
from cimforge.compiler.map.golden_jobs import GoldenJobs
from cimforge.compiler.map.macro_products import MacroProducts
from cimforge.compiler.network import network_run
from cimforge.compiler.network.divergence import DivergenceError
from cimforge.compiler.network.expected import DifferenceError, Expected
from cimforge.compiler.network.feeds import drawn_feeds
from cimforge.compiler.network.kept_jobs import KeptJobs
from cimforge.compiler.network.network_run import NetworkRun
from cimforge.compiler.network.tests.small_network import small_network
from cimforge.compiler.reference.execution import execute
from cimforge.hdl.params.config import MacroConfig

GRAPH = small_network()
CONFIG = MacroConfig(rows=20, cols=3, banks=2)


def run_of(runner=None, macros=1, **options) -> NetworkRun:
    worker = MacroProducts(CONFIG, runner or GoldenJobs(), macros)
    return NetworkRun(GRAPH, CONFIG, worker, macros, announce=lambda text: None, **options)


@pytest.mark.parametrize("group_bytes", [network_run.GROUP_BYTES, 20_000, 1])
@pytest.mark.parametrize("macros", [1, 3])
def test_outputs_are_numpys_in_groups_of_any_size(monkeypatch, group_bytes, macros):
    monkeypatch.setattr(network_run, "GROUP_BYTES", group_bytes)
    feeds = drawn_feeds(GRAPH, 7, 1)
    seen: list[tuple[int, int]] = []
    run = run_of(macros=macros, progress=lambda *told: seen.append(told))
    run.run(feeds)
    assert (run.outputs["y"] == execute(GRAPH, feeds.arrays)["y"]).all()
    assert (run.done_items, run.exact, run.host_macs) == (7, True, 0)
    assert run.macs == sum(layer.plan.macs for layer in run.layers)
    if group_bytes > 20_000:  # else each group loads its weights again
        assert [layer.use.cycles for layer in run.layers] == [
            layer.plan.cycles for layer in run.layers
        ]
        assert seen[-1] == (seen[-1][1],) * 2
    assert seen == sorted(seen)


class BadPlane:
    """Golden, but bit plane ``plane`` of row 3 counts twice in column 1 of every tile."""

    cycles = pass_cycles = 0

    def __init__(self, plane: int):
        self.plane, self.jobs = plane, 0

    def run_job(self, config, job):
        self.jobs += 1
        results = GoldenJobs().run_job(config, job).copy()
        for tile, block in enumerate(job.k_index):
            more = (job.inputs[block][:, 3] >> self.plane) & 1
            results[tile, :, 1] += (more * job.weights[tile, 3, 1]) << self.plane
        return results


def test_the_first_divergence_is_named_to_its_plane():
    run = run_of(BadPlane(5))
    with pytest.raises(DivergenceError) as caught:
        run.run(drawn_feeds(GRAPH, 4, 2))
    found = caught.value.divergence
    assert (found.layer, found.operator, found.planes) == ("point", "Convolution", (5,))
    assert (found.tile, found.column, found.output) == (0, 1, 1)
    assert found.item == found.vector // 9
    assert found.job.inputs.shape == (1, 1, 20)
    assert (found.got - found.expected) % (1 << 5) == 0
    assert "bit planes that differ: 5" in str(caught.value)


class Forgetful:
    """Golden, but a vector equal to the one before it gets 1 too much."""

    cycles = pass_cycles = 0

    def run_job(self, config, job):
        results = GoldenJobs().run_job(config, job).copy()
        for tile, block in enumerate(job.k_index):
            x = job.inputs[block]
            results[tile, 1:] += (x[1:] == x[:-1]).all(axis=1)[:, None]
        return results


def test_what_takes_several_vectors_is_shown_with_them():
    feeds = drawn_feeds(GRAPH, 6, 2)
    feeds.arrays["x"][5] = -3  # its zero point, as what pads it: all vectors alike
    run = run_of(Forgetful())
    with pytest.raises(DivergenceError) as caught:
        run.run(feeds)
    found = caught.value.divergence
    assert found.planes == ()
    assert (found.item, found.vector, found.job.plan.batch) == (5, 46, 4)


def test_expected_tensors_are_checked_in_the_networks_order():
    feeds = drawn_feeds(GRAPH, 3, 1)
    arrays = execute(GRAPH, feeds.arrays)
    given = {name: arrays[name].copy() for name in ("y", "b", "a")}
    Expected(GRAPH, given, 3, "y.npz")
    run = run_of(expected=Expected(GRAPH, given, 3, "y.npz"))
    run.run(feeds)
    given["b"][2, 1, 0, 4] += 1
    given["y"] += 1
    run = run_of(expected=Expected(GRAPH, given, 3, "y.npz"))
    with pytest.raises(DifferenceError, match=r"^tensor 'b' of layer 'point'.*1 of 189") as caught:
        run.run(feeds)
    assert (caught.value.difference.item, caught.value.difference.index) == (2, (0, 1, 0, 4))


def test_expected_tensors_that_there_are_not_are_one_line():
    with pytest.raises(ValueError, match=r"^y: no tensor 'q' is made; .*y, c, b"):
        Expected(GRAPH, {"q": np.zeros(10), "y": np.zeros(10)}, 1, "y")
    with pytest.raises(ValueError, match=r"^y: 'y' must hold 2 times \(1, 10\), not .*\(10,\)"):
        Expected(GRAPH, {"y": np.zeros(10)}, 2, "y")


class Counting:
    """Golden that is ended in its ``last`` job."""

    def __init__(self, last: int):
        self.last, self.jobs, self.cycles, self.pass_cycles = last, 0, 0, 0

    def run_job(self, config, job):
        if self.jobs == self.last:
            raise KeyboardInterrupt
        self.jobs += 1
        self.cycles += 10
        return GoldenJobs().run_job(config, job)


def test_a_run_that_was_cut_off_goes_on(monkeypatch, tmp_path):
    monkeypatch.setattr("cimforge.compiler.network.kept_jobs.WORTH_S", 0)
    feeds = drawn_feeds(GRAPH, 3, 1)
    with pytest.raises(KeyboardInterrupt):
        run_of(KeptJobs(Counting(2), tmp_path, "v1")).run(feeds)
    damaged = min(tmp_path.iterdir())
    damaged.write_bytes(damaged.read_bytes()[:40])
    again = Counting(99)
    kept = KeptJobs(again, tmp_path, "v1")
    run = run_of(kept)
    run.run(feeds)
    assert (again.jobs, kept.kept) == (2, 1)
    assert (run.outputs["y"] == execute(GRAPH, feeds.arrays)["y"]).all()
    assert run.cycles == 30  # of the kept job too
    other = Counting(99)
    run_of(KeptJobs(other, tmp_path, "v2")).run(feeds)
    assert other.jobs == 3  # other Verilog: nothing is taken


def test_patches_beyond_memory_are_refused_before_they_are_made(monkeypatch):
    monkeypatch.setattr("cimforge.compiler.reference.lowering.MOST_PATCHES", 9 * 9 * 4 - 1)
    with pytest.raises(GraphError, match=r"^small: Convolution 'deep': patches must have at most"):
        run_of().run(drawn_feeds(GRAPH, 1, 1))
