"""The bench: its table, where libraries are, before and after, budgets, aims, tables, charts."""

import gzip
import json
import shlex
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from cimforge.hdl.params.config_file import InputError, load_config
from cimforge.scripts import bench as bench_command
from cimforge.scripts import bench_plan
from cimforge.scripts.ablation import IDEAS
from cimforge.scripts.bench import main
from cimforge.scripts.bench_budgets import budget_text, over_budget
from cimforge.scripts.bench_charts import draw_charts
from cimforge.scripts.bench_libraries import locate_libraries, with_libraries
from cimforge.scripts.bench_plan import make_plan, missing_here
from cimforge.scripts.bench_report import aims_reached, before_after, result_object
from cimforge.scripts.bench_table import Aim, Bench, Row, Table, load_bench
from cimforge.scripts.bench_tables import (
    derived,
    refresh_tables,
    table_complaints,
    table_text,
)
from cimforge.scripts.figures import complaints, kept_result, load_figures

ROOT = Path(__file__).parents[2]
BENCH = load_bench(ROOT / "results")
LINE = 'design = [{name = "base", config = "base", on = ["ice40"], group = "g"%s}]\n'


def written(folder: Path, text: str, budgets: str = "") -> Bench:
    """The bench of a table."""
    (folder / "bench.toml").write_text(text)
    (folder / "budgets.toml").write_text(budgets)
    return load_bench(folder)


def test_a_line_is_a_figure_with_a_command(tmp_path):
    bench = written(tmp_path, LINE % ', set = ["rows=5"], off = "drivers", options = "--flatten"')
    assert [row.name for row in bench.rows] == ["base_ice40"]
    entry = bench.rows[0].entry()
    assert entry["command"] == (
        "-m cimforge.scripts.ablation drivers synth base --set rows=5 --target ice40 --flatten "
        "-o build/bench/base_ice40 --json"
    )
    assert entry["depends"] == "bench_synth_off"


def test_a_board_is_a_place_of_its_own_verb(tmp_path):
    line = (
        LINE.replace("ice40", "hx8k") % ', verb = "fpga", set = ["rows=5"], options = "--seeds 1"'
    )
    (row,) = written(tmp_path, line).rows
    assert row.command == (
        "-m cimforge.scripts.main fpga hx8k base --set rows=5 --seeds 1 "
        "-o build/bench/base_hx8k --json"
    )
    assert row.entry()["depends"] == "bench_fpga"
    assert row.told == "base --set rows=5"


def test_a_value_with_quotes_is_one_word_of_the_command(tmp_path):
    line = LINE.replace("%s}", """, set = ['features=["zero_skip"]']}""")
    (row,) = written(tmp_path, line).rows
    assert 'features=["zero_skip"]' in shlex.split(row.command)
    assert load_config(row.config, row.set).features == ("zero_skip",)


GOALS = {
    "compute_per_1b_mac": ["base_nangate45", "base_sky130hd", "base_sg13g2"],
    "per_1b_mac": [f"{d}_{on}" for d in ("base", "pairs_k4") for on in BENCH.libraries],
    "total": ["openc2_nangate45"],
    "without_input": ["openc2_nangate45"],
    "min_period_ns": ["openc2_nangate45"],
    "tops_per_mm2": ["dense_nangate45"],
    "fj_per_1b_mac": ["energy_nangate45", "energy_lean_nangate45"],
    "idle_share": ["energy_nangate45"],
    "generate_256_s": ["text"],
    "seconds": ["large_library"],
}


def test_every_goal_has_a_row_of_an_ordinary_run():
    """With naive macros and ablations beside them in the same run."""
    aimed = {(name, aim.value) for aim in BENCH.aims for name in aim.rows}
    ordinary = {row.name for row in BENCH.rows if not row.full} | set(BENCH.figures)
    for value, rows in GOALS.items():
        assert {(row, value) for row in rows} <= aimed
        assert set(rows) <= ordinary
    assert {aim.value for aim in BENCH.aims} == set(GOALS)
    assert {"naive", "naive_openc2"} <= {row.design for row in BENCH.rows if not row.full}
    assert {row.off for row in BENCH.rows if row.off and not row.full} == set(IDEAS)


@pytest.mark.parametrize(
    ("text", "budgets", "message"),
    [
        (LINE.replace("ice40", "mars") % "", "", "base: no library or target 'mars'; there are "),
        (LINE % ', verb = "fpga"', "", "base: no board 'ice40'; there are gatemate-evb, hx8k"),
        (LINE % ', verb = "sing"', "", "base: no verb 'sing'; verbs: synth, power, naive, fpga"),
        (LINE % ", sizes = 1", "", "unexpected keyword argument 'sizes'"),
        (LINE.replace('"ice40"', '"ice40", "ice40"') % "", "", "base_ice40.* stands there twice"),
        (LINE % "", "[bass_ice40]\ntotal = 1\n", "budgets.toml: no row 'bass_ice40'"),
        (
            LINE % "" + '[[aim]]\nwhat = ""\nrows = ["b"]\nvalue = "total"\nat_most = 1\n',
            "",
            "aim: no row 'b'",
        ),
        (
            LINE % "" + '[[table]]\ndocument=""\nmark="m"\nrows=["x"]\non=[]\nhead=""\nline=""\n',
            "",
            "table m: no design 'x'",
        ),
    ],
)
def test_a_table_that_names_what_is_not_there_is_refused(tmp_path, text, budgets, message):
    with pytest.raises(InputError, match=message):
        written(tmp_path, text, budgets)


@pytest.mark.parametrize("row", BENCH.rows, ids=lambda row: row.name)
def test_every_row_is_a_legal_configuration(row):
    config = load_config(row.config, row.set)
    assert row.verb != "naive" or not config.ranks


def test_quick_rows_need_no_library_that_is_not_shipped():
    quick = [row for row in BENCH.rows if row.quick]
    assert {"synth", "naive", "power"} == {row.verb for row in quick}
    assert all((ROOT / row.library).exists() for row in quick if row.library)
    assert all(row.name in BENCH.budgets for row in quick if row.verb != "naive")


def test_budgets_are_written_for_designs_as_they_are_meant():
    rows = [
        Row("a", "ice40", "base", "fpga"),
        Row("b", "ice40", "base", "ablation"),
        Row("c", "ice40", "base", "fpga", verb="naive"),
        Row("d", "ice40", "base", "fpga", off="drivers"),
        Row("e", "ice40", "base", "fpga"),
    ]
    kept = {row.name: {"per_1b_mac": 2.0, "min_period_ns": None} for row in rows[:4]}
    text = budget_text(Bench(rows, {}, [], [], [], {}), kept)
    assert tomllib.loads(text) == {"a_ice40": {"per_1b_mac": 2.02}}


def test_libraries_are_found_by_name_and_known_by_content(tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    monkeypatch.delenv("CIMFORGE_LIBERTY", raising=False)
    found = locate_libraries(BENCH)
    assert found["sg13g2"].why == ""
    other = tmp_path / "sg13g2_typ.lib.gz"
    other.write_bytes(gzip.compress(b"library (other) {}"))
    assert "another release" in locate_libraries(BENCH, [other])["sg13g2"].why
    monkeypatch.setenv("CIMFORGE_LIBERTY", str(tmp_path))
    assert locate_libraries(BENCH)["sg13g2"].path == other
    monkeypatch.setenv("CIMFORGE_LIBERTY", str(tmp_path / "none"))
    with pytest.raises(InputError, match=r"CIMFORGE_LIBERTY: .* is no folder"):
        locate_libraries(BENCH)


def test_a_library_that_is_missing_is_named_and_its_rows_left_out(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CIMFORGE_LIBERTY", raising=False)
    found = locate_libraries(BENCH)
    rows = with_libraries(BENCH.rows, found, BENCH)
    boards = {"hx8k", "icebreaker", "ulx3s-85f"}
    assert {row.on for row in rows} == {"ice40", "ecp5", "gowin"} | boards
    told = missing_here(BENCH.rows, found)
    assert any(line.startswith("nangate45 is missing: ") for line in told)
    assert "name it with --liberty FILE or its folder in CIMFORGE_LIBERTY" in told[0]


def test_programs_that_are_missing_are_named_and_bind_nobody(monkeypatch):
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(bench_plan.shutil, "which", lambda name: None)
    rows = [row for row in BENCH.rows if row.quick]
    figures = {figure.name: figure for figure in load_figures()}
    plan = make_plan(BENCH, rows, ["text"], figures, locate_libraries(BENCH))
    assert "iverilog is missing: 1 rows of energy left out" in plan.left_out[0]
    assert "sta is missing: no clock periods" in plan.left_out[1]
    assert "energy_tiny_sg13g2" not in plan.jobs
    assert plan.budgets["tiny_sg13g2"].keys() == {"per_1b_mac"}
    assert plan.jobs["text"] is figures["text"]


def test_a_library_of_ones_own_takes_every_design_once(tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    own = tmp_path / "mine.lib"
    own.write_text("library (mine) {}")
    rows = with_libraries(BENCH.rows, locate_libraries(BENCH, [own]), BENCH)
    mine = [row for row in rows if row.on == "mine"]
    assert {row.design for row in mine} == {row.design for row in BENCH.rows if row.library}
    assert all(row.library == str(own) for row in mine)
    assert len(mine) == len({row.design for row in mine})


def test_before_and_after_in_one_line():
    kept = {"total": 100.0, "unit": "um2", "min_period_ns": 2.0}
    fresh = {"total": 90.0, "unit": "um2", "min_period_ns": 2.0}
    assert before_after(kept, fresh) == "100 → 90 µm² -10.0%, 2.00 ns"
    assert before_after(None, {"fj_per_1b_mac": 9.5}) == "9.50 fJ/1b-MAC (new)"


def test_a_budget_exceeded_or_not_measured_is_told():
    budget = {"per_1b_mac": 9.0, "min_period_ns": 3.0}
    assert over_budget(budget, {"per_1b_mac": 9.0, "min_period_ns": 2.9}) == []
    assert over_budget(budget, {"per_1b_mac": 9.1, "min_period_ns": None}) == [
        "per_1b_mac 9.1 exceeds its budget 9",
        "no min_period_ns (budget 3)",
    ]


def test_what_follows_from_a_measurement():
    roles = {"tree": 40.0, "accumulate": 10.0, "input": 5.0}
    told = derived({"breakdown": roles, "macs_1b": 10, "total": 70.0})
    assert told["compute_per_1b_mac"] == 5.0
    assert told["without_input"] == 65.0


def test_the_best_row_of_an_aim_counts():
    aims = [
        Aim("small", ["a", "b"], "size", at_most=4),
        Aim("fast", ["a", "b"], "rate", at_least=9),
        Aim("none", ["c"], "size", at_most=1),
    ]
    bench = Bench([], {}, [], [], aims, {})
    told = aims_reached(bench, {"a": {"size": 5, "rate": 7}, "b": {"size": 4, "rate": 8}})
    assert [(aim["value"], aim["row"], aim["reached"]) for aim in told] == [
        (4, "b", True),
        (8, "b", False),
        (None, None, None),
    ]


TABLE = Table("R.md", "m", ["a", "b"], ["x"], "| on | d | v |", "| {on} | {row} | {v:.1f} |")


def test_tables_are_written_and_what_differs_is_named(tmp_path):
    bench = Bench([], {"x": {"label": "X"}}, [], [TABLE], [], {})
    (tmp_path / "R.md").write_text("before\n<!-- bench m -->\n<!-- end -->\nafter\n")
    kept = {"a_x": {"v": 1.25}, "b_x": {"v": None}}
    assert list(table_complaints(bench, kept, tmp_path)) == [
        "R.md: table m is not what was measured; run python -m cimforge.scripts.bench --tables"
    ]
    assert refresh_tables(bench, kept, tmp_path) == ["R.md: m"]
    assert (tmp_path / "R.md").read_text() == (
        "before\n<!-- bench m -->\n| on | d | v |\n|---|---|---|\n| X | a | 1.2 |\n| X | b | - |\n"
        "<!-- end -->\nafter\n"
    )
    assert list(table_complaints(bench, kept, tmp_path)) == []
    assert refresh_tables(bench, kept, tmp_path) == []
    by_row = table_text(replace(TABLE, order="rows", on=["x", "y"]), bench, {**kept, "a_y": {}})
    assert by_row.splitlines()[2:] == ["| X | a | 1.2 |", "| X | b | - |"]


def test_a_table_of_aims_says_what_is_reached():
    table = Table("R.md", "m", [], [], "| a | b |", "| {what} {bound} | {value} {reached} {row} |")
    aims = [Aim("small", ["a"], "v", at_most=2), Aim("large", ["a", "b"], "v", at_least=2)]
    aims.append(Aim("fast", ["c"], "w", at_most=1))
    bench = Bench([], {}, [], [], aims, {})
    text = table_text(replace(table, order="aims"), bench, {"a": {"v": 1}, "b": {"v": 1.5}})
    assert text.splitlines()[2:] == [
        "| small ≤ 2 | 1 yes a |",
        "| large ≥ 2 | 1.5 **no** b |",
        "| fast ≤ 1 | - not measured - |",
    ]


def test_a_document_without_the_mark_is_named(tmp_path):
    (tmp_path / "R.md").write_text("nothing")
    with pytest.raises(ValueError, match=r"R.md has no <!-- bench m -->"):
        refresh_tables(Bench([], {}, [], [TABLE], [], {}), {}, tmp_path)


def test_the_committed_tables_say_what_was_measured():
    figures = {figure.name: figure for figure in load_figures(ROOT / "results" / "figures.toml")}
    named = BENCH.figure_names.items()
    kept = {name: kept_result(figures[figure], ROOT) or {} for name, figure in named}
    assert list(table_complaints(BENCH, kept, ROOT)) == []


def test_committed_figures_are_within_their_budgets():
    figures = {figure.name: figure for figure in load_figures(ROOT / "results" / "figures.toml")}
    for row in BENCH.rows:
        measured = kept_result(figures[row.figure], ROOT)
        if measured is not None:
            assert over_budget(BENCH.budgets.get(row.name, {}), measured) == [], row.name


def measured_here(monkeypatch, folder: Path, value: dict, budgets: str = "") -> None:
    """A project of one row whose command gives ``value``."""
    (folder / "results").mkdir()
    written(folder / "results", LINE % "", budgets)
    sources = '[sources]\nbench_synth = []\n[[figure]]\nname = "f"\ncommand = "c"\n'
    sources += 'depends = "bench_synth"\nquotes = []\n'
    (folder / "results" / "figures.toml").write_text(sources)
    monkeypatch.chdir(folder)
    monkeypatch.setattr(bench_command, "measure", lambda figure, quiet: dict(value))


AREA = {"total": 90, "unit": "luts", "per_1b_mac": 2.5, "min_period_ns": None, "macs_1b": 36}
AREA |= {"breakdown": {}}


def test_a_run_writes_results_and_charts_and_passes(monkeypatch, tmp_path, capsys):
    measured_here(monkeypatch, tmp_path, AREA, "[base_ice40]\nper_1b_mac = 2.5\n")
    assert main([]) == 0
    told = json.loads((tmp_path / "build/bench/results.json").read_text())
    assert told["rows"]["base_ice40"]["measured"]["total"] == 90
    assert told["rows"]["base_ice40"]["committed"] is None
    assert "1/1 base_ice40" in capsys.readouterr().out


def test_a_budget_exceeded_fails_the_run(monkeypatch, tmp_path, capsys):
    measured_here(monkeypatch, tmp_path, AREA, "[base_ice40]\nper_1b_mac = 2.4\n")
    assert main(["base"]) == 1
    said = capsys.readouterr()
    assert "base_ice40: per_1b_mac 2.5 exceeds its budget 2.4" in said.err
    assert "1 rows, 0 failed, 1 over budget" in said.out


def test_a_row_that_fails_fails_the_run(monkeypatch, tmp_path, capsys):
    measured_here(monkeypatch, tmp_path, AREA)

    def fail(figure, quiet):
        raise RuntimeError(f"{figure.name}: no tool")

    monkeypatch.setattr(bench_command, "measure", fail)
    assert main(["base_ice40"]) == 1
    assert "failed  bench_base_ice40: no tool" in capsys.readouterr().out


def test_a_kept_run_is_what_the_next_one_starts_from(monkeypatch, tmp_path, capsys):
    measured_here(monkeypatch, tmp_path, AREA)
    assert main(["base", "--keep"]) == 0
    monkeypatch.setattr(bench_command, "measure", lambda figure, quiet: {**AREA, "total": 99})
    assert main(["base"]) == 0
    assert "90 → 99 LUTs +10.0%" in capsys.readouterr().out


def test_sources_that_change_meanwhile_make_a_kept_row_stale(monkeypatch, tmp_path):
    measured_here(monkeypatch, tmp_path, AREA)
    source = tmp_path / "source.txt"
    source.write_text("before")
    toml = tmp_path / "results" / "figures.toml"
    toml.write_text(toml.read_text().replace("bench_synth = []", 'bench_synth = ["source.txt"]'))

    def change(figure, quiet):
        source.write_text("behind")
        return dict(AREA)

    monkeypatch.setattr(bench_command, "measure", change)
    assert main(["base", "--keep"]) == 0
    figure = next(f for f in load_figures() if f.name == "bench_base_ice40")
    assert "is stale" in next(complaints(figure, tmp_path))


def test_an_unknown_row_and_file_are_refused(monkeypatch, tmp_path, capsys):
    measured_here(monkeypatch, tmp_path, AREA)
    assert main(["bass"]) == 2
    assert "bench: no row 'bass' in results/bench.toml (near: base" in capsys.readouterr().err
    with pytest.raises(SystemExit, match="2"):
        main(["--liberty", "nosuch.lib"])
    assert "nosuch.lib is no file" in capsys.readouterr().err


def test_charts_are_equal_bytes_for_equal_results(tmp_path):
    roles = dict.fromkeys(("storage", "multiply", "tree", "accumulate", "input", "control"), 10.0)
    area = {**AREA, "unit": "um2", "breakdown": roles, "min_period_ns": 2.0}
    power = {"fj_per_1b_mac": 9.0, "by_role": roles, "glitch_share": 0.3}
    rows = [Row("base", "sg13g2", "base", "peers"), Row("ripple", "sg13g2", "base", "ablation")]
    rows += [Row("energy", "sg13g2", "base", "energy"), Row("lut", "ice40", "base", "fpga")]
    values = (area, area, power, AREA)
    measured = {row.name: value for row, value in zip(rows, values, strict=True)}
    result = result_object(BENCH, rows, measured, {}, {}, [], [], {})
    names = {"areas.svg", "ablations.svg", "energies.svg", "luts.svg"}
    first = {path.name: path.read_bytes() for path in draw_charts(result, tmp_path)}
    assert set(first) == names
    assert first == {path.name: path.read_bytes() for path in draw_charts(result, tmp_path)}


def test_the_table_is_one_line_a_design():
    """A new row is one line."""
    text = (ROOT / "results" / "bench.toml").read_text()
    designs = tomllib.loads(text)["design"]
    assert len(designs) == sum(line.startswith("  {name = ") for line in text.splitlines())


def test_styles_stand_in_the_chart_of_areas(tmp_path):
    roles = dict.fromkeys(("storage", "multiply", "tree", "accumulate", "input", "control"), 10.0)
    area = {**AREA, "unit": "um2", "breakdown": roles, "min_period_ns": 2.0}
    rows = [row for row in BENCH.rows if row.group == "styles"]
    assert {"carry_save", "zero_skip", "fused", "setclear", "sram", "xnor"} == {
        row.design for row in rows
    }
    measured = {row.name: area for row in rows}
    drawn = draw_charts(result_object(BENCH, rows, measured, {}, {}, [], [], {}), tmp_path)
    assert [path.name for path in drawn] == ["areas.svg"]
