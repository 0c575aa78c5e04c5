"""Published figures: stamps, quotes, and that the committed ones are true today."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from cimforge.scripts.figure_designs import DESIGNS, mutated_designs, named_design
from cimforge.scripts.figures import (
    Figure,
    complaints,
    differences,
    load_figures,
    main,
    measure,
    source_stamp,
)

ROOT = Path(__file__).parents[2]


@pytest.fixture
def project(tmp_path):
    """A source, a document and a result that agree."""
    (tmp_path / "source.py").write_text("x = 1\n")
    (tmp_path / "README.md").write_text("It has 1,234 cells.\n")
    (tmp_path / "results").mkdir()
    figure = Figure("cells", "count", ["*.py"], [["README.md", "{r[cells]:,} cells"]])
    kept = {"command": "count", "stamp": source_stamp(["*.py"], tmp_path)}
    text = json.dumps({**kept, "measured": {"cells": 1234}})
    (tmp_path / "results" / "cells.json").write_text(text)
    return tmp_path, figure


def test_what_agrees_has_no_complaint(project):
    folder, figure = project
    assert list(complaints(figure, folder)) == []


def test_a_command_that_says_why_it_failed_measures_nothing(project, monkeypatch, tmp_path):
    """Its JSON object has the keys of a measurement, without values."""
    monkeypatch.chdir(tmp_path)
    Path("says.py").write_text('print(\'{"total": null, "failed": "Yosys failed: no port"}\')\n')
    with pytest.raises(RuntimeError, match=r"cells: says\.py: Yosys failed: no port"):
        measure(replace(project[1], command="says.py"))
    Path("says.py").write_text('print(\'{"total": 5, "failed": 0}\')\n')
    assert measure(replace(project[1], command="says.py"))["total"] == 5


def test_a_comment_or_docstring_does_not_make_a_figure_stale(project):
    folder, _ = project
    (folder / "source.py").write_text('"""Says what x is."""\n\nx = 1  # one\n')
    before = source_stamp(["*.py"], folder)
    (folder / "source.py").write_text('"""Says more of what x is."""\n\n# one\nx = 1\n')
    assert source_stamp(["*.py"], folder) == before
    (folder / "source.py").write_text("x = 1\n")
    assert source_stamp(["*.py"], folder) == before


def test_a_changed_source_makes_a_figure_stale(project):
    folder, figure = project
    (folder / "source.py").write_text("x = 2\n")
    assert list(complaints(figure, folder)) == [
        "results/cells.json is stale: its sources changed; run "
        "python -m cimforge.scripts.figures cells"
    ]


def test_a_new_source_counts_and_one_left_out_does_not(project):
    folder, _ = project
    (folder / "more.py").write_text("y = 1\n")
    before = source_stamp(["*.py", "!more.py"], folder)
    assert before == source_stamp(["source.py"], folder) != source_stamp(["*.py"], folder)
    (folder / "more.py").write_text("y = 2\n")
    assert source_stamp(["*.py", "!more.py"], folder) == before


def test_changed_designs_make_a_figure_stale_and_a_changed_generator_does_not(project, monkeypatch):
    folder, figure = project
    figure = replace(figure, designs="mutated")
    monkeypatch.setitem(DESIGNS, "mutated", lambda command: "module m; endmodule")
    before = figure.stamp(folder)
    assert figure.stamp(folder) == before
    monkeypatch.setitem(DESIGNS, "mutated", lambda command: "module m2; endmodule")
    assert figure.stamp(folder) != before


def test_the_mutated_designs_are_emitted_text():
    text = mutated_designs()
    assert text == mutated_designs()
    for name in ("plain", "latched", "rippled", "single", "bussed", "boarded"):
        assert f"module {name}" in text


@pytest.mark.parametrize(
    "command", ["synth tiny --set rows=5 --target ecp5", "run digits --config tiny --set rows=5"]
)
def test_a_command_names_its_macro_to_the_last_override(command):
    text = named_design(f"-m cimforge.scripts.main {command}")
    assert "module cim_fa" in text
    assert "module cim_latch" not in text  # it stores in flip-flops
    assert "--set rows=5" in text
    assert text != named_design("-m cimforge.scripts.main synth tiny")


def test_only_an_optional_figure_may_be_missing(project):
    folder, figure = project
    (folder / "results" / "cells.json").unlink()
    assert list(complaints(replace(figure, optional=True), folder)) == []
    again = "python -m cimforge.scripts.figures cells"
    assert list(complaints(figure, folder)) == [f"results/cells.json is missing; run {again}"]


def test_a_document_that_says_something_else_is_named(project):
    folder, figure = project
    (folder / "README.md").write_text("It has 1,235 cells.\n")
    assert list(complaints(figure, folder)) == [
        "README.md must say '1,234 cells' (results/cells.json)"
    ]


def test_a_missing_figure_is_named(project):
    folder, figure = project
    (folder / "results" / "cells.json").unlink()
    (line,) = complaints(figure, folder)
    assert line.startswith("results/cells.json is missing; run ")


def test_a_glob_without_sources_is_an_error(tmp_path):
    with pytest.raises(ValueError, match=r"gone/\*\.py: no such source"):
        source_stamp(["gone/*.py"], tmp_path)


def test_a_figure_that_is_not_there_is_refused(capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["--check", "nosuch"])
    assert "no figure 'nosuch'; figures: " in capsys.readouterr().err


def test_times_and_speeds_are_not_compared():
    kept = {"cells": 1, "seconds": 2.0, "speed": {"mac_per_s": 3, "ratio": 1}}
    fresh = {"cells": 1, "seconds": 9.0, "speed": {"mac_per_s": 4, "ratio": 2}}
    assert list(differences(kept, fresh)) == []
    assert list(differences(kept, {**fresh, "cells": 2})) == ["cells was 1, is 2"]


@pytest.mark.parametrize("figure", load_figures(ROOT / "results" / "figures.toml"), ids=str)
def test_committed_figures_are_fresh_and_quoted(figure):
    assert list(complaints(figure, ROOT)) == []


def test_every_committed_result_is_a_figure():
    known = {figure.path.name for figure in load_figures(ROOT / "results" / "figures.toml")}
    assert {path.name for path in (ROOT / "results").glob("*.json")} <= {*known, "mutants.json"}
