"""Verilog that replaces leaf cells by a library's own, and tells which role they play."""

from math import ceil

from cimforge.flow.liberty.leaf_cells import LeafCells, Match

__all__ = ["COMPRESSOR", "SET_CLEAR", "enable_gate_commands", "mapped_leaves", "techmap_verilog"]

ENABLE_GATE = "cim_enable_gate"  # of flip-flops with an enable: no leaf, the mapper places it

# What a 4:2 compressor is in a library that has none.
COMPRESSOR = """module cim_c42 (input a, b, c, d, ci, output s, co, cout);
  wire t;
  cim_fa first (.a(a), .b(b), .ci(c), .s(t), .co(cout));
  cim_fa second (.a(t), .b(d), .ci(ci), .s(s), .co(co));
endmodule
"""
# What a set-clear latch is where no library is: the D latch that Yosys makes of it has a data input
# which changes with its enable.
SET_CLEAR = """module cim_set_clear (input clear, set, d, output q);
  \\$sr #(.WIDTH(1), .SET_POLARITY(1), .CLR_POLARITY(1)) held (.SET(set & d), .CLR(clear), .Q(q));
endmodule
"""
PORTS = {
    "fa": ("input a, b, ci", "output s, co"),
    "ha": ("input a, b", "output s, co"),
    "c42": ("input a, b, c, d, ci", "output s, co, cout"),
    "latch": ("input gate, d", "output q"),
    "clkgate": ("input clk, enable, test_en", "output gate"),
}


def mapped_leaves(leaves: LeafCells) -> list[str]:
    """Leaf modules that are replaced by a cell; the others are built from gates."""
    held = ["cim_set_clear"] if leaves.aoi21 else []
    return ["cim_driver", *held, *(f"cim_{role}" for role, match in leaves.cells.items() if match)]


def techmap_verilog(leaves: LeafCells, loads: list[int]) -> str:
    """Modules for Yosys's techmap: one a role with a cell, and drivers for each number of
    ``loads``."""
    texts = [_leaf(leaves, role, match) for role, match in leaves.cells.items() if match]
    return "\n".join([*texts, _set_clear(leaves), _driver(leaves, loads), _enable_gate(leaves)])


def enable_gate_commands(leaves: LeafCells) -> list[str]:
    """Commands that gate the clock of flip-flops which share an enable, where there are so many
    that the gate is no larger than their enable multiplexers (two NOR gates each); none where the
    library has neither a clock gate nor a latch to make one of."""
    match = leaves.cells["clkgate"] or leaves.cells["latch"]
    if match is None:
        return []
    area = sum(each.area for each in _gate_parts(leaves))
    least = max(1, ceil(area / (2 * leaves.nor.area))) if leaves.nor.area else 1
    return [f"clockgate -pos {ENABLE_GATE} enable:clk:gated -min_net_size {least}"]


def _gate_parts(leaves: LeafCells) -> list[Match]:
    gate, latch = leaves.cells["clkgate"], leaves.cells["latch"]
    if gate is not None:
        return [gate]
    assert latch is not None
    inverters = [leaves.inverter] * (1 if "gate" in latch.inverted else 2)
    return [latch, leaves.nor, *inverters]


def _enable_gate(leaves: LeafCells) -> str:
    """``gated`` is clk while ``enable``, sampled in the low phase, is high: a library's cell, or a
    latch and gates. The test pin of a cell is tied low, for a scan insertion to connect."""
    gate, latch = leaves.cells["clkgate"], leaves.cells["latch"]
    if gate is not None:
        nets = {"clk": "clk", "enable": "enable", "gate": "gated", "test_en": "1'b0"}
        pins = ", ".join(f".{cell_pin}({nets[pin]})" for pin, cell_pin in gate.pins.items())
        lines = [f"{_escaped(gate.cell.name)} mapped ({pins});"]
    elif latch is not None:
        lines = [
            "wire clk_n, kept, kept_n;",
            _instance(leaves.inverter, "invert_clk", a="clk", y="clk_n"),
            "cim_latch keep (.gate(clk_n), .d(enable), .q(kept));",
            _instance(leaves.inverter, "invert_kept", a="kept", y="kept_n"),
            _instance(leaves.nor, "mapped", a="clk_n", b="kept_n", y="gated"),
        ]
    else:
        return ""
    return _module(ENABLE_GATE, "input clk, enable, output gated", lines)


def _leaf(leaves: LeafCells, role: str, match: Match) -> str:
    ports = ", ".join(PORTS[role])
    lines = []
    pins = dict(match.pins)
    if role == "clkgate":
        # The gate's output is high in the high phase of its clock: the low phase of clk.
        lines += ["wire clk_n;", _instance(leaves.inverter, "invert_clk", a="clk", y="clk_n")]
        nets = {"clk": "clk_n", "enable": "enable", "test_en": "test_en", "gate": "gate"}
        if "test_en" not in pins:
            lines += [
                "wire idle, opened;",
                _instance(leaves.nor, "no_enable", a="enable", b="test_en", y="idle"),
                _instance(leaves.inverter, "any_enable", a="idle", y="opened"),
            ]
            nets["enable"] = "opened"
    else:
        nets = {pin: pin for pin in pins}
        for pin in sorted(match.inverted):
            lines.append(f"wire {pin}_n;")
            outward = pin in ("s", "co", "cout", "q")
            source, target = (f"{pin}_n", pin) if outward else (pin, f"{pin}_n")
            lines.append(_instance(leaves.inverter, f"invert_{pin}", a=source, y=target))
            nets[pin] = f"{pin}_n"
    wired = {cell_pin: nets[pin] for pin, cell_pin in pins.items()}
    wired |= {pin: f"1'b{value}" for pin, value in match.tied.items()}
    connections = ", ".join(f".{pin}({net})" for pin, net in wired.items())
    lines.append(f"{_escaped(match.cell.name)} mapped ({connections});")
    return _module(f"cim_{role}", ports, lines)


def _set_clear(leaves: LeafCells) -> str:
    """Two gates that hold each other: ``clear`` sets q low, ``set`` and d its inverse."""
    if leaves.aoi21 is None:
        return ""
    lines = [
        "wire q_n;",
        _instance(leaves.nor, "clears", a="clear", b="q_n", y="q"),
        _instance(leaves.aoi21, "sets", a="set", b="d", c="q", y="q_n"),
    ]
    return _module("cim_set_clear", "input clear, set, d, output q", lines)


def _driver(leaves: LeafCells, loads: list[int]) -> str:
    lines = [
        *("parameter WIDTH = 1;", "parameter LOADS = 32;"),
        *("input [WIDTH-1:0] a;", "output [WIDTH-1:0] y;", "genvar i;"),
        "generate for (i = 0; i < WIDTH; i = i + 1) begin : line",
    ]
    for count in sorted(loads):
        cell = _instance(leaves.driver(count), "driver", a="a[i]", y="y[i]")
        lines.append(f"  if (LOADS == {count}) {cell}")
    return _module("cim_driver", "a, y", [*lines, "end endgenerate"])


def _instance(match: Match, name: str, **nets: str) -> str:
    pins = ", ".join(f".{match.pins[pin]}({net})" for pin, net in nets.items())
    return f"{_escaped(match.cell.name)} {name} ({pins});"


def _escaped(name: str) -> str:
    return f"\\{name} "


def _module(name: str, ports: str, lines: list[str]) -> str:
    return f"module {name} ({ports});\n" + "".join(f"  {line}\n" for line in lines) + "endmodule\n"
