"""What a metric is, and which measurements there are."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cimforge.hdl.params.config import MacroConfig

__all__ = [
    *("ANSWERS", "CHECKED", "LABELS", "LIBRARY", "NETWORK", "PERIOD", "PLACED", "POWER", "SIZE"),
    *("TREE_ERROR", "Metric", "Raw", "metric"),
]

# Of a macro's blocks (flow/shared_blocks); on a board the period is what PLACED tells.
SIZE, PERIOD = "size", "period"
# Each by itself (explore/measurements): of a network, of the mapped netlist, of the board's SoC, of
# a network's answers, of an approximate tree, of the Verilog.
NETWORK, POWER, PLACED = "network", "power", "placed"
ANSWERS, TREE_ERROR, CHECKED = "answers", "tree_error", "checked"
# What a metric needs that is not measured: sizes in um2, labels of a network's inputs.
LIBRARY, LABELS = "library", "labels"

Raw = Mapping[str, float]


@dataclass(frozen=True)
class Metric:
    """A number of a point. ``needs`` are measurements; metrics of none follow from the parameters.
    ``of`` makes it of the configuration and of what was measured. A ``unit`` of "size" is the
    target's: um2, LUT sites or cells."""

    unit: str
    needs: frozenset[str]
    of: Callable[[MacroConfig, Raw], float]
    about: str


def metric(unit: str, about: str, of: Callable[[MacroConfig, Raw], float], *needs: str) -> Metric:
    """A metric that ``needs`` these measurements."""
    return Metric(unit, frozenset(needs), of, about)
