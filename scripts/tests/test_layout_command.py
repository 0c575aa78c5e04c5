"""cimforge layout on the command line."""

from dataclasses import replace
from pathlib import Path

import pytest

from cimforge.flow.layout import technology
from cimforge.flow.layout.layout_report import CONTRACT
from cimforge.flow.layout.mask_files import BrokenRule
from cimforge.flow.layout.technology import OSU018, check_tools
from cimforge.flow.layout.tool_run import ToolError
from cimforge.hdl.params.config_file import InputError
from cimforge.scripts import layout as verb

SMALL = ("layout", "tiny", "--set", "rows=1", "--set", "cols=1", "--set", "weight_bits=1")


def _missing() -> str:
    try:
        check_tools(OSU018)
    except InputError as error:
        return str(error)
    return ""


needs_tools = pytest.mark.skipif(bool(_missing()), reason=_missing() or "all there")


@needs_tools
def test_json_table_and_what_is_wrong(cimforge, monkeypatch):
    done = cimforge(*SMALL, "--json")
    assert (done.status, done.messages) == (0, [])
    told = done.json
    assert tuple(told) == CONTRACT
    assert told["whole"]
    assert all(Path(path).is_file() for path in told["files"].values())
    done = cimforge(*SMALL)
    assert done.status == 0
    assert f"{told['die_um2']:,.0f}" in done.out
    assert f"{told['min_period_ns']:.3f} ns" in done.out
    words = next(line for line in done.out.split("\n") if line.startswith("regression: "))
    files = (told["files"]["netlist"], told["files"]["models"])
    assert f"{' '.join(SMALL[1:])} --sources {files[0]} --models {files[1]}" in words
    assert words.startswith("regression: cimforge verify tiny ")

    def worse(*arguments):
        report = lay_out(*arguments)
        rules = (BrokenRule("Metal2 spacing", 3),)
        return replace(report, attempt=replace(report.attempt, unrouted=2, rules=rules))

    lay_out = verb.lay_out
    monkeypatch.setattr(verb, "lay_out", worse)
    done = cimforge(*SMALL, "--json")
    assert done.status == 1
    assert not done.json["whole"]
    nets = told["nets"]
    assert done.messages == [
        f"cimforge: 2 of {nets} nets have no route at a density of 1; a design rule is broken at 3 "
        "places: Metal2 spacing"
    ]


@needs_tools
def test_a_tool_that_fails_is_told_in_a_line(cimforge, monkeypatch):
    def fails(*arguments):
        raise ToolError("route: qrouter was ended by SIGSEGV; its messages are in x.log")

    monkeypatch.setattr(verb, "lay_out", fails)
    done = cimforge(*SMALL, "--json")
    assert done.status == 1
    assert done.json["failed"].startswith("route: qrouter was ended")
    assert set(CONTRACT) <= set(done.json)
    assert done.messages == [f"cimforge: {done.json['failed']}"]


def test_missing_tools_are_bad_input(cimforge, monkeypatch):
    monkeypatch.setattr(technology.shutil, "which", lambda name: None)
    done = cimforge(*SMALL)
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith("cimforge: layout: no tclsh, graywolf, qrouter; install Debian's")
    assert done.err.endswith("apt install qflow qflow-tech-osu018\n")
    assert not Path("build").exists()
