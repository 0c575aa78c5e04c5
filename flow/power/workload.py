"""What a macro computes while its energy is measured."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cimforge.hdl.params.config import MacroConfig

__all__ = ["DISTRIBUTIONS", "Segment", "Workload", "drawn_workload"]

Ints = NDArray[np.int64]
DISTRIBUTIONS = {
    "uniform": "all input and weight patterns alike, independent, unsigned",
    "relu": "inputs max(0, N(0, 1)) at full scale for 4, so half of them 0, unsigned; weights "
    "N(0, 1) at full scale for 3, signed",
}


@dataclass(frozen=True, eq=False)
class Segment:
    """Weight values (rows, cols) in a bank, of the macro's mode ``fuse``, and the input values (n,
    rows) that pass them back to back."""

    weights: Ints
    inputs: Ints
    bank: int
    x_bits: int
    x_signed: bool
    w_signed: bool
    fuse: int = 0


@dataclass(frozen=True)
class Workload:
    """Segments in the order they run, and what they are called."""

    name: str
    segments: Sequence[Segment]

    @property
    def vectors(self) -> int:
        """Input vectors in all."""
        return sum(len(segment.inputs) for segment in self.segments)


def drawn_workload(config: MacroConfig, name: str, vectors: int, seed: int) -> Workload:
    """One segment of a distribution of DISTRIBUTIONS, at full precision."""
    draw = np.random.default_rng(seed)
    shapes = (config.rows, config.cols), (vectors, config.rows)
    x_top, w_top = (1 << config.input_bits) - 1, (1 << config.weight_bits) - 1
    if name == "uniform":
        weights, inputs = (
            draw.integers(0, w_top + 1, shapes[0]),
            draw.integers(0, x_top + 1, shapes[1]),
        )
    else:
        limit = (w_top + 1) // 2
        weights = np.clip(np.rint(draw.normal(0, limit / 3, shapes[0])), -limit, limit - 1)
        inputs = np.clip(np.rint(draw.normal(0, x_top / 4, shapes[1])), 0, x_top)
    values = weights.astype(np.int64), inputs.astype(np.int64)
    return Workload(name, [Segment(*values, 0, config.input_bits, False, name != "uniform")])
