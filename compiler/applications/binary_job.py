"""Products of -1 and 1 as jobs of macros whose bits stand for these.

``y[c] = sum over r < x_rows of x[r] * w[r][c]``: a block of rows that reaches past K counts its
first ones alone, which the macro's ``x_rows`` says vector by vector.
"""

from typing import Any

import numpy as np

from cimforge.compiler.matmul import Matmul, RunJob
from cimforge.compiler.player.expected_results import expected_results
from cimforge.compiler.precision import Ints, integer_matrix
from cimforge.compiler.tiling import Job, plan_tiles
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.multiply import MULTIPLY

__all__ = ["binary_matmul", "binary_settings", "check_binary", "make_binary_job"]


def binary_settings() -> tuple[str, ...]:
    """KEY=VALUE of a macro of -1 and 1."""
    style = next(name for name, traits in MULTIPLY.items() if traits.binary)
    return (f"multiply={style}", "weight_bits=1", "input_bits=1")


def check_binary(config: MacroConfig, who: str) -> None:
    """Raise ValueError for a macro of integers, on which ``who`` cannot run."""
    if not config.binary:
        rule = f"{who} needs a macro of -1 and 1, and multiply = {config.multiply} has integers"
        legal = " ".join(f"--set {setting}" for setting in binary_settings())
        raise ValueError(f"{rule} (nearest legal value: {legal})")


def make_binary_job(config: MacroConfig, x: Any, w: Any) -> Job:
    """The job of ``x @ w`` for ``x`` (batch, K) and ``w`` (K, N) of -1 and 1.

    Where a tile reaches past K or N its values are 0, which stands for a row that does not count
    or a result that nobody takes. ``x_bits`` is 1 and nothing has a sign: the macro has neither.

    Raises ValueError for a macro of integers, and for values other than -1 and 1.
    """
    check_binary(config, "a product of -1 and 1")
    x, w = _signs("x", x, ("batch", "K")), _signs("w", w, ("K", "N"))
    plan = plan_tiles(config, x.shape, w.shape)
    weights = np.zeros((len(plan.tiles), plan.rows, plan.cols), np.int64)
    for block, tile in zip(weights, plan.tiles, strict=True):
        block[: tile.k1 - tile.k0, : tile.n1 - tile.n0] = w[tile.k0 : tile.k1, tile.n0 : tile.n1]
    padded = np.zeros((plan.batch, plan.k_tiles * plan.rows), np.int64)
    padded[:, : plan.k] = x
    return Job(
        plan=plan,
        weights=weights,
        inputs=padded.reshape(plan.batch, plan.k_tiles, plan.rows).swapaxes(0, 1).copy(),
        k_index=np.array([tile.k0 // plan.rows for tile in plan.tiles], np.int64),
        banks=np.array([tile.bank for tile in plan.tiles], np.int64),
        x_bits=1,
        x_signed=False,
        w_signed=False,
    )


def binary_matmul(config: MacroConfig, run_job: RunJob = expected_results) -> Matmul:
    """A matmul of -1 and 1 that tiles onto a macro of ``config``; ``run_job`` is the golden model
    or a simulator of the Verilog. It raises ValueError as make_binary_job does."""

    def matmul(x: Ints, w: Ints) -> Ints:
        job = make_binary_job(config, x, w)
        return job.assemble(run_job(config, job))

    return matmul


def _signs(name: str, values: Any, axes: tuple[str, str]) -> Ints:
    array = integer_matrix(name, values, axes)
    wrong = (array != 1) & (array != -1)
    if wrong.any():
        where = np.argwhere(wrong)[0].tolist()
        value = int(array[tuple(where)])
        nearest = 1 if value >= 0 else -1
        raise ValueError(
            f"{name}{where} = {value} must be -1 or 1 (nearest legal value: {nearest})"
        )
    return array.astype(np.int64)
