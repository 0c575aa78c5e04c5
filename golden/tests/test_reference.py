"""The vectorised model against the reference loops, which are checked by hand first."""

import random
from functools import partial

import numpy as np
import pytest

from cimforge.golden.macro import MacroModel
from cimforge.golden.reference import (
    pattern_value,
    reference_mvm,
    reference_read,
    reference_turned,
    weight_value,
)
from cimforge.golden.tests.random_macros import Ledger, random_config, random_patterns
from cimforge.hdl.params.config import MacroConfig

SIGN_MODES = [(False, False), (False, True), (True, False), (True, True)]
MODES = pytest.mark.parametrize(("x_signed", "w_signed"), SIGN_MODES)


def test_reference_by_hand() -> None:
    assert [pattern_value(p, 2, True) for p in range(4)] == [0, 1, -2, -1]
    assert [pattern_value(p, 2, False) for p in range(4)] == [0, 1, 2, 3]
    assert weight_value(0b01, 2, True, True) == 1
    assert weight_value(0b01, 2, True, False) == 3
    assert weight_value(0b01, 2, False, True) == -1
    assert weight_value(0b01, 2, False, False) == 1
    # -1 written signed is code 0b01, so 1 in an unsigned bank; 3 written unsigned is 1 in a
    # signed one.
    assert reference_read(([0b11, 0b00], True), 2, False) == [0b01, 0b10]
    assert reference_read(([0b11, 0b00], False), 2, True) == [0b01, 0b10]
    # -3 written signed is 1101, stored as 0101: halves 1 and 1. 2-bit weights 10 and 01 written
    # signed are stored as 00 and 11, which together are 1100.
    assert reference_turned(([0b1101], True), 4, 2) == ([0b01, 0b01], False)
    assert reference_turned(([0b10, 0b01], True), 2, 4) == ([0b1100], False)
    assert reference_turned(([0b0110, 0b1001], False), 4, 2) == ([2, 1, 1, 2], False)
    # Weights 1, -2 and -1, 0, one column a pattern; x = 3, 2 unsigned, then their low bits 1, 0.
    bank = [([0b01, 0b10], True), ([0b11, 0b00], True)]
    mvm = partial(reference_mvm, [[3, 2]], bank, weight_bits=2, input_bits=2, bank_signed=True)
    assert mvm(x_bits=0, x_signed=False) == [[3 * 1 + 2 * -1, 3 * -2 + 0]]
    assert mvm(x_bits=1, x_signed=False) == [[1, -2]]
    assert mvm(x_bits=1, x_signed=True) == [[-1, 2]]
    assert mvm(x_bits=3, x_signed=True) == [[-1 * 1 + -2 * -1, -1 * -2 + 0]]


@pytest.mark.parametrize("seed", range(150))
def test_random_macro_matches_reference(seed: int) -> None:
    """Any sequence of writes, passes and read-backs, rows and banks missing ones included."""
    rng = random.Random(seed)
    config = random_config(rng)
    model, ledger = MacroModel(config), Ledger(config)
    everywhere = [(bank, row) for bank in range(config.banks) for row in range(config.rows)]
    rng.shuffle(everywhere)

    for step in range(len(everywhere) + 12):
        more = (rng.randint(0, config.banks + 1), rng.randint(0, config.rows + 1))
        bank, row = everywhere[step] if step < len(everywhere) else more
        fuse = rng.randint(0, len(config.modes)) if rng.random() < 0.3 else model.fuse(bank)
        mode = config.modes[fuse if fuse < len(config.modes) else 0]
        patterns = random_patterns(rng, mode.weight_bits, mode.outputs)
        signed = rng.random() < 0.5
        model.write(bank, row, patterns, signed, fuse=fuse)
        ledger.write(bank, row, patterns, signed, mode.weight_bits)

        where = f"seed={seed} step={step} config={config.parameters()}"
        assert model.read(bank, row).tolist() == ledger.read(bank, row), where
        target = rng.randint(0, config.banks)
        assert model.defined(target) == ledger.defined(target), where
        if ledger.defined(target):
            x_bits, x_signed = rng.randint(0, config.input_bits + 3), rng.random() < 0.5
            vectors = [random_patterns(rng, config.input_bits, config.rows) for _ in range(2)]
            y = model.mvm(vectors, x_bits=x_bits, x_signed=x_signed, bank=target)
            expected = ledger.mvm(vectors, x_bits, x_signed, target)
            assert y.tolist() == expected, f"{where} x_bits={x_bits} x_signed={x_signed}"

    for bank, row in everywhere:
        assert model.read(bank, row).tolist() == ledger.read(bank, row), f"seed={seed}"


def check_precisions(config: MacroConfig, x_signed: bool, w_signed: bool) -> None:
    """One fully written bank, one vector at every x_bits the port might carry."""
    seed = config.weight_bits * 100 + config.input_bits
    rng = random.Random(seed)
    model, ledger = MacroModel(config), Ledger(config)
    for row in range(config.rows):
        patterns = random_patterns(rng, config.weight_bits, config.cols)
        model.write(0, row, patterns, w_signed)
        ledger.write(0, row, patterns, w_signed)
    vectors = [random_patterns(rng, config.input_bits, config.rows)]
    for x_bits in range(config.input_bits + 2):
        y = model.mvm(vectors, x_bits=x_bits, x_signed=x_signed)
        where = f"seed={seed} x_bits={x_bits}"
        assert y.tolist() == ledger.mvm(vectors, x_bits, x_signed, 0), where


@MODES
@pytest.mark.parametrize("bits", range(1, 17))
def test_every_precision_and_sign_mode(bits: int, x_signed: bool, w_signed: bool) -> None:
    """Every width of inputs and of weights, at every x_bits."""
    shape = {"rows": 5, "cols": 2}
    check_precisions(MacroConfig(**shape, input_bits=bits, weight_bits=5), x_signed, w_signed)
    check_precisions(MacroConfig(**shape, input_bits=5, weight_bits=bits), x_signed, w_signed)


@MODES
def test_one_bit_by_one_bit_exhaustively(x_signed: bool, w_signed: bool) -> None:
    """Every vector and every column of weights of a 3-row binary macro; signed bits are {0, -1}."""
    config = MacroConfig(rows=3, cols=8, weight_bits=1, input_bits=1)
    model, ledger = MacroModel(config), Ledger(config)
    for row in range(3):
        patterns = [column // 2**row % 2 for column in range(8)]
        model.write(0, row, patterns, w_signed)
        ledger.write(0, row, patterns, w_signed)
    vectors = [[number // 2**row % 2 for row in range(3)] for number in range(8)]
    y = model.mvm(vectors, x_signed=x_signed)
    assert y.tolist() == ledger.mvm(vectors, 0, x_signed, 0)
    sign = -1 if x_signed != w_signed else 1
    assert y[7, 7] == sign * 3


def test_loading_a_bank_equals_writing_its_rows() -> None:
    rng = np.random.default_rng(5)
    config = MacroConfig(rows=7, cols=3, weight_bits=6, input_bits=4, banks=2)
    values = rng.integers(-32, 32, (7, 3))
    loaded, written = MacroModel(config), MacroModel(config)
    loaded.load(values, bank=1, signed=True)
    for row in range(7):
        written.write(1, row, values[row] % 64, True)
    x = rng.integers(0, 16, (4, 7))
    assert np.array_equal(loaded.weights(1), values)
    assert np.array_equal(written.weights(1), values)
    assert np.array_equal(loaded.mvm(x, bank=1), written.mvm(x, bank=1))
    assert np.array_equal(loaded.written, written.written)
    assert loaded.defined(1)
    assert not loaded.defined(0)
