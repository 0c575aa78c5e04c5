"""cimforge diff: two macros, or two engines, side by side, as a table and as one object."""

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from cimforge.scripts.diff import _of_engine

LIBRARY = str(Path(__file__).parents[2] / "flow/tests/data/sg13g2_typ.lib.gz")


def test_a_table_says_what_breaks(cimforge, folder):
    done = cimforge("diff", "tiny", "tiny", "--set-new", "rows=9")
    assert done.status == 0, done.err
    for text in ("rows", "x_data", "breaks", "Wishbone wrapper", "compiled software"):
        assert text in done.out
    told = cimforge("diff", "tiny", "base", "--json").json
    assert list(told)[:4] == ["old", "new", "breaks_connections", "breaks_wrapper_connections"]
    assert (told["target"], told["sizes"]) == (None, [])
    same = cimforge("diff", "tiny", "tiny").out
    assert ("still works" in same, "breaks" in same) == (True, False)
    assert "nothing differs" in cimforge("diff", "tiny", "tiny").out


def test_engines_are_compared_with_their_queues(cimforge, folder):
    done = cimforge("diff", "engine_small", "engine_small", "--set-new", "engine.lanes=2")
    assert done.status == 0, done.err
    assert "queues of commands" in done.out
    told = cimforge("diff", "engine_small", "engine_small", "--set-new", "rows=8", "--json").json
    assert (told["breaks_queues"], told["breaks_software"]) == (True, False)


def test_sizes_on_an_fpga_are_measured_once(cimforge, folder):
    words = ("diff", "tiny", "tiny", "--set-old", "rows=2", "--set-new", "rows=3")
    words += ("--target", "ice40", "--json")
    done = cimforge(*words)
    assert "synthesising" in done.err
    assert done.json["target"] == "ice40"
    area, flops, period = done.json["sizes"]
    assert (area["what"], flops["what"]) == ("area, LUT sites", "flip-flops")
    assert 0 < area["before"] < area["after"]
    assert 0 < flops["before"] < flops["after"]
    assert "cimforge fpga" in period["after"]
    again = cimforge(*words)
    assert again.json == done.json
    assert "synthesising" not in again.err


@pytest.mark.skipif(shutil.which("sta") is None, reason="no sta on PATH; install OpenSTA")
def test_a_library_tells_area_and_period(cimforge, folder):
    words = ("diff", "tiny", "tiny", "--set-old", "rows=2", "--set-new", "rows=4")
    told = cimforge(*words, "--liberty", LIBRARY, "--json").json
    assert told["target"] == "liberty"
    area, period = told["sizes"]
    assert (area["what"], period["what"]) == ("area, µm²", "period, ns")
    assert 0 < area["before"] < area["after"]
    assert 0 < period["before"] < period["after"]
    assert "on the cell library" in cimforge(*words, "--liberty", LIBRARY).out


def test_sizes_of_an_engine_are_its_own_and_its_macros():
    timed = SimpleNamespace(timing=SimpleNamespace(period=3.25))
    area = SimpleNamespace(unit="um2", own=10.04, macros=20, ram_blocks={"RAM": 2}, macro=timed)
    assert _of_engine(area) == {
        **{"engine alone, µm²": 10.0, "macros, µm²": 20, "total, µm²": 30.0, "RAM": 2},
        "period of the macro, ns": 3.25,
    }
    area.macro = SimpleNamespace(timing=None)
    assert "cimforge fpga" in _of_engine(area)["period of the macro, ns"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("tiny",), "Missing argument 'NEW'"),
        (("tiny", "nope"), "no preset 'nope'"),
        (("tiny", "base", "--set-old", "rows=0"), "rows must be"),
        (("tiny", "engine_small"), "engine_small is an engine and tiny a macro; compare two of"),
        (("tiny", "base", "--target", "ecp5", "--liberty", "x"), "only with --target liberty"),
        (("tiny", "tiny", "--set-new", "storage=latch", "--target", "ecp5"), "storage=flop"),
        (("tiny", "tiny", "--target", "asic"), "'--target'"),
        (("tiny", "base", "--liberty", "bad.lib"), "--liberty bad.lib: not a Liberty file"),
        (("tiny", "base", "--liberty", "thin.lib"), "thin has no usable inverter"),
    ],
)
def test_bad_input_is_one_line(cimforge, folder, words, told):
    (folder / "bad.lib").write_text("hello\n")
    (folder / "thin.lib").write_text("library (thin) { cell (A) { area : 1; } }\n")
    done = cimforge("diff", *words)
    assert (done.status, done.out, len(done.messages)) == (2, "", 1), words
    assert told in done.err
    assert not (folder / "build").exists()
