"""cimforge synth and verify --netlist on the command line."""

import json
from pathlib import Path

import pytest

from cimforge.flow.liberty import library_path
from cimforge.hdl.netlist import yosys_runs
from cimforge.hdl.netlist.yosys import YosysError
from cimforge.scripts.tests.conftest import SIMULATOR

SMALL = Path(__file__).parents[2] / "flow" / "tests" / "small.lib"
KEYS = (
    *("target", "macs_1b", "total", "unit", "ffs", "per_1b_mac", "breakdown", "adders", "cells"),
    *("min_period_ns", "tops", "tops_per_mm2", "seconds"),
)


@pytest.mark.parametrize(("target", "unit"), [("generic", "cells"), ("ecp5", "luts")])
def test_json(cimforge, target, unit):
    done = cimforge("synth", "tiny", "--target", target, "--json")
    assert done.status == 0
    report = done.json
    assert set(KEYS) <= set(report)
    assert (report["target"], report["unit"], report["macs_1b"]) == (target, unit, 128)
    assert sum(report["breakdown"].values()) == report["total"]
    assert report["per_1b_mac"] == round(report["total"] / 128, 4)
    assert report["adders"] == {"fa": 100, "ha": 12}
    assert report["min_period_ns"] is None


def test_table_names_roles_cells_and_library(cimforge):
    options = ("--target", "liberty", "--liberty", SMALL, "--cell", "fa=SUM3")
    done = cimforge("synth", "tiny", "--set", "storage=latch", *options)
    assert done.status == 0
    for word in ("storage", "multiply", "control", "total", "fa: SUM3", "latch: HOLD", str(SMALL)):
        assert word in done.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--target", "asic"), "'asic' is not one of"),
        (("--target", "liberty", "--liberty", "none.lib"), "--liberty none.lib: no such file"),
        (("--target", "liberty", "--liberty", ""), "--liberty: must not be empty; give"),
        (("--target", "liberty", "--liberty", "/dev/null"), "is a device or a pipe; name a file"),
        (("--target", "ice40", "--liberty", SMALL), "--liberty: only with --target liberty"),
        (("--target", "ice40", "--cell", "fa=A"), "--cell: only with --target liberty"),
        (("--target", "liberty", "--liberty", "."), "--liberty .: is a folder"),
        (("--target", "liberty", "--liberty", SMALL, "--cell", "fa"), "must be role=NAME"),
        (("--target", "liberty", "--liberty", SMALL, "--cell", "fa=SUM2"), "is no full adder"),
        (("--target", "ice40", "--set", "storage=latch"), "nearest legal value: --set storage"),
    ],
)
def test_bad_input_is_one_line(cimforge, arguments, message):
    done = cimforge("synth", "tiny", *arguments)
    assert (done.status, done.out) == (2, "")
    assert len(done.messages) == 1
    assert message in done.messages[0]


def test_a_bad_library_is_one_line(cimforge, folder):
    Path("bad.lib").write_text("module m; endmodule")
    done = cimforge("synth", "tiny", "--target", "liberty", "--liberty", "bad.lib")
    assert (done.status, done.out) == (2, "")
    assert "bad.lib: not a Liberty file" in done.messages[0]


@pytest.fixture
def pdk(folder, monkeypatch) -> Path:
    """A PDK root with libraries as PDKs name them; elsewhere, behind a symbolic link."""
    place = folder / "real" / "small_a" / "libs"
    place.mkdir(parents=True)
    for name in ("small_sc__ff_n40C.lib", "small_sc__tt_025C.lib", "small_io__tt_025C.lib"):
        (place / name).write_text(SMALL.read_text())
    (folder / "pdk").mkdir()
    (folder / "pdk" / "small").symlink_to(folder / "real" / "small_a")
    (folder / "real" / "small_a" / "loop").symlink_to(folder / "real")
    monkeypatch.setenv("PDK_ROOT", str(folder / "pdk"))
    monkeypatch.delenv("PDK", raising=False)
    return folder / "pdk"


def test_libraries_are_found_below_the_pdk_root(cimforge, pdk):
    """The typical corner of standard cells before others, by part of a name too, through links."""
    (found,) = library_path.find_libraries().paths
    assert found == pdk / "small" / "libs" / "small_sc__tt_025C.lib"
    (other,) = library_path.find_libraries(["ff_"]).paths
    assert other.name == "small_sc__ff_n40C.lib"
    done = cimforge("synth", "tiny", "--target", "liberty", "--json")
    assert done.status == 0
    assert done.json["cells"]["dff"] == "STEP"
    assert done.json["library"] == str(found)
    said = f"below PDK_ROOT, the typical corner of 3 libraries: {found}"
    assert done.json["notes"][0] == said


def refused(cimforge, *arguments) -> str:
    """The one line of a refusal."""
    done = cimforge("synth", "tiny", "--target", "liberty", *arguments)
    assert (done.status, done.out) == (2, "")
    (line,) = done.messages
    return line


def test_no_library_is_taken_by_chance(cimforge, pdk):
    """Two that fit are named, with the way to one of them."""
    second = pdk / "small" / "libs" / "tiny_sc__tt_100C.lib"
    second.write_text(SMALL.read_text())
    line = refused(cimforge)
    assert "2 libraries fit: small_sc__tt_025C.lib, tiny_sc__tt_100C.lib" in line
    assert "name one with --liberty and a part of its name" in line
    assert "2 libraries fit" in refused(cimforge, "--liberty", "sc__tt")
    assert library_path.find_libraries(["tiny_sc"]).paths == (second,)


@pytest.mark.parametrize("osu", [SMALL, Path("no-such-file")])
def test_a_pdk_without_a_library_is_no_reason_for_another_technology(
    cimforge, folder, monkeypatch, osu
):
    monkeypatch.setattr(library_path, "OSU018", osu)
    monkeypatch.setenv("PDK_ROOT", str(folder))
    monkeypatch.delenv("PDK", raising=False)
    assert f"PDK_ROOT: no .lib or .lib.gz below {folder}" in refused(cimforge)
    (folder / "sky").mkdir()
    monkeypatch.setenv("PDK", "skye")
    assert "PDK: no folder skye in PDK_ROOT" in refused(cimforge)
    monkeypatch.setenv("PDK_ROOT", "nowhere")
    assert "PDK_ROOT: nowhere is no folder" in refused(cimforge)


def test_debians_library_is_taken_where_nothing_is_asked_for(cimforge, monkeypatch):
    monkeypatch.delenv("PDK_ROOT", raising=False)
    monkeypatch.setattr(library_path, "OSU018", SMALL)
    found = library_path.find_libraries()
    assert found.paths == (SMALL,)
    assert found.notes[0].startswith("neither --liberty nor PDK_ROOT: Debian's small library")


def test_without_any_library_the_ways_to_one_are_named(cimforge, monkeypatch):
    monkeypatch.delenv("PDK_ROOT", raising=False)
    monkeypatch.setattr(library_path, "OSU018", Path("no-such-file"))
    done = cimforge("synth", "tiny", "--target", "liberty")
    assert done.status == 2
    for way in ("--liberty FILE", "PDK_ROOT", "qflow-tech-osu018"):
        assert way in done.messages[0]


def test_netlist_regression_counts_as_many_tests_as_the_verilog(cimforge):
    names = "values.test_literal|values.test_corners"
    counts = []
    for extra in ((), ("--netlist", "generic")):
        done = cimforge(
            "verify", "tiny", *extra, "--test", names, "--simulator", SIMULATOR, "--json"
        )
        counts.append((done.status, done.json["tests"], done.json["passes"]))
    assert counts[0] == counts[1]
    assert counts[0][0] == 0


def test_latches_have_no_fpga_netlist(cimforge):
    done = cimforge("verify", "openc2", "--netlist", "ice40")
    assert done.status == 2
    assert "--netlist ice40: storage latch has no cell on ice40" in done.messages[0]


def test_manifest_of_a_netlist_stays_that_of_the_verilog(cimforge, folder):
    cimforge("synth", "tiny", "-o", "m", "--json")
    files = json.loads((folder / "m" / "manifest.json").read_text())["files"]
    assert not any("synth" in entry["path"] for entry in files)


def test_a_failing_tool_keeps_the_json_of_synth(cimforge, monkeypatch):
    def fail(*_, **__):
        raise YosysError("Yosys failed: of itself")

    monkeypatch.setattr("cimforge.scripts.synth.synth_macro", fail)
    done = cimforge("synth", "tiny", "--json")
    assert done.status == 1
    assert set(KEYS) <= set(done.json)
    assert done.json["total"] is None
    assert done.messages == ["cimforge: Yosys failed: of itself"]


@pytest.mark.parametrize("json_flag", [(), ("--json",)])
def test_a_yosys_that_does_not_start_is_one_line(cimforge, monkeypatch, json_flag):
    """Not even the Verilog is written without it."""
    monkeypatch.setattr(yosys_runs, "COMMAND", ("/nowhere/python",))
    monkeypatch.setattr(yosys_runs, "_idle", [])
    done = cimforge("synth", "tiny", *json_flag)
    assert done.status == 1
    said = "Yosys does not start: No such file or directory"
    assert done.messages == [f"cimforge: {said}"]
    if json_flag:
        assert done.json["failed"] == said
    done = cimforge("generate", "tiny")
    assert (done.status, done.out) == (1, "")
    assert done.messages == [f"cimforge: {said}"]


def test_an_opensta_that_does_not_start_is_a_note(cimforge, folder, monkeypatch):
    """The area stays, and so does the object."""
    (folder / "sta").write_text("not a program")
    (folder / "sta").chmod(0o755)
    monkeypatch.setattr("cimforge.flow.synth.static_timing.STA", str(folder / "sta"))
    options = ("--set", "storage=latch", "--target", "liberty", "--liberty", SMALL, "--json")
    done = cimforge("synth", "tiny", *options)
    assert done.status == 0
    assert done.json["total"] > 0
    assert done.json["min_period_ns"] is None
    assert "does not start: Exec format error" in done.json["notes"][-1]


def test_where_the_files_are_and_the_ranks_are_said(cimforge, folder):
    options = ("--set", "tree_stages=1", "--target", "liberty", "--liberty", SMALL, "-o", "out")
    done = cimforge("synth", "tiny", *options)
    assert done.status == 0
    assert "register ranks of the trees │ 1" in done.out
    for label, name in (("netlist", "netlist.v"), ("log", "yosys.log")):
        (line,) = [line for line in done.out.splitlines() if line.startswith(f"{label}: ")]
        assert Path(line.partition(": ")[2]).name == name
        assert Path(line.partition(": ")[2]).is_file()


def test_several_libraries_go_together(cimforge, folder):
    text = SMALL.read_text()
    cut = text.index("  cell (HOLD)")
    header = text[: text.index("  cell (")]
    Path("gates.lib").write_text(text[:cut] + "}\n")
    Path("states.lib").write_text(header + text[cut:])
    target = ("synth", "tiny", "--target", "liberty", "--json")
    both = cimforge(*target, "--liberty", "gates.lib", "--liberty", "states.lib")
    assert both.json["libraries"] == ["gates.lib", "states.lib"]
    whole = cimforge(*target, "--liberty", SMALL)
    assert both.json["total"] == whole.json["total"]
    alone = cimforge(*target, "--liberty", "gates.lib")
    assert (alone.status, alone.out) == (2, "")
    assert alone.messages[0].startswith("cimforge: --liberty: small has no usable flip-flop")


def test_verify_on_a_library(cimforge):
    words = ("verify", "tiny", "--netlist", "liberty", "--liberty", SMALL, "--json")
    done = cimforge(*words, "--test", "values.test_literal", "--simulator", SIMULATOR)
    assert done.status == 0
    assert done.json["passed"]
    refused = cimforge("verify", "tiny", "--netlist", "ice40", "--liberty", SMALL)
    assert (refused.status, refused.out) == (2, "")
    assert refused.messages == ["cimforge: --liberty: only with --netlist liberty"]
