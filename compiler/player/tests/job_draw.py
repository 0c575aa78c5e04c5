"""Jobs drawn for a macro: every precision, sign and mode, sizes that fill no last tile."""

from random import Random

import numpy as np

from cimforge.compiler.precision import Precision
from cimforge.compiler.tiling import Job, make_job, plan_tiles
from cimforge.hdl.params.config import MacroConfig


def draw_job(config: MacroConfig, rng: Random, passes: int = 120) -> Job:
    """A job of about so many passes at most, tiles and batch in any proportion."""
    fuse = rng.randrange(len(config.modes))
    mode = config.modes[fuse]
    tiles = rng.randint(1, 2 * config.banks + 3)
    down = rng.randint(1, tiles)
    across = -(-tiles // down)
    batch = rng.randint(1, max(1, passes // (down * across)))
    k = down * config.rows - rng.randrange(config.rows)
    n = across * mode.outputs - rng.randrange(mode.outputs)
    values = np.random.default_rng(rng.getrandbits(32))
    if config.binary:
        return binary_job(config, values.integers(0, 2, (batch, k)), values.integers(0, 2, (k, n)))
    x_held = Precision(rng.randint(1, config.input_bits), rng.random() < 0.5)
    w_held = Precision(mode.weight_bits, rng.random() < 0.5)
    x = drawn(values, x_held, (batch, k)) >> values.integers(0, x_held.bits, (batch, 1))
    return make_job(config, x, drawn(values, w_held, (k, n)), x_held, w_held, mode.fused)


def drawn(values: np.random.Generator, held: Precision, shape: tuple[int, int]) -> np.ndarray:
    """Values of all of a precision, its extremes among them."""
    low = -(1 << (held.bits - 1)) if held.signed else 0
    found = values.integers(low, low + (1 << held.bits), shape)
    found[0, 0] = low
    found[-1, -1] = low + (1 << held.bits) - 1
    return found


def binary_job(config: MacroConfig, x: np.ndarray, w: np.ndarray) -> Job:
    """The job of bits that stand for -1 and 1; where a tile holds none there is 0."""
    plan = plan_tiles(config, x.shape, w.shape)
    weights = np.zeros((len(plan.tiles), plan.rows, plan.cols), np.int64)
    for block, tile in zip(weights, plan.tiles, strict=True):
        of_tile = 2 * w[tile.k0 : tile.k1, tile.n0 : tile.n1] - 1
        block[: tile.k1 - tile.k0, : tile.n1 - tile.n0] = of_tile
    inputs = np.zeros((plan.batch, plan.k_tiles * plan.rows), np.int64)
    inputs[:, : plan.k] = 2 * x - 1
    blocks = inputs.reshape(plan.batch, plan.k_tiles, plan.rows).swapaxes(0, 1).copy()
    k_index = np.array([tile.k0 // plan.rows for tile in plan.tiles])
    banks = np.array([tile.bank for tile in plan.tiles])
    return Job(plan, weights, blocks, k_index, banks, 1, False, False)
