"""How long each pass of a job takes."""

import numpy as np
from numpy.typing import NDArray

from cimforge.compiler.precision import Ints
from cimforge.golden.cycles import result_interval
from cimforge.hdl.params.config import MacroConfig

__all__ = ["PassIntervals"]


class PassIntervals:
    """Cycles of the passes of ``batch`` vectors (golden.cycles.result_interval) of each block of
    rows: the most that any vectors take, or where the macro skips and ``inputs`` (k_tiles, batch,
    rows), values, are given, their own."""

    def __init__(
        self,
        config: MacroConfig,
        batch: int,
        x_bits: int,
        x_signed: bool,
        inputs: Ints | None = None,
    ):
        self.batch = batch
        self._most = result_interval(config, x_bits, x_signed)
        self._begins: list[NDArray[np.int64]] | None = None  # of each pass, and the last one's end
        if inputs is not None and config.skips:
            signed = x_signed or config.digits
            least = config.pass_interval(1, x_signed=True)
            k = config.bits_per_cycle
            self._begins = [np.zeros(batch + 1, np.int64) for _ in inputs]
            for begins, block in zip(self._begins, inputs, strict=True):
                taken = np.clip(-(-_widths(block, signed) // k), least, self._most)
                np.cumsum(taken, out=begins[1:])

    def span(self, block: int, begun: int = 0, vectors: int | None = None) -> int:
        """Cycles of ``vectors`` passes of a block behind the first ``begun``; of all that are
        left."""
        vectors = self.batch - begun if vectors is None else vectors
        if self._begins is None:
            return vectors * self._most
        begins = self._begins[block]
        return int(begins[begun + vectors] - begins[begun])

    def begun_within(self, block: int, begun: int, cycles: int) -> int:
        """How many passes of a block, behind the first ``begun``, begin in so many cycles."""
        if self._begins is None:
            return min(-(-cycles // self._most), self.batch - begun)
        begins = self._begins[block]
        within = np.searchsorted(begins[begun:-1], begins[begun] + cycles)
        return int(within)


def _widths(block: Ints, signed: bool) -> NDArray[np.int64]:
    """Bits that hold every element of each vector (batch, rows), 1 at least."""
    greatest = np.where(block < 0, ~block, block).max(axis=1)
    bits = np.frexp(greatest.astype(np.float64))[1].astype(np.int64)  # exact: of 16 bits at most
    return np.maximum(bits + signed, 1)
