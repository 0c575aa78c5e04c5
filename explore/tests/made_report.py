"""A sweep's report of made-up figures: what tests of its page look at."""

from pathlib import Path

from cimforge.explore.points import list_points
from cimforge.explore.run_sweep import Measured
from cimforge.explore.sweep_file import read_sweep
from cimforge.explore.sweep_report import SweepReport

__all__ = ["SWEEP", "made_report"]

SWEEP = """
preset = "tiny"
when = "rows != 8"
targets = ["generic", "ice40"]
metrics = ["area", "cycles", "capacity"]
constraints = ["rows < 6", "storage != '</script><!--&'"]
[axes]
rows = [2, 4, 6, 8, 9999]
bits_per_cycle = [1, 2]
[objectives]
area = "minimise"
cycles = "minimise"
"""


def made_report(folder: Path, text: str = SWEEP) -> SweepReport:
    """Points of made-up areas, the last of them failed; the sweep's file is in ``folder``."""
    path = folder / "a&b.toml"
    path.write_text(text)
    sweep = read_sweep(path)
    points = list_points(sweep)
    measured = []
    for place, point in enumerate(points.points):
        config = point.config
        figures = {
            "area": config.rows * config.bits_per_cycle,
            "cycles": config.cycles_per_pass(),
            "capacity": config.rows * config.cols * config.weight_bits * config.banks,
        }
        measured.append(Measured(point, f"key{place}", figures))
    measured[-1] = Measured(points.points[-1], "last", {}, "Yosys failed: a reason")
    return SweepReport(sweep, points, measured)
