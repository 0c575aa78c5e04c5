"""The measurement of a network's cycles: its plan on one macro."""

from pathlib import Path
from typing import TYPE_CHECKING

from cimforge.explore.measurements.measurement import Measurement, Task
from cimforge.explore.needs import NETWORK_FILES
from cimforge.explore.network_plans import plan_key, plan_on

if TYPE_CHECKING:
    from cimforge.explore.points import Point
    from cimforge.explore.sweep import Sweep

__all__ = ["NETWORK_CYCLES"]


def _key(sweep: "Sweep", point: "Point") -> str:
    assert sweep.network
    return plan_key(sweep.network, point.config)


def _task(sweep: "Sweep", point: "Point", folder: Path) -> Task:
    return plan_on, (sweep.network, point.config)


NETWORK_CYCLES = Measurement(_key, _task, 0.01, (NETWORK_FILES,))
