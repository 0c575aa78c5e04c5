"""Emitted engines take as many cycles as plans say, and keep their arrays as busy as the formula
says: each storage style, multiply style, bits_per_cycle of 1 to 8, and bus of 32 to 128 bits."""

import json
import os
import xml.etree.ElementTree as ET
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from cimforge.cocotb_tests.engine.engine_job import engine_parameters
from cimforge.cocotb_tests.feed.feed_design import feed_design
from cimforge.flow.simulate.simulator import build, run_tests
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.engine_config import EngineConfig
from cimforge.host.engine_feed import feed_of

MEMORY = 1 << 18
INPUTS, OUTPUTS = 80, 16  # of the layer whose least batch is looked at
SEEDS = int(os.environ.get("CIMFORGE_SEEDS", "3"))


def engine(bus_bits: int, banks: int = 2, **macro: Any) -> EngineConfig:
    own = MacroConfig(**{"rows": 16, "cols": 4, "banks": banks} | macro)
    lanes = min(4, bus_bits // 8)
    return EngineConfig(
        macro=own, bus_bits=bus_bits, lanes=lanes, acc_vectors=4096, act_bytes=1 << 15
    )


TABLES = {"tree": "behavioral", "tree_stages": "auto"}
ENGINES = {
    "latch": engine(64, storage="latch", multiply="booth", bits_per_cycle=2),
    "setclear": engine(128, storage="setclear", bits_per_cycle=4),
    "sram": engine(128, storage="sram", bits_per_cycle=8),
    "lutram": engine(64, storage="lutram", group=3, **TABLES),
    "bram": engine(32, storage="bram", group=5, bits_per_cycle=2, **TABLES),
    "hybrid": engine(32, storage="hybrid", group=5, ram_cols=2, rows=10, **TABLES),
    "xnor": engine(64, multiply="xnor", weight_bits=1, input_bits=1, cols=9),
    "one bank": engine(32, banks=1),
}


def layers(name: str) -> list[dict[str, Any]]:
    """A vector alone, 40, the least batch and three quarters of it, and layers of any numbers."""
    config = ENGINES[name]
    own = {"kind": "linear", "inputs": INPUTS, "outputs": OUTPUTS}
    least = feed_of(config, INPUTS, OUTPUTS).least_batch()
    batches = [1, 40, *([least, least * 3 // 4] if least and config.macro.banks > 1 else [])]
    drawn = [
        {"kind": kind, "seed": seed}
        for kind in ("any linear", "any convolution")
        for seed in range(SEEDS)
    ]
    return [*({**own, "batch": batch} for batch in batches), *drawn]


@cache
def counted(name: str, folder: Path) -> list[dict[str, Any]]:
    """What the counters of an engine say of its layers, each of them run once."""
    config, results = ENGINES[name], folder / name / "verify"
    design = feed_design(config, folder / name, MEMORY)
    build(design, "verilator", announce=lambda _: None)
    job = {"engine": engine_parameters(config), "seed": 1, "layers": layers(name)}
    ended = run_tests(
        design, "verilator", ["cimforge.cocotb_tests.feed.feed_suite"], results, job=job
    )
    assert not ended, ended
    cases = ET.parse(results / "results.xml").getroot().findall(".//testcase")
    failed = [case.find("failure").attrib for case in cases if case.find("failure") is not None]
    assert cases
    assert not failed, failed
    return json.loads((results / "counts.json").read_text())


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("feed")


@pytest.mark.parametrize("name", ENGINES)
def test_plans_say_within_two_hundredths_what_engines_take(name, folder):
    for told in counted(name, folder):
        print(name, told["layer"], "predicted", told["predicted"], "counted", told["count_cycle"])
        assert told["predicted"] == pytest.approx(told["count_cycle"], rel=0.02), told["layer"]


def share(told: dict[str, Any]) -> float:
    return told["count_compute"] / told["count_cycle"]


@pytest.mark.parametrize("name", [name for name in ENGINES if name != "one bank"])
def test_the_least_batch_keeps_the_array_busy(name, folder):
    """By the formula and by the counters: nine tenths of the cycles within a fiftieth, and not with
    fewer vectors; where no batch is enough the formula says why."""
    feed = feed_of(ENGINES[name], INPUTS, OUTPUTS)
    least = feed.least_batch()
    batches = {told["layer"].get("batch"): told for told in counted(name, folder)}
    if least is None:
        assert feed.limit() == "stores"
        assert share(batches[40]) < 0.9
        return
    print(name, least, feed.cycles(least), batches[least]["count_cycle"], share(batches[least]))
    assert feed.cycles(least) == pytest.approx(batches[least]["count_cycle"], rel=0.02)
    assert share(batches[least]) >= 0.9 * 0.98
    assert share(batches[least * 3 // 4]) < 0.9


@pytest.mark.parametrize("name", ENGINES)
def test_a_vector_alone_takes_what_its_weights_take(name, folder):
    """The words of its weights and inputs, one a cycle, or the writes of rows where these take
    longer; and beside them what commands take."""
    config, told = ENGINES[name], counted(name, folder)[0]
    feed = feed_of(config, INPUTS, OUTPUTS)
    tiles, bound = feed.rows * feed.columns, feed.alone
    print(name, "bound", bound, "counted", told["count_cycle"], "words", told["count_read"])
    assert bound <= told["count_cycle"] <= bound + (tiles + feed.columns) * 4 * (feed.words + 12)


def test_weights_that_do_not_come_beside_passes_are_told(folder):
    """One bank: every tile but the first waits for its weights, and the counter says so; of two
    banks the array waits for the first tile alone, where passes take longer than weights."""
    one, two = counted("one bank", folder)[1], counted("latch", folder)[1]
    feeds = [feed_of(ENGINES[name], INPUTS, OUTPUTS) for name in ("one bank", "latch")]
    tiles = feeds[0].rows * feeds[0].columns
    print("one bank", one, "two", two)
    assert one["count_stall_weights"] >= (tiles - 1) * feeds[0].load
    assert two["count_stall_weights"] <= 2 * feeds[1].load
    assert share(two) > 0.9 > share(one)
