"""cimforge explore on the command line."""

import csv
import json
import shutil
import sqlite3
from pathlib import Path

import pytest

from cimforge.explore.points import list_points
from cimforge.explore.sweep_file import read_sweep
from cimforge.explore.tests.test_sweep_page import data_of
from cimforge.scripts.tests.test_bad_input import check_refused

EXPLORE = Path(__file__).parents[2] / "explore"
SWEEP = """
preset = "tiny"
when = "rows < 5"
metrics = ["area", "cycles"]
constraints = ["cycles > 1"]
[fixed]
weight_bits = 1
cols = 1
[axes]
rows = [2, 5]
input_bits = [1, 2]
bits_per_cycle = [1, 2]
[objectives]
area = "minimise"
cycles = "maximise"
"""


def test_a_sweep_is_measured_once_and_told_twice(cimforge, folder):
    Path("s.toml").write_text(SWEEP)
    done = cimforge("explore", "s.toml", "--jobs", "1")
    assert (done.status, done.messages) == (0, [])
    assert "s on generic: minimise area, maximise cycles; 1 of 1 feasible points" in done.out
    assert "1: bits_per_cycle must divide input_bits = 1, not 2" in done.out
    assert "3 measured, 0 known, 0 failed" in done.out
    assert "every point: build/explore/s.csv" in done.out
    assert "page: build/explore/s.html" in done.out

    told = cimforge("explore", "s.toml", "--json", "--jobs", "2").json
    assert (told["combinations"], told["left_out"], told["points"]) == (8, 4, 3)
    assert [each["combinations"] for each in told["refused"]] == [1]
    assert (told["fresh"], told["failed"]) == (0, [])
    (target,) = told["targets"]
    assert target["units"] == {"area": "cells", "cycles": "cycles"}
    assert target["feasible"] == 1
    (best,) = target["front"]
    assert (best["rows"], best["input_bits"], best["bits_per_cycle"]) == (2, 2, 1)
    kept = json.loads(Path("build/explore/s.json").read_text())
    assert kept == {key: told[key] for key in kept}

    rows = list(csv.DictReader(Path("build/explore/s.csv").read_text().splitlines()))
    assert [row["front"] for row in rows] == ["0", "1", "0"]
    assert [row["feasible"] for row in rows] == ["0", "1", "0"]
    assert int(rows[1]["area"]) == best["area"] > int(rows[0]["area"]) > 0
    assert sum(int(rows[1][f"area_{role}"]) for role in ("storage", "tree", "input")) > 0
    page = Path("build/explore/s.html").read_text()
    (shown,) = data_of(page)["targets"]
    assert [point["key"] for point in shown["points"]] == [row["key"] for row in rows]
    with sqlite3.connect("build/explore/results.db") as file:
        assert {row["key"] for row in rows} == {
            k for (k,) in file.execute("SELECT key FROM points")
        }


def test_nothing_fulfils_the_constraints(cimforge, folder):
    text = SWEEP.replace("cycles > 1", "cycles > 99").replace("[1, 2]", "[1]")
    Path("s.toml").write_text(text)
    done = cimforge("explore", "s.toml", "--jobs", "1")
    assert done.status == 0
    assert "no point fulfils the constraints" in done.out


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (SWEEP.replace("rows = [2, 5]", "rows = [0]"), "no legal point among 4: rows must be an"),
        (SWEEP.replace("rows < 5", "rows < 2"), "no legal point among 8: 'when' leaves none"),
        (SWEEP.replace("cycles > 1", "cycles > 'a'"), "constraints: \"cycles > 'a'\": "),
        ("", "s.toml: axes: must name a parameter"),
    ],
)
def test_a_faulty_sweep_is_one_line(cimforge, folder, text, told):
    Path("s.toml").write_text(text)
    check_refused(cimforge("explore", "s.toml", "--jobs", "1"), told)


def test_no_such_file_and_no_such_folder(cimforge, folder):
    check_refused(cimforge("explore", "s.toml"), "s.toml: No such file")
    Path("s.toml").write_text(SWEEP)
    check_refused(cimforge("explore", "s.toml", "-o", "there/not"), "there does not exist")
    check_refused(cimforge("explore", "s.toml", "--jobs", "0"), "'--jobs'")


def test_the_examples_are_legal(monkeypatch):
    monkeypatch.chdir(EXPLORE.parent)
    assert read_sweep(EXPLORE / "first.toml").grid == 12


@pytest.mark.skipif(shutil.which("sta") is None, reason="no sta on PATH; install OpenSTA")
def test_the_examples_with_periods_are_legal_and_as_large_as_told(monkeypatch):
    monkeypatch.chdir(EXPLORE.parent)
    assert read_sweep(EXPLORE / "sizes.toml").grid == 36
    points = list_points(read_sweep(EXPLORE / "macros.toml")).points
    for document in ("README.md", "explore/README.md"):
        assert f"{len(points)} macros" in Path(document).read_text()
