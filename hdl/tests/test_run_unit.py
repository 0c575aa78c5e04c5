"""The run unit hands over the vectors of its commands and sums their results, at full rate."""

from itertools import pairwise
from random import Random

import pytest

from cimforge.hdl.engine.gather import Gather
from cimforge.hdl.tests.engine_configs import RUN_ENGINES
from cimforge.hdl.tests.run_bench import RunBench
from cimforge.hdl.tests.run_draw import KINDS, connected, convolution
from cimforge.hdl.tests.run_reference import pieces, setup_cycles

every_engine = pytest.mark.parametrize("name", RUN_ENGINES)
PRESSURE = {"offer": 0.3, "take": 0.5, "answer": 0.5, "store": 0.3, "latency": (1, 20)}


def drawn_runs(config, seed, count, kinds=KINDS, most=6):
    """Commands; none adds to sums that were never written."""
    print(f"seed {seed}")
    draw, known, runs = Random(seed), set(), []
    for _ in range(count):
        run = draw.choice(kinds)(config, draw, most)
        span = range(run["sums"], run["sums"] + run["vectors"])
        run["accumulate"] &= set(span) <= known
        known |= set(span)
        runs.append(run)
    return runs


def gaps(cycles):
    """Cycles from each event to the next."""
    return [after - before for before, after in pairwise(cycles)]


@every_engine
@pytest.mark.parametrize("traffic", [{}, PRESSURE], ids=["free", "pressed"])
def test_vectors_and_sums_are_those_of_the_commands(name, traffic):
    config = RUN_ENGINES[name]
    runs = drawn_runs(config, 1 + len(traffic), 9)
    bench = RunBench(config, runs, 2, **traffic).run()
    expected = {"command": len(runs), "done": len(runs), "released": len(runs)}
    assert {key: len(bench.log[key]) for key in expected} == expected
    assert bool(bench.log["store"]) == ("store" in traffic)


@pytest.mark.parametrize("axis", ["x", "y"])
def test_what_lies_far_outside_never_comes_back(axis):
    """Strides of 65535 and 65532: the fifth vector's place is 2^18 - 4, or - 16."""
    config = RUN_ENGINES["base"]
    run = connected(config, Random(17)) | {"vectors": 12, "sums": 0, "accumulate": 0}
    run |= {"line_bytes": 64, "lines": 64, "segment": 16, "length": 64, "count_x": 12}
    run |= {f"segments_{axis}": 4, f"step_{axis}": 16, f"stride_{axis}": 65535}
    if axis == "y":
        run |= {"count_x": 1, "count_y": 12}
    bench = RunBench(config, [run, run | {f"stride_{axis}": 65532}], 18).run()
    assert len(bench.log["x"]) == 24


def test_sums_as_wide_as_results_overflow():
    """Random results of 32 bits leave the range of 32-bit sums in every fourth addition."""
    config = RUN_ENGINES["odd"]
    draw = Random(3)
    runs = [connected(config, draw) | {"vectors": 5, "sums": 1, "accumulate": n} for n in (0, 1, 1)]
    bench = RunBench(config, runs, 4).run()
    assert 0 < len(bench.log["overflow"]) <= 10


@every_engine
def test_vectors_of_one_segment_follow_each_other_without_a_gap(name):
    """Also from one command to the next, and each in the cycles of its words."""
    config = RUN_ENGINES[name]
    draw = Random(5)
    runs = [connected(config, draw) | {"accumulate": 0} for _ in range(4)]
    bench = RunBench(config, runs, 6).run()
    whole = {run["length"]: -(-run["length"] // config.gather_bytes) for run in runs}
    words = [whole[run["length"]] for run in runs for _ in range(run["vectors"])]
    assert bench.log["x"][0] == bench.log["command"][0] + Gather.latency + words[0] - 1
    assert gaps(bench.log["x"]) == words[1:]


@every_engine
def test_the_array_never_waits_for_whole_vectors(name):
    """Of a pass at full precision no cycle is lost, the first vector's gathering left out."""
    config = RUN_ENGINES[name]
    draw, interval = Random(7), config.macro.cycles_per_pass(0, True)
    whole = dict.fromkeys(("length", "segment", "line_bytes"), config.vector_bytes)
    runs = [connected(config, draw) | whole | {"accumulate": 0} for _ in range(4)]
    bench = RunBench(config, runs, 8, interval=interval).run()
    assert set(gaps(bench.log["x"])) == {interval}


@every_engine
def test_vectors_of_several_segments_take_a_cycle_a_piece(name):
    """And a command's first one its setup, as PatchWalk's docstring tells."""
    config = RUN_ENGINES[name]
    draw = Random(9)
    runs = [convolution(config, draw, 4) | {"accumulate": 0} for _ in range(5)]
    bench = RunBench(config, runs, 10).run()
    cycles = iter(bench.log["x"])
    before = bench.log["command"][0] + Gather.latency - 1
    for run in runs:
        before += setup_cycles(run)
        for _ in range(run["vectors"]):
            before += pieces(config, run)
            assert next(cycles) == before


@pytest.mark.parametrize("store", [0.0, 1.0])
def test_neither_results_nor_the_store_starve(store):
    """A result every cycle is summed every cycle; with the store, at least every other one."""
    config = RUN_ENGINES["parallel"]
    common = connected(config, Random(11)) | {"vectors": 3, "sums": 0}
    runs = [common | {"accumulate": int(number > 0)} for number in range(20)]
    bench = RunBench(config, runs, 12, store=store).run()
    assert max(gaps(bench.log["y"])) == (2 if store else 1)
    if store:
        assert max(gaps(bench.log["store"])) <= 4


def test_results_that_replace_sums_do_not_wait_for_the_store():
    """They need nothing from the port by which it reads."""
    config = RUN_ENGINES["parallel"]
    common = {"vectors": 9, "sums": 2, "accumulate": 0}
    runs = [connected(config, Random(19)) | common for _ in range(5)]
    bench = RunBench(config, runs, 20, store=1.0).run()
    assert set(gaps(bench.log["y"])) == {1}
    assert set(gaps(bench.log["store"])) == {2}


def test_a_command_is_prepared_while_a_vector_waits():
    """Its 8 steps take nothing from the array's cycles, of which there are 6, and 2 pieces."""
    config = RUN_ENGINES["base"]
    run = convolution(config, Random(20)) | {"vectors": 3, "accumulate": 0, "stride_y": 255}
    run |= {"segments_x": 1, "segments_y": 2, "skip": 0, "skip_x": 0, "skip_y": 0}
    run |= {"segment": 3, "length": 6}
    assert (setup_cycles(run), pieces(config, run)) == (8, 2)
    bench = RunBench(config, [run] * 4, 21, interval=6).run()
    assert set(gaps(bench.log["x"])) == {6}


def test_a_vector_that_was_just_written_is_read_again():
    """One vector summed by command after command: each waits until the one before is written."""
    config = RUN_ENGINES["parallel"]
    common = connected(config, Random(13)) | {"vectors": 1, "sums": 3}
    runs = [common | {"accumulate": int(number > 0)} for number in range(9)]
    bench = RunBench(config, runs, 14).run()
    assert set(gaps(bench.log["y"])[1:]) == {3}


@pytest.mark.parametrize(
    ("name", "reset_at"), [("tiny", 3), ("tiny", 20), ("tiny", 41), ("slices", 11), ("binary", 30)]
)
def test_reset_empties_everything_but_memories(name, reset_at):
    config = RUN_ENGINES[name]
    runs = drawn_runs(config, 15, 5)
    RunBench(config, runs, 16, **PRESSURE | {"store": 0.0}).run(reset_at=reset_at)
