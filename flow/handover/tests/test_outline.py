"""Outlines: pins on tracks, inside and apart; a layout's own; technologies that are none."""

import gzip
import re
from dataclasses import replace

import pytest

from cimforge.flow.handover.macro_lef import macro_lef
from cimforge.flow.handover.outline import Outline, PinShape, bit_names, estimate_outline, sides
from cimforge.flow.handover.tech_lef import GENERIC, read_tech_lef
from cimforge.hdl.macro.ports import macro_ports
from cimforge.hdl.netlist.module import Port
from cimforge.hdl.params.config_file import InputError, load_config

TECH = """
VERSION 5.8 ;
MANUFACTURINGGRID 0.005 ;
SITE unit
  CLASS CORE ; # a comment
  SIZE 0.46 BY 2.72 ;
END unit
LAYER li1
  TYPE ROUTING ;
  DIRECTION VERTICAL ;
  PITCH 0.46 0.34 ;
  OFFSET 0.23 0.17 ;
  WIDTH 0.17 ;
END li1
LAYER mcon
  TYPE CUT ;
END mcon
LAYER met1
  TYPE ROUTING ;
  DIRECTION HORIZONTAL ;
  PITCH 0.34 ;
  OFFSET 0.17 ;
  WIDTH 0.14 ;
END met1
LAYER met2
  TYPE ROUTING ;
  DIRECTION VERTICAL ;
  PITCH 0.46 ;
  OFFSET 0.23 ;
  WIDTH 0.14 ;
END met2
LAYER met3
  TYPE ROUTING ;
  DIRECTION HORIZONTAL ;
  PITCH 0.68 ;
  OFFSET 0.34 ;
  WIDTH 0.3 ;
END met3
LAYER met4
  TYPE ROUTING ;
  DIRECTION VERTICAL ;
  PITCH 0.92 ;
  OFFSET 0.46 ;
  WIDTH 0.3 ;
END met4
MACRO cell
  SIZE 0.92 BY 2.72 ;
END cell
END LIBRARY
"""
PORTS = macro_ports(load_config("tiny", ["storage=latch"]))


@pytest.fixture
def tech(tmp_path):
    (tmp_path / "tech.lef.gz").write_bytes(gzip.compress(TECH.encode()))
    return read_tech_lef(tmp_path / "tech.lef.gz")


def test_a_technology_is_read(tech):
    assert [layer.name for layer in tech.layers] == ["li1", "met1", "met2", "met3", "met4"]
    assert (tech.layers[0].pitch, tech.layers[0].offset) == (0.46, 0.23)
    assert (tech.site, tech.grid, tech.source) == ((0.46, 2.72), 0.005, "tech.lef.gz")
    assert tech.sizes == {"cell": pytest.approx(0.92 * 2.72)}
    assert tech.across("HORIZONTAL").name == "met3"
    assert tech.across("VERTICAL").name == "met2"


@pytest.mark.parametrize("area", [10.0, 4e4, 1e7])
def test_pins_lie_on_tracks_inside_and_apart(tech, area):
    outline = estimate_outline(PORTS, area, tech)
    named = {layer.name: layer for layer in tech.layers}
    boxes = {}
    for shape in outline.pins:
        left, low, right, high = shape.box
        assert 0 <= left < right <= outline.width
        assert 0 <= low < high <= outline.height
        layer = named[shape.layer]
        if shape.pin not in ("VDD", "VSS"):
            middle = (low + high) / 2 if layer.direction == "HORIZONTAL" else (left + right) / 2
            track = (middle - layer.offset) / layer.pitch
            assert track == pytest.approx(round(track), abs=0.01)
        boxes.setdefault(shape.layer, []).append(shape.box)
    for shapes in boxes.values():
        for place, (left, low, right, high) in enumerate(shapes):
            for other in shapes[:place]:
                assert right < other[0] or other[2] < left or high < other[1] or other[3] < low
    assert outline.width * outline.height >= area / 0.6
    assert any("what the pins need" in line for line in outline.told) == (area < 100)
    assert outline.height / 2.72 == pytest.approx(round(outline.height / 2.72))


def test_streams_keep_to_their_sides():
    placed = sides(PORTS)
    assert sorted(bit for names in placed.values() for bit in names) == sorted(
        bit for port in PORTS for bit in bit_names(port)
    )
    assert {name.partition("_")[0] for name in placed["W"]} == {"x"}
    assert {name.partition("_")[0] for name in placed["E"]} == {"y"}


def test_a_layout_s_outline_is_taken_as_it_is():
    ports = [Port("clk", "input", 1), Port("y", "output", 2)]
    names = ("clk", "y[0]", "y[1]", "VDD", "VSS")
    pins = tuple(PinShape(n, "m3", (0.0, float(i), 1.0, i + 0.5)) for i, n in enumerate(names))
    layout = Outline(20.0, 30.0, pins, ("m1",), estimated=False, told=("of a layout",))
    text = macro_lef("hard", ports, layout)
    assert "# of a layout\n" in text
    assert "PROPERTY estimated 0 ;" in text
    assert "SIZE 20.000 BY 30.000 ;" in text
    assert re.findall(r"PIN (\S+)", text) == list(names)
    assert re.search(r"PIN clk\n    DIRECTION INPUT ;\n    USE CLOCK ;", text)
    with pytest.raises(ValueError, match=r"no shape for y\[1\]"):
        macro_lef("hard", ports, replace(layout, pins=pins[:2] + pins[3:]))
    with pytest.raises(ValueError, match="hard has no pin z"):
        macro_lef("hard", ports, replace(layout, pins=(*pins, PinShape("z", "m3", (0, 9, 1, 10)))))


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b"nothing", "no routing layer with a pitch and direction HORIZONTAL or VERTICAL"),
        (TECH.replace("HORIZONTAL", "VERTICAL").encode(), "no routing layer .* HORIZONTAL;"),
        (b"\x1f\x8bno", "--lef"),
        (None, "No such file"),
    ],
)
def test_what_is_no_technology_is_one_line(tmp_path, content, rule):
    path = tmp_path / "wrong.lef"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=rule) as told:
        read_tech_lef(path)
    assert str(told.value).startswith(f"--lef {path}: ")
    assert "\n" not in str(told.value)


def test_without_a_technology_the_outline_says_so():
    assert "made up, of no technology" in "".join(estimate_outline(PORTS, 1e4, GENERIC).told)
