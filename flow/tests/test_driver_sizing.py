"""Drivers by load: what a net's load is, and which buffer it asks for."""

import json
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from cimforge.flow.liberty.buffer_strength import BufferStrengths, buffer_strengths
from cimforge.flow.liberty.leaf_cells import choose_cells
from cimforge.flow.liberty.library import read_library
from cimforge.flow.synth.census import area_roles
from cimforge.flow.synth.driver_sizing import size_drivers
from cimforge.flow.tests.test_synth import LATCHES, synth
from cimforge.hdl.macro.top import build_macro
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.tests.tools import yosys

DATA = Path(__file__).parent
SMALL, SG13G2 = DATA / "small.lib", DATA / "data" / "sg13g2_typ.lib.gz"


def strengths_of(path: Path, **overrides: str) -> BufferStrengths:
    library = read_library(path)
    return buffer_strengths(library, choose_cells(library, overrides))


def chosen(strengths: BufferStrengths, load: float, siblings: int = 1, fast: bool = True) -> str:
    return strengths.choose(load, siblings, fast).cell.name


def test_strength_grows_with_the_load_and_falls_with_the_drivers_beside_it():
    strengths = strengths_of(SG13G2)
    size = {buffer.match.cell.name: buffer.match.area for buffer in strengths.buffers}
    loads = (0.001, 0.01, 0.03, 0.1, 0.3, 1.0, 2.0)
    areas = [size[chosen(strengths, load)] for load in loads]
    assert areas == sorted(areas)
    assert areas[0] < areas[3] < areas[-1]
    alone, many = chosen(strengths, 0.05), chosen(strengths, 0.05, 64)
    assert size[many] < size[alone]
    slow = [size[chosen(strengths, load, fast=False)] for load in loads]
    assert all(s <= a for s, a in zip(slow, areas, strict=True))
    assert slow[:3] == [min(size.values())] * 3


def test_no_buffer_is_filled_by_more_than_half():
    strengths = strengths_of(SG13G2)
    most = {buffer.match.cell.name: buffer.most for buffer in strengths.buffers}
    for fast in (True, False):
        for load in (0.01, 0.2, 0.5, 1.0, 2.0):
            assert most[chosen(strengths, load, fast=fast)] >= 2 * load
        assert most[chosen(strengths, 9.9, fast=fast)] == max(most.values())


def test_delay_cells_are_no_fast_buffers():
    """SG13G2 has three that are slow on purpose."""
    strengths = strengths_of(SG13G2)
    taken = {chosen(strengths, load) for load in (0.001, 0.01, 0.05, 0.1, 0.2, 0.5)}
    assert not any("dly" in name for name in taken)


def test_a_library_without_delays_goes_by_the_load_it_allows(tmp_path):
    text = SMALL.read_text().replace("timing ()", "left_out ()")
    (tmp_path / "untimed.lib").write_text(text)
    strengths = strengths_of(tmp_path / "untimed.lib")
    assert strengths.resistance == 0
    assert [chosen(strengths, load) for load in (0.01, 0.3)] == ["FOLLOW_1", "FOLLOW_4"]


def test_a_driver_that_is_named_is_taken_for_all():
    strengths = strengths_of(SG13G2, driver="sg13g2_buf_2")
    assert {chosen(strengths, load) for load in (0.001, 0.1, 9.0)} == {"sg13g2_buf_2"}


@dataclass
class Recorder:
    """Stands in for BufferStrengths: takes the first buffer, and keeps what it is asked."""

    buffers: tuple
    asked: list = field(default_factory=list)

    def choose(self, load: float, siblings: int, fast: bool):
        self.asked.append((round(load, 9), siblings, fast))
        return self.buffers[0].match


@pytest.mark.parametrize("config", LATCHES.values(), ids=LATCHES)
def test_a_load_is_that_of_all_pins_behind_the_net(config, tmp_path):
    """The same as in the netlist made flat, where each net is counted pin by pin."""
    library = read_library(SMALL)
    strengths = buffer_strengths(library, choose_cells(library))
    report = synth(config, tmp_path, "liberty", SMALL)
    design = json.loads((report.folder / "netlist.json").read_text())
    recorder = Recorder(strengths.buffers)
    roles = area_roles(build_macro(config))
    counts = size_drivers(design["modules"], roles, library, recorder)
    assert counts.total() == len(recorder.asked) > 0
    _flatten(report.folder, design)
    asked = {load for load, _, _ in recorder.asked}
    assert asked == _flat_loads(report.folder, config.module, library)
    assert any(fast for _, _, fast in recorder.asked)


def test_a_net_that_leaves_its_module_is_counted_outside(tmp_path):
    """The lines that negate a plane have a module of their own, and gates behind it."""
    config = MacroConfig(
        **{"rows": 36, "cols": 1, "weight_bits": 1, "input_bits": 2, "bits_per_cycle": 2},
        storage="latch",
    )
    library = read_library(SMALL)
    strengths = buffer_strengths(library, choose_cells(library))
    report = synth(config, tmp_path, "liberty", SMALL)
    design = json.loads((report.folder / "netlist.json").read_text())
    recorder = Recorder(strengths.buffers)
    roles = area_roles(build_macro(config))
    counts = size_drivers(design["modules"], roles, library, recorder)
    assert counts.total() < len(recorder.asked)
    _flatten(report.folder, design)
    asked = {load for load, _, _ in recorder.asked}
    assert _flat_loads(report.folder, config.module, library) <= asked


def _flatten(folder: Path, design: dict) -> None:
    (folder / "netlist.json").write_text(json.dumps(design))
    yosys(
        folder,
        "read_json netlist.json\nsetattr -mod -unset keep_hierarchy *\nhierarchy -auto-top\n"
        "flatten -noscopeinfo\nwrite_json all.json\n",
    )


def _flat_loads(folder: Path, top: str, library) -> set[float]:
    """pF behind each driver of a flat netlist."""
    module = json.loads((folder / "all.json").read_text())["modules"][top]
    loads: dict[int, float] = defaultdict(float)
    for cell in module["cells"].values():
        for pin in library.cells[cell["type"]].pins:
            for bit in cell["connections"].get(pin.name, []):
                if pin.direction == "input":
                    loads[bit] += pin.capacitance
    drivers = [c for name, c in module["cells"].items() if "drive_" in name]
    return {round(loads[cell["connections"]["O"][0]], 9) for cell in drivers}


def test_sizes_are_those_of_the_netlist_that_is_reported(tmp_path):
    report = synth(LATCHES["wide"], tmp_path, "liberty", SG13G2)
    for file in ("netlist.json", "netlist.v"):
        text = (report.folder / file).read_text()
        assert all(cell in text for cell in report.cells["driver"].split(", ")), file
    assert report.drivers > 0
