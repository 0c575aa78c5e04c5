"""Set-clear storage on a library: two gates a bit, timed as a path of a cycle and a half."""

import json
import shutil
from collections import Counter
from pathlib import Path

import pytest

from cimforge.flow.liberty.leaf_cells import choose_cells
from cimforge.flow.liberty.library import read_library
from cimforge.flow.synth.static_timing import STA
from cimforge.flow.tests.test_synth import SMALL, flattened_cells, synth
from cimforge.hdl.emit.handover import render_sdc
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import InputError

SG13G2 = Path(__file__).parent / "data" / "sg13g2_typ.lib.gz"
LITTLE = MacroConfig(rows=5, cols=2, weight_bits=3, input_bits=4, banks=2, storage="setclear")


def test_a_bit_is_two_gates_and_smaller_than_a_latch(tmp_path):
    report = synth(LITTLE, tmp_path / "two", "liberty", SG13G2)
    assert report.cells["set_clear"] == "sg13g2_nor2_1, sg13g2_a21oi_1"
    modules = json.loads((report.folder / "netlist.json").read_text())["modules"]
    cells = Counter(c["type"] for c in modules[f"{LITTLE.module}_store"]["cells"].values())
    bits = LITTLE.weight_bits
    assert cells == {"sg13g2_nor2_1": bits, "sg13g2_a21oi_1": bits}
    latches = LITTLE.model_copy(update={"storage": "latch"})
    store = f"{latches.module}_store"
    other = synth(latches, tmp_path / "latch", "liberty", SG13G2)
    cells = json.loads((other.folder / "netlist.json").read_text())["modules"][store]["cells"]
    assert len(cells) == bits
    assert "latch" not in report.cells


def test_its_gates_are_set_and_cleared_by_clock_gates(tmp_path):
    """Two a row and bank, besides those of registers; no latch of the library's is asked for."""
    report = synth(LITTLE, tmp_path, "liberty", SG13G2)
    flat = flattened_cells(report.folder)
    assert flat["sg13g2_a21oi_1"] >= LITTLE.rows * LITTLE.cols * LITTLE.weight_bits * LITTLE.banks


@pytest.mark.skipif(shutil.which(STA) is None, reason="no sta on PATH; install OpenSTA")
def test_its_period_is_that_of_latches(tmp_path):
    """A path from a set line to a sum has a cycle and a half; the loops are cut by the tool."""
    latches = LITTLE.model_copy(update={"storage": "latch"})
    found = [
        synth(config, tmp_path / config.storage, "liberty", SG13G2) for config in (LITTLE, latches)
    ]
    periods = [report.timing.period for report in found if report.timing]
    assert len(periods) == 2
    assert periods[0] == pytest.approx(periods[1], rel=0.05)
    script = (found[0].folder / "timing.tcl").read_text()
    cells = "[get_cells {col*.row*.bank*.bit*}]"
    assert f"set_multicycle_path 2 -setup -through {cells}" in script


def test_the_constraints_of_the_verilog_tell_it_too():
    text = render_sdc(LITTLE)
    cells = "[get_cells {col*/row*/bank*/bit*}]"
    assert f"set_multicycle_path 2 -setup -through {cells}\n" in text
    assert f"set_multicycle_path 1 -hold -through {cells}" in text
    assert "test_en" not in text
    assert "generated_clock" not in text  # through gates of logic a tool follows the clock itself
    text = render_sdc(LITTLE, gate_pin=".mapped/GATE")
    assert "[get_pins {write*/clear*.mapped/GATE write*/set*.mapped/GATE}]" in text


def test_a_library_without_such_a_gate_is_refused(tmp_path):
    found = choose_cells(read_library(SMALL)).aoi21
    assert found
    cell = f"  cell ({found.cell.name}) {{"
    text = SMALL.read_text().replace(cell, f"{cell}\n    dont_use : true;")
    (tmp_path / "poor.lib").write_text(text)
    with pytest.raises(InputError, match=r"no usable AND-OR-invert.*storage=latch needs none"):
        synth(LITTLE, tmp_path, "liberty", tmp_path / "poor.lib")
