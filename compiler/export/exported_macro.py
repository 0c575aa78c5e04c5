"""What is told of a macro to other tools: sizes and cycles of its configuration, measured area,
period and energy, and what is absent."""

from dataclasses import dataclass
from typing import Any

from cimforge.compiler.energy.constants import EnergyConstants
from cimforge.hdl.params.config import MacroConfig

__all__ = ["ExportedMacro"]


@dataclass(frozen=True)
class ExportedMacro:
    """A macro, its cell ``area`` in um2, clock ``period`` in ns and energy ``fj`` a 1b-MAC, each
    None where it was not measured; ``library`` and ``energy_source`` say on what they were.
    ``constants`` are those of the memory above it.
    """

    config: MacroConfig
    area: float | None
    period: float | None
    fj: float | None
    constants: EnergyConstants
    library: str = ""
    energy_source: str = ""

    @property
    def cycles(self) -> int:
        """Cycles from one vector to the next: ``pass_interval`` at full precision, unsigned."""
        return self.config.pass_interval()

    @property
    def mac_pj(self) -> float | None:
        """pJ of a multiply-accumulate at full precision: ``fj * weight_bits * input_bits /
        1000``."""
        if self.fj is None:
            return None
        return self.fj * self.config.weight_bits * self.config.input_bits / 1000

    @property
    def mac_um2(self) -> float | None:
        """um2 of a row of a column: ``area / (rows * cols)``."""
        return None if self.area is None else self.area / (self.config.rows * self.config.cols)

    @property
    def update_bits(self) -> int:
        """Bits of weights written a cycle, while a bank is loaded: ``rows * cols * weight_bits //
        load_cycles``, on the fast path where there is one."""
        config = self.config
        return config.rows * config.cols * config.weight_bits // config.load_cycles(config.grouped)

    @property
    def absent(self) -> tuple[str, ...]:
        """What was not measured."""
        told = {"area": self.area, "period": self.period, "energy": self.fj}
        return tuple(name for name, value in told.items() if value is None)

    def header(self, command: str) -> list[str]:
        """What a file says at its beginning: where its numbers are from, and what is absent."""
        lines = [f"{self.config.module}, made by {command}"]
        if self.area is not None:
            lines.append(f"area {self.area:.2f} um2 of cells, wires not counted, on {self.library}")
        if self.period is not None:
            lines.append(f"clock period {self.period:.4f} ns on {self.library}")
        if self.fj is not None:
            lines.append(f"energy {self.fj:.4f} fJ a 1b-MAC: {self.energy_source}")
        lines += [f"{name} was not measured" for name in self.absent]
        return lines

    def as_json(self) -> dict[str, Any]:
        """What is told, as plain data."""
        return {
            "module": self.config.module,
            "parameters": self.config.parameters(),
            "area_um2": self.area,
            "period_ns": self.period,
            "fj_per_1b_mac": self.fj,
            "cycles_per_vector": self.cycles,
            "library": self.library or None,
            "absent": list(self.absent),
        }
