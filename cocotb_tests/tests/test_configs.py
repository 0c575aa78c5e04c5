"""The whole regression on emitted Verilog: presets, corners of the legal space, and a random
draw."""

import os
import shutil
from itertools import combinations, product

import pytest

from cimforge.cocotb_tests.draw import ODD, draw_configs, quickest_simulator
from cimforge.cocotb_tests.tests.conftest import assert_passed
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import load_config
from cimforge.hdl.params.errors import ConfigError
from cimforge.hdl.params.features import FEATURES
from cimforge.hdl.params.multiply import MULTIPLY
from cimforge.hdl.params.ram_blocks import BLOCK_RAM
from cimforge.hdl.params.storage import STORAGE
from cimforge.hdl.params.trees import FINAL_ADDERS, TREES

SEED = int(os.environ.get("CIMFORGE_SEED", "1"))
WHOLE = bool(os.environ.get("CIMFORGE_WHOLE"))
SLICE = int(os.environ.get("CIMFORGE_CONFIGS", str(len(ODD))))

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
    {"rows": 130, "cols": 1, "weight_bits": 1, "input_bits": 1, "tree_stages": 11},
    {"rows": 1, "cols": 130, "weight_bits": 1, "input_bits": 2, "tree": "behavioral"},
    {
        "rows": 5,
        "cols": 2,
        "weight_bits": 3,
        "input_bits": 4,
        "bits_per_cycle": 4,
        "banks": 3,
        "storage": "latch",
        "multiply": "booth",
        "tree": "approx2",
        "features": ["zero_skip"],
    },
    {
        "rows": 6,
        "cols": 2,
        "weight_bits": 3,
        "input_bits": 4,
        "bits_per_cycle": 2,
        "banks": 3,
        "storage": "sram",
        "multiply": "booth",
        "tree": "approx1",
    },
    {"rows": 3, "cols": 1, "weight_bits": 2, "input_bits": 2, "banks": 5, "storage": "setclear"},
    {"rows": 5, "cols": 1, "weight_bits": 2, "input_bits": 3, "banks": 2, "storage": "sram"},
]


@pytest.mark.parametrize("simulator", ["verilator", "icarus"])
def test_tiny_passes_in_both_simulators(verified, simulator):
    """Two unrelated simulators agree with golden; Icarus also shows that no unknown reaches a
    result."""
    if simulator == "icarus" and shutil.which("iverilog") is None:
        pytest.skip("Icarus is not installed")
    assert_passed(verified(load_config("tiny"), simulator))


@pytest.mark.parametrize("name", ["base", "fpga_small", *(["openc2"] if WHOLE else [])])
def test_presets_pass(verified, name):
    """Every preset but the largest, which takes minutes (``cimforge verify wide``), and but one of
    the smaller, which takes one (make soak)."""
    assert_passed(verified(load_config(name), "verilator"))


@pytest.mark.parametrize(
    "parameters", CORNERS, ids=lambda p: f"{p['rows']}x{p['cols']}x{p.get('banks', 1)}"
)
def test_corners_pass(verified, parameters):
    """Least and most of each parameter, at sizes that simulate quickly; and inverted operands that
    an approximate tree adds, of a bank that does not exist; rows of several such banks that take
    two cycles each; one plane a cycle beside words of RAM."""
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
    assert any(config.banks > 1 for config in configs)
    assert any(config.digits and config.skips for config in configs)
    assert any(1 < config.bits_per_cycle < config.input_bits for config in configs)


STYLES = {
    "storage": list(STORAGE),
    "multiply": list(MULTIPLY),
    "tree": list(TREES),
    "final_adder": list(FINAL_ADDERS),
    "group": sorted({size for traits in STORAGE.values() for size in traits.groups}),
    "ram": [None, *BLOCK_RAM],
    "features": [(), *((feature,) for feature in FEATURES)],
    "tree_stages": [0, 1, "auto"],
}
SHAPES = [{"weight_bits": w, "input_bits": w, "bits_per_cycle": k} for w, k in ((1, 1), (2, 2))]


def pairs(styles: dict) -> set:
    """Each two parameters with their values; ranks are none, some or automatic."""
    some = styles["tree_stages"] not in (0, "auto")
    return set(combinations({**styles, **({"tree_stages": 1} if some else {})}.items(), 2))


def legal(styles: dict, shape: dict) -> bool:
    """Whether there is such a macro."""
    try:
        config = MacroConfig(rows=9, cols=2, **shape, **styles)
    except ConfigError:
        return False
    return config.ram == styles["ram"]  # not left out where there is one


def test_the_fixed_ones_of_a_draw_have_every_style():
    chosen = [MacroConfig(**parameters) for parameters in ODD]
    for parameter in STYLES.keys() - {"tree_stages"}:
        assert {getattr(config, parameter) for config in chosen} == {*STYLES[parameter]}, parameter
    assert {type(config.tree_stages) for config in chosen} == {int, str}


def test_a_draw_visits_every_legal_pair_of_styles():
    drawn = set()
    for config in draw_configs(1500, 1)[len(ODD) :]:
        drawn |= pairs({parameter: getattr(config, parameter) for parameter in STYLES})
    possible = set()
    for values in product(*STYLES.values()):
        styles = dict(zip(STYLES, values, strict=True))
        if not pairs(styles) <= possible and any(legal(styles, shape) for shape in SHAPES):
            possible |= pairs(styles)
    assert drawn == possible
    assert len(possible) > 400


def test_a_draw_divides_tables_in_every_way():
    """Columns in block RAM, in LUT RAM and in both, of one bank and of several; rows that fill
    their groups and rows that do not."""
    drawn = [config for config in draw_configs(1500, 1)[len(ODD) :] if config.tables]
    split = {
        (
            config.storage,
            config.ram_cols is not None
            and (config.ram_cols > 0) + (config.ram_cols == config.cols),
            config.banks > 1,
            config.slices > 1,
        )
        for config in drawn
    }
    assert {ways[1] for ways in split if ways[0] == "hybrid"} == {0, 1, 2}
    assert len(split) == 4 * (1 + 1 + 3)
    assert {config.rows % config.group == 0 for config in drawn} == {True, False}
