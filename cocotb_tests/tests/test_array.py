"""Idle, stalled and reset cycles toggle nothing in the array of the emitted Verilog."""

import pytest

from cimforge.cocotb_tests.array.array_nets import column_nets, observed
from cimforge.cocotb_tests.draw import quickest_simulator
from cimforge.cocotb_tests.regression import ARRAY_SUITE, run_regression
from cimforge.flow.simulate.simulator import Design
from cimforge.hdl.emit.package import emit_macro
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import load_config

CONFIGS = {
    "tiny": load_config("tiny"),
    "latched": MacroConfig(
        **{"rows": 6, "cols": 3, "weight_bits": 3, "input_bits": 6, "bits_per_cycle": 3},
        **{"banks": 3, "storage": "latch", "tree_stages": 2},
    ),
    "paired": MacroConfig(
        **{"rows": 5, "cols": 2, "weight_bits": 3, "input_bits": 6, "bits_per_cycle": 2},
        **{"banks": 3, "storage": "latch", "tree_stages": 1, "group": 2},
    ),
    "kept": MacroConfig(
        **{"rows": 6, "cols": 3, "weight_bits": 3, "input_bits": 6, "bits_per_cycle": 3},
        **{"tree_stages": 2, "accumulate": "carry_save", "final_stages": 1},
    ),
    "cleared": MacroConfig(
        **{"rows": 5, "cols": 2, "weight_bits": 3, "input_bits": 4, "bits_per_cycle": 2},
        **{"banks": 2, "storage": "setclear", "tree_stages": 1, "tree": "csa42"},
    ),
    "words": MacroConfig(
        **{"rows": 5, "cols": 2, "weight_bits": 3, "input_bits": 4, "banks": 3},
        **{"storage": "sram", "sram_ports": "1rw_reg", "tree_stages": 1},
    ),
    "digits": MacroConfig(
        **{"rows": 5, "cols": 2, "weight_bits": 3, "input_bits": 6, "bits_per_cycle": 2},
        **{"banks": 2, "storage": "latch", "multiply": "booth", "features": ["zero_skip"]},
    ),
    "binary": MacroConfig(
        **{"rows": 6, "cols": 3, "weight_bits": 1, "input_bits": 1, "banks": 2},
        **{"storage": "latch", "multiply": "xnor", "tree_stages": 1},
    ),
    "sliced": MacroConfig(
        **{"rows": 5, "cols": 2, "weight_bits": 4, "input_bits": 4, "bits_per_cycle": 2},
        **{"banks": 2, "slice_bits": 1, "tree": "ripple"},
    ),
    "skipping": MacroConfig(
        **{"rows": 7, "cols": 2, "weight_bits": 3, "input_bits": 6, "bits_per_cycle": 2},
        **{"tree": "approx1", "tree_stages": 1, "features": ["zero_skip"]},
    ),
    "skipping_pairs": MacroConfig(
        **{"rows": 5, "cols": 2, "weight_bits": 3, "input_bits": 6, "bits_per_cycle": 2},
        **{"banks": 2, "group": 2, "features": ["zero_skip"]},
    ),
    "tables": MacroConfig(
        **{"rows": 7, "cols": 2, "weight_bits": 3, "input_bits": 4, "bits_per_cycle": 2},
        **{"banks": 3, "storage": "lutram", "tree": "behavioral", "tree_stages": 1},
    ),
    "both_tables": MacroConfig(
        **{"rows": 7, "cols": 2, "weight_bits": 4, "slice_bits": 2, "input_bits": 4, "banks": 2},
        **{"storage": "hybrid", "group": 5, "ram_cols": 1, "features": ["zero_skip"]},
    ),
    "kept_tables": MacroConfig(
        **{"rows": 6, "cols": 2, "weight_bits": 3, "input_bits": 4, "bits_per_cycle": 2},
        **{"storage": "bram", "ram": "ice40", "group": 5, "accumulate": "carry_save"},
    ),
}


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
def test_nothing_toggles_without_work(config, place):
    emit_macro(config, place)
    report = run_regression(
        observed(Design.emitted(config, place)),
        place / "verify",
        simulator=quickest_simulator(config),
        suite=ARRAY_SUITE,
        announce=lambda _: None,
    )
    assert report.failures == []
    assert report.tests == 3


def test_the_columns_nets_are_found_by_what_they_carry():
    text = (
        "module m_column (\n  input wire clk,\n  input wire [3:0] planes_n,\n  output wire y\n);\n"
    )
    text += "  wire [7:0] products_0;\n  wire [3:0] totals;\nendmodule\n"
    assert column_nets(text, "m") == ["planes_n", "products_0", "totals"]
    with pytest.raises(ValueError, match="must hold a module other_column"):
        column_nets(text, "other")
