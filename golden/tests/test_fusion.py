"""Fused slices: modes by hand, and banks that are turned from one to another."""

import re

import numpy as np
import pytest

from cimforge.golden.macro import MacroModel
from cimforge.golden.numerics import to_patterns
from cimforge.golden.tests.vectors import unpack
from cimforge.hdl.params.config import MacroConfig

# 2 rows x 2 columns of 4 bits in slices of 2: mode 0 has 2 outputs, mode 1 has 4.
SMALL = MacroConfig(rows=2, cols=2, weight_bits=4, input_bits=4, slice_bits=2)
# 12 bits in slices of 2 make six: weights of 12, 6, 4 or 2 bits.
SIX = MacroConfig(rows=2, cols=1, weight_bits=12, input_bits=4, slice_bits=2)


def test_modes_are_the_divisors_from_the_largest() -> None:
    assert [(m.fused, m.outputs, m.weight_bits) for m in SIX.modes] == [
        *[(6, 1, 12), (3, 2, 6), (2, 3, 4), (1, 6, 2)]
    ]


def test_each_mode_by_hand() -> None:
    """Bits 1101 0110 of row 0 and 0001 1011 of row 1; the lowest weight of column 0 comes first."""
    model = MacroModel(SMALL)
    model.write(0, 0, [0b10, 0b01, 0b01, 0b11], False, fuse=1)
    model.write(0, 1, [0b11, 0b10, 0b01, 0b00], False, fuse=1)
    assert model.fuse() == 1
    # x = 3, 2: 6 + 6, 3 + 4, 3 + 2, 9 + 0
    assert model.mvm([3, 2]).tolist() == [12, 7, 5, 9]
    # Row 0 again, now as whole weights 6 and 13: row 1 means 0b1011 = 11 and 0b0001 = 1.
    model.write(0, 0, [6, 13], False)
    assert model.fuse() == 0
    assert model.weights().tolist() == [[6, 13], [11, 1]]
    assert model.mvm([3, 2]).tolist() == [18 + 22, 39 + 2]
    assert model.read(0, 1).tolist() == [11, 1]


def test_a_signed_write_inverts_the_top_bit_of_each_weight() -> None:
    """-1 and 1 in halves are 11 and 01, stored as 01 and 11: 1101 = 13 in an unsigned whole one."""
    model = MacroModel(SMALL)
    model.load([[-1, 1, -2, 0], [1, 1, 1, 1]], signed=True, fuse=1)
    assert model.weights().tolist() == [[-1, 1, -2, 0], [1, 1, 1, 1]]
    assert model.read(0, 0).tolist() == [0b11, 0b01, 0b10, 0b00]
    model.write(0, 1, [0, 0], False, fuse=0)
    # -2 and 0 are 10 and 00, stored as 00 and 10: 1000.
    assert model.read(0, 0).tolist() == [0b1101, 0b1000]
    # A signed bank of whole weights: 13 - 8 and 8 - 8, patterns 0101 and 0000.
    model.write(0, 1, [0, 0], True, fuse=0)
    assert model.weights()[0].tolist() == [5, 0]
    assert model.read(0, 0).tolist() == [0b0101, 0b0000]


def test_numbers_beyond_the_modes_mean_0() -> None:
    model = MacroModel(SIX)
    for fuse, outputs in ((0, 1), (1, 2), (2, 3), (3, 6), (4, 1), (7, 1)):
        model.load(np.zeros((2, outputs), int), signed=False, fuse=fuse)
        assert model.fuse() == fuse % 4 * (fuse < 4)
        assert model.mvm([1, 1]).shape == (outputs,)


def test_modes_belong_to_banks_and_missing_places_change_none() -> None:
    model = MacroModel(SMALL.model_copy(update={"banks": 2}))
    model.load(np.ones((2, 4), int), bank=1, signed=False, fuse=1)
    for bank, row in ((1, 2), (2, 0)):
        model.write(bank, row, [0, 0], True, fuse=0)
    assert [model.fuse(bank) for bank in range(3)] == [0, 1, 0]
    assert model.mvm([1, 1], bank=2).tolist() == [0, 0]
    assert model.read(1, 2).tolist() == [0] * 4
    model.forget(1, 0)
    assert model.fuse(1) == 1
    assert not model.defined(1)


@pytest.mark.parametrize("tree", ["csa", "approx1"])
def test_extremes_of_each_mode_fit_its_y_bits(tree: str) -> None:
    config = SIX.model_copy(update={"rows": 5, "tree": tree})
    for fuse, mode in enumerate(config.modes):
        model, top = MacroModel(config), 1 << mode.weight_bits
        for signed, weight in ((False, top - 1), (True, -top // 2), (True, top // 2 - 1)):
            model.load(np.full((5, mode.outputs), weight), signed=signed, fuse=fuse)
            for x, x_signed in ((15, False), (8, True), (7, True)):
                y = model.mvm([x] * 5, x_signed=x_signed)
                to_patterns(y, mode.y_bits, True)  # raises where one does not fit
                if tree == "csa":
                    assert y.tolist() == [5 * weight * (x - 16 * (x_signed and x > 7))] * len(y)


# 8 rows x 4 columns, 4b x 4b in slices of 2 bits, mode 1: nibbles 1..8 and, in column 3, 15, each
# two weights, the low bits first. x = 15, 8, 7, 1, 0, 2, 9, 4, or signed -1, -8, 7, 1, 0, 2, -7, 4.
#   low: 1 2 3 0 1 2 3 0, high: 0 0 0 1 1 1 1 2; signed 2 is -2, 3 is -1; column 3: all 3, or -1.
#   uu: 15+16+21+0+0+4+27+0 = 83,  1+0+2+9+8 = 20;   3 * 46 = 138
#   us: 15-16-7+0+0-4-9+0 = -21,   1+0+2+9-8 = 4;    -1 * 46 = -46
#   su: -1-16+21+0+0+4-21+0 = -13, 1+0+2-7+8 = 4;    3 * -2 = -6
#   ss: -1+16-7+0+0-4+7+0 = 11,    1+0+2-7-8 = -12;  -1 * -2 = 2
# 8 * 15 * 3 = 360 < 2^9: results have 10 bits, a pair of them 20, five digits.
@pytest.mark.parametrize(
    ("x_signed", "w_signed", "y_data"),
    [
        (False, False, 0x2288A_05053_05053_05053),
        (False, True, 0xF4BD2_013EB_013EB_013EB),
        (True, False, 0xFEBFA_013F3_013F3_013F3),
        (True, True, 0x00802_FD00B_FD00B_FD00B),
    ],
)
def test_port_words_by_hand(x_signed: bool, w_signed: bool, y_data: int) -> None:
    config = MacroConfig(rows=8, cols=4, weight_bits=4, input_bits=4, slice_bits=2)
    model = MacroModel(config)
    words = [0xF111, 0xF222, 0xF333, 0xF444, 0xF555, 0xF666, 0xF777, 0xF888]
    for row, word in enumerate(words):
        model.write(0, row, unpack(word, 2, 8), w_signed, fuse=1)
    y = model.mvm(unpack(0x4920178F, 4, 8), x_signed=x_signed)
    assert to_patterns(y, 10, True).tolist() == unpack(y_data, 10, 8)
    assert [model.read(0, row).tolist() for row in range(8)] == [unpack(w, 2, 8) for w in words]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda m: m.write(0, 0, [1, 2], False, fuse=1),
            "w_patterns must have shape (4,), not (2,) (nearest legal value: (4,))",
        ),
        (
            lambda m: m.write(0, 0, [4, 0, 0, 0], False, fuse=1),
            "w_patterns[0] must be in 0..3, not 4 (nearest legal value: 3)",
        ),
        (
            lambda m: m.load([[1, 1, 2, 1]] * 2, signed=True, fuse=1),
            "values[0, 2] must be in -2..1, not 2 (nearest legal value: 1)",
        ),
        (
            lambda m: m.load([[1, 1]] * 2, signed=False, fuse=-1),
            "fuse must be an integer >= 0, not -1 (nearest legal value: 0)",
        ),
    ],
)
def test_refusals(call, message) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        call(MacroModel(SMALL))
