"""The driver on a macro whose banks fuse slices."""

import re

import numpy as np
import pytest

from cimforge.hdl.params.config import MacroConfig
from cimforge.host.driver import MacroDriver, UartLink
from cimforge.host.tests.board_twin import BoardTwin

CONFIG = MacroConfig(rows=7, cols=3, weight_bits=12, input_bits=5, slice_bits=2, banks=2)
RNG = np.random.default_rng(3)
VECTORS = RNG.integers(-16, 16, (4, 7))


@pytest.fixture
def driver():
    return MacroDriver(UartLink(BoardTwin(CONFIG)), CONFIG)


@pytest.mark.parametrize("fuse", range(4))
@pytest.mark.parametrize("signed", [False, True])
def test_products_and_rows_of_each_mode(driver, fuse, signed):
    """Beside a bank of another mode; results of the mode stand where the driver looks."""
    mode, other = CONFIG.modes[fuse], (fuse + 1) % 4
    shape, top = (7, mode.outputs), 1 << mode.weight_bits
    weights = RNG.integers(-top // 2, top // 2, shape) if signed else RNG.integers(0, top, shape)
    narrow = RNG.integers(0, 2, (7, CONFIG.modes[other].outputs))
    driver.load_weights(weights, bank=1, signed=signed, fuse=fuse)
    driver.load_weights(narrow, bank=0, signed=False, fuse=other)
    for bank, loaded in ((1, weights), (0, narrow), (1, weights)):
        y = driver.multiply(VECTORS, x_signed=True, bank=bank)
        assert np.array_equal(y, VECTORS @ loaded)
    assert np.array_equal(driver.read_row(2, bank=1), weights[2] % top)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda d: d.load_weights(np.zeros((7, 3), int), signed=False, fuse=4),
            "fuse must be an integer in 0..3, not 4",
        ),
        (
            lambda d: d.load_weights(np.zeros((7, 3), int), signed=False, fuse=1),
            "weights must have shape (rows = 7, cols = 6), not (7, 3)",
        ),
        (
            lambda d: d.load_weights(np.full((7, 18), 4), signed=False, fuse=3),
            "weights[0, 0] must be an integer in 0..3 (2 bits, unsigned), not 4",
        ),
    ],
)
def test_what_no_mode_holds_is_refused(driver, call, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        call(driver)


def test_whole_weights_have_one_mode():
    config = MacroConfig(rows=2, cols=1)
    driver = MacroDriver(UartLink(BoardTwin(config)), config)
    with pytest.raises(ValueError, match=re.escape("fuse must be an integer in 0..0, not 1")):
        driver.load_weights([[1], [2]], signed=True, fuse=1)
