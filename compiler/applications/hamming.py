"""Hamming distances of queries to stored keys, and the nearest key, on a macro of -1 and 1.

A key is a column of weights, a query a vector. With bits as -1 and 1, equal ones multiply to 1 and
different ones to -1, so of keys of L bits

    q . k = (L - distance) - distance      distance = (L - q . k) / 2

for all keys of a tile in one pass. Longer keys than rows are cut: their last block counts fewer
rows (``x_rows``), and the sums of the blocks add up; more keys than columns take more tiles.
"""

from typing import Any

import numpy as np

from cimforge.compiler.applications.bit_rows import bit_matrix
from cimforge.compiler.matmul import Matmul
from cimforge.compiler.precision import Ints

__all__ = ["hamming_distances", "nearest_keys"]


def hamming_distances(queries: Any, keys: Any, matmul: Matmul) -> Ints:
    """How many bits differ: (queries, keys), of ``queries`` (queries, L) and ``keys`` (keys, L) of
    0 and 1, by a ``matmul`` of -1 and 1.

    Raises ValueError for other values, lengths that differ, bits or keys that are none.
    """
    asked = bit_matrix("queries", queries, ("queries", "bits"))
    stored = bit_matrix("keys", keys, ("keys", "bits"))
    length = stored.shape[1]
    if asked.shape[1] != length:
        raise ValueError(f"queries have {asked.shape[1]} bits and keys {length}; give both as many")
    if not stored.size:
        raise ValueError(f"keys must be at least 1, of at least 1 bit, not {stored.shape}")
    return (length - matmul(2 * asked - 1, (2 * stored - 1).T)) // 2


def nearest_keys(distances: Ints) -> tuple[Ints, Ints]:
    """Number and distance of each query's nearest key; of several the one of lowest number."""
    places = distances.argmin(axis=1)
    return places, np.take_along_axis(distances, places[:, np.newaxis], axis=1)[:, 0]
