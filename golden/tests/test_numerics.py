"""The numbered rules, exhaustively for small widths, and every message they raise."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from cimforge.golden.numerics import (
    check_exact,
    check_flag,
    check_number,
    check_shape,
    code_values,
    effective_bits,
    flip_sign_bit,
    input_values,
    to_patterns,
    to_values,
    value_range,
)
from cimforge.golden.reference import pattern_value
from cimforge.hdl.params.config import MacroConfig

SIGNS = pytest.mark.parametrize("signed", [False, True], ids=["unsigned", "signed"])
WIDTHS = pytest.mark.parametrize("bits", range(1, 11))


def test_value_range_of_named_widths() -> None:
    assert value_range(1, False) == (0, 1)
    assert value_range(1, True) == (-1, 0)
    assert value_range(8, False) == (0, 255)
    assert value_range(8, True) == (-128, 127)
    assert value_range(63, False) == (0, 2**63 - 1)


@SIGNS
@WIDTHS
def test_to_values_matches_place_values(bits: int, signed: bool) -> None:
    patterns = range(2**bits)
    values = to_values(patterns, bits, signed).tolist()
    assert values == [pattern_value(pattern, bits, signed) for pattern in patterns]
    assert (min(values), max(values)) == value_range(bits, signed)


def test_to_values_of_one_signed_bit() -> None:
    assert to_values([0, 1], 1, True).tolist() == [0, -1]


@SIGNS
@WIDTHS
def test_to_patterns_inverts_to_values(bits: int, signed: bool) -> None:
    patterns = np.arange(2**bits)
    assert np.array_equal(to_patterns(to_values(patterns, bits, signed), bits, signed), patterns)


def test_widest_patterns_survive() -> None:
    assert to_values(2**63 - 1, 63, True) == -1
    assert to_values(2**63 - 1, 63, False) == 2**63 - 1
    assert to_patterns(-(2**42), 43, True) == 2**42


@pytest.mark.parametrize("input_bits", [1, 2, 5, 8, 16])
def test_effective_bits_matches_config(input_bits: int) -> None:
    config = MacroConfig(input_bits=input_bits)
    for x_bits in range(40):
        expected = x_bits if x_bits in range(1, input_bits + 1) else input_bits
        assert effective_bits(x_bits, input_bits) == expected == config.effective_x_bits(x_bits)


@SIGNS
@pytest.mark.parametrize("x_bits", range(8))
def test_input_bits_above_x_bits_are_ignored(x_bits: int, signed: bool) -> None:
    patterns = np.arange(2**6)
    used = x_bits if x_bits in range(1, 7) else 6
    values = input_values(patterns, 6, x_bits, signed).tolist()
    assert values == [pattern_value(pattern, used, signed) for pattern in range(2**6)]
    assert values == input_values(patterns % 2**used, 6, x_bits, signed).tolist()


@WIDTHS
def test_codes_are_offset_binary_for_signed_weights(bits: int) -> None:
    patterns = np.arange(2**bits)
    assert np.array_equal(flip_sign_bit(patterns, bits, False), patterns)
    assert np.array_equal(
        flip_sign_bit(patterns, bits, True), (patterns + 2 ** (bits - 1)) % 2**bits
    )


@SIGNS
@WIDTHS
def test_code_values_invert_codes(bits: int, signed: bool) -> None:
    patterns = np.arange(2**bits)
    codes = flip_sign_bit(patterns, bits, signed)
    assert np.array_equal(code_values(codes, bits, signed), to_values(patterns, bits, signed))
    assert np.array_equal(flip_sign_bit(codes, bits, signed), patterns)


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.uint16, np.int32, np.uint64])
def test_any_integer_dtype_gives_int64(dtype: type) -> None:
    patterns: NDArray[Any] = np.array([[0, 1], [9, 15]]).astype(dtype)
    for array in (to_values(patterns, 4, True), flip_sign_bit(patterns, 4, True)):
        assert array.dtype == np.int64
        assert array.shape == (2, 2)
    assert to_values(patterns, 4, True).tolist() == [[0, 1], [-7, -1]]


def test_arguments_are_not_changed() -> None:
    patterns = np.arange(16)
    input_values(patterns, 4, 2, True)
    to_patterns(patterns, 5, True)
    flip_sign_bit(patterns, 4, True)
    assert patterns.tolist() == list(range(16))


def test_exact_bound_is_tight() -> None:
    check_exact(1024, 16, 16)
    check_exact(1, 20, 33)
    with pytest.raises(ValueError, match="exact float64"):
        check_exact(2, 20, 33)


def test_empty_arrays_are_legal() -> None:
    assert to_values(np.zeros((0, 3), np.int64), 4, True).shape == (0, 3)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: value_range(0, False), "bits must be an integer in 1..63, not 0 ({}: 1)"),
        (lambda: value_range(64, True), "bits must be an integer in 1..63, not 64 ({}: 63)"),
        (lambda: to_values([3, 16], 4, True), "patterns[1] must be in 0..15, not 16 ({}: 15)"),
        (lambda: to_values(-1, 4, True), "patterns must be in 0..15, not -1 ({}: 0)"),
        (lambda: to_values([0.5], 4, True), "patterns must be integers, not float64 ({}: int64)"),
        (lambda: to_values([2**64], 63, True), "patterns must be integers, not object ({}: int64)"),
        (
            lambda: to_values([2**63], 8, True),
            "patterns[0] must be in 0..255, not 9223372036854775808 ({}: 255)",
        ),
        (
            lambda: to_patterns([[0, 1], [2, 8]], 4, True),
            "values[1, 1] must be in -8..7, not 8 ({}: 7)",
        ),
        (lambda: to_patterns([-9], 4, True), "values[0] must be in -8..7, not -9 ({}: -8)"),
        (lambda: to_patterns([-1], 4, False), "values[0] must be in 0..15, not -1 ({}: 0)"),
        (lambda: to_patterns([1], 1, True), "values[0] must be in -1..0, not 1 ({}: 0)"),
        (lambda: effective_bits(-1, 8), "x_bits must be an integer >= 0, not -1 ({}: 0)"),
        (lambda: effective_bits(1.5, 8), "x_bits must be an integer >= 0, not 1.5 ({}: 0)"),  # type: ignore[arg-type]
        (lambda: input_values([256], 8), "x_patterns[0] must be in 0..255, not 256 ({}: 255)"),
        (lambda: input_values([0], 8, -2), "x_bits must be an integer >= 0, not -2 ({}: 0)"),
        (lambda: flip_sign_bit([8], 3, True), "w_patterns[0] must be in 0..7, not 8 ({}: 7)"),
        (lambda: code_values([8], 3, True), "codes[0] must be in 0..7, not 8 ({}: 7)"),
        (
            lambda: check_exact(2**22, 16, 16),
            "rows must be at most 2^53 / 2^(input_bits + weight_bits) for exact float64 sums, "
            "not 4194304 ({}: 2097152)",
        ),
        (
            lambda: check_shape("x", [1, 2], (3,)),
            "x must have shape (3,), not (2,) ({}: (3,))",
        ),
        (
            lambda: check_shape("x", [[[1, 2]]], (3,), stack=True),
            "x must have shape (..., 3), not (1, 1, 2) ({}: (1, 1, 3))",
        ),
        (
            lambda: check_shape("x", 7, (3,), stack=True),
            "x must have shape (..., 3), not () ({}: (3,))",
        ),
        (lambda: check_number("bank", -4), "bank must be an integer >= 0, not -4 ({}: 0)"),
        (lambda: check_number("bank", "a"), "bank must be an integer >= 0, not 'a' ({}: 0)"),
        (lambda: check_flag("signed", 2), "signed must be an integer in 0..1, not 2 ({}: 1)"),
        (lambda: check_flag("signed", None), "signed must be an integer in 0..1, not None ({}: 0)"),
    ],
)
def test_refusal_names_what_rule_and_nearest_value(
    call: Callable[[], object], message: str
) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message.format('nearest legal value'))}$"):
        call()


def test_flags_may_be_python_or_numpy() -> None:
    flags = [check_flag("signed", flag) for flag in (0, 1, True, np.True_, np.int64(0))]
    assert flags == [False, True, True, True, False]
