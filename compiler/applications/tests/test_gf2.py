"""The low bit of a sum of ands is their exclusive or."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cimforge.compiler.applications.gf2 import gf2_product
from cimforge.compiler.applications.tests.on_verilog import bit_config
from cimforge.compiler.matmul import exact_matmul, tiled_matmul
from cimforge.hdl.params.config import MacroConfig

MACROS = [
    bit_config(rows=5, cols=3, banks=2),
    MacroConfig(rows=4, cols=2, multiply="booth", bits_per_cycle=2),
]


@pytest.mark.parametrize("config", MACROS, ids=["bits", "digits"])
@given(
    sizes=st.tuples(st.integers(0, 4), st.integers(1, 17), st.integers(1, 8)),
    seed=st.integers(0, 2**32 - 1),
)
def test_golden_is_the_exclusive_or(config, sizes, seed):
    batch, k, n = sizes
    random = np.random.default_rng(seed)
    x, w = random.integers(0, 2, (batch, k)), random.integers(0, 2, (k, n))
    found = gf2_product(x, w, tiled_matmul(config))
    plain = [[np.bitwise_xor.reduce(row & column) for column in w.T] for row in x]
    assert np.array_equal(found, np.array(plain).reshape(batch, n))


@pytest.mark.parametrize(
    ("x", "w", "text"),
    [
        ([[2]], [[1]], "x[0, 0] = 2 must be 0 or 1"),
        ([[1]], [[-1]], "w[0, 0] = -1 must be 0 or 1"),
    ],
)
def test_what_is_no_bit_is_refused(x, w, text):
    with pytest.raises(ValueError, match=re.escape(text)):
        gf2_product(np.array(x), np.array(w), exact_matmul)
