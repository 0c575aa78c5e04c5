"""The SDC says what the netlist needs and no more: each change of it is noticed."""

import gzip
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from cimforge.flow.synth.synth_report import synth_macro
from cimforge.flow.tests.sdc_check import Needs, faults, needs_of
from cimforge.hdl.emit.handover import render_sdc
from cimforge.hdl.emit.package import emit_macro
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import load_config
from cimforge.hdl.tests.configs import macro
from cimforge.hdl.tests.tools import icarus, needs_icarus

SG13G2 = Path(__file__).parent / "data" / "sg13g2_typ.lib.gz"
CONFIGS = {
    "latch": load_config("tiny", ["storage=latch"]),
    "banks": macro(9, 3, 3, 4, 2, 3, "latch", "csa", 2),
    "flop": macro(5, 3, 3, 6, 2, 3, "flop", "ripple", "auto"),
}


@pytest.fixture(scope="module", params=CONFIGS)
def emitted(request, tmp_path_factory) -> tuple[MacroConfig, Needs]:
    """A configuration and what its emitted netlist needs."""
    config, folder = CONFIGS[request.param], tmp_path_factory.mktemp("sdc")
    emit_macro(config, folder)
    assert (folder / f"{config.module}.sdc").read_text() == render_sdc(config)
    return config, needs_of(folder, config.module)


def test_constraints_are_what_the_netlist_needs(emitted):
    config, needs = emitted
    assert faults(render_sdc(config), needs) == []
    bits = config.rows * config.cols * config.weight_bits * config.banks
    assert len(needs.of("cim_latch")) == (bits if config.storage == "latch" else 0)


def changes(text: str) -> list[str]:
    """The constraints with one thing loosened, tightened, widened, narrowed, added or left out."""
    lines = text.splitlines()
    commands = [i for i, line in enumerate(lines) if re.match(r"create|set_", line)]
    changed = []

    def put(index: int, *new: str) -> None:
        changed.append("\n".join([*lines[:index], *new, *lines[index + 1 :]]))

    for index in commands:
        line = lines[index]
        put(index)
        for number in re.finditer(r"(?<= )\d(?= )", line):
            for value in {"0", "1", "2", "3", "-1"} - {number[0]}:
                put(index, f"{line[: number.start()]}{value}{line[number.end() :]}")
        for word in (" -invert", " -setup", " -hold", " -divide_by 1"):
            put(index, line.replace(word, "")) if word in line else None
        for old, new in PATTERNS:
            put(index, line.replace(old, new)) if old in line else None
        for port in re.findall(r"\b\w+\* ", line):
            put(index, line.replace(port, ""))
        put(index, line, line.replace("-setup", "-hold")) if "-setup" in line else None
    put(commands[0], lines[commands[0]].replace("$period", "[expr 2 * $period]"))
    for extra in EXTRA:
        put(commands[-1], lines[commands[-1]], extra)
    return [each for each in changed if each != text.rstrip("\n")]


PATTERNS = (
    *(("col*/row*/bank*/bit*", "*"), ("col*/row*/bank*/bit*", "col*/*")),
    *(("col*/row*/bank*/bit*", "col*"), ("col*/row*/bank*/bit*", "col*/row*/*/*")),
    *(("col*/row*/bank*/bit*", "col0/row*/bank*/bit*"), ("bank*/bit*", "bank0/bit0")),
    *(("ports test_en", "ports rst"), ("ports clk", "ports rst")),
    *(("-from", "-to"), ("-clock clk", "-clock weights")),
)
EXTRA = (
    "create_generated_clock -name g -source [get_ports clk] -invert [get_pins {write*/bank*/gate}]",
    "set_false_path -from [get_cells {col*/row*/bank*/bit*}]",
    "set_false_path -from [get_ports rst]",
    "set_multicycle_path 2 -setup -to [get_cells {col*/accumulator*}]",
    "set_multicycle_path 2 -setup -from [get_ports {x_data*}]",
    "set_disable_timing [get_cells {write*/bank*}]",
    "set_max_delay 100 -from [get_cells {col*/row*/bank*/bit*}]",
    "set_case_analysis 0 [get_ports rst]",
)


def test_every_change_is_noticed(emitted):
    """Numbers, edges, patterns, commands: whatever is changed is named as a fault."""
    config, needs = emitted
    text = render_sdc(config)
    tried = changes(text)
    assert len(tried) > (60 if config.storage == "latch" else 30)
    unnoticed = [each for each in tried if not faults(each, needs)]
    assert unnoticed == []


STA_SCRIPT = """
read_liberty {library}
read_verilog {folder}/netlist.v
link_design {top}
source {sdc}
check_setup -verbose
report_checks -from [get_cells {{col*/row*/bank*/bit*}}] -format end
"""


@pytest.mark.skipif(shutil.which("sta") is None, reason="no sta on PATH; install OpenSTA")
def test_a_timing_tool_finds_a_clock_at_every_weight(tmp_path):
    """The SDC beside the RTL, on a mapped netlist with its hierarchy: OpenSTA says of no latch that
    it has no clock, and times the paths from the weights."""
    config = CONFIGS["latch"]
    emit_macro(config, tmp_path)
    report = synth_macro(config, tmp_path, "liberty", liberty=(SG13G2,), announce=lambda text: None)
    library = tmp_path / "cells.lib"
    library.write_bytes(gzip.decompress(SG13G2.read_bytes()))
    sdc, folder = tmp_path / f"{config.module}.sdc", report.folder
    script = STA_SCRIPT.format(library=library, folder=folder, top=config.module, sdc=sdc)
    (tmp_path / "run.tcl").write_text(script)
    words = ("sta", "-exit", "-no_splash", tmp_path / "run.tcl")
    done = subprocess.run(words, capture_output=True, text=True, timeout=120)
    printed = done.stdout + done.stderr
    assert "unclocked" not in printed
    assert "Error" not in printed
    assert re.search(r"^y_data\S*|^col\S+", printed, re.M), printed
    assert "No paths found" not in printed


SLOW = """
`timescale 1ns/1ps
module cim_latch (input wire gate, input wire d, output reg q);
  always @(gate or d) if (gate) begin q <= 1'bx; q <= #{delay} d; end
endmodule
"""
BENCH = """
`timescale 1ns/1ps
module bench;
  reg clk = 0, rst = 1, x_valid = 0, w_valid = 0;
  reg [2:0] row = 0;
  reg [15:0] weights = 0;
  wire x_ready, w_ready, y_valid, r_ready, q_valid;
  wire [{y}:0] y_data;
  wire [15:0] q_data;
  integer i;
  {top} dut (.clk(clk), .rst(rst), .x_valid(x_valid), .x_ready(x_ready), .x_data(32'h11111111),
    .x_bits(3'd1), .x_signed(1'b0), .y_valid(y_valid), .y_ready(1'b1), .y_data(y_data),
    .w_valid(w_valid), .w_ready(w_ready), .w_row(row), .w_data(weights), .w_signed(1'b0),
    .r_valid(1'b0), .r_ready(r_ready), .r_row(3'd0), .q_valid(q_valid), .q_ready(1'b1),
    .q_data(q_data), .test_en(1'b0));
  always #5 clk = ~clk;
  task put(input [2:0] r, input [15:0] w);
    begin
      row = r; weights = w; w_valid = 1; #1;
      while (!w_ready) @(posedge clk) #1;
      @(posedge clk) #1 w_valid = 0;
    end
  endtask
  initial begin
    repeat (2) @(posedge clk);
    #1 rst = 0;
    for (i = 0; i < 8; i = i + 1) put(i, 16'h0000);
    repeat (8) @(posedge clk);
    #1 put(3, 16'h5231);
    x_valid = 1; #1;
    while (!x_ready) @(posedge clk) #1;
    @(posedge clk) #1 x_valid = 0;
    while (!y_valid) @(posedge clk) #1;
    $display("y %h", y_data);
    $finish;
  end
  initial #2000 $display("no result");
endmodule
"""


@needs_icarus
@pytest.mark.parametrize("cycles", [1, 2, 3])
def test_latches_have_two_cycles_and_no_third(cycles, tmp_path):
    """A row is written and its bank used at once, with latches that take as long to settle as
    ``cycles`` allow from their opening in the middle of a cycle: two are met, three are not."""
    config = CONFIGS["latch"]
    emit_macro(config, tmp_path)
    slow = SLOW.format(delay=10 * (cycles - 0.5) - 1)
    others = re.sub(r"module cim_latch.*?endmodule", "", (tmp_path / "cim_cells.v").read_text(),
                    flags=re.S)  # fmt: skip
    (tmp_path / "cells.v").write_text(slow + others)
    width = config.cols * config.y_bits
    (tmp_path / "bench.v").write_text(BENCH.format(top=config.module, y=width - 1))
    printed = icarus(tmp_path, "bench.v", "cells.v", f"{config.module}.v")
    expected = sum(w << (i * config.y_bits) for i, w in enumerate((1, 3, 2, 5)))
    right = f"y {expected:0{(width + 3) // 4}x}"
    assert (right in printed) == (cycles < 3)
    assert "no result" not in printed
