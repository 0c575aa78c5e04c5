"""Whole layouts with Debian's tools: routed, compared, timed, and as good as golden."""

import os
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from cimforge.cocotb_tests.regression import run_regression
from cimforge.flow.layout import routed_timing
from cimforge.flow.layout.attempt import attempt
from cimforge.flow.layout.lay_out import lay_out
from cimforge.flow.layout.layout_report import CONTRACT, LayoutReport
from cimforge.flow.layout.lef_file import read_lef
from cimforge.flow.layout.lvs import MATCH, compare, verdict
from cimforge.flow.layout.mask_files import broken_rules, magic_script, write_masks
from cimforge.flow.layout.step_clock import StepClock
from cimforge.flow.layout.technology import OSU018, check_tools
from cimforge.flow.simulate.simulator import Design
from cimforge.flow.synth.static_timing import STA
from cimforge.hdl.emit.package import emit_macro
from cimforge.hdl.params.config_file import InputError, load_config


def _missing() -> str:
    try:
        check_tools(OSU018)
    except InputError as error:
        return str(error)
    return ""


pytestmark = pytest.mark.skipif(bool(_missing()), reason=_missing() or "all there")
SIMULATOR = "icarus" if shutil.which("iverilog") else "verilator"
SMALL = ["rows=1", "cols=1", "weight_bits=1", "input_bits=1"]  # and has constants
PORTS = {"x_signed": "w_signed", "w_signed": "x_signed"}
SWAPPED = re.compile(r"\b[xw]_signed\b")
LONG = os.environ.get("CIMFORGE_LAYOUTS")
DRAWN = [[], ["storage=latch"], ["banks=2"], ["slice_bits=2"], ["accumulate=carry_save"]]


def laid_out(folder: Path, overrides: list[str]) -> LayoutReport:
    config = load_config("tiny", overrides)
    folder.mkdir(exist_ok=True)
    emit_macro(config, folder)
    return lay_out(config, folder, OSU018, announce=lambda _: None)


def regression(report: LayoutReport, folder: Path, **options):
    """The regression of the netlist that was routed."""
    work = report.attempt.folder
    sources = ("models.v", f"{report.config.module}.v")
    design = Design.macro(report.config, work, sources)
    return run_regression(design, folder, simulator=SIMULATOR, **options)


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> LayoutReport:
    return laid_out(tmp_path_factory.mktemp("small"), SMALL)


def test_every_net_is_routed_and_every_check_passes(small):
    assert small.failures == []
    told = small.as_json()
    assert tuple(told) == CONTRACT
    assert told["whole"]
    assert told["lvs"] == MATCH
    assert told["unrouted"] == 0
    assert told["broken_rules"] == {}
    assert "vdd" in small.attempt.design.nets  # a constant, wired to the rails
    assert all(tree.gaps == 0 for tree in small.trees.values())
    assert set(told["files"]) >= {"def", "gds", "netlist", "models", "lvs", "picture"}
    assert Path(told["files"]["gds"]).read_bytes()[2:4] == b"\x00\x02"  # a GDS header


def test_lef_has_the_size_and_every_pin(small):
    width, height = small.as_json()["die_um"]
    text = small.files["lef"].read_text()
    assert f"SIZE {width:.3f} BY {height:.3f} ;" in text
    assert "PROPERTY estimated 0 ;" in text
    again = read_lef(small.files["lef"]).cells[small.config.module]
    ports = [net for bits in small.attempt.netlist.ports.values() for net in bits]
    assert len(again.pins) == len(ports) + 2
    assert {"VDD", "VSS", "clk"} < set(again.pins)
    assert all(again.pins.values())


def test_areas_grow_from_cells_to_die(small):
    told = small.as_json()
    assert told["estimate_um2"] < told["cell_um2"] < told["row_um2"] < told["die_um2"]
    width, height = told["die_um"]
    assert width * height == pytest.approx(told["die_um2"])
    assert sum(told["wire_um_by_layer"].values()) == pytest.approx(told["wire_um"], abs=1)


@pytest.mark.skipif(shutil.which(STA) is None, reason="no sta on PATH; install OpenSTA")
def test_wires_make_the_period_longer(small):
    told = small.as_json()
    assert told["unloaded_period_ns"] == pytest.approx(told["estimate_period_ns"], rel=0.002)
    assert 1.01 < told["min_period_ns"] / told["unloaded_period_ns"] < 1.5
    assert sum(step["delay_ns"] for step in told["critical_path"]) < told["min_period_ns"]


def test_without_opensta_there_is_no_period(small, monkeypatch):
    monkeypatch.setattr(routed_timing.shutil, "which", lambda name: None)
    known = small.attempt.netlist, small.attempt.design, small.trees
    assert routed_timing.routed_timing(small.config, *known, None, Path()) is None
    told = replace(small, timing=None).as_json()
    assert (told["min_period_ns"], told["critical_path"]) == (None, None)


def test_equal_input_gives_equal_files_and_no_step_twice(small, tmp_path):
    again = laid_out(tmp_path, SMALL)
    for what in ("def", "gds", "netlist", "wires", "picture"):
        assert again.files[what].read_bytes() == small.files[what].read_bytes(), what
    times = {path: path.stat().st_mtime_ns for path in again.attempt.folder.glob("*.log")}
    del times[again.attempt.folder / "timing.log"], times[again.attempt.folder / "unloaded.log"]
    laid_out(tmp_path, SMALL)
    assert {path: path.stat().st_mtime_ns for path in times} == times


def test_the_routed_netlist_passes_the_regression(small, tmp_path):
    report = regression(small, tmp_path / "results")
    assert report.failures == []
    assert report.passes > 100


def test_layout_and_another_netlist_differ(small, tmp_path):
    name = small.config.module
    for file in (f"{name}.spice", f"{name}_netlist.spice"):
        shutil.copy(small.attempt.folder / file, tmp_path)
    compare(name, tmp_path, OSU018)
    assert verdict(tmp_path) == MATCH
    netlist = tmp_path / f"{name}_netlist.spice"
    meant = netlist.read_text()
    swapped = re.sub(
        r"^X.*", lambda found: SWAPPED.sub(lambda port: PORTS[port[0]], found[0]), meant, flags=re.M
    )
    wrong = {
        "Netlists do not match.": re.sub(r"(XDFFPOSX1_\d+ \S+) clk ", r"\1 rst ", meant, count=1),
        "ports differ: x_signed": swapped,
        "ports differ: clk": re.sub(r"(\.subckt cim\w+) clk ", r"\1 clock ", meant),
    }
    for said, text in wrong.items():
        assert text != meant
        netlist.write_text(text)
        compare(name, tmp_path, OSU018)
        assert said in verdict(tmp_path)


def test_a_short_breaks_rules_and_the_comparison(small, tmp_path):
    name = small.config.module
    text = small.files["def"].read_text()
    wire = "+ ROUTED metal1 ( 80 700 ) ( 7000 * )\n  NEW "
    (tmp_path / f"{name}_route.def").write_text(text.replace("+ ROUTED ", wire, 1))
    shutil.copy(small.attempt.folder / f"{name}_netlist.spice", tmp_path)
    write_masks(name, tmp_path, OSU018, magic_script(name, OSU018))
    compare(name, tmp_path, OSU018)
    assert verdict(tmp_path) != MATCH
    assert broken_rules(tmp_path)


def test_fillers_lower_the_density(small, tmp_path):
    clock = StepClock(lambda _: None)
    netlist = small.attempt.netlist
    looser = attempt(netlist, tmp_path / "half", OSU018, small.lef, 0.5, clock)
    assert looser.faults == (0, 0, 0)
    assert looser.design.area > 1.3 * small.attempt.design.area


@pytest.mark.skipif(not LONG, reason="minutes: CIMFORGE_LAYOUTS=1, make soak")
@pytest.mark.parametrize("overrides", DRAWN, ids=["tiny", *(" ".join(each) for each in DRAWN[1:])])
def test_tiny_of_each_kind(overrides, tmp_path):
    report = laid_out(tmp_path, overrides)
    assert report.failures == []
    assert regression(report, tmp_path / "results").failures == []
