"""Jobs that are known before any has run are those that a run then asks for."""

import numpy as np
import pytest

from cimforge.compiler.graph.graph import GraphError
from cimforge.compiler.map.golden_jobs import GoldenJobs
from cimforge.compiler.map.macro_products import MacroProducts
from cimforge.compiler.network import network_run
from cimforge.compiler.network.divergence import DivergenceError
from cimforge.compiler.network.feeds import drawn_feeds
from cimforge.compiler.network.foreseen_jobs import foreseen_jobs
from cimforge.compiler.network.kept_jobs import KeptJobs
from cimforge.compiler.network.network_run import NetworkRun
from cimforge.compiler.network.tests.small_network import small_network
from cimforge.hdl.params.config import MacroConfig

GRAPH = small_network()
FEEDS = drawn_feeds(GRAPH, 5, 1)
EXACT = MacroConfig(rows=20, cols=3, banks=2)
CONFIGS = [
    EXACT,
    MacroConfig(rows=20, cols=3, tree="approx1"),
    MacroConfig(rows=20, cols=3, weight_bits=4, slice_bits=2, features=["zero_skip"]),
]


class Nobody:
    """A runner that must not be asked for anything."""

    cycles = pass_cycles = 0

    def run_job(self, config, job):
        raise AssertionError("a job was not foreseen")


def run(config, runner, macros=1) -> NetworkRun:
    worker = MacroProducts(config, runner, macros)
    made = NetworkRun(GRAPH, config, worker, macros, announce=lambda text: None)
    made.run(FEEDS)
    return made


@pytest.mark.parametrize("config", CONFIGS, ids=["exact", "approximate", "slices"])
@pytest.mark.parametrize("macros", [1, 3])
def test_a_run_finds_every_job_foreseen(config, macros, tmp_path, monkeypatch):
    monkeypatch.setattr(network_run, "GROUP_BYTES", 20_000)  # several groups of items
    kept = KeptJobs(Nobody(), tmp_path, "golden")
    jobs = 0
    for job in foreseen_jobs(GRAPH, FEEDS, config, macros):
        golden = GoldenJobs()
        results = golden.run_job(config, job)
        assert not kept.has(config, job)
        kept.keep(config, job, results, (golden.cycles, golden.pass_cycles), True)
        assert kept.has(config, job)
        jobs += 1
    there, here = run(config, kept, macros), run(config, GoldenJobs(), macros)
    assert kept.kept == jobs > macros
    assert there.outputs.keys() == here.outputs.keys()
    assert all(np.array_equal(there.outputs[name], here.outputs[name]) for name in here.outputs)
    assert [layer.use for layer in there.layers] == [layer.use for layer in here.layers]


def test_results_that_nobody_has_compared_are_compared(tmp_path):
    """What a worker kept as checked is not computed by golden again; what it did not, is."""
    kept = KeptJobs(GoldenJobs(), tmp_path, "golden")
    job = next(foreseen_jobs(GRAPH, FEEDS, EXACT))
    wrong = GoldenJobs().run_job(EXACT, job) + 1
    kept.keep(EXACT, job, wrong, (1, 1), True)
    assert not run(EXACT, kept).exact
    kept.keep(EXACT, job, wrong, (1, 1), False)
    with pytest.raises(DivergenceError):
        run(EXACT, kept)


def test_what_a_macro_does_not_take_is_said_where_jobs_are_asked_for():
    binary = MacroConfig(rows=4, cols=2, weight_bits=1, input_bits=1, multiply="xnor")
    with pytest.raises((ValueError, GraphError), match="needs integers"):
        list(foreseen_jobs(GRAPH, FEEDS, binary))


def test_one_may_stop_taking_jobs():
    jobs = foreseen_jobs(GRAPH, FEEDS, EXACT)
    next(jobs)
    jobs.close()  # ends its thread, which waits for room
