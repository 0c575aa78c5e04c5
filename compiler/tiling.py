"""Tiling: an integer matrix product of any size as passes of one macro."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cimforge.compiler.precision import (
    Ints,
    Precision,
    check_integers,
    choose_precision,
    integer_matrix,
)
from cimforge.compiler.tile_loop import GoldenMacro, run_tiles
from cimforge.golden.cycles import result_interval
from cimforge.hdl.params.config import MacroConfig

__all__ = [
    "Job",
    "Tile",
    "TilePlan",
    "golden_pass_cycles",
    "make_job",
    "plan_tiles",
    "run_job_golden",
]


@dataclass(frozen=True)
class Tile:
    """The weights ``w[k0:k1, n0:n1]``, held by one bank while the whole batch passes."""

    k0: int
    k1: int
    n0: int
    n1: int
    bank: int


@dataclass(frozen=True)
class TilePlan:
    """How ``y = x @ w`` is cut for a macro of ``rows`` x ``cols``: x (batch, k), w (k, n).

    ``tiles`` are in the order they run. Those that share columns follow one another, so only one
    set of (batch, cols) results is unfinished at a time. Tile ``i`` lives in bank ``i mod banks``:
    with two or more banks the next tile's weights are written while the present one computes.
    """

    batch: int
    k: int
    n: int
    rows: int
    cols: int
    tiles: tuple[Tile, ...]

    @property
    def k_tiles(self) -> int:
        """Blocks of rows: ceil(K / rows)."""
        return ceil(self.k / self.rows)

    @property
    def n_tiles(self) -> int:
        """Blocks of columns: ceil(N / cols)."""
        return ceil(self.n / self.cols)

    @property
    def passes(self) -> int:
        """Matrix-vector products of the macro: one a tile and vector."""
        return len(self.tiles) * self.batch

    @property
    def utilisation(self) -> float:
        """Share of the tiles' cells that hold a weight of ``w``, 0..1."""
        return self.k * self.n / (len(self.tiles) * self.rows * self.cols)


@dataclass(frozen=True, eq=False)
class Job:
    """What runs a plan: dense arrays, zero where a tile reaches past K or N.

    ``weights`` (tiles, rows, cols) and ``inputs`` (k_tiles, batch, rows) are int64 values, not bit
    patterns. Tile ``i`` goes to bank ``banks[i]`` and is multiplied by ``inputs[k_index[i]]``. One
    input precision, one weight sign and one mode (number ``fuse`` of the macro's) hold for the
    whole job; weights always take the mode's full ``weight_bits``.
    """

    plan: TilePlan
    weights: Ints
    inputs: Ints
    k_index: Ints
    banks: Ints
    x_bits: int
    x_signed: bool
    w_signed: bool
    fuse: int = 0

    def assemble(self, results: NDArray[Any]) -> Ints:
        """``y`` (batch, N): the ``results`` (tiles, batch, cols), summed over blocks of rows.

        Raises ValueError where ``results`` has another shape, no integer dtype, or could overflow
        int64 in the sum.
        """
        parts = np.asarray(results)
        shape = (len(self.plan.tiles), self.plan.batch, self.plan.cols)
        if parts.shape != shape:
            raise ValueError(
                f"results must have shape {shape} (tiles, batch, cols), not {parts.shape}"
            )
        if parts.dtype.kind not in "iu":
            raise ValueError(f"results must have an integer dtype, not {parts.dtype}")
        most = sum(_magnitude(parts[self.k_index == k]) for k in range(self.plan.k_tiles))
        if most >= 2**63:
            rule = f"sums over {self.plan.k_tiles} blocks of rows may reach {most}"
            raise ValueError(
                f"{rule}, past the largest int64 ({2**63 - 1}); lower K or the precisions"
            )
        y = np.zeros((self.plan.batch, self.plan.n), np.int64)
        for tile, part in zip(self.plan.tiles, parts.astype(np.int64), strict=True):
            y[:, tile.n0 : tile.n1] += part[:, : tile.n1 - tile.n0]
        return y


def plan_tiles(
    config: MacroConfig, x_shape: Sequence[int], w_shape: Sequence[int], fuse: int = 0
) -> TilePlan:
    """The plan of ``x @ w`` from the shapes (batch, K) and (K, N), in mode ``fuse``; batch may be
    0.

    Raises ValueError where the shapes do not multiply or K or N is 0.
    """
    (batch, x_k), (k, n) = x_shape, w_shape
    if x_k != k:
        shapes = f"x {tuple(x_shape)} and w {tuple(w_shape)}"
        raise ValueError(f"{shapes} do not multiply: K is {x_k} in x but {k} in w")
    for letter, size in (("K", k), ("N", n)):
        if size < 1:
            raise ValueError(
                f"{letter} must be at least 1, not {size}: w has shape {tuple(w_shape)}"
            )
    cols = config.modes[fuse].outputs
    corners = [(k0, n0) for n0 in range(0, n, cols) for k0 in range(0, k, config.rows)]
    tiles = tuple(
        Tile(k0, min(k0 + config.rows, k), n0, min(n0 + cols, n), index % config.banks)
        for index, (k0, n0) in enumerate(corners)
    )
    return TilePlan(batch, k, n, config.rows, cols, tiles)


def make_job(
    config: MacroConfig,
    x: Any,
    w: Any,
    x_precision: Precision | None = None,
    w_precision: Precision | None = None,
    fused: int | None = None,
) -> Job:
    """The job of ``x @ w`` for integer ``x`` (batch, K) and ``w`` (K, N).

    Without an explicit precision the least that holds the values is taken. The inputs' decides the
    bit planes of a pass and their sign; the weights' decides their sign, and their values must fit
    it, though they are stored at their mode's full ``weight_bits``. ``fused`` slices make a weight;
    without it the fewest that hold the weights' precision, for most outputs a pass.

    Raises ValueError for a macro of -1 and 1, for slices that no mode fuses or that are too narrow,
    and for what integer_matrix, plan_tiles and choose_precision refuse.
    """
    check_integers(config, "a product of matrices")
    x = integer_matrix("x", x, ("batch", "K"))
    w = integer_matrix("w", w, ("K", "N"))
    x_held = choose_precision("x", x, config.input_bits, "input_bits", x_precision)
    w_held = choose_precision("w", w, config.weight_bits, "weight_bits", w_precision)
    fuse = _choose_mode(config, w_held, fused)
    plan = plan_tiles(config, x.shape, w.shape, fuse)

    weights = np.zeros((len(plan.tiles), plan.rows, plan.cols), np.int64)
    for block, tile in zip(weights, plan.tiles, strict=True):
        block[: tile.k1 - tile.k0, : tile.n1 - tile.n0] = w[tile.k0 : tile.k1, tile.n0 : tile.n1]
    padded = np.zeros((plan.batch, plan.k_tiles * plan.rows), np.int64)
    padded[:, : plan.k] = x
    inputs = padded.reshape(plan.batch, plan.k_tiles, plan.rows).swapaxes(0, 1).copy()
    return Job(
        plan=plan,
        weights=weights,
        inputs=inputs,
        k_index=np.array([tile.k0 // plan.rows for tile in plan.tiles], np.int64),
        banks=np.array([tile.bank for tile in plan.tiles], np.int64),
        x_bits=x_held.bits,
        x_signed=x_held.signed,
        w_signed=w_held.signed,
        fuse=fuse,
    )


def _choose_mode(config: MacroConfig, held: Precision, fused: int | None) -> int:
    """The number of the mode that fuses so many slices, or the fewest that hold the precision."""
    modes = {mode.fused: number for number, mode in enumerate(config.modes)}
    fewest = min(mode.fused for mode in config.modes if mode.weight_bits >= held.bits)
    chosen = fewest if fused is None else fused
    if chosen not in modes:
        nearest = min(modes, key=lambda f: (abs(f - chosen), f))
        rule = f"fused must be one of {', '.join(map(str, modes))}, not {chosen}"
        raise ValueError(f"{rule} (nearest legal value: {nearest})")
    bits = config.modes[modes[chosen]].weight_bits
    if bits < held.bits:
        rule = f"fused = {chosen} makes weights of {bits} bits, and w needs {held.bits}"
        raise ValueError(f"{rule} (nearest legal value: {fewest})")
    return modes[chosen]


def run_job_golden(config: MacroConfig, job: Job) -> Ints:
    """Results (tiles, batch, cols) of ``job`` on the golden model, in the order of the tiles."""
    return run_tiles(GoldenMacro(config), job, job.plan.cols)


def golden_pass_cycles(config: MacroConfig, job: Job) -> int:
    """Cycles of all passes of ``job`` together, by the golden model: with zero_skip each takes as
    many as its vector needs, in tables 2 at least (R30)."""
    patterns = job.inputs & ((1 << config.input_bits) - 1)
    blocks = [
        sum(result_interval(config, job.x_bits, job.x_signed, vector) for vector in block)
        for block in patterns
    ]
    return sum(blocks[block] for block in job.k_index)


def _magnitude(parts: NDArray[Any]) -> int:
    return max(abs(int(parts.min())), abs(int(parts.max()))) if parts.size else 0
