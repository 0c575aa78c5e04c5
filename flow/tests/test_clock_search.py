"""The search for a clock period: least area that reaches it, as few runs as it takes, and why."""

import pytest

from cimforge.flow.synth.clock_candidates import AXES, clock_candidates
from cimforge.flow.synth.clock_search import ClockSearch, search_clock
from cimforge.flow.synth.static_timing import Step, Timing
from cimforge.flow.synth.synth_report import SynthReport
from cimforge.hdl.params.config_file import load_config

LATCHES = load_config("base", ["storage=latch"])
FINAL_NS = {"ripple": 1.6, "split": 1.0, "prefix": 0.7}
FINAL_AREA = {"ripple": 0, "split": 900, "prefix": 800}


class Macro:
    """Stands in for a synthesis: a tree that ranks cut evenly, and an accumulator as long as its
    final adder; keeps what it was asked for."""

    def __init__(self, tree_ns: float = 2.0, rank_area: float = 2000.0):
        self.tree_ns, self.rank_area, self.asked = tree_ns, rank_area, []

    def __call__(self, candidate) -> SynthReport:
        config = candidate.config
        self.asked.append(candidate.label)
        ranks, final = config.pipeline_stages, config.final_adder
        tree, accumulate = self.tree_ns / (ranks + 1), FINAL_NS[final]
        path = [Step("serialiser", 3, 0.2), Step("tree", 9, tree)]
        if accumulate > 0.2 + tree:
            path = [Step("sequencer", 1, 0.1), Step("accumulator", 9, accumulate - 0.1)]
        area = 70_000 + self.rank_area * ranks + FINAL_AREA[final]
        period = sum(step.delay for step in path)
        timing = Timing(period, tuple(path))
        return SynthReport(config, "liberty", "um2", area, 0, {}, timing=timing, seconds=1.0)


def search(clock: float, macro: Macro, config=LATCHES, cells=None, **options) -> ClockSearch:
    candidates = clock_candidates(config, cells or {})
    return search_clock(candidates, clock, macro, lambda text: None, **options)


def test_a_period_that_is_met_already_takes_one_run():
    macro = Macro()
    found = search(2.5, macro)
    assert found.met
    assert found.best is found.given
    assert macro.asked == ["tree_stages=0 final_adder=ripple"]


def test_the_least_area_that_reaches_it_is_found():
    """Every combination, measured: none that reaches the period is smaller."""
    for clock in (2.5, 2.2, 1.7, 1.3, 1.1, 0.9, 0.75):
        found = search(clock, Macro(), most=99)
        every = [Macro()(candidate) for candidate in clock_candidates(LATCHES, {})]
        fitting = [each.total for each in every if each.timing.period <= clock]
        assert found.met
        assert found.best.area == min(fitting), clock
        assert found.slack(found.best) >= 0


def test_ranks_that_cut_too_coarsely_are_not_measured():
    macro = Macro()
    assert search(0.75, macro).met
    assert all("tree_stages=1" not in label for label in macro.asked)


def test_what_leaves_the_critical_path_alone_is_not_measured():
    """One rank and a rippled accumulator: further ranks change nothing of it."""
    macro = Macro()
    found = search(1.3, macro)
    assert "tree_stages=1 final_adder=ripple" in macro.asked
    assert "tree_stages=2 final_adder=ripple" not in macro.asked
    assert found.best.candidate.label == "tree_stages=1 final_adder=prefix"


def test_a_period_out_of_reach_tells_the_best_and_what_limits_it():
    found = search(0.3, Macro(), most=20)
    assert not found.met
    assert found.slack(found.best) < 0
    assert found.best.period == pytest.approx(0.7)
    assert found.best.limits == pytest.approx({"control": 0.1, "accumulate": 0.6})
    assert len(found.tried) <= 20


def test_runs_are_bounded():
    macro = Macro()
    found = search(0.3, macro, most=4)
    assert len(macro.asked) == len(found.tried) == 4


def test_progress_tells_the_candidate_and_the_best_so_far():
    said = []
    search_clock(clock_candidates(LATCHES, {}), 1.7, Macro(), said.append)
    assert said[0] == "candidate 1 of at most 12: tree_stages=0 final_adder=ripple"
    assert said[1].endswith("final_adder=split (best so far 2.20 ns, 70,000 µm²)")


def test_the_configuration_given_is_the_first_and_auto_becomes_a_number():
    config = load_config("base", ["storage=latch", "tree_stages=auto", "tree=ripple"])
    first, *others = clock_candidates(config, {})
    assert first.config.tree_stages == config.pipeline_stages > 0
    assert first.config.tree == "ripple"
    assert {"csa", "ripple"} == {c.config.tree for c in others}, "no adder of + for one of gates"
    assert [c.cost for c in others] == sorted(c.cost for c in others)
    assert len({c.label for c in (first, *others)}) == 1 + len(others)


def test_compressors_where_the_library_has_one_and_approximate_trees_stay():
    trees = {c.config.tree for c in clock_candidates(LATCHES, {"c42": None})}
    assert trees == {"csa"}
    trees = {c.config.tree for c in clock_candidates(LATCHES, {"c42": object()})}
    assert trees == {"csa", "csa42"}
    approximate = load_config("base", ["tree=approx1"])
    assert {c.config.tree for c in clock_candidates(approximate, {})} == {"approx1"}


def test_only_what_an_axis_names_changes():
    for candidate in clock_candidates(LATCHES, {}):
        changed = {k for k, v in candidate.config if v != getattr(LATCHES, k)}
        assert changed <= {axis.key for axis in AXES}


def test_json_is_that_of_the_best_candidate_and_of_the_search():
    found = search(1.3, Macro())
    told = found.as_json()
    best = found.best.report.as_json()
    assert {key: told[key] for key in best if key != "seconds"} == {
        key: value for key, value in best.items() if key != "seconds"
    }
    assert told["seconds"] == len(found.tried)
    assert (told["clock_ns"], told["slack_ns"], told["met"]) == (1.3, 0.1, True)
    overrides = told["configuration"]["set"]
    assert load_config("base", overrides) == found.best.candidate.config
    assert told["tried"][0]["candidate"] == "tree_stages=0 final_adder=ripple"
    assert told["tried"][0]["limits"] == {"input": 0.2, "tree": 2.0}
