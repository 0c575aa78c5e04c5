"""A plan of a phase-locked loop: dividers, frequencies, how far off; the search for the nearest."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

__all__ = ["PllPlan", "Range", "nearest_plan"]

Range = tuple[int, int]  # of legal frequencies, in Hz


@dataclass(frozen=True)
class PllPlan:
    """How ``primitive`` makes ``hz`` of ``reference_hz``, the frequency ``wanted_hz`` being asked
    for; ``dividers`` by name, ``pfd_hz`` at the phase detector, ``vco_hz`` of the oscillator."""

    primitive: str
    reference_hz: int
    wanted_hz: int
    hz: Fraction
    pfd_hz: Fraction
    vco_hz: Fraction
    dividers: Mapping[str, int]

    @property
    def error(self) -> float:
        """The share by which it misses what was asked for."""
        return float(abs(self.hz / self.wanted_hz - 1))

    def as_json(self) -> dict[str, Any]:
        """The plan as JSON data, frequencies in MHz."""
        return {
            "primitive": self.primitive,
            "reference_mhz": self.reference_hz / 1e6,
            "wanted_mhz": self.wanted_hz / 1e6,
            "clock_mhz": round(float(self.hz) / 1e6, 6),
            "pfd_mhz": round(float(self.pfd_hz) / 1e6, 6),
            "vco_mhz": round(float(self.vco_hz) / 1e6, 6),
            "error": round(self.error, 6),
            "dividers": dict(self.dividers),
        }


def nearest_plan(plans: Iterable[PllPlan], vco: Range) -> PllPlan | None:
    """The plan nearest to what was asked for; of equally near ones that of the highest frequency at
    the phase detector, which has the least jitter, then of the oscillator nearest to the middle of
    its range ``vco``, then of the least dividers."""
    middle = Fraction(sum(vco), 2)

    def rank(plan: PllPlan) -> tuple:
        off = abs(plan.hz - plan.wanted_hz)
        return off, -plan.pfd_hz, abs(plan.vco_hz - middle), tuple(plan.dividers.values())

    return min(plans, key=rank, default=None)
