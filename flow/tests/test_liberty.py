"""Reading Liberty files: cells, pins and functions; bad files are refused in one line."""

import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cimforge.flow.liberty.function import FunctionError, truth_table
from cimforge.flow.liberty.library import read_library
from cimforge.hdl.params.config_file import InputError

SMALL = Path(__file__).parent / "small.lib"
PINS = ("A", "B", "C")


@pytest.mark.parametrize(
    ("function", "table"),
    [
        ("A", 0b10101010),
        ("!A", 0b01010101),
        ("A'", 0b01010101),
        ("A''", 0b10101010),
        ("A B", 0b10001000),
        ("A * B + C", 0b11111000),
        ("A & (B | C)", 0b10101000),
        ("A ^ B & C", 0b01100000),
        ("(A B)' C", 0b01110000),
        ("!(A+B)", 0b00010001),
        ("A B' + A' B", 0b01100110),
        ("1", 0b11111111),
        ("A&0", 0),
        ("A(B)", 0b10001000),
    ],
)
def test_functions_worked_by_hand(function, table):
    assert truth_table(function, PINS) == table


@pytest.mark.parametrize(
    ("function", "message"),
    [
        ("", "an operand is missing"),
        ("A +", "an operand is missing"),
        ("(A", r"a \) is missing"),
        ("A)", "was not expected"),
        ("D", "'D' is no pin"),
        ("(" * 3000 + "A" + ")" * 3000, "nested too deeply"),
        ("!" * 3000 + "A", "nested too deeply"),
        ("A % B", "is no part of a function"),
    ],
)
def test_no_function_is_refused(function, message):
    with pytest.raises(FunctionError, match=message):
        truth_table(function, PINS)


expressions = st.recursive(
    st.sampled_from(PINS).map(lambda pin: (pin, pin)),
    lambda inner: st.one_of(
        inner.map(lambda e: (f"!({e[0]})", f"(1 - ({e[1]}))")),
        inner.map(lambda e: (f"({e[0]})'", f"(1 - ({e[1]}))")),
        st.tuples(inner, inner).map(
            lambda e: (f"({e[0][0]}) ({e[1][0]})", f"(({e[0][1]}) & ({e[1][1]}))")
        ),
        st.tuples(inner, inner).map(
            lambda e: (f"({e[0][0]}) + ({e[1][0]})", f"(({e[0][1]}) | ({e[1][1]}))")
        ),
        st.tuples(inner, inner).map(
            lambda e: (f"({e[0][0]}) ^ ({e[1][0]})", f"(({e[0][1]}) ^ ({e[1][1]}))")
        ),
    ),
    max_leaves=8,
)


@given(expressions)
def test_functions_mean_what_python_says(pair):
    liberty, python = pair
    table = truth_table(liberty, PINS)
    for row in range(8):
        values = {pin: row >> place & 1 for place, pin in enumerate(PINS)}
        assert table >> row & 1 == eval(python, {}, values)


def test_small_library_is_read_whole():
    library = read_library(SMALL)
    assert library.name == "small"
    assert len(library.cells) == 20
    pick = library.cells["PICK"]
    assert (pick.area, pick.inputs) == (5.0, ("S", "HIGH", "LOW"))
    assert pick.outputs[0].function == "(S HIGH) + (!S LOW)"
    assert pick.pin("S").capacitance == 0.002
    assert pick.outputs[0].max_capacitance == 0.2
    latch = library.cells["HOLD"].latch
    assert latch == {"enable": "OPEN", "data_in": "IN", "IQ": "STATE", "IQN": "STATE_N"}
    assert library.cells["GATE"].gate_kind == "latch_posedge_precontrol"
    assert [c.name for c in library.cells.values() if not c.usable] == ["SUM3_BAD", "HOLD_ISO"]


def test_a_part_of_a_library_is_a_library(tmp_path):
    library = read_library(SMALL)
    (tmp_path / "part.lib").write_text(library.only(["PICK", "STEP"]))
    part = read_library(tmp_path / "part.lib")
    assert list(part.cells) == ["PICK", "STEP"]
    assert part.cells["STEP"].ff == library.cells["STEP"].ff


def test_gzipped_is_the_same(tmp_path):
    (tmp_path / "small.lib.gz").write_bytes(gzip.compress(SMALL.read_bytes()))
    assert list(read_library(tmp_path / "small.lib.gz").cells) == list(read_library(SMALL).cells)


def test_writers_habits_are_read(tmp_path):
    """Quoted names, no semicolon, comments in odd places, joined lines, statements on one line."""
    text = """/* head */ library ("odd") { time_unit : "1ns" // unit
      cell ("INV") { area : 1.5 /* mid */ ; dont_use : false
        pin ("A") { direction : "input"; capacitance : 1 ; }
        pin (Y) { direction : output; function : "!A"; timing () { values ("1, 2", \\
          "3, }"); } }
      } }"""
    (tmp_path / "odd.lib").write_text(text)
    cell = read_library(tmp_path / "odd.lib").cells["INV"]
    assert (cell.area, cell.usable, cell.inputs) == (1.5, True, ("A",))
    assert cell.outputs[0].function == "!A"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not a Liberty file: line 1"),
        (b"module m; endmodule", "not a Liberty file: line 1"),
        (b"library (a) {", "not a Liberty file: line 1"),
        (b"library (a) { cell (b) { area : 1; } ", "not a Liberty file"),
        (b"library (a) { date : 1; }", "the library has no cells"),
        (b"library (a) { cell (b) { timing () { {", "in the middle of a group"),
        (b"library (a) {\n cell (b) { 7 = 3; } }", "line 2"),
        (b"\x1f\x8b\x08garbage", "--liberty"),
        (b"library (a) " + b"{ g () " * 5000, "not a Liberty file"),
    ],
)
def test_bad_files_are_refused_in_one_line(content, message, tmp_path):
    path = tmp_path / "bad.lib"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message) as refused:
        read_library(path)
    assert "\n" not in str(refused.value)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(InputError, match="No such file"):
        read_library(tmp_path / "none.lib")
