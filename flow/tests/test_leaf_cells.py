"""Cells are chosen by function: decoys are passed over, overrides checked, fallbacks stated."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from cimforge.flow.liberty.leaf_cells import choose_cells
from cimforge.flow.liberty.library import Library, read_library
from cimforge.hdl.params.config_file import InputError

SMALL_TEXT = (Path(__file__).parent / "small.lib").read_text()
SMALL = read_library(Path(__file__).parent / "small.lib")
SG13G2 = Path(__file__).parent / "data" / "sg13g2_typ.lib.gz"
SHARED = Path(__file__).parents[3] / "shared" / "data" / "liberty"


def without(*names: str) -> Library:
    """The small library without some of its cells."""
    cells = {name: cell for name, cell in SMALL.cells.items() if name not in names}
    return replace(SMALL, cells=cells)


COMPRESSOR = """
  cell (SUM5) {{
    area : {area};
    pin (E) {{ direction : input; capacitance : 0.003; }}
    pin (D) {{ direction : input; capacitance : 0.003; }}
    pin (C) {{ direction : input; capacitance : 0.003; }}
    pin (B) {{ direction : input; capacitance : 0.003; }}
    pin (A) {{ direction : input; capacitance : 0.003; }}
    pin (S_N) {{ direction : output; max_capacitance : 0.2; function : "!(A ^ B ^ C ^ D ^ E)"; }}
    pin (H) {{ direction : output; max_capacitance : 0.2;
      function : "((A ^ B ^ C) D) + ((A ^ B ^ C) E) + (D E)"; }}
    pin (L) {{ direction : output; max_capacitance : 0.2; function : "(A B) + (A C) + (B C)"; }}
  }}
}}
"""


def with_compressor(folder: Path, area: float = 20) -> Path:
    """The small library with a 4:2 compressor, its sum inverted and its pins in another order."""
    text = SMALL_TEXT.rstrip().removesuffix("}") + COMPRESSOR.format(area=area)
    (folder / "more.lib").write_text(text)
    return folder / "more.lib"


def chosen(library: Library, **overrides: str) -> dict[str, str | None]:
    """Names of the cells chosen for each role."""
    leaves = choose_cells(library, overrides)
    return {role: match.cell.name if match else None for role, match in leaves.cells.items()}


def test_small_library():
    """The full adder with an inverted carry and its inverter are smaller than the plain one; the
    smaller ones still are not to be used."""
    expected = {"fa": "SUM3_CN", "ha": "SUM2", "latch": "HOLD", "clkgate": "GATE"}
    assert chosen(SMALL) == expected
    leaves = choose_cells(SMALL)
    fa = leaves.cells["fa"]
    assert fa
    assert (fa.inverted, fa.area) == ({"co"}, 12.0)
    assert fa.pins["co"] == "CARRY_N"
    assert leaves.inverter.cell.name == "NOT_A"


def test_without_the_inverted_one_the_plain_full_adder():
    assert chosen(without("SUM3_CN"))["fa"] == "SUM3"


@pytest.mark.parametrize(
    ("missing", "role"),
    [(("SUM3_CN", "SUM3"), "fa"), (("SUM2",), "ha"), (("GATE",), "clkgate")],
)
def test_a_role_without_a_cell_falls_back_to_gates(missing, role):
    assert chosen(without(*missing))[role] is None


def test_a_compressor_is_found_by_its_function(tmp_path):
    leaves = choose_cells(read_library(with_compressor(tmp_path)))
    match = leaves.cells["c42"]
    assert match
    assert (match.cell.name, match.inverted) == ("SUM5", {"s"})
    assert {pin: match.pins[pin] for pin in ("s", "co", "cout")} == {
        **{"s": "S_N", "co": "H", "cout": "L"}
    }
    assert {match.pins[pin] for pin in "abc"} == set("ABC")
    assert {match.pins["d"], match.pins["ci"]} == set("DE")
    assert "c42" not in choose_cells(SMALL).cells


CLEARED = """
  cell (HOLD_CLR) {{
    area : 5.5;
    latch (S, SN) {{ enable : "EN"; data_in : "D"; {clear} }}
    pin (EN) {{ direction : input; }} pin (D) {{ direction : input; }}
    pin (R) {{ direction : input; }} pin (T) {{ direction : input; }}
    pin (Q) {{ direction : output; function : "S"; }}
  }}
}}
"""


@pytest.mark.parametrize(
    ("clear", "tied"),
    [
        ('clear : "R\'"; preset : "T";', {"R": 1, "T": 0}),
        ('clear : "R"; preset : "!T";', {"R": 0, "T": 1}),
        ('clear : "R & T";', None),
        ('clear : "R"; preset : "R\'";', None),
        ('clear : "R";', None),
    ],
)
def test_what_clears_a_latch_is_tied_off(clear, tied, tmp_path):
    """The smaller latch is taken where constants leave data, enable and output; each pin once."""
    text = SMALL_TEXT.rstrip().removesuffix("}") + CLEARED.format(clear=clear)
    (tmp_path / "small.lib").write_text(text)
    latch = choose_cells(read_library(tmp_path / "small.lib")).cells["latch"]
    assert latch
    assert (latch.cell.name, dict(latch.tied)) == (("HOLD_CLR", tied) if tied else ("HOLD", {}))


def test_a_decoy_is_taken_where_it_is_named():
    assert chosen(SMALL, latch="HOLD_ISO", fa="SUM3_BAD") == {
        **{"fa": "SUM3_BAD", "ha": "SUM2"},
        **{"latch": "HOLD_ISO", "clkgate": "GATE"},
    }


def test_drivers_by_load():
    leaves = choose_cells(SMALL)
    assert leaves.load == 0.002
    assert [leaves.driver(n).cell.name for n in (1, 25, 26, 400)] == [
        *("FOLLOW_1", "FOLLOW_1"),
        *("FOLLOW_4", "FOLLOW_4"),
    ]
    forced = choose_cells(SMALL, {"driver": "FOLLOW_1"})
    assert forced.driver(400).cell.name == "FOLLOW_1"


@pytest.mark.parametrize(
    ("library", "overrides", "message"),
    [
        (SMALL, {"fa": "SUM2"}, "fa=SUM2: is no full adder.*cells that do: SUM3_CN, SUM3"),
        (SMALL, {"latch": "STEP"}, "is no latch of data, enable and output; cells that do: HOLD"),
        (SMALL, {"clkgate": "BOTH"}, "is no positive-edge clock gating cell.*GATE"),
        (SMALL, {"driver": "NOT_A"}, "is no buffer; cells that do: FOLLOW_1, FOLLOW_4"),
        (SMALL, {"fa": "SUM33"}, "no cell 'SUM33' in small; did you mean 'sum3"),
        (SMALL, {"adder": "SUM3"}, "no role 'adder'; leaves: fa, ha, c42, latch, clkgate, driver"),
        (SMALL, {"a" * 999: "SUM3"}, f"^--cell {'a' * 36}...: no role '{'a' * 36}...; leaves: fa"),
        (
            SMALL,
            {"fa": "S" * 999},
            f"^--cell fa={'S' * 33}...: no cell '{'S' * 36}... in small$",
        ),
        (without("NOT_A", "NOT_B"), {}, "small has no usable inverter; no cell is one"),
        (without("NEITHER"), {}, "small has no usable two-input NOR; no cell is one"),
        (
            without("FOLLOW_1", "FOLLOW_4"),
            {},
            r"small has no usable buffer; left out: FOLLOW_PAD \(pads\)",
        ),
        (
            without("HOLD"),
            {},
            r"no usable latch of data, enable and output; left out: HOLD_ISO \(isolation\)"
            "; --cell latch=NAME takes one, storage=flop needs none",
        ),
        (without("STEP"), {}, r"no usable flip-flop; left out: STEP_SCAN \(scan\)"),
        (without("SUM2"), {"ha": "BOTH"}, "is no half adder.*no cell here does"),
    ],
)
def test_refusals(library, overrides, message):
    with pytest.raises(InputError, match=re.compile(message, re.I)):
        choose_cells(library, overrides)


def test_flops_need_no_latch():
    assert choose_cells(without("HOLD"), latches=False).cells["latch"] is None


@pytest.mark.parametrize(
    ("library", "cells"),
    [
        (
            "nangate45_typ",
            {"fa": "FA_X1", "ha": "HA_X1", "latch": "DLH_X1", "clkgate": "CLKGATETST_X1"},
        ),
        (
            "sky130hd_tt",
            {
                "fa": "sky130_fd_sc_hd__fa_1",
                "ha": "sky130_fd_sc_hd__ha_1",
                "latch": "sky130_fd_sc_hd__dlxtp_1",
                "clkgate": "sky130_fd_sc_hd__sdlclkp_1",
            },
        ),
        ("sg13g2_typ", {"fa": None, "ha": None, "latch": "sg13g2_dlhrq_1", "clkgate": None}),
    ],
)
def test_real_libraries(library, cells):
    path = SG13G2 if library == "sg13g2_typ" else SHARED / f"{library}.lib.gz"
    if not path.exists():
        pytest.skip(f"{path.name} is not here (development data, not part of the project)")
    assert chosen(read_library(path)) == cells


BUFFER = """
  cell (DECOY) {{ area : 0.5; {cell}
    pin (I) {{ direction : input; capacitance : 0.001; {input} }}
    pin (O) {{ direction : output; function : "I"; max_capacitance : 9; {output} }}
  }}
}}
"""


@pytest.mark.parametrize(
    ("place", "attribute", "reason"),
    [
        ("cell", "dont_use : true;", "dont_use"),
        ("cell", "pad_cell : true;", "pads"),
        ("cell", "auxiliary_pad_cell : true;", "pads"),
        ("output", "is_pad : true;", "pads"),
        ("cell", "antenna_diode_type : power;", "antenna diodes"),
        ("cell", "is_filler_cell : true;", "filler"),
        ("cell", "is_decap_cell : true;", "decap"),
        ("cell", "is_tap_cell : true;", "tap"),
        ("cell", "is_clock_cell : true;", "clock only"),
        ("cell", "is_delay_cell : true;", "delay"),
        ("cell", "is_some_new_thing : true;", "some new thing"),
        ("cell", "is_isolation_cell : true;", "isolation"),
        ("input", "isolation_cell_data_pin : true;", "isolation"),
        ("cell", "is_level_shifter : true;", "level shifters"),
        ("cell", "retention_cell : some;", "retention"),
        ("cell", "always_on : true;", "always on"),
        ("output", "always_on : true;", "always on"),
        ("cell", 'switch_cell_type : "coarse_grain";', "power switches"),
        ("cell", "is_macro_cell : true;", "macros"),
        ("cell", "test_cell () { }", "scan"),
        ("input", 'signal_type : "test_scan_in";', "scan"),
        ("input", "nextstate_type : scan_in;", "scan"),
        ("output", 'three_state : "I";', "tri-state"),
        ("output", "driver_type : open_drain;", "pulling"),
        ("cell", "pin (PAD) { direction : inout; }", "with inout pins"),
        ("cell", "bus (B) { bus_type : two; }", "with buses"),
    ],
)
def test_special_cells_are_never_taken(place, attribute, reason, tmp_path):
    """Not even where they are the smallest, nor by the mapper; the report counts them."""
    for special in (False, True):
        places = {"cell": "", "input": "", "output": "", **({place: attribute} if special else {})}
        text = SMALL_TEXT.rstrip().removesuffix("}") + BUFFER.format(**places)
        (tmp_path / "decoy.lib").write_text(text)
        library = read_library(tmp_path / "decoy.lib")
        assert library.cells["DECOY"].usable == (not special)
        taken = choose_cells(library).driver(20).cell.name
        assert taken == ("FOLLOW_1" if special else "DECOY")
    assert re.search(rf"small: \d of 25 cells.*[12] {reason}", library.notes[0])


@pytest.mark.parametrize("area", ["nan", "-1", "inf", "large"])
def test_a_cell_with_an_area_that_is_no_size_is_left_and_said(area, tmp_path):
    text = SMALL_TEXT.rstrip().removesuffix("}") + BUFFER.format(cell="", input="", output="")
    (tmp_path / "odd.lib").write_text(
        re.sub(r"(DECOY\).*?area : )[\d.]+", rf"\g<1>{area}", text, flags=re.S)
    )
    library = read_library(tmp_path / "odd.lib")
    assert not library.cells["DECOY"].usable
    assert f"1 with an area of {area}" in library.notes[0]


def test_a_negative_attribute_is_no_mark_of_scan(tmp_path):
    cell = BUFFER.format(cell="some_offset : -3;", input="", output="")
    (tmp_path / "odd.lib").write_text(SMALL_TEXT.rstrip().removesuffix("}") + cell)
    assert read_library(tmp_path / "odd.lib").cells["DECOY"].usable


def test_false_marks_nothing(tmp_path):
    cell = "dont_use : false; pad_cell : false; is_macro_cell : false;"
    text = SMALL_TEXT.rstrip().removesuffix("}") + BUFFER.format(cell=cell, input="", output="")
    (tmp_path / "plain.lib").write_text(text)
    assert read_library(tmp_path / "plain.lib").cells["DECOY"].usable


@pytest.mark.parametrize(
    ("old", "new", "cell", "reason"),
    [
        ("P ^ Q", "P ^ ZZ", "DIFFER", "whose function is not of their pins"),
        ("P ^ Q", "P ^ ", "DIFFER", "with a function that is none"),
        ("cell (PICK)", "cell (1PICK)", "1PICK", "with names that are no plain Verilog"),
        ("pin (HIGH)", "pin (output)", "PICK", "with names that are no plain Verilog"),
        ("pin (HIGH)", "pin (LOW)", "PICK", "with a pin twice"),
        ("cell (PICK)", "cell (cim_fa)", "cim_fa", "named as leaf cells are"),
        ("is_filler_cell : true;", "", "FILL", "without signals"),
        ('next_state : "IN";', "", "STEP", "whose state is not described"),
        ("ff (STATE, STATE_N)", "ff (STATE)", "STEP", "of several bits"),
        ("ff (STATE, STATE_N)", "ff (A, B) { } ff (STATE, STATE_N)", "STEP", "of several bits"),
        (
            'clocked_on : "EDGE";',
            'clocked_on : "EDGE"; clocked_on_also : "EDGE";',
            "STEP",
            "with two clocks",
        ),
    ],
)
def test_cells_that_are_not_understood_are_left_with_the_reason(old, new, cell, reason, tmp_path):
    assert old in SMALL_TEXT
    (tmp_path / "odd.lib").write_text(SMALL_TEXT.replace(old, new, 1))
    library = read_library(tmp_path / "odd.lib")
    assert library.cells[cell].reason == reason
    assert reason in library.notes[0]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('next_state : "IN";', 'next_state : "IN EDGE";', "next state of EDGE, IN: scan or enable"),
        ('clocked_on : "EDGE";', 'clocked_on : "EDGE IN";', "its clock is no pin"),
        ("area : 9;", "", "has no area"),
    ],
)
def test_why_a_flip_flop_is_none_for_a_mapper(old, new, message, tmp_path):
    (tmp_path / "odd.lib").write_text(SMALL_TEXT.replace(old, new, 1))
    with pytest.raises(InputError, match=rf"no usable flip-flop; left out: STEP \({message}"):
        choose_cells(read_library(tmp_path / "odd.lib"))
