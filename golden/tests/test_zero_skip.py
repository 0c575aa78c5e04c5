"""Cycles of a pass with zero_skip: by hand, and by the planes as the contract words it."""

import random
import re

import pytest

from cimforge.golden.cycles import first_result, pass_cycles
from cimforge.golden.tests.random_macros import random_patterns
from cimforge.hdl.params.config import MacroConfig


def skipping(**parameters) -> MacroConfig:
    """A macro of three rows whose passes skip."""
    return MacroConfig(**{"rows": 3, "cols": 1, **parameters}, features=["zero_skip"])


BYTES = skipping()
DOUBLES = skipping(bits_per_cycle=2)
WIDE = skipping(input_bits=12, bits_per_cycle=4)


@pytest.mark.parametrize(
    ("config", "x_bits", "signed", "patterns", "cycles"),
    [
        (BYTES, 8, False, [0, 0, 0], 1),  # one group at least
        (BYTES, 8, False, [0, 5, 1], 3),  # 5 = 101
        (BYTES, 8, False, [0x80, 0, 0], 8),
        (BYTES, 7, False, [0x81, 0, 0], 1),  # bit 7 is beyond the precision
        (BYTES, 8, True, [0, 0xFF, 0], 1),  # -1 is one bit
        (BYTES, 8, True, [1, 0, 0], 2),  # 01: its sign needs a plane
        (BYTES, 8, True, [0xFE, 0, 0], 2),  # -2 = 10
        (BYTES, 8, True, [3, 0xFD, 0], 3),  # 011 and -3 = 101
        (BYTES, 8, True, [0x80, 0, 0], 8),
        (BYTES, 3, True, [0x07, 0x87, 0xFF], 1),  # all -1 at three bits
        (BYTES, 0, False, [0x40, 0, 0], 7),  # 0 means eight
        (DOUBLES, 8, False, [3, 2, 1], 1),
        (DOUBLES, 8, False, [4, 0, 0], 2),
        (DOUBLES, 8, True, [1, 0xFE, 0], 1),  # 01 and 10 fit a group of two
        (DOUBLES, 8, True, [2, 0, 0], 2),  # 010 does not
        (DOUBLES, 5, True, [0x10, 0, 0], 3),  # -16 at five bits: all three groups
        (WIDE, 12, False, [0x0FF, 0x010, 0], 2),
        (WIDE, 12, True, [0x07F, 0xF80, 0], 2),
        (WIDE, 12, True, [0x080, 0, 0], 3),
    ],
)
def test_cycles_of_a_vector_by_hand(config, x_bits, signed, patterns, cycles) -> None:
    assert pass_cycles(config, x_bits, signed, patterns) == cycles
    assert pass_cycles(config, x_bits) == config.cycles_per_pass(x_bits)  # the most
    assert first_result(config, x_bits) == config.latency(x_bits)


def planes_cycles(config: MacroConfig, x_bits: int, signed: bool, patterns: list[int]) -> int:
    """The contract's words, plane by plane: a pass begins at the most significant group that holds
    a one in any row or, signed, where extending the sign of the planes below it gives something
    else in any row; with group 0 at the latest."""
    k = config.bits_per_cycle

    def bit(pattern: int, plane: int) -> int:
        return pattern >> min(plane, x_bits - 1) & 1 if signed or plane < x_bits else 0

    for group in reversed(range(1, -(-x_bits // k))):
        planes = range(group * k, group * k + k)
        for pattern in patterns:
            expected = bit(pattern, group * k - 1) if signed else 0
            if any(bit(pattern, plane) != expected for plane in planes):
                return group + 1
    return 1


@pytest.mark.parametrize(
    ("k", "x_bits", "signed", "patterns", "cycles"),
    [
        (2, 8, False, [0, 0, 0], 1),
        (2, 8, False, [1, 0, 0], 1),
        (2, 8, False, [2, 0, 0], 2),  # 4 - 2: digits 1, -2
        (2, 8, False, [0x80, 0, 0], 5),  # 256 - 2 * 64
        (2, 8, False, [0x7F, 0, 0], 4),  # 2 * 64 - 1
        (4, 8, False, [7, 0, 0], 1),
        (4, 8, False, [8, 0, 0], 2),  # 16 - 2 * 4
        (8, 8, False, [0x7F, 0, 0], 1),
        (8, 8, False, [0x80, 0, 0], 2),
        (8, 7, False, [0x80, 0, 0], 1),  # bit 7 is beyond the precision
        (2, 8, True, [0xFF, 0, 0], 1),
        (2, 8, True, [0xFD, 0, 0], 2),  # -3 = -4 + 1
        (2, 8, True, [0xFE, 1, 0], 1),
        (4, 8, True, [0xF8, 7, 0], 1),
        (4, 8, True, [0xF7, 7, 0], 2),
    ],
)
def test_cycles_of_digits_by_hand(k, x_bits, signed, patterns, cycles) -> None:
    config = skipping(multiply="booth", bits_per_cycle=k)
    assert pass_cycles(config, x_bits, signed, patterns) == cycles
    assert pass_cycles(config, x_bits, signed) == config.cycles_per_pass(x_bits, signed)


def digits_cycles(config: MacroConfig, x_bits: int, signed: bool, patterns: list[int]) -> int:
    """A pass begins at the most significant group with a digit other than 0 in any row, made of
    each digit's two planes and the one below; with group 0 at the latest."""
    k = config.bits_per_cycle
    cycles = 1
    for pattern in patterns:
        value = pattern % 2**x_bits
        value -= 2**x_bits if signed and value >> x_bits - 1 else 0
        for digit in range(9):
            below = value >> 2 * digit - 1 & 1 if digit else 0
            if below + (value >> 2 * digit & 1) - 2 * (value >> 2 * digit + 1 & 1):
                cycles = max(cycles, 2 * digit // k + 1)
    return cycles


@pytest.mark.parametrize("seed", range(40))
def test_cycles_are_those_of_the_digits(seed: int) -> None:
    rng = random.Random(seed)
    bits = rng.randrange(2, 17, 2)
    k = rng.choice([k for k in range(2, bits + 1, 2) if bits % k == 0])
    config = skipping(rows=rng.randint(1, 4), input_bits=bits, bits_per_cycle=k, multiply="booth")
    for _ in range(60):
        x_bits, signed, size = rng.randint(1, bits), rng.random() < 0.5, rng.randint(0, bits)
        low = [p % 2**size for p in random_patterns(rng, bits, config.rows)]
        vector = [(p - rng.choice((0, 2**size >> 1))) % 2**bits for p in low]
        want = digits_cycles(config, x_bits, signed, vector)
        assert pass_cycles(config, x_bits, signed, vector) == want, f"seed={seed}: {vector}"


@pytest.mark.parametrize("seed", range(40))
def test_cycles_are_those_of_the_planes(seed: int) -> None:
    rng = random.Random(seed)
    bits = rng.randint(1, 16)
    k = rng.choice([k for k in range(1, bits + 1) if bits % k == 0])
    config = skipping(rows=rng.randint(1, 6), input_bits=bits, bits_per_cycle=k)
    for _ in range(60):
        x_bits, signed, size = rng.randint(1, bits), rng.random() < 0.5, rng.randint(0, bits)
        low = [p % 2**size for p in random_patterns(rng, bits, config.rows)]
        vector = [(p - rng.choice((0, 2**size >> 1))) % 2**bits for p in low]
        want = planes_cycles(config, x_bits, signed, vector)
        assert pass_cycles(config, x_bits, signed, vector) == want, f"seed={seed}: {vector}"


def test_without_zero_skip_no_vector_is_shorter() -> None:
    assert pass_cycles(MacroConfig(rows=3, cols=1), 8, False, [0, 0, 0]) == 8


@pytest.mark.parametrize(
    ("patterns", "message"),
    [
        ([0, 0], "x_patterns must have shape (3,), not (2,) (nearest legal value: (3,))"),
        ([0, 256, 0], "x_patterns[1] must be in 0..255, not 256 (nearest legal value: 255)"),
    ],
)
def test_vectors_that_no_port_carries_are_refused(patterns, message) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        pass_cycles(BYTES, 8, False, patterns)
