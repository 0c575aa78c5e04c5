"""The naive macro: same ports and cycles, passes the regression, goes through the same flow."""

import shutil
from pathlib import Path

import pytest

from cimforge.cocotb_tests.regression import run_regression
from cimforge.flow.naive.naive_macro import naive_verilog
from cimforge.flow.naive.naive_synth import synth_naive, write_naive
from cimforge.flow.simulate.given_sources import given_design
from cimforge.hdl.macro.top import build_macro
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import InputError

ROOT = Path(__file__).parents[2]
SG13G2 = ROOT / "flow/tests/data/sg13g2_typ.lib.gz"
TINY = {"rows": 8, "cols": 4, "weight_bits": 4, "input_bits": 4}
ODD = {"rows": 5, "cols": 3, "banks": 3, "input_bits": 6, "bits_per_cycle": 3, "weight_bits": 3}


@pytest.fixture
def folder(tmp_path):
    place = ROOT / "build" / "naive" / tmp_path.name
    yield place
    shutil.rmtree(place, ignore_errors=True)


@pytest.mark.parametrize("parameters", [TINY, ODD], ids=["tiny", "odd"])
def test_the_naive_macro_passes_the_regression(folder, parameters):
    config = MacroConfig(**parameters)
    source = write_naive(config, folder)
    design = given_design(config, folder / "v", [source], build_macro(config))
    report = run_regression(design, folder / "results")
    assert report.passed
    assert not report.failures
    assert not report.holes


def test_a_naive_macro_that_adds_wrongly_is_noticed(folder):
    config = MacroConfig(**TINY)
    source = write_naive(config, folder)
    text = source.read_text()
    broken = text.replace("total <<< j);\n        else", "total <<< j) + 1;\n        else")
    assert broken != text
    source.write_text(broken)
    design = given_design(config, folder / "v", [source], build_macro(config))
    report = run_regression(design, folder / "results", test_filter="values")
    assert report.failures


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"tree_stages": 1}, "has no registers inside its sums"),
        (
            {"storage": "latch"},
            "nearest legal: --set storage=flop --set group=1 --set tree_stages=0",
        ),
        ({"group": 2}, "is written in the cycle of the beat"),
        ({"tree": "approx1"}, "a naive macro is exact, multiplies integers"),
        ({"features": ("zero_skip",)}, "a naive macro has no zero_skip"),
        ({"multiply": "booth", "bits_per_cycle": 2}, "a naive macro multiplies planes, not digits"),
    ],
)
def test_a_macro_that_is_not_naive_is_refused(parameters, message):
    with pytest.raises(InputError, match=message):
        naive_verilog(MacroConfig(**TINY, **parameters))


def test_equal_configurations_give_equal_text():
    assert naive_verilog(MacroConfig(**ODD)) == naive_verilog(MacroConfig(**ODD))


def test_a_library_without_adders_maps_it(folder):
    """Nothing is to be rewritten in it, and nothing is deleted for that."""
    config = MacroConfig(**TINY)
    report = synth_naive(config, folder, "liberty", liberty=[SG13G2], announce=lambda text: None)
    weights = config.rows * config.cols * config.weight_bits
    inputs = config.rows * config.input_bits
    assert report.ffs >= weights + inputs + config.cols * config.y_bits
    assert report.total > 0
    assert not report.breakdown


def test_targets_count_it_in_their_units(folder):
    report = synth_naive(MacroConfig(**TINY), folder, "ice40", announce=lambda text: None)
    assert report.unit == "luts"
    assert report.timing is None
    assert report.total > report.config.macs_1b
