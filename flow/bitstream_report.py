"""What place and route said of a bitstream."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cimforge.flow.synth.static_timing import Step

__all__ = ["BitstreamReport"]


@dataclass(frozen=True)
class BitstreamReport:
    """A bitstream and what place and route said of it; ``path`` is the critical path, block by
    block, wires included."""

    board: str
    device: str
    bitstream: Path
    fmax_mhz: float
    luts: int
    ffs: int
    brams: int
    capacity: dict[str, int]
    seconds: float
    path: list[Step] = field(default_factory=list)

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
        }
