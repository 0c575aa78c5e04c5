"""The whole regression on synthesised netlists, and that it notices a broken one."""

import json
import os
from collections import Counter
from pathlib import Path

import pytest

from cimforge.cocotb_tests.discovery import planned_tests
from cimforge.cocotb_tests.draw import ODD, draw_configs, quickest_simulator
from cimforge.cocotb_tests.regression import PACKAGE, SUITE, Report, run_regression
from cimforge.cocotb_tests.tests.conftest import assert_passed
from cimforge.flow.liberty.library import read_library
from cimforge.flow.simulate.simulator import Design
from cimforge.flow.synth import netlist_models
from cimforge.flow.synth.netlist_models import NETLISTS, netlist_design, used_models
from cimforge.flow.synth.synth_report import synth_macro
from cimforge.flow.synth.targets import LIBERTY
from cimforge.flow.tests.test_leaf_cells import SG13G2
from cimforge.hdl.emit.package import emit_macro
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import load_config

TINY = load_config("tiny")
SEED = int(os.environ.get("CIMFORGE_SEED", "1"))
DRAWN = int(os.environ.get("CIMFORGE_CONFIGS", "1"))

SMALL = Path(netlist_models.__file__).parents[1] / "tests" / "small.lib"
FPGA = {
    "banks": ("ecp5", ["rows=5", "cols=3", "banks=3"]),
    "pairs": ("ice40", ["rows=9", "cols=2", "group=2", "tree=behavioral", "bits_per_cycle=2"]),
    "slices": ("ecp5", ["rows=4", "cols=2", "slice_bits=2", "banks=2"]),
}
NARROW = ["cols=2", "weight_bits=2", "input_bits=2"]
TABLES = {
    "lutram": ("ecp5", ["storage=lutram", "rows=7", "banks=3", "bits_per_cycle=2", *NARROW]),
    "hybrid": ("ecp5", ["storage=hybrid", "rows=6", "group=5", "tree=behavioral", *NARROW]),
    "ice40": ("ice40", ["storage=bram", "ram=ice40", "rows=6", "group=5", "banks=2", *NARROW]),
    "gowin": ("gowin", ["storage=bram", "ram=gowin", "rows=6", "group=5", *NARROW]),
}


def regression(config: MacroConfig, folder: Path, design: Design, **options) -> Report:
    """The suite on a design, quietly."""
    return run_regression(
        design,
        folder / "verify",
        simulator=quickest_simulator(config),
        jobs=2,
        announce=lambda _: None,
        **options,
    )


@pytest.mark.parametrize("target", [name for name in NETLISTS if name != LIBERTY])
def test_tiny_netlists_pass(target, tmp_path):
    """As many tests as on the Verilog, which test_configs runs."""
    emit_macro(TINY, tmp_path)
    report = regression(TINY, tmp_path, netlist_design(TINY, tmp_path, target))
    assert_passed(report)
    modules = [f"{PACKAGE}.{module}" for module in SUITE]
    assert report.tests == len(planned_tests(modules, TINY, {"seed": 1}))


@pytest.mark.parametrize("storage", ["latch", "setclear"])
def test_latch_netlists_pass(storage, tmp_path):
    """A set-clear latch is no D latch whose data changes with its enable."""
    config = load_config("tiny", [f"storage={storage}", "banks=2"])
    emit_macro(config, tmp_path)
    assert_passed(regression(config, tmp_path, netlist_design(config, tmp_path, "generic")))


@pytest.mark.parametrize("name", FPGA)
def test_fpga_netlists_of_other_configs_pass(name, tmp_path):
    """Carry chains of a tree left to the synthesiser; several banks."""
    target, changes = FPGA[name]
    config = load_config("tiny", changes)
    emit_macro(config, tmp_path)
    assert_passed(regression(config, tmp_path, netlist_design(config, tmp_path, target)))


@pytest.mark.parametrize("name", TABLES)
def test_netlists_of_tables_pass(name, tmp_path):
    """The vendor's blocks as cells, simulated by the models beside the macro."""
    target, changes = TABLES[name]
    config = load_config("tiny", changes)
    emit_macro(config, tmp_path)
    design = netlist_design(config, tmp_path, target)
    assert [f"{model}.v" for model in config.models] == list(design.sources[1:-1])
    assert_passed(regression(config, tmp_path, design))


def test_a_block_without_its_output_register_is_noticed(tmp_path):
    """The model is not deaf to the mode on the cells."""
    config = load_config("tiny", TABLES["gowin"][1])
    emit_macro(config, tmp_path)
    design = netlist_design(config, tmp_path, "gowin")
    text = (design.folder / "netlist.v").read_text()
    assert ".READ_MODE(1'h1)" in text
    (design.folder / "netlist.v").write_text(text.replace(".READ_MODE(1'h1)", ".READ_MODE(1'h0)"))
    assert not regression(config, tmp_path, design, test_filter="values").passed


def draw_small(count: int, seed: int) -> list[MacroConfig]:
    """The first ``count`` drawn macros that synthesise and simulate in seconds."""
    drawn = draw_configs(len(ODD) + 20 * count, seed)[len(ODD) :]
    return [
        config
        for config in drawn
        if config.macs_1b + config.cols * config.stored_bits * config.banks < 500
        and 2**config.group <= 32  # writes of a table's rows take that many slots
    ][:count]


@pytest.mark.parametrize("index", range(DRAWN))
def test_drawn_netlists_pass(index, tmp_path):
    """A seeded draw, each on one of the targets its storage is made for; CIMFORGE_CONFIGS and
    CIMFORGE_SEED as in test_configs."""
    config = draw_small(DRAWN, SEED)[index]
    targets = [target for target in NETLISTS if target in config.storage_traits.targets]
    targets = [config.ram] if config.tables else targets
    target = targets[(SEED + index) % len(targets)]
    print(f"draw {index} of seed {SEED}, {target}: {config.parameters()}")
    emit_macro(config, tmp_path)
    design = netlist_design(config, tmp_path, target, [SG13G2] if target == LIBERTY else [])
    assert_passed(regression(config, tmp_path, design))


@pytest.mark.parametrize(
    ("library", "changes"),
    [
        (SMALL, ["storage=latch", "banks=2"]),
        (SMALL, ["storage=sram", "banks=2", "sram_bits=5", 'features=["zero_skip"]']),
        (SG13G2, ["storage=latch", "multiply=xnor", "weight_bits=1", "input_bits=1"]),
        (SG13G2, ["storage=latch"]),
        (SG13G2, ["storage=flop", "rows=5", "banks=2", 'features=["zero_skip"]']),
        (SG13G2, ["storage=latch", "rows=7", "tree=approx2", "tree_stages=1"]),
        (SG13G2, ["storage=flop", "rows=9", "tree=csa42", "final_adder=split"]),
        (
            SG13G2,
            [
                *("storage=latch", "rows=20", "cols=2", "group=2", "bits_per_cycle=2"),
                *("tree_stages=1", "final_adder=prefix"),
            ],
        ),
        (SMALL, ["storage=flop", "rows=5", "group=2", "banks=2"]),
        (SG13G2, ["storage=setclear", "banks=2"]),
    ],
    ids=lambda value: value.name if isinstance(value, Path) else "-".join(value),
)
def test_the_netlist_whose_area_is_published_passes(library, changes, tmp_path):
    """It is the one that synth measures, cell by cell, on models of the library's cells."""
    config = load_config("tiny", changes)
    emit_macro(config, tmp_path)
    measured = synth_macro(config, tmp_path, LIBERTY, liberty=[library], announce=lambda _: None)
    design = netlist_design(config, tmp_path, LIBERTY, [library])
    assert design.folder == measured.folder
    assert total_area(design.folder, config.module, library) == pytest.approx(measured.total)
    assert_passed(regression(config, tmp_path, design))


def total_area(folder: Path, top: str, library: Path) -> float:
    """The area of all cells in a netlist, instance by instance."""
    modules = json.loads((folder / "netlist.json").read_text())["modules"]
    cells = read_library(library).cells

    def area(module: str) -> float:
        kinds = Counter(cell["type"] for cell in modules[module]["cells"].values())
        return sum(
            count * (cells[kind].area if kind in cells else area(kind))
            for kind, count in kinds.items()
        )

    return area(top)


@pytest.mark.parametrize(("old", "new"), [("sg13g2_nor2_1", "sg13g2_nand2_1")])
def test_a_wrong_cell_in_it_is_noticed(old, new, tmp_path):
    config = load_config("tiny", ["storage=latch"])
    emit_macro(config, tmp_path)
    design = netlist_design(config, tmp_path, LIBERTY, [SG13G2])
    text = (design.folder / "netlist.v").read_text()
    assert f" {old} " in text
    (design.folder / "netlist.v").write_text(text.replace(f" {old} ", f" {new} ", 1))
    models = (design.folder / "models.v").read_text()
    assert f"module {new} " in models
    assert not regression(config, tmp_path, design, test_filter="values").passed


def test_a_broken_netlist_fails(tmp_path):
    emit_macro(TINY, tmp_path)
    design = netlist_design(TINY, tmp_path, "generic")
    text = (design.folder / "netlist.v").read_text()
    assert "\\$_NOR_ " in text
    (design.folder / "netlist.v").write_text(text.replace("\\$_NOR_ ", "\\$_NAND_ ", 1))
    assert not regression(TINY, tmp_path, design, test_filter="values").passed


def test_only_models_in_use_are_kept():
    text = """`ifdef SOME
`define X 1
`endif
module A (input a); B b (a); endmodule
(* box *)
module B (input a);
`ifdef DEEP
`endif
endmodule
module \\$_C_ (input a); endmodule
module D (input a);
`ifdef LATE
  assign x = 1; endmodule
`else
  endmodule
`endif
"""
    kept = used_models(text, {"A"})
    assert "module A" in kept
    assert "module B" in kept
    assert "$_C_" not in kept
    assert "module D" not in kept
    assert kept.count("`if") == kept.count("`endif")
    assert "$_C_" in used_models(text, {"$_C_"})
    assert netlist_models.HEADER in kept
