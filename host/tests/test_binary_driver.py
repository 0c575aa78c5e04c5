"""The driver on a macro of -1 and 1."""

import re

import numpy as np
import pytest

from cimforge.hdl.params.config import MacroConfig
from cimforge.host.driver import MacroDriver, UartLink
from cimforge.host.tests.board_twin import BoardTwin

CONFIG = MacroConfig(rows=11, cols=5, weight_bits=1, input_bits=1, multiply="xnor", banks=2)
RNG = np.random.default_rng(7)
WEIGHTS = RNG.choice([-1, 1], (11, 5))
VECTORS = RNG.choice([-1, 1], (4, 11))


@pytest.fixture
def driver():
    made = MacroDriver(UartLink(BoardTwin(CONFIG)), CONFIG)
    made.load_weights(WEIGHTS, bank=1, signed=True)
    return made


@pytest.mark.parametrize("rows", [0, 1, 6, 11])
def test_products_of_the_first_rows(driver, rows):
    counted = slice(rows or None)
    y = driver.multiply(VECTORS, x_signed=True, bank=1, x_rows=rows)
    assert np.array_equal(y, VECTORS[:, counted] @ WEIGHTS[counted])
    assert np.array_equal(driver.read_row(2, bank=1), (WEIGHTS[2] + 1) // 2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda d: d.multiply(VECTORS * [[1]] * 0, x_signed=True),
            "vectors[0, 0] must be -1 or 1, not 0",
        ),
        (
            lambda d: d.load_weights(WEIGHTS + (WEIGHTS == 1), signed=True),
            "must be an integer in -2..1 (2 bits, signed), not 2",
        ),
        (
            lambda d: d.multiply(VECTORS, x_signed=True, x_rows=12),
            "x_rows must be an integer in 0..11, not 12",
        ),
    ],
)
def test_what_is_neither_is_refused(driver, call, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        call(driver)
