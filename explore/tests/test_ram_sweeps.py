"""Macros with RAMs, and with tables in an FPGA's blocks, in a sweep: as cimforge synth tells."""

import shutil
from pathlib import Path

import pytest

from cimforge.explore.points import list_points
from cimforge.explore.result_store import ResultStore
from cimforge.explore.run_sweep import run_sweep
from cimforge.explore.sweep_file import read_sweep
from cimforge.explore.workers import Workers
from cimforge.flow.shared_blocks import measure_tasks
from cimforge.flow.synth.static_timing import STA

SMALL = Path(__file__).parents[2] / "flow" / "tests" / "data" / "sg13g2_typ.lib.gz"
SWEEP = """
preset = "tiny"
when = "storage != 'lutram' or ram == 'ecp5'"
targets = [{targets}]
metrics = ["area", "area_storage", "flip_flops", "ram_cells"{more}]
[fixed]
rows = 3
cols = 2
weight_bits = 4
input_bits = 2
[axes]
{axes}
"""


def run(text: str, folder: Path, monkeypatch):
    """The points of a sweep, and the report of synth for each."""
    reports = {}
    original = measure_tasks.synth_macro

    def watched(config, where, target, **options):
        report = original(config, where, target, **options)
        reports[config.digest, target] = report.as_json()
        return report

    monkeypatch.setattr(measure_tasks, "synth_macro", watched)
    path = folder / "s.toml"
    path.write_text(text)
    read = read_sweep(path)
    with ResultStore(folder / "results.db") as store, Workers(1) as workers:
        points = list_points(read).points
        measured = run_sweep(read, points, store, folder, workers)
        count = len(reports)
        assert run_sweep(read, points, store, folder, workers)[0].figures == measured[0].figures
        assert len(reports) == count  # known
    assert [each.why for each in measured] == [""] * len(measured)
    return [(e, reports[e.point.config.digest, e.point.target.kind]) for e in measured]


def check(figures: dict[str, float], told: dict) -> None:
    assert figures["area"] == pytest.approx(told["total"], abs=0.01)
    assert figures["area_storage"] == pytest.approx(told["breakdown"]["storage"], abs=0.01)
    assert figures["flip_flops"] == told["ffs"]
    assert figures["ram_cells"] == sum(told["ram_blocks"].values())


def test_tables_in_blocks_of_fpgas(tmp_path, monkeypatch):
    axes = 'storage = ["bram", "lutram"]\nram = ["ecp5", "gowin"]'
    text = SWEEP.format(targets='"ecp5", "gowin"', axes=axes, more="")
    measured = run(text, tmp_path, monkeypatch)
    shapes = [(each.point.config.storage, each.point.target.name) for each, _ in measured]
    assert shapes == [("bram", "ecp5"), ("bram", "gowin"), ("lutram", "ecp5")]
    for each, told in measured:
        check(each.figures, told)
        assert each.figures["ram_cells"] > 0


@pytest.mark.skipif(shutil.which(STA) is None, reason="no sta on PATH; install OpenSTA")
def test_macros_of_a_memory_compiler(tmp_path, monkeypatch):
    library = f'{{ liberty = "{SMALL}" }}'
    text = SWEEP.format(targets=library, axes='storage = ["sram"]', more=', "period", "tops"')
    ((each, told),) = run(text, tmp_path, monkeypatch)
    check(each.figures, told)
    assert told["ram"]["instances"] == 3
    assert each.figures["period"] == pytest.approx(told["min_period_ns"], abs=0.001)
    assert each.figures["tops"] == pytest.approx(told["tops"], abs=0.001)
