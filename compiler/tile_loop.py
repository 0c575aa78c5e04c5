"""The tile loop: every tile's weights into its bank, then its vectors through it."""

from collections.abc import Callable
from typing import Protocol

import numpy as np

from cimforge.compiler.precision import Ints
from cimforge.golden.macro import MacroModel
from cimforge.hdl.params.config import MacroConfig

__all__ = ["GoldenMacro", "TileMacro", "Tiles", "run_tiles"]


class Tiles(Protocol):
    """What a job runs: ``weights`` (tiles, rows, cols) and ``inputs`` (k_tiles, batch, rows) as
    values; tile i goes to bank ``banks[i]`` and multiplies ``inputs[k_index[i]]``."""

    @property
    def weights(self) -> Ints:
        """Values of every tile."""

    @property
    def inputs(self) -> Ints:
        """Values of every block of rows."""

    @property
    def k_index(self) -> Ints:
        """The block of rows that each tile takes."""

    @property
    def banks(self) -> Ints:
        """The bank of each tile."""

    @property
    def x_bits(self) -> int:
        """Bits of an input."""

    @property
    def x_signed(self) -> bool:
        """Whether inputs are signed."""

    @property
    def w_signed(self) -> bool:
        """Whether weights are signed."""

    @property
    def fuse(self) -> int:
        """The number of the mode of all banks."""


class TileMacro(Protocol):
    """A macro, wherever it is: the golden model, or hardware behind a link."""

    def load_weights(self, weights: Ints, *, bank: int, signed: bool, fuse: int) -> None:
        """Write a bank: weight values (rows, cols of mode ``fuse``)."""

    def multiply(self, vectors: Ints, *, x_bits: int, x_signed: bool, bank: int) -> Ints:
        """Results (batch, cols) of input values (batch, rows)."""


class GoldenMacro:
    """The golden model as a TileMacro."""

    def __init__(self, config: MacroConfig):
        self._model = MacroModel(config)

    def load_weights(self, weights: Ints, *, bank: int, signed: bool, fuse: int = 0) -> None:
        """Write a bank: weight values (rows, cols of mode ``fuse``)."""
        self._model.load(weights, bank=bank, signed=signed, fuse=fuse)

    def multiply(self, vectors: Ints, *, x_bits: int, x_signed: bool, bank: int) -> Ints:
        """Results (batch, cols) of input values (batch, rows)."""
        patterns = vectors & ((1 << x_bits) - 1)
        return self._model.mvm(patterns, x_bits=x_bits, x_signed=x_signed, bank=bank)


def run_tiles(
    macro: TileMacro, tiles: Tiles, cols: int, progress: Callable[[int, int], None] | None = None
) -> Ints:
    """Results (tiles, batch, cols), int64, in the order of the tiles; ``progress`` is called with
    (tiles done, tiles in all)."""
    total, batch = len(tiles.weights), tiles.inputs.shape[1]
    results = np.empty((total, batch, cols), np.int64)
    bits, signed = int(tiles.x_bits), bool(tiles.x_signed)
    for tile, weights in enumerate(tiles.weights):
        if progress:
            progress(tile, total)
        bank = int(tiles.banks[tile])
        w_signed, fuse = bool(tiles.w_signed), int(tiles.fuse)
        macro.load_weights(weights, bank=bank, signed=w_signed, fuse=fuse)
        vectors = tiles.inputs[tiles.k_index[tile]]
        results[tile] = macro.multiply(vectors, x_bits=bits, x_signed=signed, bank=bank)
    return results
