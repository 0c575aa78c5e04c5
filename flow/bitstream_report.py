"""What place and route said of a bitstream."""

from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from cimforge.flow.synth.static_timing import Step

__all__ = ["BitstreamReport"]


@dataclass(frozen=True)
class BitstreamReport:
    """A bitstream and what place and route said of it; ``path`` is the critical path, block by
    block, wires included. ``fmax_seeds`` are MHz by the placer's seed, of which ``seed``, the
    fastest, made the bitstream."""

    board: str
    device: str
    bitstream: Path
    fmax_seeds: dict[int, float]
    luts: int
    ffs: int
    brams: int
    capacity: dict[str, int]
    seconds: float
    path: list[Step] = field(default_factory=list)

    @property
    def seed(self) -> int:
        """The fastest seed, the first of equally fast ones."""
        return max(self.fmax_seeds, key=lambda seed: self.fmax_seeds[seed])

    @property
    def fmax_mhz(self) -> float:
        """The median over the seeds."""
        return median(self.fmax_seeds.values())

    @property
    def reached_mhz(self) -> float:
        """That of the bitstream."""
        return self.fmax_seeds[self.seed]

    def as_json(self) -> dict[str, Any]:
        """The JSON contract of ``cimforge fpga``."""
        return {
            "board": self.board,
            "device": self.device,
            "bitstream": str(self.bitstream),
            "fmax_mhz": round(self.fmax_mhz, 2),
            "luts": self.luts,
            "ffs": self.ffs,
            "brams": self.brams,
            "capacity": self.capacity,
            "critical_path": [step.as_json() for step in self.path],
            "seconds": round(self.seconds, 1),
            "seed": self.seed,
            "fmax_seeds": {str(seed): round(mhz, 2) for seed, mhz in self.fmax_seeds.items()},
            "ram_blocks": self.brams,
        }
