"""The page of a sweep: its data, whole in one file, and the commands that make its points again."""

import json
import re
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cimforge.explore.condition import read_condition
from cimforge.explore.metrics import METRICS
from cimforge.explore.run_sweep import Measured
from cimforge.explore.sweep import SweepTarget
from cimforge.explore.sweep_page import PARTS, page_data, sweep_page
from cimforge.explore.sweep_report import SweepReport
from cimforge.explore.tests.made_report import made_report
from cimforge.fpga.boards import BOARDS
from cimforge.hdl.params.config_file import load_config

PAGE = Path(__file__).parents[1] / "page"


def data_of(page: str) -> dict[str, Any]:
    """The JSON in a page, as a browser finds it: up to the first end of a script."""
    found = re.search(r'<script type="application/json" id="data">(.*?)</script', page, re.S)
    assert found
    return json.loads(found.group(1))


@pytest.fixture
def report(tmp_path):
    """Points of made-up areas, the last of them failed."""
    return made_report(tmp_path)


def test_the_data_are_whole_in_the_page_whatever_texts_hold(report):
    page = sweep_page(report)
    told = data_of(page)
    assert told == page_data(report)
    assert told["constraints"][1] == "storage != '</script><!--&'"
    assert "<title>Sweep a&amp;b</title>" in page
    assert page.count("</script>") == page.count("<script") == 3


def test_our_part_of_the_page_fetches_nothing(report):
    page = sweep_page(report)
    begin, end = page.index("<script>\n/**"), page.index("</script>")
    assert end - begin > 4_000_000  # the drawing library, whole
    own = page[:begin] + page[end:]
    assert not re.search(r"(?:https?:)?//\w|\bsrc=|<link|@import|url\(|fetch\(|import\(", own)
    assert 'showSendToCloud: false, plotlyServerURL: ""' in own  # its button to a server


def test_every_part_of_the_script_is_in_the_page(report):
    assert sorted(PARTS) == sorted(path.name for path in PAGE.glob("*.js"))
    page = sweep_page(report)
    assert all((PAGE / name).read_text() in page for name in (*PARTS, "sweep_page.css"))


def test_every_point_is_told_with_its_standing(report):
    generic, ice40 = page_data(report)["targets"]
    assert generic["target"] == "generic"
    assert ice40["units"] == {"area": "luts", "cycles": "cycles", "capacity": "bit"}
    assert generic["failures"] == []
    failed = {"choice": {"rows": 6, "bits_per_cycle": 2}, "why": "Yosys failed: a reason"}
    assert ice40["failures"] == [failed]
    assert (len(generic["points"]), len(ice40["points"])) == (6, 5)
    assert [p["choice"]["rows"] for p in generic["points"]] == [2, 2, 4, 4, 6, 6]
    assert [p["feasible"] for p in generic["points"]] == [True] * 4 + [False] * 2
    assert [p["front"] for p in generic["points"]] == [True, True] + [False] * 4
    assert generic["points"][3]["figures"]["area"] == 8


def test_a_board_is_told_with_its_own_command_and_what_it_has_no_room_for(report):
    board = SweepTarget(
        "small board", "ice40", (), "hx8k", BOARDS["hx8k"]._replace(clock_hz=36_000_000), (1, 2)
    )
    point = report.measured[0].point
    fits = Measured(replace(point, target=board), "a", report.measured[0].figures)
    unfit = Measured(replace(point, target=board), "b", {}, "no room", unfit=True)
    told = page_data(
        SweepReport(replace(report.sweep, targets=(board,)), report.points, [fits, unfit])
    )
    (target,) = told["targets"]
    assert target["unfit"] == [{"choice": point.choice, "why": "no room"}]
    assert target["failures"] == []
    (shown,) = target["points"]
    command = shown["command"].replace("generate", "fpga hx8k") + " --clock 36 --seeds 1,2"
    assert shown["measure"] == command


def test_what_is_not_there_is_counted_with_its_rule(report):
    told = page_data(report)
    assert (told["combinations"], told["left_out"], told["refused"]) == (10, 2, 2)
    assert told["when"] == ["rows != 8"]
    (rule,) = told["rules"]
    assert rule["combinations"] == 2
    assert "rows must be" in rule["rule"]


def test_metrics_are_told_with_what_is_better(report):
    told = page_data(report)["metrics"]
    better = {name: metric["better"] for name, metric in told.items()}
    assert better == {"area": "least", "cycles": "least", "capacity": "most"}
    assert told["area"]["about"] == METRICS["area"].about


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
        measure = told["command"].replace("generate", "synth") + " --target generic"
        assert told["measure"] == measure


def test_a_metric_that_a_point_has_not_is_left_out(report):
    del report.measured[0].figures["capacity"]
    first, second = page_data(report)["targets"][0]["points"][:2]
    assert "capacity" not in first["figures"]
    assert second["figures"]["capacity"] > 0


def test_a_target_says_what_it_judges_and_what_refuses_there(report):
    slow = read_condition("period <= 12", "s", ["period"])
    ways = {"area": "minimise", "tops": "maximise"}
    board = SweepTarget("small board", "ice40", (), "hx8k", BOARDS["hx8k"], (1,))
    targets = (*report.sweep.targets, board)
    sweep = replace(report.sweep, objectives=ways, constraints=(slow,), targets=targets)
    told = page_data(replace(report, sweep=sweep))
    generic, _, placed = told["targets"]
    assert generic["objectives"] == {"area": "minimise"}
    assert generic["not_judged"] == {"objectives": ["tops"], "constraints": ["period <= 12"]}
    assert (placed["constraints"], placed["points"]) == (["period <= 12"], [])
    assert placed["not_judged"]["constraints"] == []
    (rule,) = placed["refused"]
    assert rule["combinations"] == 2
    assert (told["grid"], told["search"]) == (10, "grid")
