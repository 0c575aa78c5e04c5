"""cimforge handover on the command line: without a library, and what is refused."""

from pathlib import Path

import pytest

from cimforge.scripts.tests.test_bad_input import check_refused

TINY = ("tiny", "--set", "rows=3", "--set", "cols=2")
KEYS = {"name", "folder", "files", "ports", "clock_ns", "min_period_ns", "area_um2", "estimated"}
REAL = ("--liberty", str(Path(__file__).parents[2] / "flow/tests/data/sg13g2_typ.lib.gz"))
LIBRARY = ("--liberty", "small.lib")
SMALL = """library (small) { time_unit : "1ns"; capacitive_load_unit (1, pf);
  cell (INV) { area : 1; pin (A) { direction : input; capacitance : 0.001; }
    pin (Y) { direction : output; function : "!A"; timing () { related_pin : "A";
      timing_sense : negative_unate; intrinsic_rise : 0.1; intrinsic_fall : 0.1; } } } }
"""


def test_without_a_library_all_but_the_abstract_is_written(cimforge, folder):
    done = cimforge("handover", *TINY, "--clock", "3", "--json")
    assert done.status == 0
    report = done.json
    assert set(report) >= KEYS
    assert (report["clock_ns"], report["min_period_ns"], report["estimated"]) == (3, None, True)
    library, layers = report["notes"]
    assert library == "no library: no Liberty abstract, and areas are made up"
    assert layers.startswith("no technology LEF: layers, tracks and places of the pins are of no")
    constraints = [what for name, what in report["files"].items() if name.endswith(".sdc")]
    assert len(set(constraints)) == len(constraints) == 4
    assert "constraints of the macro behind an AXI4-Lite slave" in constraints
    written = {path.name for path in (folder / report["folder"]).iterdir()}
    assert written == {*report["files"], "handover.json"}
    assert not [name for name in written if name.endswith(".lib")]
    told = cimforge("handover", *TINY).out
    assert "estimated" in told
    assert "no technology LEF" in told


@pytest.mark.parametrize(
    ("words", "rule"),
    [
        (("tiny", "--cell", "fa=FAX1"), "--cell: only with --liberty FILE"),
        (("tiny", "--lef", "none.lef"), "--lef none.lef: No such file"),
        (("tiny", "--clock", "-1"), "must be a period in ns above 0"),
        (("tiny", "--liberty", "none.lib"), "--liberty none.lib: no such file"),
        (("tiny", *REAL, "--cell", "fa=NOPE"), "--cell fa=NOPE: no cell 'NOPE' in sg13g2"),
        (("tiny", *REAL, "--cell", "xx=A"), "no role 'xx'; roles: fa, ha, c42, latch, clkgate"),
        (("engine_small",), "'engine_small' is an engine; views are of its macro"),
        (("fpga_bram", *LIBRARY), "--liberty: storage bram has no cell on liberty"),
        (("tin",), "no preset 'tin'"),
    ],
)
def test_wrong_words_are_one_line(cimforge, folder, words, rule):
    (folder / "small.lib").write_text(SMALL)
    check_refused(cimforge("handover", *words), rule)
    assert not (folder / "build").exists()


def test_an_opensta_that_is_missing_is_told_how_to_get(cimforge, folder, monkeypatch):
    monkeypatch.setenv("PATH", str(folder))
    rule = "--liberty: the abstract needs sta, not on PATH; install OpenSTA (Debian: apt install"
    check_refused(cimforge("handover", "tiny", *REAL), rule)
    assert not (folder / "build").exists()
