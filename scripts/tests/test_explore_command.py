"""cimforge explore on the command line."""

import csv
import json
import shutil
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from cimforge.explore.condition import read_condition
from cimforge.explore.points import list_points
from cimforge.explore.run_sweep import Measured
from cimforge.explore.sweep_file import read_sweep
from cimforge.explore.sweep_report import SweepReport
from cimforge.explore.tests.test_sweep_page import data_of
from cimforge.scripts import explore as verb
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
    text = " ".join(done.out.split())
    ways = "minimise area, maximise cycles"
    assert f"s on generic: {ways}; front of 1, of 1 that fulfil the constraints" in text
    assert "area (cells)" in done.out
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
    assert "no point fulfils the constraints (cycles > 99)" in done.out


def reported(folder: Path, text: str) -> SweepReport:
    """A report of made-up figures of this sweep."""
    sweep = folder / "s.toml"
    sweep.write_text(text)
    read = read_sweep(sweep)
    points = list_points(read)
    made = [
        Measured(point, str(place), dict.fromkeys(("area", "cycles"), 1500.4 / (place + 2)))
        for place, point in enumerate(points.points)
    ]
    return SweepReport(read, points, made)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        *((4.45149, "4.451"), (0.0287649, "0.02876"), (16022.41, "16,022"), (0, "0")),
        *((0.00000123456, "0.000001235"), (2.5, "2.5"), (123456, "123,456"), (-0.5, "-0.5")),
    ],
)
def test_figures_have_the_digits_that_matter(value, told):
    assert verb._shown(value) == told


def test_only_what_a_target_has_is_named(folder, capsys):
    report = reported(folder, SWEEP)
    slow = read_condition("period <= 12", "s", ["period"])
    ways = {"area": "minimise", "tops": "maximise"}
    report = replace(report, sweep=replace(report.sweep, objectives=ways, constraints=(slow,)))
    (target,) = report.sweep.targets
    verb._show_front(report, target)
    out = " ".join(capsys.readouterr().out.split())
    assert "s on generic: minimise area; front of 1, of 3 points" in out
    assert "not judged on generic: objective tops, constraint period <= 12" in out
    (told,) = report.as_json()["targets"]
    assert told["objectives"] == {"area": "minimise"}
    assert told["not_judged"] == {"objectives": ["tops"], "constraints": ["period <= 12"]}


def test_a_target_that_refuses_all_says_the_rule(folder, capsys):
    told = 'storage = "latch"\n[axes]'
    text = f'targets = ["generic", "ecp5"]\n{SWEEP.replace("[axes]", told)}'
    report = reported(folder, text)
    verb._show_front(report, report.sweep.targets[1])
    out = " ".join(capsys.readouterr().out.split())
    assert "s on ecp5: no front" in out
    assert "no macro was measured there" in out
    assert "refused, 3: --target ecp5: storage latch has no cell on ecp5" in out
    assert "constraints" not in out


def test_a_search_tells_the_grid_and_what_it_tried(folder, capsys):
    report = reported(folder, f'search = "random"\nsamples = 5\n{SWEEP}')
    verb._show(report, folder, 0, 1.0)
    rows = [line.split("│") for line in capsys.readouterr().out.splitlines()]
    facts = {row[1].strip(): row[2].strip() for row in rows if len(row) == 4}
    assert (facts["combinations of the axes"], facts["tried"]) == ("8", "5")
    told = report.as_json()
    assert (told["grid"], told["combinations"]) == (8, 5)


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
