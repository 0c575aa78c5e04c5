"""The measurement of an approximate tree's errors, in the golden model."""

from pathlib import Path
from typing import TYPE_CHECKING

from cimforge.explore.measurements.measurement import Measurement, Task
from cimforge.explore.source_digest import content_key, source_digest
from cimforge.golden.approximate_error import measure_error
from cimforge.hdl.params.config import MacroConfig

if TYPE_CHECKING:
    from cimforge.explore.points import Point
    from cimforge.explore.sweep import Sweep

__all__ = ["TREE_ERRORS", "tree_errors"]

# Of an approximate tree these decide the error, or what is drawn.
DECIDING = (
    *("rows", "cols", "weight_bits", "input_bits", "bits_per_cycle", "slice_bits", "group"),
    *("multiply", "tree"),
)
DISTANCES = ("mred", "nmed", "bias")


def tree_errors(config: MacroConfig) -> dict[str, float]:
    """``error_mred``, ``error_nmed`` and ``error_bias`` of unsigned operands, and the same with
    ``_signed``, as golden.approximate_error measures them: 500 uniform vectors, one bank of uniform
    weights, seed 1. An exact tree has none."""
    told: dict[str, float] = {}
    for signed, ending in ((False, ""), (True, "_signed")):
        exact = config.tree_traits.exact
        found = dict.fromkeys(DISTANCES, 0.0) if exact else measure_error(config, signed=signed)
        told |= {f"error_{name}{ending}": found[name] for name in DISTANCES}
    return told


def _key(sweep: "Sweep", point: "Point") -> str:
    config = point.config
    told = "exact"
    if not config.tree_traits.exact:
        parameters = config.parameters()
        told = repr([(name, parameters.get(name)) for name in DECIDING])
    return content_key("tree errors", told, source_digest("golden", "hdl.params"))


def _task(sweep: "Sweep", point: "Point", folder: Path) -> Task:
    return tree_errors, (point.config,)


TREE_ERRORS = Measurement(_key, _task, 0.01)
