"""How many macros meet a demand, and what they come to."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

from cimforge.compiler.size.demand import Demand
from cimforge.flow.measured_macro import MeasuredMacro

__all__ = ["SizePlan", "plan_size", "size_plans"]

REACHED = 1e-9  # of a rate: a macro less is not bought for a rounding


@dataclass(frozen=True)
class SizePlan:
    """``macros`` equal macros for a demand: as many as hold the weights and reach the rate.

    Rates are peaks: every macro computes in every cycle at its shortest clock period, weights are
    there already, every row and column is in use. Area is that of the macros' cells: no wires, no
    buffers, no engine around them.
    """

    demand: Demand
    measured: MeasuredMacro
    macros: int
    capacity: int
    rate_each: float

    @property
    def area(self) -> float:
        """mm2 of cells: ``macros * area / 1e6``."""
        return self.macros * self.measured.area * 1e-6

    @property
    def memory(self) -> int:
        """Bytes of weights that all macros hold: ``macros * capacity``."""
        return self.macros * self.capacity

    @property
    def rate(self) -> float:
        """Operations a second of all macros: ``macros * rate_each``."""
        return self.macros * self.rate_each

    @property
    def clock(self) -> float:
        """MHz at the shortest period."""
        return 1e3 / _period(self.measured)

    @property
    def clock_needed(self) -> float:
        """MHz that reach the rate: ``clock * demand.rate / rate``."""
        return self.clock * self.demand.rate / self.rate

    @property
    def limit(self) -> str:
        """What decides how many macros there are: ``memory`` or ``rate``."""
        return "memory" if _count(self.demand.memory, self.capacity) == self.macros else "rate"

    def as_json(self) -> dict[str, Any]:
        """Plain data, with the macro's parameters."""
        return {
            "module": self.measured.config.module,
            "parameters": self.measured.config.parameters(),
            "library": self.measured.library,
            "macros": self.macros,
            "limit": self.limit,
            "area_mm2": round(self.area, 4),
            "macro_area_um2": round(self.measured.area, 2),
            "period_ns": round(_period(self.measured), 4),
            "clock_mhz": round(self.clock, 3),
            "clock_needed_mhz": round(self.clock_needed, 3),
            "memory_bytes": self.memory,
            "macro_bytes": self.capacity,
            "gops": round(self.rate / 1e9, 3),
            "macro_gops": round(self.rate_each / 1e9, 3),
        }


def plan_size(measured: MeasuredMacro, demand: Demand) -> SizePlan:
    """The fewest macros that meet the demand:

    ``max(ceil(memory / capacity), ceil(rate / rate_each))`` with ``capacity = rows * outputs *
    banks * weight_bits / 8`` bytes and ``rate_each = 2 * rows * outputs /
    (pass_interval(input_bits) * period)``, outputs those of the macro's mode for the demand's
    weights, inputs unsigned.

    Raises ValueError where the macro does not hold the precision, or has no period.
    """
    config = measured.config
    modes = [mode for mode in config.modes if mode.weight_bits >= demand.weight_bits]
    if config.binary or not modes or config.input_bits < demand.input_bits:
        held = f"{config.weight_bits}b x {config.input_bits}b"
        wanted = f"{demand.weight_bits}b x {demand.input_bits}b"
        raise ValueError(f"{config.module} holds {held} at most, not {wanted}")
    outputs = max(mode.outputs for mode in modes)
    capacity = config.rows * outputs * config.banks * demand.weight_bits // 8
    if not capacity:
        raise ValueError(f"{config.module} holds less than a byte of weights")
    macs = config.rows * outputs / config.pass_interval(demand.input_bits)
    rate = 2e9 * macs / _period(measured)
    macros = max(_count(demand.memory, capacity), _count(demand.rate, rate))
    return SizePlan(demand, measured, macros, capacity, rate)


def size_plans(measured: Sequence[MeasuredMacro], demand: Demand) -> list[SizePlan]:
    """A plan for each macro that meets the demand, least area first, then fewest macros; empty
    where none holds the precision."""
    plans = []
    for each in measured:
        try:
            plans.append(plan_size(each, demand))
        except ValueError:
            continue
    return sorted(plans, key=lambda plan: (plan.area, plan.macros))


def _count(wanted: float, each: float) -> int:
    return max(1, ceil(wanted / each - REACHED))


def _period(measured: MeasuredMacro) -> float:
    if measured.period is None:
        raise ValueError(f"{measured.config.module}: {measured.why}")
    return measured.period
