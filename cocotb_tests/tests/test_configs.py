"""The whole regression on emitted Verilog: presets, corners of the legal space, and a random
draw."""

import os
import shutil

import pytest

from cimforge.cocotb_tests.draw import ODD, draw_configs, quickest_simulator
from cimforge.cocotb_tests.tests.conftest import assert_passed
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import load_config
from cimforge.hdl.params.trees import TREES

SEED = int(os.environ.get("CIMFORGE_SEED", "1"))
SLICE = int(os.environ.get("CIMFORGE_CONFIGS", "8"))

CORNERS = [
    {"rows": 1, "cols": 1, "weight_bits": 1, "input_bits": 1},
    {"rows": 1, "cols": 1, "weight_bits": 16, "input_bits": 16, "bits_per_cycle": 16},
    {
        "rows": 7,
        "cols": 2,
        "weight_bits": 16,
        "input_bits": 16,
        "storage": "latch",
        "tree_stages": "auto",
    },
    {"rows": 2, "cols": 1, "weight_bits": 2, "input_bits": 2, "banks": 64, "storage": "latch"},
    {"rows": 3, "cols": 2, "weight_bits": 4, "input_bits": 4, "banks": 3, "slice_bits": 1},
    {"rows": 130, "cols": 1, "weight_bits": 1, "input_bits": 1, "tree_stages": 12},
    {"rows": 1, "cols": 130, "weight_bits": 1, "input_bits": 2, "tree": "behavioral"},
]


@pytest.mark.parametrize("simulator", ["verilator", "icarus"])
def test_tiny_passes_in_both_simulators(verified, simulator):
    """Two unrelated simulators agree with golden; Icarus also shows that no unknown reaches a
    result."""
    if simulator == "icarus" and shutil.which("iverilog") is None:
        pytest.skip("Icarus is not installed")
    assert_passed(verified(load_config("tiny"), simulator))


@pytest.mark.parametrize("name", ["base", "openc2", "fpga_small"])
def test_presets_pass(verified, name):
    """Every preset but the largest, which takes minutes (``cimforge verify wide``)."""
    assert_passed(verified(load_config(name), "verilator"))


@pytest.mark.parametrize(
    "parameters", CORNERS, ids=lambda p: f"{p['rows']}x{p['cols']}x{p.get('banks', 1)}"
)
def test_corners_pass(verified, parameters):
    """Least and most of each parameter, at sizes that simulate quickly."""
    config = MacroConfig(**parameters)
    assert_passed(verified(config, quickest_simulator(config)))


@pytest.mark.parametrize("index", range(SLICE))
def test_drawn_configs_pass(verified, index):
    """A seeded draw over the legal space; CIMFORGE_CONFIGS=30 CIMFORGE_SEED=… runs another or a
    longer one."""
    config = draw_configs(SLICE, SEED)[index]
    print(f"draw {index} of seed {SEED}: {config.parameters()}")
    assert_passed(verified(config, quickest_simulator(config), seed=SEED))


def test_draw_is_seeded_and_covers_the_space():
    configs = draw_configs(30, 1)
    assert configs == draw_configs(30, 1)
    assert configs != draw_configs(30, 2)
    assert len({config.module for config in configs}) == 30
    assert [MacroConfig(**parameters) for parameters in ODD] == configs[: len(ODD)]
    for parameter in ("storage", "tree"):
        assert (
            len({getattr(config, parameter) for config in configs})
            == {"storage": 2, "tree": len(TREES)}[parameter]
        )
    assert any(config.banks > 1 for config in configs)
    assert any(config.skips for config in configs)
    assert any(config.binary for config in configs)
    assert any(config.pipeline_stages for config in configs)
    assert any(1 < config.bits_per_cycle < config.input_bits for config in configs)
