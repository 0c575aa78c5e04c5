"""Carry-less products are those of a plain loop."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cimforge.compiler.applications.carryless import carryless_products, shifted_factors
from cimforge.compiler.applications.tests import on_verilog
from cimforge.compiler.applications.tests.on_verilog import bit_config, open_macro
from cimforge.compiler.matmul import exact_matmul, tiled_matmul

SIMULATOR = on_verilog.SIMULATOR


def looped(a, b):
    """Exclusive or of a, shifted by each place where b has a one."""
    product = 0
    for place in range(b.bit_length()):
        product ^= (b >> place & 1) * (a << place)
    return product


@given(st.data(), st.integers(1, 70))
def test_golden_is_a_plain_loop(data, width):
    numbers = st.lists(st.integers(0, 2**width - 1), max_size=3)
    a, b = data.draw(numbers), data.draw(numbers)
    matmul = tiled_matmul(bit_config(rows=11, cols=16))
    found = carryless_products(a, b, width, matmul)
    assert found == [[looped(x, y) for y in b] for x in a]


@pytest.mark.parametrize("width", [1, 7, 33])
def test_verilog_is_a_plain_loop(width, shared):
    config, backend = shared
    most = 2**width - 1
    a, b = [0, 1, most, most // 3], [most, most // 5 | 1]
    found = carryless_products(a, b, width, tiled_matmul(config, backend.run_job))
    assert found == [[looped(x, y) for y in b] for x in a]
    assert backend.bit_exact


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """One macro for all products here, so that it is built once."""
    config = bit_config(rows=16, cols=10, storage="latch")
    return config, open_macro(config, tmp_path_factory.mktemp("carryless"))


def test_by_hand():
    """(x + 1)^2 = x^2 + 1."""
    assert carryless_products([0b11], [0b11], 2, exact_matmul) == [[0b101]]
    assert shifted_factors([0b01, 0b11], 2).tolist() == [[1, 0, 0, 1, 1, 0], [0, 1, 0, 0, 1, 1]]


@pytest.mark.parametrize(
    ("a", "b", "width", "text"),
    [
        ([4], [1], 2, "a[0] = 4 must be in 0..2^2 - 1 (nearest legal value: 2^2 - 1)"),
        ([1], [0, -1], 2, "b[1] = -1 must be in 0..2^2 - 1 (nearest legal value: 0)"),
        ([1], [1], 0, "width must be at least 1, not 0 (nearest legal value: 1)"),
    ],
)
def test_what_is_no_number_of_so_many_bits_is_refused(a, b, width, text):
    with pytest.raises(ValueError, match=re.escape(text)):
        carryless_products(a, b, width, exact_matmul)
