"""RAMs of a memory compiler: what a LEF or Liberty file tells, and the wrapper made of it."""

import re

import pytest

from cimforge.flow.synth.ram_file import read_ram
from cimforge.flow.synth.ram_wrapper import assign_pins, wrapper_verilog
from cimforge.hdl.cells.sram import Ram
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import InputError
from cimforge.hdl.tests.tools import icarus, needs_icarus

SEPARATE = MacroConfig(
    **{"rows": 2, "cols": 5, "weight_bits": 3, "banks": 3, "storage": "sram"},
    **{"sram_words": 16, "sram_bits": 4},
)
SHARED = SEPARATE.model_copy(update={"sram_ports": "1rw_reg"})


def lef(name: str, inputs: dict[str, int], outputs: dict[str, int], size: str = "10 BY 8.5") -> str:
    """A LEF macro with these pins, one a bit, and two supplies."""
    lines = ["VERSION 5.7 ;", f"MACRO {name}", "  CLASS BLOCK ;", f"  SIZE {size} ;"]
    for direction, pins in (("INPUT", inputs), ("OUTPUT", outputs)):
        for pin, width in pins.items():
            for bit in [pin] if width == 1 else [f"{pin}[{i}]" for i in range(width)]:
                lines += [f"  PIN {bit}", f"    DIRECTION {direction} ;", f"  END {bit}"]
    for pin, use in (("VDD", "POWER"), ("VSS", "GROUND")):
        lines += [f"  PIN {pin}", "    DIRECTION INOUT ;", f"    USE {use} ;", f"  END {pin}"]
    return "\n".join([*lines, f"END {name}", "END LIBRARY", ""])


TWO_PORTS = {
    **dict.fromkeys(("clk0", "clk1", "csb0", "csb1"), 1),
    "addr0": 4,
    "addr1": 4,
    "din0": 4,
}
ONE_PORT = {"clk": 1, "ce_in": 1, "we_in": 1, "addr_in": 4, "wd_in": 4, "w_mask_in": 4}
LIBERTY = """
library (rams) {
  type (addr) { base_type : array; data_type : bit; bit_width : 4; bit_from : 3; bit_to : 0; }
  type (data) { base_type : array; data_type : bit; bit_width : 4; bit_from : 3; bit_to : 0; }
  cell (ram_16x4) {
    area : 120.5;
    memory () { type : ram; address_width : 4; word_width : 4; }
    pin (CLK) { direction : input; clock : true; }
    pin (CEN) { direction : input; }
    pin (WEN) { direction : input; }
    bus (A) { bus_type : addr; direction : input; }
    bus (D) { bus_type : data; direction : input; memory_write () { address : A; } }
    bus (Q) { bus_type : data; direction : output; memory_read () { address : A; } }
  }
}
"""


def write(folder, text, name="ram.lef"):
    path = folder / name
    path.write_text(text)
    return path


def test_a_lef_tells_name_area_and_pins(tmp_path):
    ram = read_ram(write(tmp_path, lef("ram_16x4", TWO_PORTS, {"dout1": 4})))
    assert (ram.name, ram.area) == ("ram_16x4", 85.0)
    assert {pin.name: (pin.direction, pin.width) for pin in ram.pins.values()} == {
        **{name: ("input", width) for name, width in TWO_PORTS.items()},
        "dout1": ("output", 4),
    }


def test_a_liberty_file_tells_the_same(tmp_path):
    ram = read_ram(write(tmp_path, LIBERTY, "ram.lib"))
    assert (ram.name, ram.area) == ("ram_16x4", 120.5)
    assert {name: pin.width for name, pin in ram.pins.items()} == {
        **dict.fromkeys(("CLK", "CEN", "WEN"), 1),
        **dict.fromkeys("ADQ", 4),
    }
    assert assign_pins(SHARED, ram, {}) == {
        **{"CLK": "clk", "CEN": "!enable", "WEN": "!write"},
        **{"A": "address", "D": "d", "Q": "q"},
    }


def test_roles_follow_from_common_names(tmp_path):
    two = read_ram(write(tmp_path, lef("two", TWO_PORTS, {"dout1": 4})))
    assert assign_pins(SEPARATE, two, {}) == {
        **{"clk0": "clk", "clk1": "clk", "csb0": "!write", "csb1": "!read"},
        **{"addr0": "write_address", "addr1": "read_address", "din0": "d", "dout1": "q"},
    }
    one = read_ram(write(tmp_path, lef("one", ONE_PORT, {"rd_out": 4})))
    assert assign_pins(SHARED, one, {}) == {
        **{"clk": "clk", "ce_in": "enable", "we_in": "write", "addr_in": "address"},
        **{"wd_in": "d", "w_mask_in": "1", "rd_out": "q"},
    }


@pytest.mark.parametrize(
    ("config", "inputs", "given", "message"),
    [
        (
            SEPARATE,
            {**TWO_PORTS, "sleep": 1},
            {},
            "role of pin sleep of ram is not known; say it with --sram-pin sleep=ROLE",
        ),
        (
            SHARED,
            {name: width for name, width in ONE_PORT.items() if name != "ce_in"},
            {},
            "no pin of ram is read; say which with --sram-pin PIN=read",
        ),
        (
            SHARED,
            {**ONE_PORT, "addr_in": 6},
            {},
            "ram has 6 address and 4 data bits, sram_words = 16 and sram_bits = 4 take 4 and 4 "
            "(nearest legal value: --set sram_words=64 --set sram_bits=4)",
        ),
        (SHARED, ONE_PORT, {"wd": "d"}, "--sram-pin wd: ram has no such pin (nearest: wd_in)"),
        (
            SEPARATE,
            TWO_PORTS,
            {"clk0": "enable"},
            "--sram-pin clk0: must be one of clk, write, read, write_address, read_address, d, q, "
            "!write, !read, 0, 1, not enable",
        ),
    ],
)
def test_what_does_not_fit_is_refused(config, inputs, given, message, tmp_path):
    outputs = {"rd_out": 4} if config.shared_port else {"dout1": 4}
    ram = read_ram(write(tmp_path, lef("ram", inputs, outputs)))
    with pytest.raises(InputError, match=re.escape(message)):
        assign_pins(config, ram, given)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "must hold one RAM, holds none"),
        (lef("a", {}, {}) + lef("b", {}, {}), "must hold one RAM, holds a, b"),
        (lef("a", {}, {}, "0 BY 0"), "a has no area"),
    ],
)
def test_a_file_holds_one_ram_with_an_area(text, message, tmp_path):
    with pytest.raises(InputError, match=re.escape(f"ram.lef: {message}")):
        read_ram(write(tmp_path, text))


@pytest.mark.parametrize("name", ["missing.lef", "missing.lib"])
def test_a_missing_file_is_named(name, tmp_path):
    with pytest.raises(InputError, match=f"^--sram .*{name}: No such file"):
        read_ram(tmp_path / name)


VENDOR = """
module one (input clk, ce_in, we_in, input [3:0] addr_in, wd_in, w_mask_in,
  output reg [3:0] rd_out);
  reg [3:0] mem [0:15];
  always @(posedge clk) if (ce_in) begin
    if (we_in) mem[addr_in] <= (mem[addr_in] & ~w_mask_in) | (wd_in & w_mask_in);
    else rd_out <= mem[addr_in];
  end
endmodule
"""
BENCH = """
module bench;
  reg clk = 0, write = 0, read = 0;
  reg [3:0] address, d;
  wire [3:0] q;
  NAME ram (.clk(clk), .write(write), .read(read), .address(address), .d(d), .q(q));
  task edge_; begin #1 clk = 1; #1 clk = 0; end endtask
  initial begin
    write = 1; address = 3; d = 9; edge_; address = 5; d = 6; edge_;
    write = 0; read = 1; address = 3; edge_; read = 0; address = 5; edge_; $display("%d", q);
    write = 1; d = 1; edge_; write = 0; $display("%d", q);
    read = 1; edge_; $display("%d", q);
  end
endmodule
"""


@needs_icarus
@pytest.mark.parametrize("what", ["model", "wrapper"])
def test_the_wrapper_does_what_the_model_does(what, tmp_path):
    own = Ram(SHARED.module, SHARED.memory)
    ram = read_ram(write(tmp_path, lef("one", ONE_PORT, {"rd_out": 4})))
    wrapper = wrapper_verilog(SHARED, ram, assign_pins(SHARED, ram, {})) + VENDOR
    (tmp_path / "ram.v").write_text(own.model() if what == "model" else wrapper)
    (tmp_path / "bench.v").write_text(BENCH.replace("NAME", own.name))
    assert icarus(tmp_path, "bench.v", "ram.v").split() == ["9", "9", "1"]
