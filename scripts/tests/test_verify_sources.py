"""verify --sources: the regression on Verilog that is not ours, which stays as it is."""

import shlex

import pytest

from cimforge.hdl.params.config_file import load_config
from cimforge.scripts.tests.conftest import SIMULATOR

NAME = load_config("tiny").module
QUICK = ("--simulator", SIMULATOR, "--test", "corners")


@pytest.fixture
def theirs(cimforge, folder):
    """A user's copy of tiny, edited; and its cells, both in a folder with a space."""
    assert cimforge("generate", "tiny", "-o", "out").status == 0
    mine = folder / "my macro"
    mine.mkdir()
    text = (folder / f"out/{NAME}.v").read_text()
    (mine / "top.v").write_text(text.replace(f"module {NAME} (", "module mine (  // by hand"))
    (mine / "cells.vg").write_text((folder / "out/cim_cells.v").read_text())
    return mine


def words(theirs, *more):
    """The command line that verifies the user's files."""
    files = ("--sources", theirs / "top.v", "--models", theirs / "cells.vg", "--top", "mine")
    return ("verify", "tiny", *files, *more)


def snapshot(*folders):
    """Every file with its content."""
    return {p: p.read_bytes() for f in folders for p in f.rglob("*") if p.is_file()}


def test_a_macro_of_the_user_s_passes_and_nothing_is_overwritten(cimforge, theirs, folder):
    before = snapshot(theirs, folder / "out")
    done = cimforge(*words(theirs, *QUICK, "-o", "out", "--json"))
    assert (done.status, done.json["passed"], done.json["tests"]) == (0, True, 4)
    after = snapshot(theirs, folder / "out")
    assert {path: after[path] for path in before} == before
    new = {path.relative_to(folder).parts[:2] for path in after.keys() - before.keys()}
    assert new == {("out", "verify-sources")}


def test_a_wrong_one_fails_and_can_be_replayed(cimforge, theirs):
    cells = theirs / "cells.vg"
    cells.write_text(cells.read_text().replace("a ^ b", "a & b"))
    done = cimforge(*words(theirs, *QUICK, "-o", "out"))
    assert done.status == 1
    assert f"--sources '{theirs}/top.v' --models '{theirs}/cells.vg' --top mine" in done.err


def test_an_edited_file_is_checked_as_it_is(cimforge, theirs, folder):
    """In the folder that generate wrote, under the name it gave."""
    edited = folder / f"out/{NAME}.v"
    edited.write_text(edited.read_text() + "// by hand\n")
    before = snapshot(folder / "out")
    files = ("--sources", "out/cim_cells.v", "--sources", edited)
    done = cimforge("verify", "tiny", *files, *QUICK, "-o", "out", "--json")
    assert (done.status, done.json["passed"]) == (0, True)
    assert before.items() <= snapshot(folder / "out").items()


def test_an_edited_file_is_never_overwritten_and_the_way_out_works(cimforge, theirs, folder):
    edited = folder / f"out/{NAME}.v"
    edited.write_text(edited.read_text() + "// by hand\n")
    before = edited.read_bytes()
    done = cimforge("verify", "tiny", "-o", "out", *QUICK)
    assert (done.status, done.out, edited.read_bytes()) == (2, "", before)
    assert done.err.startswith(f"cimforge: out/{NAME}.v was changed since it was written")
    _, _, command = done.err.strip().partition("verify it as it is: ")
    words = shlex.split(command)
    assert words[:2] == ["cimforge", "verify"]
    done = cimforge(*words[1:], *QUICK, "--json")
    assert (done.status, done.json["passed"], edited.read_bytes()) == (0, True, before)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "x_bits,",
            "x_bit,",
            "x_bits must be an input of 3 bits, is missing; x_bit is an input of",
        ),
        ("[31:0] x_data", "[30:0] x_data", "x_data must be an input of 32 bits, is an input of 31"),
        ("output wire x_ready", "input wire x_ready", "x_ready must be an output of 1 bit, is an"),
        ("module mine (", "module mine (input scan, ", "scan is an input of 1 bit that ours lacks"),
    ],
)
def test_other_ports_are_one_line_before_any_build(cimforge, theirs, folder, old, new, message):
    top = theirs / "top.v"
    head, _, body = top.read_text().rpartition("module mine (")
    ports, end, rest = ("module mine (" + body).partition(");")
    top.write_text(head + ports.replace(old, new) + end + rest)
    done = cimforge(*words(theirs, *QUICK, "-o", "out", "--json"))
    assert (done.status, done.out) == (2, "")
    (line,) = done.messages
    assert line.startswith(f"cimforge: --sources: ports of mine: {message}")
    assert not list(folder.rglob("build.log"))


def test_outputs_of_their_own_may_stay_open(cimforge, theirs):
    top = theirs / "top.v"
    top.write_text(top.read_text().replace("module mine (", "module mine (output spare, "))
    assert cimforge(*words(theirs, *QUICK, "-o", "out")).status == 0


def test_a_module_that_is_not_there_is_one_line(cimforge, theirs):
    done = cimforge("verify", "tiny", "--sources", theirs / "top.v", *QUICK)
    assert (done.status, done.out) == (2, "")
    assert f"--sources: hold no module {NAME}; name yours with --top" in done.err


def test_cells_that_no_file_defines_are_one_line_before_any_build(cimforge, theirs, folder):
    done = cimforge("verify", "tiny", "--sources", theirs / "top.v", "--top", "mine", *QUICK)
    assert (done.status, done.out) == (2, "")
    (line,) = done.messages
    assert line.startswith("cimforge: --sources: instantiate cim_")
    assert "in the cim_cells.v beside it" in line
    assert not list(folder.rglob("build.log"))


def test_a_bare_macro_is_no_wrapper(cimforge, theirs):
    pytest.importorskip("cocotb_bus")
    done = cimforge(*words(theirs, *QUICK, "--bus", "wishbone"))
    assert (done.status, done.out) == (2, "")
    assert "cimforge: --sources: ports of mine: wb_cyc must be an input" in done.err


def test_verilog_that_does_not_parse_is_told_by_the_simulator(cimforge, theirs):
    (theirs / "top.v").write_text("module mine (input clk);\n  assign = 1;\nendmodule\n")
    done = cimforge(*words(theirs, *QUICK, "-o", "out"))
    assert done.status == 1
    assert "could not build the design: " in done.err
    assert "top.v:2:" in done.err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--top", "mine"), "--top: only together with --sources"),
        (("--models", "m.v"), "--models: only together with --sources"),
        (("--sources", "m.v", "--netlist", "ice40"), "--netlist ice40: is made from our Verilog"),
        (("--sources", "nosuch.v"), "nosuch.v"),
    ],
)
def test_options_that_contradict_each_other_are_refused(cimforge, folder, options, message):
    (folder / "m.v").write_text("module m; endmodule\n")
    done = cimforge("verify", "tiny", "--simulator", SIMULATOR, *options)
    assert (done.status, done.out) == (2, "")
    assert message in done.err
