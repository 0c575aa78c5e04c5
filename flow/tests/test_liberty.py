"""Reading Liberty files: cells, pins and functions; bad files are refused in one line."""

import gzip
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cimforge.flow.liberty.function import FunctionError, truth_table
from cimforge.flow.liberty.leaf_cells import choose_cells
from cimforge.flow.liberty.liberty_writer import mapper_library, timing_library
from cimforge.flow.liberty.library import read_library
from cimforge.flow.tests.test_leaf_cells import SG13G2
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
    assert len(library.cells) == 24
    pick = library.cells["PICK"]
    assert (pick.area, pick.inputs) == (5.0, ("S", "HIGH", "LOW"))
    assert pick.outputs[0].function == "(S HIGH) + (!S LOW)"
    assert pick.pin("S").capacitance == 0.002
    assert pick.outputs[0].max_capacitance == 0.2
    latch = library.cells["HOLD"].latch
    assert latch == {"enable": "OPEN", "data_in": "IN", "IQ": "STATE", "IQN": "STATE_N"}
    assert library.cells["GATE"].gate_kind == "latch_posedge_precontrol"
    reasons = {cell.name: cell.reason for cell in library.cells.values() if not cell.usable}
    assert reasons == {
        **{"SUM3_BAD": "dont_use", "HOLD_ISO": "isolation", "FOLLOW_PAD": "pads"},
        **{"STEP_SCAN": "scan", "ALWAYS_1": "tie", "FILL": "filler"},
    }


def rendered(*paths: Path) -> str:
    """What a mapper and static timing get to read of a library."""
    library = read_library(*paths)
    usable = [cell for cell in library.cells.values() if cell.usable]
    parts = [timing_library(library, part, library.cells) for part in library.parts]
    return "\n".join([mapper_library(library, usable), *parts])


def test_what_is_written_reads_the_same(tmp_path):
    """Normalised text is Liberty of the same meaning, and a fixed point."""
    library = read_library(SMALL)
    text = timing_library(library, library.parts[0], library.cells)
    (tmp_path / "again.lib").write_text(text)
    again = read_library(tmp_path / "again.lib")
    assert timing_library(again, again.parts[0], again.cells) == text
    for name, cell in library.cells.items():
        other = again.cells[name]
        assert (cell.area, cell.inputs, cell.gate_kind) == (
            *(other.area, other.inputs),
            other.gate_kind,
        )
        for pin in cell.outputs:
            names = [*cell.inputs, *(state(cell, key) for key in ("IQ", "IQN"))]
            if pin.function:
                written = other.pin(pin.name).function
                assert truth_table(written, names) == truth_table(pin.function, names)


def state(cell, key: str) -> str:
    """The name of a cell's state or its inverse."""
    return (cell.ff or cell.latch or {"IQ": "none", "IQN": "none_n"})[key]


NOR = """function : "(P + Q)'";"""
TWO_ARCS = re.compile(r'timing \(\) \{\s+related_pin : "Q";(?:[^{}]|\{[^{}]*\})*\}\s+')


def of_both(text: str) -> str:
    """NOT_BOTH with one arc from both pins."""
    head, cell = text.split("cell (NOT_BOTH)")
    cell = TWO_ARCS.sub("", cell, count=1).replace('related_pin : "P"', 'related_pin : "Q P"', 1)
    return f"{head}cell (NOT_BOTH){cell}"


SPELLINGS = {
    "comment behind a colon": lambda t: t.replace("area : 6;", "area : /* um2 */ 6;"),
    "comment to the line's end": lambda t: t.replace("area : 6;", "area : // um2; 7\n 6;"),
    "comment behind a value": lambda t: t.replace("area : 6;", "area : 6 /* um2 } */ ;"),
    "comment before a function": lambda t: t.replace(NOR, NOR.replace(":", ": /* nor */")),
    "comments in a group's name": lambda t: t.replace("cell (HOLD)", "cell /* ( */ (HOLD /**/)"),
    "quote in a comment": lambda t: t.replace("area : 6;", '// it\'s "\n area : 6; /* " */'),
    "continued function": lambda t: t.replace(NOR, NOR.replace("+ ", "+ \\\n")),
    "continued with spaces": lambda t: t.replace(NOR, NOR.replace("+ ", "+ \\  \r\n\t")),
    "continued name": lambda t: t.replace('"STATE"', '"STA\\\nTE"'),
    "continued statement": lambda t: t.replace("area : 6;", "area \\\n : \\\n 6;"),
    "tab in a function": lambda t: t.replace(NOR, NOR.replace(" + ", "\t+\t")),
    "newline in a function": lambda t: t.replace(NOR, NOR.replace(" + ", "\n+\n")),
    "no semicolon": lambda t: t.replace("area : 6;", "area : 6"),
    "value on the next line": lambda t: t.replace("area : 6;", "area :\n6;"),
    "quoted number": lambda t: t.replace("area : 6;", 'area : "6";'),
    "time unit in a comment": lambda t: t.replace(
        "time_unit", 'comment : "was time_unit : 1ps"; /* time_unit : "1ps"; */ time_unit', 1
    ),
    "carriage returns": lambda t: t.replace("\n", "\r"),
    "both line ends": lambda t: t.replace("\n", "\r\n"),
    "byte order mark": lambda t: "\ufeff" + t,
    "colon in a group's name": lambda t: t.replace(
        "lu_table_template",
        "voltage_map (VDD:1, 1.1);\n type (b4:0) { bit_width : 4; }\n lu_table_template",
        1,
    ),
    "two related pins": of_both,
    "unknown groups": lambda t: t.replace(
        "area : 6;", 'area : 6; odd (a, "b }") { deep () { x : "}"; /* } */ // }\n } }'
    ),
}


@pytest.mark.parametrize("name", SPELLINGS)
def test_spellings_are_read_alike(name, tmp_path):
    """Whatever the spelling, other tools are handed the same text."""
    text = SMALL.read_text()
    changed = SPELLINGS[name](text)
    assert changed != text
    (tmp_path / "odd.lib").write_bytes(changed.encode())
    assert rendered(tmp_path / "odd.lib") == rendered(SMALL)


def split(text: str) -> tuple[str, str, list[str]]:
    """The library's header, its end, and its cells."""
    header, *cells = re.split(r"(?m)^  (?=cell \()", text.rstrip().removesuffix("}"))
    return header, "}\n", cells


def test_included_files_are_read_from_the_folder_of_the_file(tmp_path, monkeypatch):
    header, end, cells = split(SMALL.read_text())
    (tmp_path / "parts" / "deep").mkdir(parents=True)
    (tmp_path / "parts" / "deep" / "half.txt").write_text("".join(cells[5:]))
    (tmp_path / "parts" / "cells.inc").write_text(
        "".join(cells[:5]) + 'include_file ("deep/half.txt");\n'
    )
    path = tmp_path / "top.lib"
    path.write_text(f"{header} include_file (parts/cells.inc);\n{end}")
    monkeypatch.chdir("/")
    assert rendered(path) == rendered(SMALL)


def test_a_second_library_behind_the_first_is_used(tmp_path):
    """Together they are the whole; what both have is the first's, and said."""
    header, end, cells = split(SMALL.read_text())
    second = header.replace("library (small)", "library (rest)")
    more = cells[0].replace("area : 1;", "area : 0.1;")
    text = f"{header}{''.join(cells[:9])}{end}{second}{more}{''.join(cells[9:])}{end}"
    (tmp_path / "two.lib").write_text(text)
    library = read_library(tmp_path / "two.lib")
    assert library.name == "small + rest"
    assert list(library.cells) == list(read_library(SMALL).cells)
    assert library.cells["NOT_A"].area == 1
    assert "NOT_A of rest left out: small has it" in library.notes


def test_libraries_of_several_files_and_units_are_one(tmp_path):
    """As a PDK ships them: gates here, what keeps a state there, each in units of its own."""
    header, end, cells = split(SMALL.read_text())
    states = [cell for cell in cells if re.match(r"cell \((HOLD|STEP|GATE)", cell)]
    (tmp_path / "gates.lib").write_text(header + "".join(c for c in cells if c not in states) + end)
    small = header.replace('"1ns"', '"10ps"').replace("(1, pf)", '(100, "ff")')
    small = small.replace("(small)", "(states)")
    text = small + "".join(states).replace("capacitance : 0.002", "capacitance : 0.02") + end
    (tmp_path / "states.lib").write_text(text)
    library = read_library(tmp_path / "states.lib", tmp_path / "gates.lib")
    plain = read_library(SMALL)
    assert set(library.cells) == set(plain.cells)
    assert [part.time_unit for part in library.parts] == [pytest.approx(0.01), 1]
    roles, expected = choose_cells(library), choose_cells(plain)
    assert {role: m.cell.name for role, m in roles.cells.items() if m} == {
        role: m.cell.name for role, m in expected.cells.items() if m
    }
    assert roles.load == pytest.approx(expected.load)


def test_pins_that_share_a_group_are_pins_of_their_own(tmp_path):
    text = SMALL.read_text()
    once = """    pin (Q) {
        direction : input;
        capacitance : 0.002;
    }
    pin (P) {
        direction : input;
        capacitance : 0.002;
    }
"""
    assert once in text
    (tmp_path / "shared.lib").write_text(
        text.replace(once, "    pin (Q, P) { direction : input; capacitance : 0.002; }\n")
    )
    assert rendered(tmp_path / "shared.lib") == rendered(SMALL)


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
        (b"", "not a Liberty file: line 1: it holds no library"),
        (b"module m; endmodule", "not a Liberty file: line 1"),
        (b"library (a) {", "not a Liberty file: line 1"),
        (b"library (a) { cell (b) { area : 1; } ", "not a Liberty file"),
        (b"library (a) { date : 1; }", "the library has no cells"),
        (b"/* nothing */", "it holds no library"),
        (b"library (a) { cell (b) { timing () { {", "line 1: '{' was not expected"),
        (b"library (a) { cell (b) { power () { {", "line 1: it ends in the middle of a group"),
        (b"library (a) { cell (b) { } }\n}", "line 2: '}' was not expected"),
        (b"library (a) { cell (b) { } }\r\rmodule m;", "line 3: 'module m;' was not expected"),
        (b"library (a) { cell (b) { } } /* open", r"line 1: '/\* open' was not expected"),
        (b"library (a) { cell (b) { area : 1 bits : 2; } }", "line 1"),
        (b"library (a) { include_file (none.inc); }", r"include_file \(none.inc\): No such file"),
        (b"library (a) {\n include_file (odd.inc); }", "odd.inc line 2: 'm;' was not expected"),
        (b"library (a) { include_file (loop.inc); }", "include each other more than 8 deep"),
        (b"library (a) {\n cell (b) { 7 = 3; } }", "line 2"),
        (b"\x1f\x8b\x08garbage", "--liberty"),
        (b"library (a) " + b"{ g () " * 5000, "not a Liberty file"),
    ],
)
def test_bad_files_are_refused_in_one_line(content, message, tmp_path):
    path = tmp_path / "bad.lib"
    path.write_bytes(content)
    (tmp_path / "odd.inc").write_text("\nmodule m;")
    (tmp_path / "loop.inc").write_text("include_file (loop.inc);")
    with pytest.raises(InputError, match=message) as refused:
        read_library(path)
    assert "\n" not in str(refused.value)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(InputError, match="No such file"):
        read_library(tmp_path / "none.lib")


def test_the_real_library_is_as_published():
    """Its head says who may use it; its power groups are in it."""
    real = gzip.decompress(SG13G2.read_bytes()).decode()
    assert "Licensed under the Apache License" in real
    assert re.search(r"\binternal_power \(", real)
    assert SG13G2.stat().st_size < 400_000
