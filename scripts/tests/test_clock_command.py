"""cimforge synth --clock on the command line."""

import json
import re
import shutil
from pathlib import Path

import pytest

from cimforge.flow.synth.static_timing import STA
from cimforge.hdl.params.config_file import load_config

DATA = Path(__file__).parents[2] / "flow" / "tests"
SMALL, SG13G2 = DATA / "small.lib", DATA / "data" / "sg13g2_typ.lib.gz"
needs_opensta = pytest.mark.skipif(
    shutil.which(STA) is None, reason="no sta on PATH; install OpenSTA"
)
LITTLE = ("--set", "storage=latch", "--set", "rows=5", "--set", "cols=1")
SYNTH_KEYS = ("target", "macs_1b", "total", "breakdown", "min_period_ns", "tops", "cells", "ranks")


@needs_opensta
def test_a_configuration_that_generate_takes_is_found(cimforge, folder):
    """Its period and area are those of a synthesis of what is printed, as TOML and as --set."""
    options = ("--liberty", SG13G2, *LITTLE, "--set", "rows=32")
    done = cimforge("synth", "tiny", "--clock", "5.6", *options, "-o", "out", "--json")
    assert done.status == 0, done.err
    report = done.json
    assert set(SYNTH_KEYS) <= set(report)
    assert report["clock_ns"] == 5.6
    assert report["slack_ns"] == round(5.6 - report["min_period_ns"], 3) >= 0
    first = report["tried"][0]
    assert first["slack_ns"] < 0, "nothing to search for"
    assert first["area_change"] == 0
    Path("found.toml").write_text(report["configuration"]["toml"])
    found = load_config("found.toml")
    assert load_config("base", report["configuration"]["set"]) == found
    done = cimforge("synth", "found.toml", "--target", "liberty", "--liberty", SG13G2, "--json")
    again = done.json
    assert [again[key] for key in ("total", "min_period_ns", "cells")] == [
        report[key] for key in ("total", "min_period_ns", "cells")
    ]


@needs_opensta
def test_the_table_tells_what_was_tried_and_the_configuration(cimforge):
    options = ("--liberty", SG13G2, *LITTLE)
    done = cimforge("synth", "tiny", "--clock", "20", *options)
    assert done.status == 0
    assert "candidate 1 of at most 12: tree_stages=0 final_adder=ripple" in done.err
    for text in ("slack", "+0.0%", "least area that reaches it", "1 of 72"):
        assert text in done.out
    assert "the same: cimforge generate openc2 --set rows=5 --set cols=1\n" in done.out
    assert done.out.endswith('storage = "latch"\n')


@needs_opensta
def test_a_period_out_of_reach_is_a_failed_check(cimforge, monkeypatch):
    """Status 1, the best that was reached and what limits it; --json is still one object."""
    monkeypatch.setattr("cimforge.scripts.clock_report.MOST_RUNS", 2)
    options = ("--liberty", SG13G2, *LITTLE, "--clock", "0.01")
    done = cimforge("synth", "tiny", *options, "--json")
    assert done.status == 1
    report = json.loads(done.out)
    assert report["met"] is False
    assert report["slack_ns"] < 0
    assert report["min_period_ns"] == min(each["min_period_ns"] for each in report["tried"])
    (line,) = done.messages
    assert line.startswith("cimforge: --clock: nothing reaches 0.01 ns; best ")
    assert "limited by (ns): " in line


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--clock", "0"), "must be a period in ns above 0, for example 1.5, not 0"),
        (("--clock", "-1"), "must be a period in ns above 0, for example 1.5, not -1"),
        (("--clock", "nan"), "must be a period in ns above 0, for example 1.5, not nan"),
        (("--clock", "inf"), "must be a period in ns above 0, for example 1.5, not inf"),
        (("--clock", "fast"), "'fast' is not a valid float"),
        (("--clock", "2", "--target", "ice40"), "--clock: only with --target liberty, not ice40"),
        (("--clock", "2", "--flatten"), "--clock: not with --flatten; search first"),
        (("--clock", "2", "--sram", "a.lib"), "--clock: not with --sram; search first"),
        (("--clock", "2", "--liberty", "no.lib"), "--liberty no.lib: no such file"),
    ],
)
def test_bad_input_is_one_line(cimforge, folder, arguments, message, monkeypatch):
    monkeypatch.setattr("cimforge.scripts.clock_report.STA", "true")  # as if it were here
    done = cimforge("synth", "tiny", *arguments)
    assert (done.status, done.out) == (2, "")
    assert len(done.messages) == 1
    assert message in done.messages[0]
    assert not list(folder.iterdir())


def test_without_opensta_the_way_to_it_is_named(cimforge, folder, monkeypatch):
    monkeypatch.setattr("cimforge.scripts.clock_report.STA", "no-such-sta")
    done = cimforge("synth", "tiny", "--clock", "2", "--liberty", SMALL)
    assert (done.status, done.out) == (2, "")
    assert done.messages == [
        "cimforge: --clock: no no-such-sta on PATH; install OpenSTA (Debian: opensta)"
    ]
    assert not list(folder.iterdir())


def test_without_a_library_the_ways_to_one_are_named(cimforge, folder, monkeypatch):
    monkeypatch.delenv("PDK_ROOT", raising=False)
    monkeypatch.setattr("cimforge.scripts.clock_report.STA", "true")
    monkeypatch.setattr("cimforge.flow.liberty.library_path.OSU018", Path("no-such-file"))
    done = cimforge("synth", "tiny", "--clock", "2")
    assert (done.status, done.out) == (2, "")
    assert "--liberty FILE" in done.messages[0]


def test_a_library_without_delays_has_no_periods(cimforge, folder, monkeypatch):
    monkeypatch.setattr("cimforge.scripts.clock_report.STA", "true")
    Path("untimed.lib").write_text(re.sub(r"cell_(rise|fall) ", "other ", SMALL.read_text()))
    done = cimforge("synth", "tiny", *LITTLE, "--clock", "2", "--liberty", "untimed.lib")
    assert (done.status, done.out) == (2, "")
    assert done.messages == ["cimforge: --liberty: small has no delays, so no clock period"]
    assert [path.name for path in folder.iterdir()] == ["untimed.lib"]
