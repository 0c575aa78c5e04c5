"""Each leaf cell equals what it is mapped to: adders proven, latches and clock gates run through
every sequence."""

from pathlib import Path

import pytest

from cimforge.flow.liberty.cell_models import cell_models
from cimforge.flow.liberty.leaf_cells import choose_cells
from cimforge.flow.liberty.liberty_writer import mapper_library
from cimforge.flow.liberty.library import Library, read_library
from cimforge.flow.liberty.library_path import OSU018
from cimforge.flow.synth.techmap import COMPRESSOR, mapped_leaves, techmap_verilog
from cimforge.flow.tests.test_leaf_cells import SG13G2, SHARED, SMALL, with_compressor, without
from cimforge.hdl.tests.tools import icarus, needs_icarus, yosys

CELLS = Path(__file__).parents[2] / "hdl" / "cells" / "cim_cells.v"
LIBRARIES = {
    "small": lambda: SMALL,
    "small_plain_fa": lambda: without("SUM3_CN"),
    **{name: lambda name=name: shared(name) for name in ("nangate45_typ", "sky130hd_tt")},
    "sg13g2_typ": lambda: installed(SG13G2),
    "osu018": lambda: installed(OSU018),
}
every_library = pytest.mark.parametrize("name", LIBRARIES)
LOADS = [4, 32]


def shared(name: str) -> Library:
    """A library of the development data, or a skip."""
    return installed(SHARED / f"{name}.lib.gz")


def installed(path: Path) -> Library:
    """A library that may not be on this machine."""
    if not path.exists():
        pytest.skip(f"{path.name} is not here (development data, or Debian's qflow-tech-osu018)")
    return read_library(path)


def write_mapped(library: Library, folder: Path) -> list[str]:
    """leaves.v: modules mapped_cim_* of library cells; cells.lib: the library; returns the
    leaves."""
    leaves = choose_cells(library)
    text = techmap_verilog(leaves, LOADS).replace("module cim_", "module mapped_cim_")
    (folder / "leaves.v").write_text(text)
    used = [m.cell.name for m in leaves.cells.values() if m and not m.cell.gate_kind]
    names = {*used, leaves.inverter.cell.name, leaves.nor.cell.name}
    names |= {leaves.driver(loads).cell.name for loads in LOADS}
    names |= {leaves.aoi21.cell.name} if leaves.aoi21 else set()
    (folder / "cells.lib").write_text(
        mapper_library(library, [library.cells[name] for name in sorted(names)])
    )
    (folder / "cim_cells.v").write_text(CELLS.read_text())
    gate = leaves.cells["clkgate"]
    (folder / "gates.v").write_text(cell_models([gate.cell] if gate else []))
    return mapped_leaves(leaves)


@every_library
def test_adders_and_drivers_are_proven(name, tmp_path):
    leaves = write_mapped(LIBRARIES[name](), tmp_path)
    script = ["read_verilog cim_cells.v", "read_verilog leaves.v", "read_liberty cells.lib"]
    for leaf in ("cim_fa", "cim_ha", "cim_c42", "cim_driver"):
        if leaf in leaves:
            script += [
                f"design -save all\nhierarchy -check -top mapped_{leaf}\nproc\nflatten\nopt_clean",
                f"rename -top gate\ndesign -stash gate\ndesign -load all\nhierarchy -top {leaf}",
                "proc\nflatten\nrename -top gold\ndesign -copy-from gate -as gate gate",
                "miter -equiv -flatten -make_outputs gold gate miter",
                "sat -verify -prove trigger 0 miter",
                "design -load all",
            ]
    yosys(tmp_path, "\n".join(script))


def test_a_compressor_is_proven(tmp_path):
    """Of a library that has one; in any other it is two full adders."""
    assert "cim_c42" in write_mapped(read_library(with_compressor(tmp_path)), tmp_path)
    (tmp_path / "two.v").write_text(COMPRESSOR.replace("module cim_c42", "module two_full_adders"))
    steps = "proc\nflatten\nopt_clean"
    gold = f"read_verilog cim_cells.v\nhierarchy -top cim_c42\n{steps}\nrename -top gold"
    for gate in ("mapped_cim_c42", "two_full_adders"):
        read = "read_verilog cim_cells.v leaves.v two.v\nread_liberty cells.lib"
        made = f"{read}\nhierarchy -top {gate}\n{steps}\nrename -top gate\ndesign -stash gate"
        miter = "design -copy-from gate -as gate gate\nmiter -equiv -flatten gold gate miter"
        yosys(tmp_path, f"{made}\n{gold}\n{miter}\nsat -verify -prove trigger 0 miter")


def test_the_proof_notices_a_wrong_pin(tmp_path):
    write_mapped(SMALL, tmp_path)
    text = (tmp_path / "leaves.v").read_text()
    (tmp_path / "leaves.v").write_text(
        text.replace(".TOTAL(s), .CARRY_N(co_n)", ".TOTAL(co_n), .CARRY_N(s)")
    )
    steps = "proc\nflatten\nrename -top gate\ndesign -stash gate"
    script = "read_verilog leaves.v\nread_liberty cells.lib\nhierarchy -top mapped_cim_fa\n" + steps
    gold = "\nread_verilog cim_cells.v\nhierarchy -top cim_fa\nproc\nrename -top gold"
    miter = "\ndesign -copy-from gate -as gate gate\nmiter -equiv -flatten gold gate miter"
    with pytest.raises(AssertionError, match="proof did fail"):
        yosys(tmp_path, f"{script}{gold}{miter}\nsat -verify -prove trigger 0 miter")


BENCH = """
module bench;
  reg {inputs};
  wire gold, gate;
  integer sequence, step, wrong, checked;
  {leaf} a ({pins}, .{out}(gold));
  mapped_{leaf} b ({pins}, .{out}(gate));
  initial begin
    wrong = 0; checked = 0;
    for (sequence = 0; sequence < {count}; sequence = sequence + 1) begin
{body}
    end
    $display("wrong %0d of %0d", wrong, checked);
  end
endmodule
"""
CHECK = "checked = checked + 1; if (gold !== gate) wrong = wrong + 1;"
# Every sequence of four values of (gate, d), from a transparent start.
LATCH = f"""
      gate_in = 1; d = 0; #1;
      for (step = 0; step < 4; step = step + 1) begin
        {{gate_in, d}} = sequence >> (2 * step); #1 {CHECK}
      end
"""
# Every sequence of four lines: none, clear, set 0, set 1; cleared first, and both never.
SET_CLEAR = f"""
      clear = 1; set = 0; d = 0; #1 {CHECK} clear = 0; #1;
      for (step = 0; step < 4; step = step + 1) begin
        d = (sequence >> (2 * step)) % 4 == 3; #1 {CHECK}
        clear = (sequence >> (2 * step)) % 4 == 1; set = (sequence >> (2 * step)) % 4 > 1;
        #1 {CHECK} clear = 0; set = 0; #1 {CHECK}
      end
"""
# Every sequence of four cycles' (test_en, enable), which change just behind the rising edge.
GATE = f"""
      clk = 0; enable = 0; test_en = 0; #1;
      for (step = 0; step < 4; step = step + 1) begin
        clk = 1; #1 {{test_en, enable}} = sequence >> (2 * step); #1 {CHECK}
        clk = 0; #1 {CHECK}
      end
"""


def run_bench(library: Library, folder: Path, leaf: str, inputs: str, pins: str, body: str) -> str:
    """Simulates a leaf cell beside its mapping and returns what the bench printed."""
    leaves = write_mapped(library, folder)
    if leaf not in leaves:
        pytest.skip(f"{library.name} has no cell for {leaf}")
    yosys(folder, "read_liberty cells.lib\nproc\nwrite_verilog -noattr models.v")
    out = "gate" if leaf == "cim_clkgate" else "q"
    text = BENCH.format(inputs=inputs, leaf=leaf, pins=pins, out=out, count=256, body=body)
    (folder / "bench.v").write_text(text)
    return icarus(folder, "bench.v", "cim_cells.v", "leaves.v", "models.v", "gates.v")


@needs_icarus
@every_library
def test_latches_through_every_sequence(name, tmp_path):
    pins = ".gate(gate_in), .d(d)"
    printed = run_bench(LIBRARIES[name](), tmp_path, "cim_latch", "gate_in, d", pins, LATCH)
    assert "wrong 0 of 1024" in printed


@needs_icarus
@every_library
def test_set_clear_latches_through_every_sequence(name, tmp_path):
    pins = ".clear(clear), .set(set), .d(d)"
    library, leaf = LIBRARIES[name](), "cim_set_clear"
    printed = run_bench(library, tmp_path, leaf, "clear, set, d", pins, SET_CLEAR)
    assert "wrong 0 of 3328" in printed


@needs_icarus
@every_library
def test_clock_gates_through_every_sequence(name, tmp_path):
    pins = ".clk(clk), .enable(enable), .test_en(test_en)"
    printed = run_bench(
        LIBRARIES[name](), tmp_path, "cim_clkgate", "clk, enable, test_en", pins, GATE
    )
    assert "wrong 0 of 2048" in printed
