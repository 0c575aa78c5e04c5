"""The example of ternary weights: a layer as in BitNet b1.58, and what its weights take."""

from math import ceil

import numpy as np

from cimforge.compiler.applications.bit_linear import BitLinear, normalised, ternary_matmul
from cimforge.compiler.applications.outcome import Compared, Example, Outcome
from cimforge.compiler.matmul import RunJob
from cimforge.hdl.params.config import MacroConfig

__all__ = ["TERNARY", "stored_bits"]

INPUTS, OUTPUTS, TOKENS = 256, 256, 16
WIDE = 8  # bits of a weight that is compared with


def stored_bits(config: MacroConfig) -> int:
    """Bits of the array that a weight of -1, 0 or 1 takes: those of the narrowest weight of two
    bits or more that the macro has, or two columns of one."""
    fitting = [mode.weight_bits for mode in config.modes if mode.weight_bits > 1]
    return min(fitting, default=2)


def _tiles(config: MacroConfig, bits: int) -> int:
    """Tiles of the layer in an array of as many bits, of weights that take so many."""
    columns = max(1, config.cols * config.weight_bits // bits)
    return ceil(INPUTS / config.rows) * ceil(OUTPUTS / columns)


def _run(config: MacroConfig, run_job: RunJob, seed: int) -> Outcome:
    random = np.random.default_rng(seed)
    real = random.normal(0, 0.02, (INPUTS, OUTPUTS))
    x = normalised(random.normal(0, 1, (TOKENS, INPUTS)))
    layer = BitLinear.of(real)
    matmul = Compared(ternary_matmul(config, run_job))
    y = layer.run(x, matmul)

    # The layer as it is trained: weights and activations rounded, but real.
    scale = np.abs(x).max(axis=1, keepdims=True) / 127
    rounded = np.rint(x / scale) * scale
    weights = np.clip(np.rint(real / (np.abs(real).mean() + 1e-5)), -1, 1) * np.abs(real).mean()
    equal = matmul.equal and bool(np.allclose(y, rounded @ weights, rtol=1e-9, atol=1e-12))

    shares = [float((layer.weights == value).mean()) for value in (-1, 0, 1)]
    bits = stored_bits(config)
    narrow, wide = _tiles(config, bits), _tiles(config, WIDE)
    facts = {
        "layer": [INPUTS, OUTPUTS],
        "tokens": TOKENS,
        "shares": [round(share, 4) for share in shares],
        "weight_bits": bits,
        "stored": bits * layer.weights.size,
        "stored_in_8": WIDE * layer.weights.size,
        "tiles_in_8": wide,
    }
    rows = [
        ("layer", f"{INPUTS} x {OUTPUTS}, {TOKENS} tokens of 8-bit activations"),
        ("weights -1, 0, 1", ", ".join(f"{share:.1%}" for share in shares)),
        (f"in {bits} bits each", f"{bits * real.size:,} bits, {narrow} tiles of this array"),
        ("in 8 bits each", f"{WIDE * real.size:,} bits, {wide} tiles of an array of as many bits"),
    ]
    return Outcome(equal, "every sum by NumPy, every output by real weights", facts, rows)


TERNARY = Example(
    "a layer of weights -1, 0 and 1 as in BitNet b1.58, 256 x 256",
    "base",
    ("cols=32", "weight_bits=2"),
    False,
    _run,
)
