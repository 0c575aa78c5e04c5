"""Every example is right on golden, and says so where a result is wrong."""

from functools import partial

import pytest

from cimforge.compiler.applications import example_binary
from cimforge.compiler.applications.binary_network import train_binary
from cimforge.compiler.applications.catalogue import EXAMPLES
from cimforge.compiler.applications.outcome import CountedJobs
from cimforge.compiler.player.expected_results import expected_results
from cimforge.hdl.params.config_file import load_config


def ran(name, run_job, seed, *overrides):
    example = EXAMPLES[name]
    if name == "binary":
        pytest.importorskip("sklearn")
    config = load_config(example.preset, (*example.settings, *overrides))
    return example.run(config, run_job, seed)


@pytest.fixture(autouse=True)
def _short_training(monkeypatch):
    """What a network reads is not what is compared here."""
    monkeypatch.setattr(example_binary, "train_binary", partial(train_binary, epochs=1))


@pytest.mark.parametrize("name", EXAMPLES)
def test_golden_is_as_the_reference_says(name):
    jobs = CountedJobs(expected_results)
    outcome = ran(name, jobs, 3, "rows=37", "cols=11")
    assert outcome.equal
    assert outcome.facts
    assert all(label and text for label, text in outcome.rows)
    assert jobs.macs <= jobs.room == jobs.passes * 37 * 11


@pytest.mark.parametrize("name", EXAMPLES)
def test_one_wrong_tile_is_noticed(name):
    def wrong(config, job):
        results = expected_results(config, job)
        results[0] += 2 * config.rows + 1  # more than any sum is beside another, and odd
        return results

    assert not ran(name, wrong, 0).equal
