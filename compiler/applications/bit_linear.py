"""BitLinear: a layer of weights -1, 0 and 1, and activations of 8 bits (BitNet b1.58).

Of real weights W (K, N) and activations x (tokens, K):

    g = mean |W|                     w = clip(round(W / (g + e)), -1, 1)          absmean
    s = max over a token of |x|      q = clip(round(127 x / s), -128, 127)        absmax
    y = (q @ w) g s / 127

round takes ties to even, e is 1e-5. Source: Ma et al., The Era of 1-bit LLMs, arXiv 2402.17764
(weights); 127 and e as in the training notes that its authors published. x comes normalised:
x / sqrt(mean x^2 + e), as the layer's inputs are there.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cimforge.compiler.matmul import Matmul, RunJob, tiled_matmul
from cimforge.compiler.precision import Ints
from cimforge.compiler.tiling import run_job_golden
from cimforge.hdl.params.config import MacroConfig

__all__ = ["BitLinear", "absmax", "absmean", "normalised", "ternary_matmul"]

Floats = NDArray[np.float64]

EPSILON = 1e-5
MOST = 127  # of an activation of 8 bits


def normalised(x: Floats) -> Floats:
    """Each token of ``x`` (tokens, K) over its root mean square."""
    return x / np.sqrt(np.mean(x**2, axis=-1, keepdims=True) + EPSILON)


def absmean(weights: Floats) -> tuple[Ints, float]:
    """Weights of -1, 0 and 1, and their scale g; of weights that are all 0 both are 0.

    Raises ValueError for weights that are not finite, or none.
    """
    if not weights.size or not np.isfinite(weights).all():
        raise ValueError(f"weights must be finite numbers, one at least, of shape {weights.shape}")
    scale = float(np.abs(weights).mean())
    ternary = np.clip(np.rint(weights / (scale + EPSILON)), -1, 1)
    return ternary.astype(np.int64), scale


def absmax(x: Floats) -> tuple[Ints, Floats]:
    """Activations of 8 bits (tokens, K) and each token's scale s / 127 (tokens, 1).

    Raises ValueError for activations that are not finite.
    """
    if not np.isfinite(x).all():
        raise ValueError("activations must be finite numbers")
    scale = np.maximum(np.abs(x).max(axis=-1, keepdims=True, initial=0.0), EPSILON) / MOST
    return np.clip(np.rint(x / scale), -MOST - 1, MOST).astype(np.int64), scale


@dataclass(frozen=True, eq=False)
class BitLinear:
    """``weights`` (K, N) of -1, 0 and 1, each worth ``scale``."""

    weights: Ints
    scale: float

    @classmethod
    def of(cls, weights: Floats) -> "BitLinear":
        """The layer of real weights (K, N)."""
        return cls(*absmean(weights))

    def run(self, x: Floats, matmul: Matmul) -> Floats:
        """``y`` (tokens, N) of real ``x`` (tokens, K); ``matmul`` is of integers."""
        q, scale = absmax(x)
        return matmul(q, self.weights) * (self.scale * scale)


def ternary_matmul(config: MacroConfig, run_job: RunJob = run_job_golden) -> Matmul:
    """A matmul of weights -1, 0 and 1: each in 2 bits where a weight of the macro has as many, else
    in two columns of 1 bit, ``w = p - n``, p being 1 of weights 1 and n of weights -1."""
    matmul = tiled_matmul(config, run_job)
    if config.weight_bits > 1:
        return matmul

    def in_two(x: Ints, w: Ints) -> Ints:
        both = matmul(x, np.concatenate([w > 0, w < 0], axis=1))
        return both[:, : w.shape[1]] - both[:, w.shape[1] :]

    return in_two
