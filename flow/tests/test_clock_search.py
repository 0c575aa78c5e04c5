"""The search for a clock period: least area that reaches it, as few runs as it takes, and why."""

import pytest

from cimforge.flow.synth.clock_candidates import AXES, clock_candidates
from cimforge.flow.synth.clock_search import MOST_RUNS, ClockSearch, search_clock
from cimforge.flow.synth.static_timing import Step, Timing
from cimforge.flow.synth.synth_report import SynthReport
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import load_config, plain_overrides

NARROW = ["weight_bits=4", "input_bits=4"]
LATCHES = load_config("base", ["storage=latch", "cols=1", *NARROW])
FINAL_NS = {"ripple": 1.6, "split": 1.0, "prefix": 0.7}
FINAL_AREA = {"ripple": 0, "split": 900, "prefix": 800}


class Macro:
    """Stands in for a synthesis: a tree that ranks cut evenly, and an accumulator as long as its
    final adder; keeps what it was asked for."""

    def __init__(self, tree_ns: float = 2.0, rank_area: float = 2000.0, kept_area: float = 2100.0):
        self.tree_ns, self.rank_area, self.kept_area = tree_ns, rank_area, kept_area
        self.asked: list[str] = []

    def __call__(self, candidate) -> SynthReport:
        config = candidate.config
        self.asked.append(candidate.label)
        ranks, final = config.pipeline_stages, config.final_adder
        tree, accumulate = self.tree_ns / (ranks + 1), FINAL_NS[final]
        path = [Step("serialiser", 3, 0.2), Step("tree", 9, tree)]
        area = 70_000 + self.rank_area * ranks + FINAL_AREA[final]
        if config.carry_save:
            area += self.kept_area * (1 + config.final_stages)
            result = accumulate / (1 + config.final_stages)
            if result > 0.2 + tree:
                path = [Step("accumulator", 9, result)]
        elif accumulate > 0.2 + tree:
            path = [Step("sequencer", 1, 0.1), Step("accumulator", 9, accumulate - 0.1)]
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
    """Of every combination, and no more runs than a search may take: none is smaller."""
    candidates = clock_candidates(LATCHES, {})
    every = [Macro()(candidate) for candidate in candidates]
    for clock in (2.2, 1.7, 1.3, 1.1, 0.75, 0.6):
        found = search(clock, Macro())
        fitting = [each.total for each in every if each.timing.period <= clock]
        assert found.met
        assert found.best.area == min(fitting), clock
        assert found.slack(found.best) >= 0
        assert len(found.tried) <= MOST_RUNS


def test_ranks_that_cut_too_coarsely_are_not_measured():
    macro = Macro()
    assert search(0.75, macro).met
    assert "tree_stages=1 final_adder=ripple" not in macro.asked


def test_what_leaves_the_critical_path_alone_is_not_measured():
    """One rank and a rippled accumulator: further ranks change nothing of it."""
    macro = Macro()
    found = search(1.3, macro, LATCHES.model_copy(update={"tree_stages": 1}), most=99)
    assert found.met
    ripples = [label for label in macro.asked if label.endswith("final_adder=ripple")]
    assert ripples == ["tree_stages=1 final_adder=ripple"]


def test_registers_behind_kept_words_where_nothing_else_reaches_it():
    macro = Macro()
    found = search(0.55, macro)
    config = found.best.candidate.config
    assert found.met
    assert (config.accumulate, config.final_stages) == ("carry_save", 1)


def test_registers_behind_kept_words_do_not_shorten_a_tree():
    """A path that begins before the accumulator stays as it is."""
    given = LATCHES.model_copy(update={"accumulate": "carry_save"})
    macro = Macro()
    search(0.7, macro, given)
    trees = [label for label in macro.asked if label.startswith("tree_stages=0 final_adder=ripple")]
    assert trees[0] == "tree_stages=0 final_adder=ripple accumulate=carry_save"
    assert not any("final_stages" in label for label in trees)


def test_a_period_out_of_reach_tells_the_best_and_what_limits_it():
    found = search(0.3, Macro(), most=6)
    assert not found.met
    assert found.slack(found.best) < 0
    most = found.best.candidate.config.pipeline_stages
    assert most == max(c.config.pipeline_stages for c in clock_candidates(LATCHES, {}))
    assert found.best.period == pytest.approx(0.2 + 2.0 / (most + 1))
    assert found.best.limits == pytest.approx({"input": 0.2, "tree": 2.0 / (most + 1)})
    assert len(found.tried) <= 6


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


def test_kept_words_where_they_are_legal():
    """With ranks behind them; never where a macro has no such accumulator."""
    ways = {(c.config.accumulate, c.config.final_stages) for c in clock_candidates(LATCHES, {})}
    assert ways == {("binary", 0), *(("carry_save", ranks) for ranks in range(5))}
    for words in (["multiply=xnor", "weight_bits=1", "input_bits=1"], ["tree=approx1"]):
        candidates = clock_candidates(load_config("base", words), {})
        assert {c.config.accumulate for c in candidates} == {"binary"}


def test_a_candidate_is_a_legal_configuration():
    for candidate in clock_candidates(LATCHES, {"c42": object()}):
        config = candidate.config
        assert MacroConfig(**config.model_dump()) == config
        assert load_config("base", plain_overrides(config)) == config


def test_a_label_leaves_out_what_is_plain():
    labels = {c.label for c in clock_candidates(LATCHES, {})}
    assert "tree_stages=0 final_adder=ripple" in labels
    assert "tree_stages=1 final_adder=prefix accumulate=carry_save final_stages=2" in labels
    assert not any("=binary" in label or "final_stages=0" in label for label in labels)


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
