"""The page of a sweep: its data, whole in one file, and the commands that make its points again."""

import json
import re
import shlex
from typing import Any

import pytest

from cimforge.explore.points import list_points
from cimforge.explore.run_sweep import Measured
from cimforge.explore.sweep_file import read_sweep
from cimforge.explore.sweep_page import page_data, sweep_page
from cimforge.explore.sweep_report import SweepReport
from cimforge.hdl.params.config_file import load_config

SWEEP = """
preset = "tiny"
targets = ["generic", "ice40"]
metrics = ["area", "cycles"]
constraints = ["rows < 6", "storage != '</script><!--&'"]
[axes]
rows = [2, 4, 6]
bits_per_cycle = [1, 2]
[objectives]
area = "minimise"
cycles = "minimise"
"""


def data_of(page: str) -> dict[str, Any]:
    """The JSON in a page, as a browser finds it: up to the first end of a script."""
    found = re.search(r'<script type="application/json" id="data">(.*?)</script', page, re.S)
    assert found
    return json.loads(found.group(1))


@pytest.fixture
def report(tmp_path):
    """Points of made-up areas, the last of them failed."""
    path = tmp_path / "a&b.toml"
    path.write_text(SWEEP)
    sweep = read_sweep(path)
    points = list_points(sweep)
    measured = []
    for place, point in enumerate(points.points):
        config = point.config
        figures = {
            "area": config.rows * config.bits_per_cycle,
            "cycles": config.cycles_per_pass(),
            "latency": config.latency(),
        }
        measured.append(Measured(point, f"key{place}", figures))
    measured[-1] = Measured(points.points[-1], "last", {}, "Yosys failed: a reason")
    return SweepReport(sweep, points, measured)


def test_the_data_are_whole_in_the_page_whatever_texts_hold(report):
    page = sweep_page(report)
    told = data_of(page)
    assert told == page_data(report)
    assert told["constraints"][1] == "storage != '</script><!--&'"
    assert "<title>Sweep a&amp;b</title>" in page
    assert page.count("</script>") == 2


def test_nothing_is_fetched_from_elsewhere(report):
    page = sweep_page(report)
    assert not re.search(r"(?:https?:)?//\w|\bsrc=|<link|@import|url\(|fetch\(", page)


def test_every_point_is_told_with_its_standing(report):
    generic, ice40 = page_data(report)["targets"]
    assert generic["target"] == "generic"
    assert ice40["units"] == {"area": "luts", "cycles": "cycles"}
    assert (generic["failed"], ice40["failed"]) == (0, 1)
    assert (len(generic["points"]), len(ice40["points"])) == (6, 5)
    assert [p["choice"]["rows"] for p in generic["points"]] == [2, 2, 4, 4, 6, 6]
    assert [p["feasible"] for p in generic["points"]] == [True] * 4 + [False] * 2
    assert [p["front"] for p in generic["points"]] == [True, True] + [False] * 4
    assert generic["points"][3]["figures"] == {"area": 8, "cycles": 2}


def test_commands_and_files_make_the_points_again(report, tmp_path):
    own = [each for each in report.measured if each.point.target.name == "generic"]
    for told, each in zip(page_data(report)["targets"][0]["points"], own, strict=True):
        program, verb, preset, *options = shlex.split(told["command"])
        assert (program, verb) == ("cimforge", "generate")
        again = load_config(preset, options[1::2])
        assert again.digest == each.point.config.digest
        path = tmp_path / "again.toml"
        path.write_text(told["config"])
        assert load_config(str(path), ()).digest == each.point.config.digest
