"""cimforge engine: what it leaves, and that Verilator has nothing to say about it."""

import json

import pytest
from click.testing import CliRunner

from cimforge.hdl.tests.tools import lint
from cimforge.scripts.main import cli, main

CASES = {
    "base": ["engine_base"],
    "streams": ["tiny", "--control", "apb", "--memory", "wishbone", "--set", "engine.streams=true"],
    "wide": ["tiny", "--control", "wishbone", "--set", "engine.bus_bits=128", "--set", "cols=3"],
}


@pytest.mark.parametrize("name", CASES)
def test_an_engine_s_files_are_whole_and_lint_is_clean(name, tmp_path):
    done = CliRunner().invoke(cli, ["engine", *CASES[name], "--json", "-o", str(tmp_path / "e")])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    folder = tmp_path / "e"
    for file in told["files"]:
        assert (folder / file["path"]).is_file()
    kinds = {"h", "md", "rdl", "svd"}
    assert kinds <= {file["path"].split(".")[-1] for file in told["files"]}
    sources = (folder / f"{told['top']}.f").read_text().split()
    assert lint(folder, "--top-module", told["top"], *sources) == []


def test_the_same_command_writes_the_same_bytes(tmp_path):
    texts = []
    for name in ("one", "two"):
        done = CliRunner().invoke(cli, ["engine", "tiny", "-o", str(tmp_path / name)])
        assert done.exit_code == 0, done.output
        texts.append({p.name: p.read_bytes() for p in (tmp_path / name).iterdir() if p.is_file()})
    assert texts[0] == texts[1]


def test_views_that_libraries_make_stand_beside_the_rest(tmp_path):
    folder = tmp_path / "views"
    done = CliRunner().invoke(cli, ["engine", "tiny", "--views", "--json", "-o", str(folder)])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    name = told["name"]
    paths = {file["path"] for file in told["files"]}
    views = [f"{name}.html", f"{name}.xml", f"{name}_html/index.html"]
    assert {*views, f"{name}_python/{name}/reg_model/__init__.py"} <= paths
    assert all((folder / path).is_file() for path in paths)


def test_a_macro_has_them_behind_a_bus(tmp_path):
    words = ["generate", "tiny", "--views", "-o", str(tmp_path)]
    done = CliRunner().invoke(cli, [*words, "--bus", "apb", "--patience", "70", "--json"])
    assert done.exit_code == 0, done.output
    name = json.loads(done.stdout)["name"]
    for path in (f"{name}_regs.html", f"{name}_regs.xml", f"{name}_regs.svd", f"{name}_apb.v"):
        assert (tmp_path / path).is_file()
    assert (tmp_path / f"{name}_apb.v").read_text().splitlines()[0].endswith("--patience 70")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--views"], "--views: only with --bus, behind which a macro has registers"),
        (["--bus", "wishbone", "--patience", "7"], "--patience: only with --bus axi4lite or apb"),
    ],
)
def test_options_that_need_a_bus_say_so(words, told, monkeypatch, capsys):
    monkeypatch.chdir("/tmp")
    assert main(["generate", "tiny", *words]) == 2
    assert capsys.readouterr().err == f"cimforge: {told}\n"
