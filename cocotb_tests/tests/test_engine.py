"""Emitted engines of diverse macros, buses and sizes run random programs as golden does."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from cimforge.cocotb_tests.engine.engine_job import engine_parameters
from cimforge.cocotb_tests.engine.suites import ENGINE_SUITE
from cimforge.cocotb_tests.regression import run_regression
from cimforge.cocotb_tests.tests.conftest import assert_passed
from cimforge.flow.macro_files import macro_extras
from cimforge.flow.simulate.simulator import Design
from cimforge.hdl.emit.engine_sources import engine_sources
from cimforge.hdl.emit.package import emit_macro
from cimforge.hdl.engine.engine_core import build_engine
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import load_config
from cimforge.hdl.params.engine_config import EngineConfig
from cimforge.hdl.params.engine_file import load_engine

SMALL = {"act_bytes": 512, "acc_vectors": 9, "channels": 40}
SHORT = {"programs": 3, "stores": 4, "share": 0.05, "malformed": 9, "failures": 6, "resets": 4}
CONFIGS = {
    "tiny": EngineConfig(macro=load_config("tiny"), **SMALL),
    "paired": EngineConfig(
        **{"macro": MacroConfig(rows=37, cols=5, bits_per_cycle=2, group=2, banks=2)},
        **{**SMALL, "bus_bits": 64, "lanes": 2, "burst": 4},
    ),
    "sliced": EngineConfig(
        **{"macro": MacroConfig(rows=11, cols=3, weight_bits=6, slice_bits=2, banks=3)},
        **{**SMALL, "macros": 2, "acc_bits": 48, "lanes": 4, "weight_zeros": True},
    ),
    "binary": EngineConfig(
        **{"macro": MacroConfig(rows=19, cols=9, weight_bits=1, input_bits=1, multiply="xnor")},
        **{**SMALL, "bus_bits": 256, "lanes": 8, "burst": 1},
    ),
    "wide_inputs": EngineConfig(
        **{"macro": MacroConfig(rows=9, cols=4, weight_bits=12, input_bits=12, banks=2)},
        **{**SMALL, "bus_bits": 128, "lanes": 4},
    ),
    "tables": EngineConfig(
        **{"macro": MacroConfig(rows=7, cols=3, banks=2, storage="lutram", tree="behavioral")},
        **{**SMALL, "lanes": 2},
    ),
    "skipping": EngineConfig(
        **{"macro": MacroConfig(rows=8, cols=5, banks=2, features=("zero_skip",))},
        **{**SMALL, "macros": 3},
    ),
    "parallel": EngineConfig(
        **{"macro": MacroConfig(rows=16, cols=3, bits_per_cycle=8, storage="sram", banks=2)},
        **{**SMALL, "lanes": 4, "acc_vectors": 30},
    ),
}


def emit_engine(config: EngineConfig, folder: Path) -> Design:
    """The engine with its memory port, emitted."""
    emit_macro(config.macro, folder, macro_extras(config.macro))
    top = build_engine(config)
    for name, text in engine_sources(config, top).items():
        (folder / name).write_text(text)
    return Design.listed(config.macro, folder, top.name, tuple(top.ports))


def run_engine(config: EngineConfig, folder: Path, suite: Sequence[str], **job) -> None:
    """Build and run suites, which must pass and leave no bin of their coverage empty."""
    design = emit_engine(config, folder)
    report = run_regression(
        design,
        folder / "verify",
        suite=suite,
        seed=7,
        jobs=len(suite),
        options={"engine": engine_parameters(config), **job},
        announce=lambda _: None,
    )
    assert_passed(report)


@pytest.mark.parametrize("name", CONFIGS)
def test_an_engine_does_what_golden_does(name, tmp_path):
    run_engine(CONFIGS[name], tmp_path, ENGINE_SUITE, **SHORT)


STREAMED = {
    "words": EngineConfig(macro=load_config("tiny"), streams=True, **SMALL),
    "wide": EngineConfig(
        **{"macro": MacroConfig(rows=9, cols=5, weight_bits=6, banks=2, storage="latch")},
        **{**SMALL, "bus_bits": 128, "lanes": 2, "streams": True, "acc_bits": 48},
    ),
}


@pytest.mark.parametrize("name", STREAMED)
def test_an_engine_takes_its_streams_in_place_of_memory(name, tmp_path):
    config = STREAMED[name]
    report = run_regression(
        emit_engine(config, tmp_path),
        tmp_path / "verify",
        suite=("engine.streamed_suite",),
        seed=7,
        options={"engine": engine_parameters(config)},
        announce=lambda _: None,
    )
    assert report.failures == []
    assert (report.tests, report.passes) == (1, 13)


def test_a_layer_of_640_by_128_keeps_the_array_busy(tmp_path):
    """int8, 128 vectors, two banks, 32 bits of memory without wait states: nine tenths of all
    cycles from start to interrupt, and as many in all as the plan says, within a fiftieth."""
    job = {"inputs": 640, "outputs": 128, "batch": 128}
    run_engine(load_engine("engine_base"), tmp_path, ("engine.layer_suite",), **job)
    counts = json.loads((tmp_path / "verify/job0/counts.json").read_text())
    print(counts)
    assert counts["compute"] == 640 // 64 * 128 // 16 * 128 * 8
    assert counts["compute"] >= 0.9 * counts["cycles"]
    assert counts["cycles"] == pytest.approx(counts["predicted"], rel=0.02)
