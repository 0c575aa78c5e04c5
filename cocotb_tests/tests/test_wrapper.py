"""The wrapper's regression in both simulators; `cimforge verify --bus` runs 10^5 accesses."""

import os
import shutil

import pytest

from cimforge.cocotb_tests.regression import BUS_SUITE, run_regression
from cimforge.cocotb_tests.tests.conftest import assert_passed
from cimforge.flow.macro_files import macro_extras
from cimforge.flow.simulate.simulator import Design
from cimforge.hdl.emit.package import emit_macro
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import load_config

CONFIGS = {
    "tiny": load_config("tiny"),
    "odd": MacroConfig(
        rows=5, cols=9, weight_bits=4, input_bits=6, bits_per_cycle=2, banks=3, storage="latch"
    ),
    "paired": MacroConfig(
        **{"rows": 5, "cols": 5, "weight_bits": 4, "input_bits": 4, "bits_per_cycle": 2},
        **{"banks": 2, "storage": "latch", "group": 2},
    ),
    "binary": MacroConfig(
        **{"rows": 11, "cols": 37, "weight_bits": 1, "input_bits": 1, "multiply": "xnor"},
        **{"banks": 2, "storage": "latch"},
    ),
    "sliced": MacroConfig(
        **{"rows": 5, "cols": 2, "weight_bits": 4, "input_bits": 4, "bits_per_cycle": 2},
        **{"banks": 3, "storage": "latch", "slice_bits": 1},
    ),
    "digits": MacroConfig(
        **{"rows": 7, "cols": 5, "weight_bits": 4, "input_bits": 4, "bits_per_cycle": 4},
        **{"banks": 2, "storage": "latch", "multiply": "booth", "tree": "approx1"},
    ),
    "tables": MacroConfig(
        **{"rows": 5, "cols": 5, "weight_bits": 4, "input_bits": 4, "bits_per_cycle": 2},
        **{"banks": 3, "storage": "lutram", "tree": "behavioral", "tree_stages": 1},
    ),
    "both_tables": MacroConfig(
        **{"rows": 9, "cols": 5, "weight_bits": 4, "input_bits": 4, "banks": 2},
        **{"storage": "hybrid", "group": 5, "ram_cols": 2},
    ),
    "wide_results": MacroConfig(rows=40, cols=2, weight_bits=16, input_bits=16),
}

# fewer leave holes in coverage
ACCESSES = dict.fromkeys(CONFIGS, 8000) | {"wide_results": 20_000}
# What these add to the wrapper's ports others have, too.
REPEATS = () if os.environ.get("CIMFORGE_WHOLE") else ("paired", "digits", "both_tables")
CASES = [*((name, "verilator") for name in CONFIGS if name not in REPEATS), ("tiny", "icarus")]


@pytest.mark.parametrize(("name", "simulator"), CASES)
def test_the_wrapper_passes(name, simulator, tmp_path):
    if simulator == "icarus" and shutil.which("iverilog") is None:
        pytest.skip("Icarus is not installed")
    config = CONFIGS[name]
    emit_macro(config, tmp_path, macro_extras(config, "wishbone"))
    report = run_regression(
        Design.wrapped(config, tmp_path),
        tmp_path / "verify",
        simulator=simulator,
        jobs=2,
        suite=BUS_SUITE,
        options={"accesses": ACCESSES[name]},
        announce=lambda _: None,
    )
    assert_passed(report)
    assert report.tests == 13
