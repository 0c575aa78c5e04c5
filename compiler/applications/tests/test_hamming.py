"""Hamming distances are counted bits, and the nearest key is the first of the nearest."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cimforge.compiler.applications.binary_job import binary_matmul
from cimforge.compiler.applications.hamming import hamming_distances, nearest_keys
from cimforge.compiler.applications.tests import on_verilog
from cimforge.compiler.applications.tests.on_verilog import binary_config, open_macro

SIMULATOR = on_verilog.SIMULATOR


def counted(queries, keys):
    """Distances by the ones of an exclusive or, of Python's integers."""
    numbers = [
        [int("".join(map(str, row)), 2) for row in rows.tolist()] for rows in (queries, keys)
    ]
    return [[(query ^ key).bit_count() for key in numbers[1]] for query in numbers[0]]


def bits(seed, *shape):
    return np.random.default_rng(seed).integers(0, 2, shape)


@given(
    st.integers(1, 7),
    st.integers(1, 5),
    st.tuples(st.integers(0, 4), st.integers(1, 12), st.integers(1, 25)),
    st.integers(0, 2**32 - 1),
)
def test_golden_counts_the_bits_that_differ(rows, cols, sizes, seed):
    asked, stored, length = sizes
    queries, keys = bits(seed, asked, length), bits(seed + 1, stored, length)
    matmul = binary_matmul(binary_config(rows=rows, cols=cols))
    assert hamming_distances(queries, keys, matmul).tolist() == counted(queries, keys)


@pytest.mark.parametrize("sizes", [(6, 9, 19), (3, 1, 8), (2, 5, 1)])  # long; one key; one bit
def test_verilog_counts_the_bits_that_differ(sizes, shared):
    config, backend = shared
    asked, stored, length = sizes
    queries, keys = bits(1, asked, length), bits(2, stored, length)
    matmul = binary_matmul(config, backend.run_job)
    assert hamming_distances(queries, keys, matmul).tolist() == counted(queries, keys)
    assert backend.bit_exact


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """One macro for all searches here, so that it is built once."""
    config = binary_config(rows=8, cols=4, banks=2)
    return config, open_macro(config, tmp_path_factory.mktemp("search"))


def test_of_equal_keys_the_lowest_is_nearest(shared):
    config, backend = shared
    keys = bits(3, 7, 12)
    keys[5] = keys[2]  # of another tile
    distances = hamming_distances(keys[[5, 0]], keys, binary_matmul(config, backend.run_job))
    places, least = nearest_keys(distances)
    assert (places.tolist(), least.tolist()) == ([2, 0], [0, 0])
    assert [distances[0, 2], distances[0, 5]] == [0, 0]


@pytest.mark.parametrize(
    ("queries", "keys", "text"),
    [
        ([[0, 2]], [[0, 1]], "queries[0, 1] = 2 must be 0 or 1 (nearest legal value: 1)"),
        ([[0, 1]], [[0, -1]], "keys[0, 1] = -1 must be 0 or 1 (nearest legal value: 0)"),
        ([[0, 1]], [[0, 1, 1]], "queries have 2 bits and keys 3; give both as many"),
        (np.zeros((1, 3), int), np.zeros((0, 3), int), "keys must be at least 1"),
        (np.zeros((1, 0), int), np.zeros((2, 0), int), "of at least 1 bit, not (2, 0)"),
        ([0, 1], [[0, 1]], "queries must have 2 dimensions (queries, bits), not 1"),
    ],
)
def test_what_has_no_distance_is_refused(queries, keys, text):
    with pytest.raises(ValueError, match=re.escape(text)):
        hamming_distances(np.array(queries), np.array(keys), binary_matmul(binary_config()))
