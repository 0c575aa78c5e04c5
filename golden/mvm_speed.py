"""Speed of the golden model beside NumPy's int64 matmul.

``python -m cimforge.golden.mvm_speed [--json]``

Both compute the same 256 x 256 x 8b x 8b products of 1000 vectors, in turn, several times. The
model starts from patterns (range check, decoding, matmul, int64 results); NumPy starts from int64
values, decoded beforehand. Exit status 1 where the model is the slower one.
"""

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from cimforge.golden.macro import MacroModel
from cimforge.golden.numerics import Ints, to_values
from cimforge.hdl.params.config import MacroConfig

__all__ = ["main", "measure"]

CONFIG = MacroConfig(rows=256, cols=256, weight_bits=8, input_bits=8)
VECTORS = 1000
SEED = 1


def measure(runs: int, vectors: int = VECTORS) -> dict[str, Any]:
    """MAC/s of both over ``runs`` interleaved runs: medians, and the median of the runs' ratios."""
    rng = np.random.default_rng(SEED)
    model = MacroModel(CONFIG)
    model.load(rng.integers(-128, 128, (CONFIG.rows, CONFIG.cols)), signed=True)
    patterns = rng.integers(0, 256, (vectors, CONFIG.rows))
    values, weights = to_values(patterns, CONFIG.input_bits, True), model.weights()

    golden_seconds, numpy_seconds = [], []
    for _ in range(runs + 1):
        golden_time, golden_y = _timed(lambda: model.mvm(patterns, x_signed=True))
        numpy_time, numpy_y = _timed(lambda: values @ weights)
        if not np.array_equal(golden_y, numpy_y):
            raise RuntimeError(f"golden and int64 @ differ (seed {SEED})")
        golden_seconds.append(golden_time)
        numpy_seconds.append(numpy_time)
    # The first run of each builds the weight cache and starts the BLAS threads.
    golden_seconds, numpy_seconds = golden_seconds[1:], numpy_seconds[1:]
    ratios = [theirs / ours for ours, theirs in zip(golden_seconds, numpy_seconds, strict=True)]

    macs = vectors * CONFIG.rows * CONFIG.cols
    return {
        "macro": f"{CONFIG.rows}x{CONFIG.cols}x{CONFIG.weight_bits}b",
        "vectors": vectors,
        "runs": runs,
        "golden_mac_per_s": round(macs / statistics.median(golden_seconds)),
        "numpy_int64_mac_per_s": round(macs / statistics.median(numpy_seconds)),
        "ratio": round(statistics.median(ratios), 2),
        "ratio_min": round(min(ratios), 2),
        "ratio_max": round(max(ratios), 2),
        "numpy": np.__version__,
        "cpus": os.cpu_count(),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Print one measurement; 0, or 1 where the golden model is slower than int64 ``@``."""
    parser = argparse.ArgumentParser(
        prog="python -m cimforge.golden.mvm_speed", description=__doc__
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--runs", type=int, default=9, help="interleaved runs of each (default 9)")
    options = parser.parse_args(arguments)
    if options.runs < 1:
        parser.error(f"--runs must be an integer >= 1, not {options.runs}")
    result = measure(options.runs)
    if options.json:
        print(json.dumps(result))
    else:
        print(
            f"{result['macro']}, {VECTORS} vectors, median of {options.runs} interleaved runs\n"
            f"golden   {result['golden_mac_per_s'] / 1e9:7.2f} GMAC/s\n"
            f"int64 @  {result['numpy_int64_mac_per_s'] / 1e9:7.2f} GMAC/s\n"
            f"ratio    {result['ratio']:7.2f} ({result['ratio_min']}..{result['ratio_max']})"
        )
    return int(result["ratio"] < 1)


def _timed(call: Callable[[], Ints]) -> tuple[float, Ints]:
    start = time.perf_counter()
    result = call()
    return time.perf_counter() - start, result


if __name__ == "__main__":
    sys.exit(main())
