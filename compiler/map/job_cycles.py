"""Cycles that a job takes on one macro, from its plan alone."""

from cimforge.compiler.precision import Ints
from cimforge.compiler.tiling import TilePlan
from cimforge.hdl.params.config import MacroConfig

__all__ = ["job_cycles"]


def job_cycles(
    config: MacroConfig,
    plan: TilePlan,
    x_bits: int,
    x_signed: bool,
    fuse: int = 0,
    inputs: Ints | None = None,
) -> int:
    """Cycles of the passes of a job."""
    return plan.passes * config.cycles_per_pass(x_bits, x_signed)
