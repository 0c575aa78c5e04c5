"""What the layout reads and writes by itself: LEF, DEF, wires, netlists, steps. No tool runs."""

import time
from dataclasses import replace
from pathlib import Path

import pytest

from cimforge.flow.layout.attempt import _read_back
from cimforge.flow.layout.def_file import RoutedNet, Via, Wire, read_def
from cimforge.flow.layout.done_steps import once
from cimforge.flow.layout.gds_dates import set_dates
from cimforge.flow.layout.layout_netlist import layout_netlist
from cimforge.flow.layout.layout_outline import layout_outline
from cimforge.flow.layout.layout_picture import layout_svg
from cimforge.flow.layout.lef_file import read_lef
from cimforge.flow.layout.mask_files import BrokenRule, broken_rules, metal_patches
from cimforge.flow.layout.routing import unrouted
from cimforge.flow.layout.spef import spef_text
from cimforge.flow.layout.technology import OSU018, check_tools
from cimforge.flow.layout.tool_run import ToolError, run_tool
from cimforge.flow.layout.wire_tree import pin_shapes, wire_tree
from cimforge.flow.power.flat_netlist import ONE, ZERO, FlatCell, FlatNetlist
from cimforge.hdl.params.config_file import InputError

LEF = """
VERSION 5.4 ;
LAYER metal1
  TYPE ROUTING ;
  DIRECTION HORIZONTAL ;
  PITCH 1 ;
  WIDTH 0.5 ;
  RESISTANCE RPERSQ 0.1 ;
  CAPACITANCE CPERSQDIST 2e-05 ;
  EDGECAPACITANCE 5e-05 ;
END metal1
LAYER via
  TYPE CUT ;
END via
LAYER metal2
  TYPE ROUTING ;
  DIRECTION VERTICAL ;
  PITCH 1 ;
  WIDTH 0.5 ;
  RESISTANCE RPERSQ 0.2 ;
  CAPACITANCE CPERSQDIST 1e-05 ;
  EDGECAPACITANCE 4e-05 ;
END metal2
VIA M2_M1 DEFAULT
  LAYER metal1 ;
    RECT -0.2 -0.2 0.2 0.2 ;
  LAYER via ;
    RECT -0.1 -0.1 0.1 0.1 ;
  LAYER metal2 ;
    RECT -0.2 -0.2 0.2 0.2 ;
END M2_M1
MACRO INVX1  # an inverter
  CLASS CORE ;
  SIZE 4.0 BY 10.0 ;
  PIN A
    DIRECTION INPUT ;
    PORT
      LAYER metal1 ;
        RECT 0.5 2.0 1.5 3.0 ;
    END
  END A
  PIN Y
    DIRECTION OUTPUT ;
    PORT
      LAYER metal1 ;
        RECT 2.5 2.0 3.5 3.0 ;
    END
  END Y
END INVX1
"""
DEF = """
VERSION 5.6 ;
UNITS DISTANCE MICRONS 100 ;
DIEAREA ( -100 -200 ) ( 2900 1800 ) ;
COMPONENTS 2 ;
- INVX1_1 INVX1 + PLACED ( 0 0 ) N ;
- INVX1_2 INVX1 + PLACED ( 1000 0 ) FS ;
END COMPONENTS
PINS 3 ;
- vdd + NET vdd
  + LAYER metal2 ( -80 -40 ) ( 80 40 )
  + PLACED ( 2000 -160 ) N ;
- a<1> + NET a<1>
  + LAYER metal1 ( -25 -25 ) ( 25 25 )
  + PLACED ( -50 250 ) N ;
- y + NET y
  + LAYER metal1 ( -25 -25 ) ( 25 25 )
  + PLACED ( 2800 750 ) N ;
END PINS
NETS 3 ;
- a<1>
  ( PIN a<1> )
  ( INVX1_1 A )
+ ROUTED metal1 ( -50 250 ) ( 100 * ) ;
- n1
  ( INVX1_1 Y )
  ( INVX1_2 A )
+ ROUTED metal1 ( 300 250 ) ( 700 * ) M2_M1
  NEW metal2 ( 700 250 ) ( * 750 ) M2_M1
  NEW metal1 ( 700 750 ) ( 1100 * ) ;
- y
  ( INVX1_2 Y )
  ( PIN y )
+ ROUTED metal1 ( 1300 750 ) ( 2800 * ) ;
END NETS
SPECIALNETS 2 ;
- y
+ ROUTED metal1 40 ( 1285 750 ) ( 1300 * ) ;
- vdd
+ FIXED metal2 160 ( 2000 -200 ) ( * 1800 )
 ;
END SPECIALNETS
END DESIGN
"""


@pytest.fixture
def lef(tmp_path):
    path = tmp_path / "cells.lef"
    path.write_text(LEF)
    return read_lef(path)


@pytest.fixture
def design(tmp_path):
    path = tmp_path / "routed.def"
    path.write_text(DEF)
    return read_def(path)


def flat(cells, ports, outputs=("y",)):
    every = tuple(FlatCell(f"top.{i}", kind, "tree", pins) for i, (kind, pins) in enumerate(cells))
    return FlatNetlist(every, 9, ports, frozenset(outputs))


def test_lef_tells_layers_cells_and_vias(lef):
    assert list(lef.layers) == ["metal1", "metal2"]
    assert lef.layers["metal2"].ohms(5) == pytest.approx(0.2 * 5 / 0.5)
    assert lef.layers["metal1"].picofarads(3) == pytest.approx(3 * (0.5 * 2e-5 + 2 * 5e-5))
    assert lef.vias == {"M2_M1": ("metal1", "metal2")}
    cell = lef.cells["INVX1"]
    assert (cell.width, cell.height) == (4, 10)
    assert list(cell.pins) == ["A", "Y"]


def test_def_tells_die_cells_pins_and_wires(design):
    assert design.die == (-1, -2, 29, 18)
    assert design.area == 600
    assert design.cells["INVX1_2"].orientation == "FS"
    assert design.pins["a<1>"].left == -0.75
    net = design.nets["n1"]
    assert net.ends == (("INVX1_1", "Y"), ("INVX1_2", "A"))
    assert [wire.length for wire in net.wires] == [4, 5, 4]
    assert [(via.name, via.x, via.y) for via in net.vias] == [("M2_M1", 7, 2.5), ("M2_M1", 7, 7.5)]
    assert design.nets["y"].stubs == (Wire("metal1", 12.85, 7.5, 13, 7.5),)
    (stripe,) = design.stripes
    assert (stripe.net, stripe.wire.length, stripe.width) == ("vdd", 20, 1.6)


def test_def_without_a_section_is_refused(tmp_path):
    path = tmp_path / "half.def"
    path.write_text(DEF.replace("END NETS", ""))
    with pytest.raises(ValueError, match="has no section NETS"):
        read_def(path)
    path.write_text("VERSION 5.6 ;")
    with pytest.raises(ValueError, match="has no UNITS or no DIEAREA"):
        read_def(path)


def test_flipped_cells_have_their_pins_flipped(design, lef):
    assert pin_shapes(("INVX1_1", "A"), design, lef) == [("metal1", 0.5, 2, 1.5, 3)]
    assert pin_shapes(("INVX1_2", "A"), design, lef) == [("metal1", 10.5, 7, 11.5, 8)]
    turned = replace(design.cells["INVX1_2"], orientation="S")
    other = replace(design, cells={**design.cells, "INVX1_2": turned})
    assert pin_shapes(("INVX1_2", "A"), other, lef) == [("metal1", 12.5, 7, 13.5, 8)]


def test_wires_are_resistors_between_pins(design, lef):
    tree = wire_tree(design.nets["n1"], design, lef)
    assert tree.gaps == 0
    assert sum(ohms for _, _, ohms in tree.resistors) == pytest.approx(2 * 0.8 + 2)
    metal1, metal2 = lef.layers["metal1"], lef.layers["metal2"]
    whole = metal1.picofarads(8) + metal2.picofarads(5)
    assert tree.capacitance == pytest.approx(whole)
    start, end = tree.ends
    assert tree.capacitances[start] == pytest.approx(metal1.picofarads(4) / 2)
    assert start != end


def test_a_tap_in_the_middle_of_a_wire_splits_it(design, lef):
    ends = (("INVX1_1", "Y"), ("INVX1_2", "A"), ("PIN", "y"))
    wires = (Wire("metal1", 3, 2.5, 28, 2.5), Wire("metal2", 11, 2.5, 11, 7.5))
    vias = (Via("M2_M1", "metal1", 11, 2.5), Via("M2_M1", "metal2", 11, 7.5))
    pins = {**design.pins, "y": replace(design.pins["y"], bottom=2.25, top=2.75)}
    tree = wire_tree(RoutedNet("n", ends, wires, vias), replace(design, pins=pins), lef)
    assert tree.gaps == 0
    assert sorted(round(ohms, 3) for _, _, ohms in tree.resistors) == [1.6, 2.0, 3.4]


def test_a_pin_that_no_wire_reaches_is_a_gap(design, lef):
    net = design.nets["n1"]
    short = replace(net, wires=net.wires[:2], vias=net.vias[:1])
    assert wire_tree(short, design, lef).gaps == 1
    cut = replace(net, wires=(net.wires[0], net.wires[2]), vias=())
    assert wire_tree(cut, design, lef).gaps == 1


def test_what_is_joined_apart_from_the_rest_is_one_gap(design, lef):
    ends = (("INVX1_1", "Y"), ("INVX1_2", "A"), ("PIN", "y"))
    net = RoutedNet(
        "n", ends, (Wire("metal1", 3, 2.5, 7, 2.5), Wire("metal1", 11, 7.5, 28, 7.5)), ()
    )
    tree = wire_tree(net, design, lef)
    assert tree.gaps == 1
    assert (tree.ends[0], tree.ends[1], 0.0) in tree.resistors


def test_pins_at_one_place_are_tied_in_spef(design, lef):
    net = RoutedNet("n", (("INVX1_1", "A"), ("INVX1_1", "A2")), (), ())
    tree = wire_tree(net, design, lef)
    text = spef_text("top", [(net, tree)], [], lambda cell, pin: False, lambda name: name)
    assert "*RES\n1 INVX1_1:A INVX1_1:A2 0.0010\n*END" in text


def test_a_net_of_one_pin_needs_no_wire(design, lef):
    tree = wire_tree(RoutedNet("n", (("INVX1_1", "Y"),), (), ()), design, lef)
    assert (tree.gaps, tree.capacitance) == (0, 0)


def test_spef_has_every_node_once(design, lef):
    nets = [(net, wire_tree(net, design, lef)) for net in design.nets.values()]
    plain = {"a<1>": "a_1_"}
    text = spef_text("top", nets, ["y"], lambda _, pin: pin == "Y", lambda n: plain.get(n, n))
    assert "*D_NET n1 1.30500" in text
    assert "*I INVX1_1:Y O\n*I INVX1_2:A I" in text
    assert "*P a_1_ I\n*I INVX1_1:A I" in text
    assert "*P y O" in text
    assert text.count("*END") == 3


def test_netlist_names_ports_and_buffers_what_they_share():
    cells = [("INVX1", {"A": 0, "Y": 1}), ("INVX1", {"A": 1, "Y": 2})]
    made = layout_netlist(flat(cells, {"a": (0,), "y": (1, 2, 1)}), "top", OSU018)
    assert [cell.name for cell in made.cells] == ["INVX1_1", "INVX1_2", "BUFX2_1"]
    assert made.port_buffers == 1
    assert made.cells[2].nets == {"A": "y<0>", "Y": "y<2>"}
    assert ".gate INVX1 A=y<0> Y=y<1>" in made.blif()
    text = made.verilog()
    assert "output [2:0] y;" in text
    assert r"INVX1 \top.0  (.A(a), .Y(y[0]));" in text
    assert "INVX1 INVX1_2 (.A(y_0_), .Y(y_1_));" in made.timed_verilog()


def test_an_input_that_leaves_again_is_buffered_from_the_input():
    made = layout_netlist(flat([], {"y": (0,), "a": (0,)}), "top", OSU018)
    assert [dict(cell.nets) for cell in made.cells] == [{"A": "a", "Y": "y"}]


def test_constants_are_the_supplies():
    cells = [("NOR2X1", {"A": ZERO, "B": ONE, "Y": 0})]
    made = layout_netlist(flat(cells, {"y": (0, ONE)}), "top", OSU018)
    assert made.cells[0].nets == {"A": "gnd", "B": "vdd", "Y": "y<0>"}
    assert ".A(1'b0), .B(1'b1)" in made.verilog()
    orders = {"NOR2X1": ["Y", "gnd", "A", "vdd", "B"], "BUFX2": ["A", "Y", "gnd", "vdd"]}
    text = made.spice({**orders, "FILL": ["gnd", "vdd"]}, {"FILL_1": "FILL"})
    assert "XNOR2X1_1 y<0> gnd gnd vdd vdd NOR2X1" in text
    assert "XBUFX2_1 vdd y<1> gnd vdd BUFX2" in text
    assert "XFILL_1 gnd vdd FILL" in text


def test_what_was_routed_is_what_was_meant(design):
    cells = [("INVX1", {"A": 0, "Y": 1}), ("INVX1", {"A": 1, "Y": 2})]
    made = layout_netlist(flat(cells, {"a": (8, 0), "y": (2,)}), "top", OSU018)
    named = tuple(
        replace(c, nets={pin: "n1" if net == "n1" else net for pin, net in c.nets.items()})
        for c in made.cells
    )
    made = replace(made, cells=named)
    assert _read_back(made, design) == made
    swapped = replace(made.cells[0], nets={"A": "n1", "Y": "a<1>"})
    with pytest.raises(ToolError, match=r"INVX1_1 \(top.0\) is not as it was placed"):
        _read_back(replace(made, cells=(swapped, made.cells[1])), design)
    crossed = {**design.nets, "y": replace(design.nets["y"], ends=(("PIN", "a<1>"),))}
    with pytest.raises(ToolError, match="port a<1> is on the net y"):
        _read_back(made, replace(design, nets=crossed))
    with pytest.raises(ToolError, match="INVX1_2 is in nets and was not placed"):
        _read_back(replace(made, cells=made.cells[:1]), design)


def test_outline_counts_from_the_lower_left_corner(design):
    outline = layout_outline(design, OSU018)
    assert (outline.width, outline.height, outline.estimated) == (30, 20, False)
    pins = {pin.pin: pin for pin in outline.pins}
    assert list(pins) == ["a[1]", "y", "VDD"]
    assert pins["VDD"].box == (20.2, 0, 21.8, 20)
    assert pins["a[1]"].box == (0.25, 4.25, 0.75, 4.75)
    assert outline.blocked == ("metal1", "metal2")


def test_picture_draws_cells_wires_and_pins(design, lef):
    text = layout_svg(design, lef, {"INVX1_1": "storage"}, "top")
    assert "M0 0H4V10H0Z" in text
    assert "M7 2.5V7.5" in text
    assert ">storage</text>" in text
    assert ">metal2</text>" in text


def test_a_step_is_taken_once_and_again_where_anything_changed(tmp_path):
    taken = []

    def work():
        taken.append(1)
        (tmp_path / "out").write_text("made")

    def step(text="a"):
        return once(tmp_path, "step", {"in": text}, ["sh"], ["out"], work)

    assert [step(), step(), step("b"), step("b")] == [True, False, True, False]
    (tmp_path / "out").write_text("changed")
    assert step("b")
    (tmp_path / "out").unlink()
    assert step("b")
    (tmp_path / "step.done").write_text("{")
    assert step("b")
    assert len(taken) == 5


def test_a_step_that_fails_is_not_done(tmp_path):
    def work():
        raise ToolError("no")

    with pytest.raises(ToolError):
        once(tmp_path, "step", {}, [], [], work)
    assert not (tmp_path / "step.done").exists()


def test_tools_that_fail_or_write_nothing_are_told(tmp_path):
    with pytest.raises(ToolError, match=r"step: sh: sad; its messages are in .*step.log"):
        run_tool(["sh", "-c", "echo sad; exit 3"], tmp_path, "step")
    (tmp_path / "old").write_text("left")
    with pytest.raises(ToolError, match="step: sh wrote no old"):
        run_tool(["sh", "-c", "true"], tmp_path, "step", "old")
    with pytest.raises(ToolError, match="step: sh: was ended by SIGTERM; its"):
        run_tool(["sh", "-c", "kill $$"], tmp_path, "step")
    with pytest.raises(ToolError, match="step: no-such-tool does not start"):
        run_tool(["no-such-tool"], tmp_path, "step")


def test_a_tool_is_ended_with_all_that_it_started(tmp_path):
    script = "sleep 60 & echo $! > pid; wait"
    with pytest.raises(ToolError, match=r"step: sh was ended after 2 s; its messages"):
        run_tool(["sh", "-c", script], tmp_path, "step", limit=2)
    state = Path(f"/proc/{(tmp_path / 'pid').read_text().strip()}/stat")
    for _ in range(100):
        if not state.exists() or state.read_text().split()[2] in "ZX":
            return
        time.sleep(0.1)
    raise AssertionError("sleep still runs")


def test_dates_of_a_gds_file_are_set(tmp_path):
    path = tmp_path / "a.gds"
    header = b"\x00\x06\x00\x02\x00\x03"
    for kind in (b"\x01\x02", b"\x05\x02"):
        path.write_bytes(header + b"\x00\x1c" + kind + b"\x07" * 24 + b"\x00\x04\x04\x00")
        set_dates(path)
        date = b"\x07\xd0\x00\x01\x00\x01" + b"\x00" * 6
        assert path.read_bytes() == header + b"\x00\x1c" + kind + 2 * date + b"\x00\x04\x04\x00"
    path.write_bytes(header + b"\x00\x1c\x01\x02")
    with pytest.raises(ValueError, match="is no whole GDS file"):
        set_dates(path)


def test_logs_tell_routes_and_rules(tmp_path):
    log = tmp_path / "route.log"
    log.write_text("Final: No failed routes!\n")
    assert unrouted(tmp_path) == 0
    log.write_text("Final: Failed net routes: 12\n")
    assert unrouted(tmp_path) == 12
    (tmp_path / "masks.log").write_text(
        "PATCHES 2\nRULE 1 Metal2 spacing\nRULE 3 Metal1 width\nRULES 4\n"
    )
    assert metal_patches(tmp_path) == 2
    assert broken_rules(tmp_path)[0] == BrokenRule("Metal1 width", 3)
    (tmp_path / "masks.log").write_text("PATCHES 0\nRULES 7\n")
    assert broken_rules(tmp_path)[0].places == 7


def test_missing_tools_are_told_with_their_packages(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    elsewhere = replace(OSU018, folder=Path("/nowhere"))
    hint = "apt install qflow qflow-tech-osu018"
    with pytest.raises(InputError, match=f"layout: no tclsh, graywolf, qrouter; .*{hint}"):
        check_tools(elsewhere)
