"""The energy of whole macros: mapped, simulated with delays, summed."""

import json
import re
import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cimforge.flow.power import power_report
from cimforge.flow.power.flat_netlist import ONE, ZERO, flatten
from cimforge.flow.power.mapped_macro import MappedMacro, map_macro
from cimforge.flow.power.operating_point import ArcDelays
from cimforge.flow.power.power_bench import power_bench
from cimforge.flow.power.power_report import PowerReport, measure_power
from cimforge.flow.power.timed_netlist import timed_netlist
from cimforge.flow.power.toggle_run import WrongResultsError, count_toggles
from cimforge.flow.power.workload import Segment, Workload, drawn_workload
from cimforge.flow.simulate.bounded_run import CommandError
from cimforge.flow.synth.census import BREAKDOWN, AreaRoles, area_roles, count_by_role
from cimforge.flow.tests.test_leaf_cells import SG13G2
from cimforge.flow.tests.test_synth import LATCHES, SMALL
from cimforge.hdl.emit.package import emit_macro
from cimforge.hdl.macro.top import build_macro
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import InputError, load_config
from cimforge.hdl.tests.configs import macro

needs_icarus = pytest.mark.skipif(
    shutil.which("iverilog") is None, reason="no iverilog on PATH; install Icarus Verilog"
)
TINY = load_config("tiny", ["storage=latch"])
CASES = {
    "tiny": TINY,
    "flop": load_config("tiny"),
    "banks": LATCHES["banks"],
    "planes": macro(5, 3, 3, 6, 3, 2, "latch", "csa", 1),
    "one": macro(1, 1, 1, 1),
    "digits": macro(4, 2, 3, 4, 2).model_copy(update={"multiply": "booth"}),
}


def measure(config: MacroConfig, folder: Path, workload: Workload, **options) -> PowerReport:
    """Emit and measure, on SG13G2 unless another library is named."""
    emit_macro(config, folder)
    quiet = {"announce": lambda _: None, "liberty": [SG13G2]}
    return measure_power(config, folder, workload, **{**quiet, **options})


def mapped(config: MacroConfig, folder: Path, library: Path) -> MappedMacro:
    """Emit and map."""
    emit_macro(config, folder)
    return map_macro(config, folder, [library])


@needs_icarus
@pytest.mark.parametrize("config", CASES.values(), ids=CASES)
def test_macros_of_all_kinds(config, tmp_path):
    """Every result is golden's; roles sum to the whole; shares are shares; nothing is unknown."""
    report = measure(config, tmp_path, drawn_workload(config, "uniform", 12, 1))
    told = report.as_json()
    assert told["cycles"] == 12 * config.cycles_per_pass()
    assert tuple(told["by_role"]) == BREAKDOWN
    assert sum(told["by_role"].values()) == pytest.approx(told["fj_per_1b_mac"], abs=1e-3)
    assert told["by_role"]["tree"] > 0 or config.rows == 1
    assert 0 <= told["glitch_share"] < 1
    assert 0 < told["clock_share"] < 1
    assert 0 < told["idle_share"] < (0.5 if config.rows > 1 else 1)
    assert told["leakage_uw"] > 0
    energy = told["fj_per_1b_mac"] + told["leakage_fj_per_1b_mac"]
    assert told["tops_per_w"] == pytest.approx(2000 / energy, rel=1e-3)
    # digits of unsigned vectors take one plane more, which counts nothing
    share = config.max_planes * config.bits_per_cycle / config.input_bits if config.digits else 1
    leaks = told["leakage_uw"] * told["period_ns"] / config.macs_1b * share
    assert told["leakage_fj_per_1b_mac"] == pytest.approx(leaks, abs=1e-4)
    assert not [note for note in told["notes"] if "unknown" in note]


@needs_icarus
def test_the_same_again(tmp_path):
    workload = drawn_workload(TINY, "relu", 10, 3)
    both = [measure(TINY, tmp_path / name, workload).as_json() for name in "ab"]
    for each in both:
        del each["seconds"], each["netlist"]
    assert both[0] == both[1]


@needs_icarus
def test_zeros_take_less_than_numbers_and_wires_more(tmp_path):
    zeros = Segment(np.ones((8, 4), np.int64), np.zeros((10, 8), np.int64), 0, 4, False, False)
    still = measure(TINY, tmp_path, Workload("zeros", [zeros]))
    drawn = measure(TINY, tmp_path, drawn_workload(TINY, "uniform", 20, 1))
    wires = measure(TINY, tmp_path, drawn_workload(TINY, "uniform", 20, 1), wire_load=5.0)
    assert still.per_mac < drawn.per_mac / 2
    assert still.by_role["multiply"] == 0
    assert drawn.per_mac < wires.per_mac
    assert wires.as_json()["wire_ff"] == 5.0
    assert drawn.period < wires.period


def scaled(delays: ArcDelays, factor: int) -> ArcDelays:
    """A cell's delays, ``factor`` times as long."""
    return {
        pin: {related: (factor * rise, factor * fall) for related, (rise, fall) in arcs.items()}
        for pin, arcs in delays.items()
    }


@needs_icarus
def test_functional_toggles_are_those_of_any_delays(tmp_path):
    """Each net has the same value at the end of each cycle, whatever happens in between: slower
    gates change the glitches only."""
    case = mapped(TINY, tmp_path, SG13G2)
    workload = drawn_workload(TINY, "uniform", 20, 5)
    found = []
    for factor in (1, 2):
        slow = [scaled(delays, factor) for delays in case.point.delays]
        slow[300::7] = case.point.delays[300::7]
        point = replace(case.point, delays=slow)
        text = "\n".join(timed_netlist(case.netlist, case.library.cells, point))
        (tmp_path / "core.v").write_text(text)
        bench = power_bench(TINY, case.netlist, workload, 10_000)
        kinds = count_toggles(tmp_path, bench, case.netlist.nets, 10_000, lambda *_: None)
        found.append(kinds["computing"])
    assert (found[0].functional == found[1].functional).all()
    assert (found[0].all != found[1].all).any()
    assert (found[0].all >= found[0].functional).all()
    odd = np.delete(found[0].all - found[0].functional, list(case.clock.nets))
    assert (odd % 2 == 0).all(), "a glitch is there and back"


@needs_icarus
def test_a_clock_too_fast_and_a_broken_cell_are_noticed(tmp_path):
    workload = drawn_workload(TINY, "uniform", 10, 1)
    with pytest.raises(
        WrongResultsError, match=r"at 2.2 ns \d+ of 13 results of the netlist differ"
    ):
        measure(TINY, tmp_path, workload, period=2.2)
    with pytest.raises(WrongResultsError, match=r"at 0.4 ns the netlist gives no more results"):
        measure(TINY, tmp_path, workload, period=0.4)
    case = mapped(TINY, tmp_path, SG13G2)
    text = "\n".join(timed_netlist(case.netlist, case.library.cells, case.point))
    first = next(i for i, cell in enumerate(case.netlist.cells) if cell.role == "multiply")
    broken = re.sub(rf"\w+ u{first} \(.*\.Y\((n\d+)\).*", r"assign \1 = 1'b1;", text)
    assert broken != text
    (tmp_path / "core.v").write_text(broken)
    bench = power_bench(TINY, case.netlist, workload, 5_000)
    with pytest.raises(WrongResultsError, match=r"at 10 ns \d+ of 13 results"):
        count_toggles(tmp_path, bench, case.netlist.nets, 5_000, lambda *_: None)
    (tmp_path / "core.v").write_text("module core; endmodule\n")
    with pytest.raises(CommandError, match=r"port|error"):
        count_toggles(tmp_path, bench, case.netlist.nets, 5_000, lambda *_: None)
    assert not (tmp_path / "toggles.vcd").exists()


@pytest.mark.parametrize("config", LATCHES.values(), ids=LATCHES)
def test_every_cell_of_every_instance_is_in_the_flat_netlist(config, tmp_path):
    """As many of each kind and role as the census counts."""
    case = mapped(config, tmp_path, SMALL)
    (folder,) = (tmp_path / "synth").iterdir()
    modules = json.loads((folder / "netlist.json").read_text())["modules"]
    used = {n: m for n, m in modules.items() if not {"blackbox", "whitebox"} & set(m["attributes"])}
    roles = area_roles(build_macro(config))
    counts = count_by_role(used, config.module, roles)
    flat = Counter((cell.role, cell.kind) for cell in case.netlist.cells)
    wanted = {(role, kind): n for role, kinds in counts.items() for kind, n in kinds.items()}
    assert flat == Counter(wanted)
    assert len({cell.name for cell in case.netlist.cells}) == len(case.netlist.cells)


def test_nets_that_a_module_passes_on_are_one():
    """Its output is its input, or a constant."""
    inner = {
        "ports": {
            "a": {"direction": "input", "bits": [2]},
            "y": {"direction": "output", "bits": [2, "1"]},
        },
        "cells": {},
    }
    gate = {"type": "G", "connections": {"A": [5], "B": [6], "C": ["0"], "Y": [4]}}
    through = {"type": "inner", "connections": {"a": [3], "y": [5, 6]}}
    top = {
        "ports": {
            "x": {"direction": "input", "bits": [3]},
            "z": {"direction": "output", "bits": [4]},
        },
        "cells": {"g": gate, "i": through},
    }
    roles = AreaRoles({"top": "control", "inner": "tree"}, {})
    flat = flatten({"top": top, "inner": inner}, "top", roles)
    (cell,) = flat.cells
    assert cell.pins == {"A": flat.ports["x"][0], "B": ONE, "C": ZERO, "Y": flat.ports["z"][0]}
    assert flat.outputs == {"z"}
    with pytest.raises(ValueError, match="module inner has no role"):
        flatten({"top": top, "inner": inner}, "top", AreaRoles({"top": "control"}, {}))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("nom_voltage : 1.0;", "", "small says no nom_voltage, which energy needs"),
        ("cell_rise (delay_2x2)", "no_rise (delay_2x2)", ""),
        (
            'values ("0.100, 0.200", "0.150, 0.250")',
            'values ("0.100")',
            "has 1 values where its axes",
        ),
    ],
)
def test_libraries_without_what_energy_needs(old, new, message, tmp_path):
    text = SMALL.read_text()
    assert old in text
    if "rise" in old:  # nothing tells a delay any more
        text, old = re.sub(r"cell_(rise|fall) \(", r"no_\1 (", text), "cell_rise"
        message = "small has no delays of"
    (tmp_path / "l.lib").write_text(text.replace(old, new))
    with pytest.raises(InputError, match=message):
        measure(
            TINY,
            tmp_path / "m",
            drawn_workload(TINY, "uniform", 2, 0),
            liberty=[tmp_path / "l.lib"],
        )


@needs_icarus
def test_what_a_library_does_not_say_is_noted(tmp_path):
    report = measure(TINY, tmp_path, drawn_workload(TINY, "uniform", 2, 0), liberty=[SMALL])
    assert any(note.startswith("no internal power of ALIKE, ") for note in report.notes)
    assert any(note.startswith("no leakage of ALIKE, ") for note in report.notes)
    assert report.leakage == 0
    assert report.per_mac > 0


def test_drawn_data_are_what_they_are_said_to_be():
    config = macro(64, 16, 8, 8)
    (uniform,) = drawn_workload(config, "uniform", 400, 0).segments
    (relu,) = drawn_workload(config, "relu", 400, 0).segments
    assert (uniform.inputs.min(), uniform.inputs.max()) == (0, 255)
    assert (uniform.weights.min(), uniform.weights.max(), uniform.w_signed) == (0, 255, False)
    assert uniform.inputs.mean() == pytest.approx(127.5, abs=2)
    assert (relu.inputs == 0).mean() == pytest.approx(0.5, abs=0.02)
    assert relu.inputs[relu.inputs > 0].std() == pytest.approx(0.6 * 255 / 4, rel=0.05)
    assert (relu.weights.min() >= -128, relu.weights.max() <= 127, relu.w_signed) == (True,) * 3
    assert relu.weights.std() == pytest.approx(128 / 3, rel=0.05)


def test_the_default_period_is_a_whole_number_of_steps():
    assert power_report._whole(4.07) == 4070
    assert power_report._whole(4.0701) == 4080
    assert power_report._whole(0.0) == 10
