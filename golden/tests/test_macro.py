"""MacroModel: exactness, mixed signs, missing rows and banks, definedness, refusals."""

import re
from collections.abc import Callable

import numpy as np
import pytest

from cimforge.golden.macro import MacroModel
from cimforge.golden.numerics import to_patterns, to_values
from cimforge.hdl.params.config import MacroConfig

TINY = MacroConfig(rows=4, cols=3, weight_bits=4, input_bits=5, banks=2)
DEEP = MacroConfig(rows=1024, cols=2, weight_bits=16, input_bits=16)
SIGN_MODES = [(False, False), (False, True), (True, False), (True, True)]
MODES = pytest.mark.parametrize(("x_signed", "w_signed"), SIGN_MODES)


def filled(config: MacroConfig = TINY, signed: bool = True, seed: int = 3) -> MacroModel:
    """A model with every bank loaded with random weights of one sign."""
    rng, model, bits = np.random.default_rng(seed), MacroModel(config), config.weight_bits
    for bank in range(config.banks):
        patterns = rng.integers(0, 2**bits, (config.rows, config.cols))
        model.load(to_values(patterns, bits, signed), bank=bank, signed=signed)
    return model


def extremes(signed: bool) -> tuple[int, int]:
    """Least and greatest 16-bit value, by hand."""
    return (-32768, 32767) if signed else (0, 65535)


@MODES
def test_extremes_of_the_largest_macro_are_exact(x_signed: bool, w_signed: bool) -> None:
    """All four corners of x and w, plain and off by one in a single element, as Python ints."""
    for w in extremes(w_signed):
        model = MacroModel(DEEP)
        model.load(np.full((1024, 2), w), signed=w_signed)
        for x in extremes(x_signed):
            pattern = x % 65536
            vectors = np.full((2, 1024), pattern)
            vectors[1, 77] = pattern ^ 1
            moved = x + 1 if pattern % 2 == 0 else x - 1
            y = model.mvm(vectors, x_signed=x_signed)
            assert y.tolist() == [[1024 * x * w] * 2, [(1023 * x + moved) * w] * 2]


def test_extremes_need_all_of_y_bits() -> None:
    """65535 * 65535 * 1024 and 65535 * -32768 * 1024 fit y_bits = 43, the former not 42."""
    model = MacroModel(DEEP)
    x = np.full(1024, 65535)
    model.load(np.full((1024, 2), 65535), signed=False)
    most = model.mvm(x)
    model.load(np.full((1024, 2), -32768), signed=True)
    least = model.mvm(x)
    assert most[0] == 4397912294400
    assert least[0] == -2198989701120
    assert DEEP.y_bits == 43
    to_patterns([most, least], DEEP.y_bits, True)
    with pytest.raises(ValueError, match="must be in"):
        to_patterns(most, DEEP.y_bits - 1, True)


@MODES
@pytest.mark.parametrize("seed", range(3))
def test_float_matmul_equals_int64_matmul(seed: int, x_signed: bool, w_signed: bool) -> None:
    model = filled(DEEP, w_signed, seed)
    x = np.random.default_rng(seed + 100).integers(0, 65536, (5, 1024))
    expected = to_values(x, 16, x_signed) @ model.weights()
    assert np.array_equal(model.mvm(x, x_signed=x_signed), expected), f"seed={seed}"


@pytest.mark.parametrize("leading", [(), (1,), (6,), (2, 3), (0,), (2, 0)])
def test_any_leading_dimensions(leading: tuple[int, ...]) -> None:
    model = filled()
    x = np.random.default_rng(9).integers(0, 32, (*leading, 4))
    y = model.mvm(x, x_signed=True)
    assert y.dtype == np.int64
    assert y.shape == (*leading, 3)
    assert np.array_equal(y, to_values(x, 5, True) @ model.weights())


@pytest.mark.parametrize("x_bits", [1, 2, 3, 4])
def test_element_bits_above_x_bits_are_ignored(x_bits: int) -> None:
    model, rng = filled(), np.random.default_rng(x_bits)
    x = rng.integers(0, 2**x_bits, (8, 4))
    noise = rng.integers(0, 2 ** (5 - x_bits), (8, 4)) << x_bits
    for x_signed in (False, True):
        clean = model.mvm(x, x_bits=x_bits, x_signed=x_signed)
        assert np.array_equal(model.mvm(x | noise, x_bits=x_bits, x_signed=x_signed), clean)


@pytest.mark.parametrize("x_bits", [0, 5, 6, 7, 200])
def test_x_bits_zero_or_too_large_means_input_bits(x_bits: int) -> None:
    model, x = filled(), np.array([31, 16, 5, 9])
    expected = np.array([-1, -16, 5, 9]) @ model.weights()
    assert np.array_equal(model.mvm(x, x_bits=x_bits, x_signed=True), expected)


def test_a_write_of_another_sign_changes_every_row() -> None:
    """Codes stay, values of all the bank's rows move by half the range, and back again."""
    model = filled(signed=True)
    before, other = model.weights(0), model.weights(1)
    same = model.read(0, 3)

    model.write(0, 3, [0, 8, 15], False)
    expected = before + 8
    expected[3] = [0, 8, 15]
    assert np.array_equal(model.weights(0), expected)
    assert np.array_equal(model.read(0, 0), expected[0])
    assert np.array_equal(model.weights(1), other)
    assert model.bank_signed.tolist() == [False, True]

    model.write(0, 3, same, True)
    assert np.array_equal(model.weights(0), before)
    assert np.array_equal(model.read(0, 3), same)


def test_every_pass_sees_the_last_write() -> None:
    """Results follow writes, loads and sign changes made between passes."""
    model, x, rng = filled(), np.array([1, 2, 3, 4]), np.random.default_rng(8)
    for step in range(40):
        model.mvm(x, bank=0)
        model.write(0, step % 5, rng.integers(0, 16, 3), bool(rng.integers(2)))
        assert np.array_equal(model.mvm(x), x @ model.weights()), f"step={step}"
    model.load(np.ones((4, 3), int), signed=False)
    assert model.mvm(x).tolist() == [10, 10, 10]


def test_writing_a_missing_row_or_bank_changes_nothing() -> None:
    model = filled(signed=True)
    before = [model.weights(0), model.weights(1)]
    for bank, row in [(2, 0), (3, 0), (0, 4), (1, 7), (10**9, 10**9)]:
        model.write(bank, row, [1, 2, 3], False)
    model.load(np.ones((4, 3), int), bank=2, signed=False)
    assert model.bank_signed.tolist() == [True, True]
    for bank in range(2):
        assert np.array_equal(model.weights(bank), before[bank])


def test_missing_rows_and_banks_read_as_zeros() -> None:
    model = filled()
    assert model.mvm(np.full((2, 4), 31), bank=2).tolist() == [[0, 0, 0], [0, 0, 0]]
    assert model.mvm([1, 2, 3, 4], bank=99).tolist() == [0, 0, 0]
    assert model.weights(2).tolist() == [[0, 0, 0]] * 4
    assert model.read(2, 0).tolist() == [0, 0, 0]
    assert model.read(0, 4).tolist() == [0, 0, 0]
    for zeros in (model.mvm([1, 2, 3, 4], bank=2), model.weights(2), model.read(0, 4)):
        assert zeros.dtype == np.int64


def test_a_bank_is_defined_once_all_rows_are_written() -> None:
    model = MacroModel(TINY)
    assert not model.defined(0)
    for row in (2, 0, 1, 0):
        model.write(0, row, [1, 2, 3], True)
        assert not model.defined(0)
        assert model.defined(0, row)
    assert not model.defined(0, 3)
    model.write(0, 3, [1, 2, 3], False)
    assert model.defined(0)
    assert not model.defined(1)
    assert model.written.tolist() == [[True] * 4, [False] * 4]


def test_missing_rows_and_banks_are_defined() -> None:
    model = MacroModel(TINY)
    assert model.defined(2)
    assert model.defined(2, 0)
    assert model.defined(0, 4)


def test_a_write_cut_off_by_reset_undefines_row_and_sign() -> None:
    model = filled()
    model.forget(0, 2)
    assert not model.defined(0)
    assert not model.defined(0, 1)  # its code is kept, but the bank's sign may have changed
    assert model.defined(1)
    model.write(0, 1, [1, 2, 3], True)
    assert model.defined(0, 1)
    assert model.defined(0, 0)
    assert not model.defined(0)
    model.write(0, 2, [1, 2, 3], True)
    assert model.defined(0)
    model.forget(2, 0)
    model.forget(0, 4)
    assert model.defined(0)


def test_returned_arrays_are_copies() -> None:
    model = filled()
    before = model.weights(0), model.read(0, 0)
    model.weights(0)[:] = 0
    model.read(0, 0)[:] = 0
    model.written[:] = False
    model.bank_signed[:] = False
    assert np.array_equal(model.weights(0), before[0])
    assert np.array_equal(model.read(0, 0), before[1])
    assert model.defined(0)
    assert model.bank_signed.all()
    assert model.config is TINY


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m: m.write(-1, 0, [0] * 3, True), "bank must be an integer >= 0, not -1 ({}: 0)"),
        (lambda m: m.write(0, -1, [0] * 3, True), "row must be an integer >= 0, not -1 ({}: 0)"),
        (lambda m: m.write(0, 0, [0] * 3, 2), "signed must be an integer in 0..1, not 2 ({}: 1)"),
        (
            lambda m: m.write(0, 0, [0] * 4, True),
            "w_patterns must have shape (3,), not (4,) ({}: (3,))",
        ),
        (
            lambda m: m.write(0, 0, [0, 16, 0], True),
            "w_patterns[1] must be in 0..15, not 16 ({}: 15)",
        ),
        (
            lambda m: m.write(0, 0, [0, -1, 0], True),
            "w_patterns[1] must be in 0..15, not -1 ({}: 0)",
        ),
        (
            lambda m: m.write(9, 9, [0, 99, 0], True),
            "w_patterns[1] must be in 0..15, not 99 ({}: 15)",
        ),
        (lambda m: m.read(0.0, 0), "bank must be an integer >= 0, not 0.0 ({}: 0)"),
        (lambda m: m.read(0, -2), "row must be an integer >= 0, not -2 ({}: 0)"),
        (lambda m: m.forget(0, -2), "row must be an integer >= 0, not -2 ({}: 0)"),
        (lambda m: m.weights(-1), "bank must be an integer >= 0, not -1 ({}: 0)"),
        (lambda m: m.defined(-1), "bank must be an integer >= 0, not -1 ({}: 0)"),
        (lambda m: m.defined(0, -1), "row must be an integer >= 0, not -1 ({}: 0)"),
        (
            lambda m: m.load([[0] * 3] * 3, signed=True),
            "values must have shape (4, 3), not (3, 3) ({}: (4, 3))",
        ),
        (
            lambda m: m.load([[0] * 3, [0, 0, 8]] * 2, signed=True),
            "values[1, 2] must be in -8..7, not 8 ({}: 7)",
        ),
        (
            lambda m: m.load(np.full((4, 3), -1), signed=False),
            "values[0, 0] must be in 0..15, not -1 ({}: 0)",
        ),
        (
            lambda m: m.load([[0] * 3] * 4, signed="no"),
            "signed must be an integer in 0..1, not 'no' ({}: 0)",
        ),
        (lambda m: m.mvm([1, 2, 3, 4], bank=-1), "bank must be an integer >= 0, not -1 ({}: 0)"),
        (
            lambda m: m.mvm([1, 2, 3, 4], x_bits=-1),
            "x_bits must be an integer >= 0, not -1 ({}: 0)",
        ),
        (
            lambda m: m.mvm([1, 2, 3, 4], x_signed=2),
            "x_signed must be an integer in 0..1, not 2 ({}: 1)",
        ),
        (
            lambda m: m.mvm([1, 2, 3]),
            "x_patterns must have shape (..., 4), not (3,) ({}: (4,))",
        ),
        (
            lambda m: m.mvm([[1, 2, 3, 4], [0, 0, 0, 32]]),
            "x_patterns[1, 3] must be in 0..31, not 32 ({}: 31)",
        ),
        (
            lambda m: m.mvm([1, 2, 3, 32], x_bits=2, bank=9),
            "x_patterns[3] must be in 0..31, not 32 ({}: 31)",
        ),
        (
            lambda m: m.mvm([1.0, 2, 3, 4]),
            "x_patterns must be integers, not float64 ({}: int64)",
        ),
    ],
)
def test_refusal_names_what_rule_and_nearest_value(
    call: Callable[[MacroModel], object], message: str
) -> None:
    model = filled()
    before = model.weights(0)
    with pytest.raises(ValueError, match=f"^{re.escape(message.format('nearest legal value'))}$"):
        call(model)
    assert np.array_equal(model.weights(0), before)


def test_a_macro_too_large_for_exact_sums_is_refused() -> None:
    huge = MacroConfig.model_construct(rows=2**22, cols=1, weight_bits=16, input_bits=16, banks=1)
    with pytest.raises(ValueError, match=r"rows must be at most 2\^53 / .*not 4194304"):
        MacroModel(huge)
