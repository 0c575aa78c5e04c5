"""Synthesis reports: the split sums to the total, and counting by instances equals counting all."""

import json
import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from cimforge.flow.synth.census import BREAKDOWN
from cimforge.flow.synth.static_timing import STA, Timing
from cimforge.flow.synth.storage_check import check_storage
from cimforge.flow.synth.synth_report import SynthReport, synth_macro
from cimforge.flow.synth.targets import TARGETS, mark_lone_carries
from cimforge.hdl.arith.plan import Plan
from cimforge.hdl.emit.package import emit_macro
from cimforge.hdl.macro.pipeline import tree_plan
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import InputError, load_config
from cimforge.hdl.tests.configs import macro
from cimforge.hdl.tests.tools import yosys

SMALL = Path(__file__).parent / "small.lib"
CONFIGS = {
    "tiny": load_config("tiny"),
    "odd": macro(5, 3, 3, 6, 2, 3, "flop", "ripple", "auto"),
    "behavioral": macro(9, 2, 4, 4, tree="behavioral"),
}
LATCHES = {
    "tiny": load_config("tiny", ["storage=latch"]),
    "banks": macro(9, 3, 3, 4, 2, 3, "latch", "csa", 2),
    "wide": macro(6, 40, 2, 2, 1, 1, "latch"),
}


needs_opensta = pytest.mark.skipif(
    shutil.which(STA) is None, reason="no sta on PATH; install OpenSTA"
)


def synth(
    config: MacroConfig, folder: Path, target: str, *libraries: Path, **options
) -> SynthReport:
    """Emit and synthesise."""
    emit_macro(config, folder)
    quiet = {"announce": lambda _: None, "liberty": libraries}
    return synth_macro(config, folder, target, **quiet, **options)


def flattened_cells(folder: Path, before: str = "") -> Counter:
    """Cells of each type in a netlist, counted by Yosys after it made one module of it."""
    script = f"read_json netlist.json\n{before}setattr -mod -unset keep_hierarchy *\n"
    script += "hierarchy -auto-top\nflatten -noscopeinfo\nwrite_json all.json\n"
    yosys(folder, script)
    modules = json.loads((folder / "all.json").read_text())["modules"].values()
    return Counter(
        cell["type"]
        for module in modules
        for cell in module["cells"].values()
        if not {"blackbox", "whitebox"} & set(module["attributes"])
        and not cell["type"].startswith("$scope")
    )


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
def test_split_sums_to_the_total_of_all_instances(config, target, tmp_path):
    report = synth(config, tmp_path, target)
    assert tuple(report.breakdown) == BREAKDOWN
    assert sum(report.breakdown.values()) == report.total > 0
    cells = flattened_cells(tmp_path / "synth" / target)
    spec = TARGETS[target]
    counted = sum(spec.size(kind) * count for kind, count in cells.items())
    assert report.ffs == sum(n for kind, n in cells.items() if spec.is_flip_flop(kind))
    # Carries without a LUT are counted cell by cell: see the test of mark_lone_carries.
    assert counted <= report.total <= counted + cells["SB_CARRY"]
    assert report.ffs >= config.rows * config.cols * config.weight_bits * config.banks


@pytest.mark.parametrize("config", LATCHES.values(), ids=LATCHES)
def test_library_areas_sum_over_all_instances(config, tmp_path):
    report = synth(config, tmp_path, "liberty", SMALL)
    assert sum(report.breakdown.values()) == pytest.approx(report.total)
    areas = dict(re.findall(r"cell \((\w+)\) \{\n\s+area : ([\d.]+)", SMALL.read_text()))
    cells = flattened_cells(report.folder)
    assert report.total == sum(float(areas[kind]) * count for kind, count in cells.items())
    bits = config.rows * config.cols * config.weight_bits * config.banks
    assert cells["HOLD"] == bits
    assert cells["GATE"] > config.rows * config.banks, "row gates, and those of registers"
    assert report.ffs == cells["STEP"]
    trees = config.cols * config.bits_per_cycle
    assert cells["SUM3_CN"] >= report.adders["fa"] == trees * tree_plan(config).counts()["fa"]
    assert 0 < report.drivers <= cells["FOLLOW_1"] + cells["FOLLOW_4"]


@pytest.mark.parametrize(
    ("library", "gates"), [("small.lib", {"GATE": 1}), ("data/sg13g2_typ.lib.gz", {})]
)
def test_registers_that_share_an_enable_share_a_clock_gate(library, gates, tmp_path):
    """The accumulator's y: no multiplexer a bit, but one gate, or the latch and gates of one."""
    config = LATCHES["tiny"]
    report = synth(config, tmp_path, "liberty", Path(__file__).parent / library)
    modules = json.loads((report.folder / "netlist.json").read_text())["modules"]
    cells = Counter(c["type"] for c in modules[f"{config.module}_accumulator"]["cells"].values())
    latches = [count for kind, count in cells.items() if kind == "sg13g2_dlhrq_1"]
    assert {kind: cells[kind] for kind in gates} == gates
    assert latches == ([] if gates else [1])
    assert cells["MUX"] == 0
    flops = [n for kind, n in cells.items() if kind in report.cells["dff"].split(", ")]
    assert sum(flops) == config.y_bits


def test_chosen_cells_are_named_and_used(tmp_path):
    overrides = {"fa": "SUM3", "driver": "FOLLOW_4"}
    report = synth(LATCHES["tiny"], tmp_path, "liberty", SMALL, overrides=overrides)
    assert report.cells == {
        **{"fa": "SUM3", "ha": "SUM2", "latch": "HOLD", "clkgate": "GATE"},
        **{"driver": "FOLLOW_4", "dff": "STEP"},
    }
    cells = flattened_cells(report.folder)
    assert cells["SUM3"] > 0
    assert cells["SUM3_CN"] == 0


def test_flops_on_a_library_need_no_latch(tmp_path):
    report = synth(CONFIGS["odd"], tmp_path, "liberty", SMALL)
    assert "latch" not in report.cells
    assert report.ffs >= 5 * 3 * 3 * 3


def test_a_library_without_adders_builds_them_of_gates(tmp_path):
    roles = ("fa", "ha", "clkgate")
    text = SMALL.read_text()
    for name in ("SUM3", "SUM3_CN", "SUM2", "GATE"):
        text = text.replace(f"  cell ({name}) {{", f"  cell ({name}) {{\n    dont_use : true;")
    (tmp_path / "poor.lib").write_text(text)
    report = synth(LATCHES["tiny"], tmp_path, "liberty", tmp_path / "poor.lib")
    assert [report.cells[role] for role in roles] == ["gates"] * 3
    built = [note for note in report.notes if note.endswith("built from its gates")]
    assert built == [f"small has no usable cell for {r}: built from its gates" for r in roles]
    assert sum(report.breakdown.values()) == pytest.approx(report.total)


@pytest.mark.parametrize("target", ["generic", "ice40"])
def test_flattened_is_one_module_without_a_split(target, tmp_path):
    report = synth(CONFIGS["tiny"], tmp_path, target, flatten=True)
    assert report.breakdown == {}
    assert report.as_json()["breakdown"] is None
    whole = synth(CONFIGS["tiny"], tmp_path, target)
    assert report.ffs == whole.ffs
    assert 0.7 * whole.total < report.total < 1.1 * whole.total


def test_equal_input_gives_an_equal_netlist(tmp_path):
    for name in ("a", "b"):
        synth(CONFIGS["tiny"], tmp_path / name, "ecp5")
    first, second = ((tmp_path / n / "synth/ecp5/netlist.v").read_text() for n in "ab")
    assert first == second


@pytest.mark.parametrize("target", ["ice40", "ecp5", "gowin"])
def test_latches_are_refused_on_fpgas(target):
    with pytest.raises(InputError, match=r"latch has no cell.*--set storage=flop"):
        check_storage(LATCHES["tiny"], target)


def test_a_carry_chain_takes_a_lut_a_bit(tmp_path):
    """Not two, as compressors would."""
    config = CONFIGS["behavioral"]
    report = synth(config, tmp_path, "ice40")
    plan: Plan = tree_plan(config)
    bits = sum(len(cell.outputs) for cell in plan.cells)
    assert report.breakdown["tree"] <= config.cols * bits


def test_lone_carries_are_told_from_shared_ones():
    pins = ("I1", "I2", "I3"), ("I0", "I1", "CI")

    def cell(kind, *bits):
        names = pins[kind == "SB_CARRY"]
        return {"type": kind, "connections": {n: [b] for n, b in zip(names, bits, strict=True)}}

    module = {
        "cells": {
            **{"lut": cell("SB_LUT4", 1, 2, 3), "other": cell("SB_LUT4", 4, 5, "0")},
            **{"shared": cell("SB_CARRY", 1, 2, 3), "second": cell("SB_CARRY", 1, 2, 3)},
            **{"alone": cell("SB_CARRY", 4, 5, 6)},
        }
    }
    mark_lone_carries(module)
    kinds = {name: found["type"] for name, found in module["cells"].items()}
    assert kinds["shared"] == "SB_CARRY"
    assert kinds["second"] == kinds["alone"] == "SB_CARRY alone"


@needs_opensta
def test_period_grows_with_the_tree_and_shrinks_with_registers(tmp_path):
    """The path's delays add up to the period, but for the setup time and the search's step."""
    periods = []
    for index, config in enumerate(
        [macro(64, 2, 4, 4, storage="latch"), macro(64, 2, 4, 4, storage="latch", tree_stages=4)]
    ):
        report = synth(config, tmp_path / str(index), "liberty", SMALL)
        assert report.timing
        path = sum(step.delay for step in report.timing.path)
        assert 0 < report.timing.period - path < 0.2 * report.timing.period
        periods.append(report.timing.period)
    assert periods[1] < 0.8 * periods[0]
    assert report.as_json()["min_period_ns"] == round(periods[1], 3)


def test_tops_worked_by_hand():
    """4 x 2 at 4b x 6b, two planes a cycle: 3 cycles of 2 ns a vector, 192 1b-MACs in them."""
    report = SynthReport(macro(4, 2, 4, 6, 2), "liberty", "um2", 5000.0, 0, {})
    assert (report.tops, report.tops_per_mm2) == (None, None)
    report.timing = Timing(2.0, ())
    assert report.tops == pytest.approx(2 * 192 / 6e-9 / 1e12)
    assert report.tops_per_mm2 == pytest.approx(2 * 192 / 6e-9 / 1e12 / 0.005)
    report.unit = "luts"
    assert report.tops_per_mm2 is None


def test_without_opensta_the_period_is_null(tmp_path, monkeypatch):
    monkeypatch.setattr("cimforge.flow.synth.static_timing.STA", "no-such-sta")
    report = synth(LATCHES["tiny"], tmp_path, "liberty", SMALL)
    told = report.as_json()
    assert [told[key] for key in ("min_period_ns", "tops", "tops_per_mm2")] == [None] * 3
    assert report.notes[1:] == ["no clock period: needs OpenSTA (Debian: apt install opensta)"]


@needs_opensta
def test_what_opensta_says_is_kept_where_it_fails(tmp_path):
    text = SMALL.read_text().replace('time_unit : "1ns"', 'time_unit : "0ns"')
    (tmp_path / "zero.lib").write_text(text)
    report = synth(LATCHES["tiny"], tmp_path, "liberty", tmp_path / "zero.lib")
    assert report.notes[1:] == ["no clock period: small has a time unit of '0ns'"]


def test_notes_are_about_roles_that_the_macro_has(tmp_path):
    text = SMALL.read_text()
    for name in ("SUM2", "GATE", "HOLD"):
        text = text.replace(f"  cell ({name}) {{", f"  cell ({name}) {{\n    dont_use : true;")
    (tmp_path / "poor.lib").write_text(text)
    report = synth(CONFIGS["behavioral"], tmp_path, "liberty", tmp_path / "poor.lib")
    assert not any("built from its gates" in note for note in report.notes)
    assert set(report.cells) == {"dff"} | ({"driver"} if report.drivers else set())


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("P ^ Q", "P ^ ZZ"),
        ("P ^ Q", "P ^ "),
        ("area : 5;", ""),
        ("area : 5;", "area : nan;"),
        ("area : 5;", "area : 3*3;"),
        ("pin (HIGH)", "pin (HIGH, HIGHER)"),
        ("cell (PICK)", "cell (1PICK)"),
        ("cell (DIFFER)", "cell (cim_fa)"),
    ],
)
def test_a_cell_that_cannot_be_used_is_left_out(old, new, tmp_path):
    """One odd cell does not spoil a library, and nothing comes for free."""
    text = SMALL.read_text()
    assert old in text
    (tmp_path / "odd.lib").write_text(text.replace(old, new))
    report = synth(LATCHES["tiny"], tmp_path, "liberty", tmp_path / "odd.lib")
    plain = synth(LATCHES["tiny"], tmp_path / "plain", "liberty", SMALL)
    assert 0.95 * plain.total < report.total < 1.5 * plain.total


@needs_opensta
@pytest.mark.parametrize("gates", [True, False], ids=["clock_gates", "gates_of_gates"])
def test_constraints_go_with_the_netlist(gates, tmp_path):
    """OpenSTA reads both; every latch is constrained, and at the shortest period no path fails."""
    text = SMALL.read_text()
    if not gates:
        text = text.replace("  cell (GATE) {", "  cell (GATE) {\n    dont_use : true;")
    (tmp_path / "used.lib").write_text(text)
    config = LATCHES["banks"]
    report = synth(config, tmp_path, "liberty", tmp_path / "used.lib")
    assert report.timing
    work = report.folder
    (work / "check.tcl").write_text(
        f"read_liberty timing.lib\nread_verilog netlist.v\nlink_design {config.module}\n"
        f"set period {1.01 * report.timing.period}\nsource netlist.sdc\n"
        "puts [worst_slack]\nreport_checks -to [get_cells {col0/row0/bank0/bit0*}]\n"
        "check_setup -verbose\n"
    )
    run = subprocess.run((STA, "-exit", "check.tcl"), cwd=work, capture_output=True, text=True)
    printed = run.stdout + run.stderr
    assert "Error" not in printed
    assert "level-sensitive latch clocked by" in printed
    unconstrained = re.findall(r"^  col\d+/row\d+/bank\d+/bit.*", printed, re.M)
    assert unconstrained == []
    assert float(re.findall(r"^-?[\d.e-]+$", printed, re.M)[0]) >= 0


def test_a_cell_without_an_area_is_taken_last_and_said(tmp_path):
    text = SMALL.read_text().replace("area : 6;", "area : 0;")  # the only latch
    text = text.replace("area : 11;", "area : 0;")  # one of two full adders
    (tmp_path / "free.lib").write_text(text)
    report = synth(LATCHES["tiny"], tmp_path, "liberty", tmp_path / "free.lib")
    assert (report.cells["latch"], report.cells["fa"]) == ("HOLD", "SUM3")
    assert report.notes[1] == "HOLD has no area in small: counted as 0"


def test_each_library_has_a_folder_of_its_own(tmp_path):
    """A second library, another cell for a role and one netlist for all leave the others alone."""
    (tmp_path / "other.lib").write_text(SMALL.read_text().replace("area : 6;", "area : 7;"))
    config = LATCHES["tiny"]
    folders = [
        synth(config, tmp_path, "liberty", SMALL).folder,
        synth(config, tmp_path, "liberty", tmp_path / "other.lib").folder,
        synth(config, tmp_path, "liberty", SMALL, overrides={"fa": "SUM3"}).folder,
        synth(config, tmp_path, "liberty", SMALL, flatten=True).folder,
    ]
    assert len(set(folders)) == 4
    assert all(re.fullmatch(r"liberty-small-[0-9a-f]{8}(-\w+)*", f.name) for f in folders)
    assert folders[2].name == f"{folders[0].name}-fa_SUM3"
    assert synth(config, tmp_path, "liberty", SMALL).folder == folders[0]


def test_libraries_that_belong_together(tmp_path):
    """Gates in one file and what keeps a state in another, in other units: as from one file."""
    parts = split_small(tmp_path)
    config = LATCHES["tiny"]
    report = synth(config, tmp_path, "liberty", *parts)
    plain = synth(config, tmp_path, "liberty", SMALL)
    assert report.total == plain.total
    assert report.cells == plain.cells
    assert report.as_json()["libraries"] == [str(path) for path in parts]
    if plain.timing:
        assert report.timing
        assert report.timing.period == pytest.approx(plain.timing.period, rel=0.005)


def split_small(folder: Path) -> list[Path]:
    """small.lib as two files, the second in ps and fF."""
    header, *cells = re.split(r"(?m)^  (?=cell \()", SMALL.read_text().rstrip().removesuffix("}"))
    state = [cell for cell in cells if re.match(r"cell \((HOLD|STEP|GATE)", cell)]
    gates = header + "".join(cell for cell in cells if cell not in state) + "}\n"
    times = re.compile(r"(values \()([^)]*)(\))")
    scaled = [times.sub(lambda m: m[1] + thousandfold(m[2]) + m[3], cell) for cell in state]
    scaled = [
        re.sub(r"(capacitance : )([\d.]+)", lambda m: f"{m[1]}{1000 * float(m[2])}", cell)
        for cell in scaled
    ]
    head = header.replace('"1ns"', '"1ps"').replace("(1, pf)", "(1, ff)").replace("small", "states")
    head = re.sub(r"(index_\d \()([^)]*)(\))", lambda m: m[1] + thousandfold(m[2]) + m[3], head)
    (folder / "gates.lib").write_text(gates)
    (folder / "states.lib").write_text(head + "".join(scaled) + "}\n")
    return [folder / "gates.lib", folder / "states.lib"]


def thousandfold(numbers: str) -> str:
    """A list of numbers, each times a thousand."""
    return re.sub(r"\d+\.\d+", lambda found: f"{1000 * float(found[0]):g}", numbers)


def test_ranks_and_the_netlist_are_in_the_report(tmp_path):
    config = LATCHES["banks"]
    report = synth(config, tmp_path, "generic").as_json()
    assert report["ranks"] == config.pipeline_stages == 2
    assert Path(report["netlist"]).is_file()
