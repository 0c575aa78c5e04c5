"""A job as the binary file that player.cpp reads, and the file of results that it writes.

Both are little-endian. The job: HEADER, int64 numbers; the block of inputs, the bank and the rows
that count of each tile, int64 (tiles,) each; patterns, uint16: of weights (tiles, rows, outputs),
then of inputs (blocks, batch, rows). The results: cycles and pass_cycles, int64; then the values
(tiles, batch, outputs), int32 where the mode's fit, else int64.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cimforge.compiler.precision import Ints
from cimforge.compiler.tiling import Job
from cimforge.hdl.params.config import MacroConfig

__all__ = ["HEADER", "Played", "patterns_of", "read_results", "rows_counted", "write_job"]

MAGIC = 0x31594C5043  # "CPLY1"
HEADER = (
    *("magic", "tiles", "batch", "blocks", "rows", "outputs", "input_bits", "weight_bits"),
    *("y_bits", "x_bits", "x_signed", "w_signed", "fuse", "result_bytes", "most_idle", "behind"),
    "drain",
)
PORTION = 1 << 20  # elements converted at a time, so that memory stays bounded


class Played(NamedTuple):
    """What a player found: results (tiles, batch, outputs), cycles from the first beat to the last
    result, and, of these, those of the passes."""

    results: Ints
    cycles: int
    pass_cycles: int


def patterns_of(config: MacroConfig, values: Ints, bits: int) -> NDArray[np.uint16]:
    """What a port carries for ``values``: two's complement or unsigned, ``bits`` wide; where bits
    stand for -1 and 1, 1 for 1 and 0 for -1, or for 0, which is no value."""
    if config.binary:
        return (values > 0).astype(np.uint16)
    return (values & ((1 << bits) - 1)).astype(np.uint16)


def rows_counted(config: MacroConfig, job: Job) -> Ints:
    """Rows of each tile that hold a weight (tiles,), which x_rows tells; 0, all of them, where a
    weight of 0 adds nothing."""
    counted = [tile.k1 - tile.k0 if config.binary else 0 for tile in job.plan.tiles]
    return np.array(counted, np.int64)


def write_job(path: Path, config: MacroConfig, job: Job) -> None:
    """Write the job's file. ``most_idle`` cycles without a beat mean that the macro is stuck."""
    mode = config.modes[job.fuse]
    blocks, batch, rows = job.inputs.shape
    slowest = max(map(config.fill_cycles, range(config.rows)))
    numbers = {
        **{"magic": MAGIC, "tiles": len(job.weights), "batch": batch, "blocks": blocks},
        **{"rows": rows, "outputs": mode.outputs, "input_bits": config.input_bits},
        **{"weight_bits": mode.weight_bits, "y_bits": mode.y_bits, "x_bits": job.x_bits},
        **{"x_signed": job.x_signed, "w_signed": job.w_signed, "fuse": job.fuse},
        "result_bytes": _result_type(mode.y_bits).itemsize,
        "most_idle": 4 * config.latency() + slowest + config.reset_cycles + 8,
        "behind": config.result_ranks + 1,
        "drain": config.latency() + 2,
    }
    with path.open("wb") as file:
        np.array([int(numbers[name]) for name in HEADER], "<i8").tofile(file)
        for array in (job.k_index, job.banks, rows_counted(config, job)):
            np.asarray(array, "<i8").tofile(file)
        for values, bits in ((job.weights, mode.weight_bits), (job.inputs, config.input_bits)):
            for portion in _portions(values):
                patterns_of(config, portion, bits).astype("<u2").tofile(file)


def read_results(path: Path, config: MacroConfig, job: Job) -> Played:
    """What the player wrote. Raises ValueError where the file is cut short."""
    mode = config.modes[job.fuse]
    shape = (len(job.weights), job.inputs.shape[1], mode.outputs)
    with path.open("rb") as file:
        counts = np.fromfile(file, "<i8", 2)
        values = np.fromfile(file, _result_type(mode.y_bits))
    if len(counts) != 2 or values.size != np.prod(shape):
        raise ValueError(f"{path} holds {values.size} results, not {np.prod(shape)}")
    return Played(values.reshape(shape).astype(np.int64), int(counts[0]), int(counts[1]))


def _portions(values: Ints) -> Iterator[Ints]:
    """The elements in order, a bounded number at a time."""
    flat = np.ascontiguousarray(values).reshape(-1)
    for start in range(0, flat.size, PORTION):
        yield flat[start : start + PORTION]


def _result_type(y_bits: int) -> np.dtype:
    return np.dtype("<i4" if y_bits <= 32 else "<i8")
