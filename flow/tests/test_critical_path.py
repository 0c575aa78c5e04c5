"""The critical path by block: slow logic is planted in one block, and must be found there."""

import json
from collections import Counter
from pathlib import Path

import pytest

from cimforge.flow.critical_path import critical_path, return_lines
from cimforge.flow.families import FAMILIES
from cimforge.flow.logic_signatures import ALL, net_signatures, table
from cimforge.flow.place_route import NETLIST, UNMAPPED, _synthesise, build_bitstream
from cimforge.flow.synth.blocks import name_cells
from cimforge.fpga.boards import BOARDS
from cimforge.hdl.netlist.structure import Structure
from cimforge.hdl.netlist.yosys import run_yosys

STEPS = 24
PREFIX = "planted"


def block(kind: str, inputs: dict[str, int], outputs: dict[str, int], lines: list[str]):
    """A module of these lines of Verilog."""
    out = Structure(PREFIX, kind, f"Block {kind}.", role="control")
    for direction, ports in (("input", inputs), ("output", outputs)):
        for name, width in ports.items():
            out.port(direction, name, width)
    for line in lines:
        (out.nets if line.startswith(("reg", "wire")) else out.body).append(line)
    return out


def planted(slow_kind: str = "slow") -> Structure:
    """A shift register, a chain of STEPS steps of two gates, and a register that takes its end and
    the steps before it through logic of its own, so no output of the chain is a register's input:
    a mapper may merge the blocks and keeps no name of the chain's."""
    shift = block(
        "shifter",
        {"clk": 1, "d": 1},
        {"q": 2 * STEPS},
        [
            f"reg [{2 * STEPS - 1}:0] q_q = 0;",
            f"always @(posedge clk) q_q <= {{q_q[{2 * STEPS - 2}:0], d}};",
            "assign q = q_q;",
        ],
    )
    a, b = f"a[{STEPS - 1}:0]", f"a[{2 * STEPS - 1}:{STEPS}]"
    slow = block(
        slow_kind,
        {"a": 2 * STEPS},
        {"y": STEPS},
        [
            f"wire [{STEPS - 1}:0] x, w, s;",
            f"assign x = {a};",
            f"assign w = {b};",
            "assign s[0] = x[0] & w[0];",
            *(f"assign s[{i}] = s[{i - 1}] ? x[{i}] ^ w[{i}] : w[{i}];" for i in range(1, STEPS)),
            "assign y = s;",
        ],
    )
    taker = block(
        "taker",
        {"clk": 1, "a": 2 * STEPS, "y": STEPS},
        {"q": 1},
        [
            "reg q_q = 0;",
            f"wire mixed = (y[{STEPS - 1}] | a[3]) ^ a[5];",
            f"always @(posedge clk) q_q <= mixed & (y[{STEPS - 2}] ^ a[0]);",
            "assign q = q_q;",
        ],
    )
    top = Structure(PREFIX, "soc", "A planted slow block.", role="link")
    ports = {
        n: top.port("output" if n in ("tx", "busy") else "input", n) for n in BOARDS["hx8k"].pins
    }
    bits, steps = top.wire("bits", 2 * STEPS), top.wire("steps", STEPS)
    top.place(shift, "first", clk=ports["clk"], d=ports["rx"], q=bits)
    top.place(slow, "middle", a=bits, y=steps)
    top.place(taker, "last", clk=ports["clk"], a=bits, y=steps, q=ports["tx"])
    top.assign(ports["busy"], "1'b0")
    return top


def write(top: Structure, folder: Path) -> None:
    """The files that place and route takes."""
    modules = [*(child.module for child in top.children), top]
    (folder / "planted.v").write_text("\n".join(module.verilog() for module in modules))
    (folder / f"{top.name}.f").write_text("planted.v\n")


@pytest.mark.parametrize("family", FAMILIES)
def test_luts_of_the_slow_block_are_found_there(family, tmp_path):
    """Before place and route, on each family's own cells."""
    top, work = planted(), tmp_path / "work"
    work.mkdir()
    write(top, tmp_path)
    _synthesise(top, tmp_path, work, FAMILIES[family])
    netlist, unmapped = (
        json.loads((work / name).read_text())["modules"][top.name] for name in (NETLIST, UNMAPPED)
    )
    luts = [name for name, cell in netlist["cells"].items() if cell["type"].endswith(LUT_TYPES)]
    assert len(luts) >= STEPS / 2
    sources = {"planted.v": (work / "planted.v").read_text()}
    blind = name_cells(netlist, sources, top)
    assert {blind[name] for name in luts} == {"taker"}, "names alone tell where a chain ends"
    return_lines(netlist, unmapped, top)
    found = Counter(name_cells(netlist, sources, top)[name] for name in luts)
    assert found["slow"] >= len(luts) - 3
    assert set(found) <= {"slow", "taker"}


LUT_TYPES = ("LUT1", "LUT2", "LUT3", "LUT4", "L2T4", "L2T5", "MX2", "MX4")


def test_the_slow_block_is_the_critical_path(tmp_path):
    top, said = planted(), []
    write(top, tmp_path)
    report = build_bitstream(top, tmp_path, "hx8k", BOARDS["hx8k"], said.append)
    blocks = [step.block for step in report.path]
    assert blocks[0] == "shifter"
    assert set(blocks) <= {"shifter", "slow", "taker"}
    whole = sum(step.delay for step in report.path)
    slow = sum(step.delay for step in report.path if step.block == "slow")
    assert slow > 0.75 * whole
    hops = sum(step.cells for step in report.path if step.block == "slow")
    assert hops >= STEPS / 2, "a step or two a LUT, and its wire"
    assert 0.8 < whole * report.fmax_mhz / 1000 < 1.2, "the path's delay is the period"
    assert said[0].startswith("synthesising planted_soc for iCE40HX8K")


def flat(text: str, folder: Path, commands: str) -> dict:
    """A module of Verilog, as gates."""
    (folder / "in.v").write_text(text)
    script = f"read_verilog in.v\n{commands}\nselect m\nwrite_json -selected out.json\n"
    run_yosys(script, folder)
    return json.loads((folder / "out.json").read_text())["modules"]["m"]


ADDER = "module m (input [3:0] a, input [3:0] b, output [4:0] y); assign y = a + b; endmodule"


@pytest.mark.parametrize(
    "commands",
    [
        "synth_ice40 -top m -run begin:map_luts",
        "synth_ice40 -top m -run begin:check",
        "synth_ecp5 -top m -run begin:check",
        "synth_ecp5 -nowidelut -noccu2 -top m -run begin:check",
        "synth_gowin -noiopads -nowidelut -top m -run begin:map_cells",
        "synth_gatemate -noiopad -luttree -top m -run begin:check",
    ],
)
def test_an_adder_has_one_signature_whatever_its_cells(commands, tmp_path):
    gates = flat(ADDER, tmp_path, "synth -top m")
    expected = [net_signatures(gates)[bit] for bit in gates["ports"]["y"]["bits"]]
    other = flat(ADDER, tmp_path, commands)
    found = net_signatures(other)
    assert [found[bit] for bit in other["ports"]["y"]["bits"]] == expected
    assert len(set(expected)) == 5


def test_a_table_counts_its_first_input_lowest():
    a, b = 0b1100, 0b1010
    assert table("1000", [a, b]) & 15 == a & b
    assert table("0010", [a, b]) & 15 == a & ~b & 15
    assert table("xx10", [a, b]) & 15 == a & ~b & 15, "what is unknown is 0"
    assert table(1, []) == ALL


def test_a_loop_and_an_open_net_end_the_search():
    gate = {"type": "$_NOT_", "parameters": {}, "attributes": {}}
    directions = {"A": "input", "Y": "output"}
    cells = {
        "g": {**gate, "port_directions": directions, "connections": {"A": [3], "Y": [2]}},
        "h": {**gate, "port_directions": directions, "connections": {"A": [2], "Y": [3]}},
        "i": {**gate, "port_directions": directions, "connections": {"A": [9], "Y": [4]}},
    }
    found = net_signatures({"cells": cells, "ports": {}})
    assert found[4] == ALL
    assert found[2] == found[3] ^ ALL


def test_a_report_without_paths_has_none():
    empty = {"cells": {}, "ports": {}, "netnames": {}}
    assert critical_path({}, empty, empty, {}, planted()) == []
