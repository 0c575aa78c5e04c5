"""The run unit hands over the vectors of its commands and sums their results, at full rate."""

from random import Random

import pytest

from cimforge.hdl.tests.engine_configs import RUN_ENGINES
from cimforge.hdl.tests.run_bench import RunBench
from cimforge.hdl.tests.run_draw import KINDS

every_engine = pytest.mark.parametrize("name", RUN_ENGINES)


def drawn_runs(config, seed: int, count: int, most: int = 6):
    """Commands of all kinds; none adds to sums that were never written."""
    print(f"seed {seed}")
    draw, known, runs = Random(seed), set(), []
    for _ in range(count):
        run = draw.choice(KINDS)(config, draw, most)
        span = range(run["sums"], run["sums"] + run["vectors"])
        run["accumulate"] &= set(span) <= known
        known |= set(span)
        runs.append(run)
    return runs


@every_engine
def test_any_commands_under_any_pressure(name):
    config = RUN_ENGINES[name]
    runs = drawn_runs(config, 1, 12)
    manners = {"offer": 0.3, "take": 0.5, "answer": 0.5, "store": 0.3, "latency": (1, 20)}
    bench = RunBench(config, runs, 2, **manners).run()
    print({k: len(v) for k, v in bench.log.items()})
