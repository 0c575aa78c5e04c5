"""The measurements by themselves, by name, quick ones first."""

from typing import TYPE_CHECKING

from cimforge.explore.measurements.board_placement import BOARD_PLACEMENT
from cimforge.explore.measurements.measurement import Measurement
from cimforge.explore.measurements.netlist_power import NETLIST_POWER
from cimforge.explore.measurements.network_answers import NETWORK_ANSWERS
from cimforge.explore.measurements.network_cycles import NETWORK_CYCLES
from cimforge.explore.measurements.tree_errors import TREE_ERRORS
from cimforge.explore.measurements.verilog_check import VERILOG_CHECK
from cimforge.explore.metric import ANSWERS, CHECKED, NETWORK, PLACED, POWER, TREE_ERROR
from cimforge.hdl.params.config import MacroConfig

if TYPE_CHECKING:
    from cimforge.explore.sweep import Sweep, SweepTarget

__all__ = ["MEASUREMENTS", "refuse_point"]

MEASUREMENTS: dict[str, Measurement] = {
    NETWORK: NETWORK_CYCLES,
    TREE_ERROR: TREE_ERRORS,
    ANSWERS: NETWORK_ANSWERS,
    POWER: NETLIST_POWER,
    CHECKED: VERILOG_CHECK,
    PLACED: BOARD_PLACEMENT,
}


def refuse_point(sweep: "Sweep", target: "SweepTarget", config: MacroConfig) -> None:
    """Raise ValueError or InputError where a macro has no cell on a target, or a measurement that
    is asked for there does not take it."""
    target.refuse(config)
    for name in sweep.measurements(target):
        if name in MEASUREMENTS:
            MEASUREMENTS[name].refuse(config)
