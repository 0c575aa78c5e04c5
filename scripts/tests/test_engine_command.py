"""cimforge engine: what it leaves, and that Verilator has nothing to say about it."""

import json

import pytest
from click.testing import CliRunner

from cimforge.hdl.tests.tools import lint
from cimforge.scripts.main import cli

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
