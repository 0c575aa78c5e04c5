"""Cell models from Liberty functions equal what Yosys reads from the same library by itself."""

import gzip
from dataclasses import replace
from pathlib import Path

import pytest

from cimforge.flow.liberty.cell_models import ModelError, cell_models
from cimforge.flow.liberty.library import Cell, read_library
from cimforge.flow.tests.test_leaf_cells import SG13G2, SMALL
from cimforge.hdl.tests.tools import icarus, needs_icarus, yosys

PATHS = {"small": Path(__file__).parent / "small.lib", "sg13g2": SG13G2}
PROOF = """
design -reset
design -copy-from gold -as gold {name}
design -copy-from gate -as gate {name}
equiv_make gold gate both
hierarchy -top both
flatten
{states}
opt_clean
equiv_simple -undef
equiv_induct -undef
equiv_status -assert
"""


def modelled(path: Path) -> list[Cell]:
    """The cells of a library that a netlist can hold, but clock gates: Yosys reads none."""
    cells = read_library(path).cells.values()
    return [cell for cell in cells if cell.usable and not cell.gate_kind]


def prove(folder: Path, path: Path, cells: list[Cell], models: str) -> None:
    """Each model equals the cell as Yosys reads it from the library as it is."""
    data = path.read_bytes()
    (folder / "cells.lib").write_bytes(gzip.decompress(data) if path.suffix == ".gz" else data)
    (folder / "models.v").write_text(models)
    script = "read_liberty -ignore_miss_func cells.lib\ndesign -stash gold\n"
    script += "read_verilog models.v\nproc\ndesign -stash gate\n"
    for cell in cells:
        states = "" if cell.combinational else "clk2fflogic"
        script += PROOF.format(name=cell.name, states=states)
    yosys(folder, script)


@pytest.mark.parametrize("library", PATHS)
def test_models_are_proven(library, tmp_path):
    """Gates, adders, multiplexers, flip-flops with and without reset, latches."""
    cells = modelled(PATHS[library])
    assert {cell.ff is not None for cell in cells} == {True, False}
    assert any(cell.latch is not None for cell in cells)
    assert len(cells) > 16
    prove(tmp_path, PATHS[library], cells, cell_models(cells))


@pytest.mark.parametrize(
    ("cell", "old", "new"),
    [
        ("sg13g2_a21oi_1", "A1&A2", "A1|A2"),
        ("sg13g2_dfrbp_1", "posedge CLK", "negedge CLK"),
        ("sg13g2_dfrbp_1", "if (~RESET_B)", "if (RESET_B)"),
        ("sg13g2_dlhq_1", "if (GATE)", "if (~GATE)"),
    ],
)
def test_the_proof_notices_a_wrong_model(cell, old, new, tmp_path):
    cells = [found for found in modelled(SG13G2) if found.name == cell]
    text = cell_models(cells)
    assert old in text
    with pytest.raises(AssertionError, match="unproven"):
        prove(tmp_path, SG13G2, cells, text.replace(old, new))


GATE_BENCH = """
module bench;
  reg clk = 0, enable = 0;
  wire gated;
  GATE dut (.EDGE(clk), .LET(enable), .TEST(1'b0), .PULSE(gated));
  always @(gated) $write("%b", gated);
  initial begin
    #1 clk = 1; #1 enable = 1; #1 clk = 0;        // too late for this cycle
    #1 clk = 1; #1 enable = 0; #1 clk = 0;        // one pulse, whole
    #1 enable = 1; #1 enable = 0; #1 clk = 1; #1 clk = 0;  // withdrawn in time
    $display(" end");
  end
endmodule
"""


@needs_icarus
def test_a_clock_gate_passes_whole_pulses_only(tmp_path):
    (tmp_path / "gate.v").write_text(cell_models([SMALL.cells["GATE"]]))
    (tmp_path / "bench.v").write_text(GATE_BENCH)
    assert icarus(tmp_path, "bench.v", "gate.v") == "010 end\n"


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        (
            replace(SMALL.cells["GATE"], gate_kind="latch_negedge"),
            "GATE: no model of a clock gate of kind latch_negedge",
        ),
        (
            replace(
                SMALL.cells["STEP"],
                ff={**(SMALL.cells["STEP"].ff or {}), "clocked_on": "EDGE IN"},
            ),
            "STEP: EDGE IN is no pin or its inverse",
        ),
    ],
)
def test_what_has_no_model_is_refused(cell, message):
    with pytest.raises(ModelError, match=message):
        cell_models([cell])
