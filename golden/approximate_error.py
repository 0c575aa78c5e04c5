"""Errors of the approximate trees, measured in the golden model.

``python -m cimforge.golden.approximate_error [--json] [--rows N] [--bits N] [--multiply STYLE]
[--planes K]``

Uniform random inputs and weights of full precision, unsigned and signed; the exact results are the
golden model's with a csa tree. MRED, NMED and bias as in approximation.error_distances.
"""

import argparse
import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from cimforge.golden.approximation import error_distances
from cimforge.golden.macro import MacroModel
from cimforge.golden.numerics import Ints, to_values, value_range
from cimforge.hdl.params.config import ConfigError, MacroConfig

__all__ = ["main", "measure_error"]

TREES = ("approx1", "approx2")
VECTORS = 500
SEED = 1


def measure_error(config: MacroConfig, *, signed: bool, seed: int = SEED) -> dict[str, float]:
    """Error distances of ``config`` over VECTORS vectors and one bank of random weights, all of
    them signed or all unsigned."""
    rng = np.random.default_rng(seed)
    low, high = value_range(config.weight_bits, signed)
    weights = rng.integers(low, high, (config.rows, config.cols), endpoint=True)
    vectors = rng.integers(0, 1 << config.input_bits, (VECTORS, config.rows))

    def results(tree: str) -> Ints:
        model = MacroModel(config.model_copy(update={"tree": tree, "tree_stages": 0, "name": ""}))
        model.load(weights, signed=signed)
        return model.mvm(vectors, x_signed=signed)

    most_x = np.abs(to_values([1 << (config.input_bits - 1)], config.input_bits, signed)).max()
    most_w = -low if signed else high
    largest = config.rows * most_w * int(most_x if signed else (1 << config.input_bits) - 1)
    return error_distances(results(config.tree), results("csa"), largest)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the errors of each approximate tree."""
    parser = argparse.ArgumentParser(
        prog="python -m cimforge.golden.approximate_error", description=__doc__
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--rows", type=int, default=64, help="rows (default 64)")
    parser.add_argument("--bits", type=int, default=8, help="bits of inputs, weights (default 8)")
    style = MacroConfig.model_fields["multiply"].default
    parser.add_argument("--multiply", default=style, help=f"multiply style (default {style})")
    parser.add_argument("--planes", type=int, default=1, help="bits_per_cycle (default 1)")
    options = parser.parse_args(arguments)
    shape: dict[str, Any] = {"rows": options.rows, "multiply": options.multiply}
    shape |= {"weight_bits": options.bits, "input_bits": options.bits}
    shape |= {"bits_per_cycle": options.planes}
    try:
        MacroConfig(**shape)
    except ConfigError as error:
        parser.error(str(error))
    report: dict[str, Any] = {"rows": options.rows, "bits": options.bits, "vectors": VECTORS}
    report |= {"seed": SEED}
    for tree in TREES:
        for sign in ("unsigned", "signed"):
            config = MacroConfig(tree=tree, **shape)
            report[f"{tree}_{sign}"] = measure_error(config, signed=sign == "signed")
    if options.json:
        print(json.dumps(report))
        return 0
    print(f"{options.rows} rows, {options.bits}b x {options.bits}b, {VECTORS} vectors, seed {SEED}")
    for name in report:
        if name.startswith("approx"):
            told = "  ".join(f"{key.upper()} {value:8.3%}" for key, value in report[name].items())
            print(f"{name:17} {told}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
