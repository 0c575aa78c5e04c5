"""Run-time modes against numbers counted by hand."""

from cimforge.hdl.macro.streams import macro_streams
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.mode import Mode, result_bits


def test_the_full_mode_of_the_published_column():
    """64 x 8b x 8b: 23 bits hold 64 * 255 * 255 = 4,161,600 and 64 * 255 * -128 = -2,088,960."""
    config = MacroConfig()
    assert config.modes == (Mode(1, 16, 8, 23),)
    assert config.y_bits == 23
    assert 2**21 < 64 * 255 * 255 < 2**22


def test_places_in_ports_follow_from_a_mode():
    mode = Mode(fused=2, outputs=3, weight_bits=4, y_bits=9)
    assert (mode.y_width, mode.row_width) == (27, 12)
    assert mode.sign_mask == 0b1000_1000_1000
    assert mode.correction_place == 3


def test_ports_are_as_wide_as_the_widest_mode():
    config = MacroConfig(rows=5, cols=3, weight_bits=4, input_bits=3)
    streams = macro_streams(config)
    assert streams["y"].members["data"].shape == config.modes[0].y_width
    assert streams["w"].members["data"].shape == streams["q"].members["data"].shape == 12


def test_one_bit_values_need_the_sign_of_both():
    """One row of 1b x 1b: results -1, 0, 1."""
    assert result_bits(1, 1, 1) == 2


def test_slices_make_a_mode_of_each_divisor():
    """64 x 4b x 8b: 64 * 255 * 15 = 244,800 < 2^18 and 64 * 255 * -8 = -130,560: 19 bits."""
    config = MacroConfig(slice_bits=4)
    assert config.modes == (Mode(2, 16, 8, 23), Mode(1, 32, 4, 19))
    assert [mode.fused for mode in MacroConfig(weight_bits=12, slice_bits=1).modes] == [
        *[12, 6, 4, 3, 2, 1]
    ]
    assert config.w_fuse_width == 1
    assert MacroConfig(weight_bits=12, slice_bits=1).w_fuse_width == 3
    assert MacroConfig().w_fuse_width == 0
    assert (config.slices, config.slice_width) == (2, 4)
    assert macro_streams(config)["y"].members["data"].shape == 32 * 19
    assert "fuse" not in macro_streams(MacroConfig())["w"].members


def test_a_sign_acts_in_the_top_slice_of_each_weight():
    full, halves, single = MacroConfig(slice_bits=2).modes
    assert full.tops(4) == (False, False, False, True)
    assert halves.tops(4) == (False, True, False, True)
    assert single.tops(4) == (True,) * 4


def test_a_slice_is_the_macro_of_as_narrow_weights():
    config = MacroConfig(slice_bits=4, banks=2, group=2, storage="latch")
    part = config.slice
    assert (part.weight_bits, part.slice_bits, part.module) == (4, None, config.module)
    assert part.tree_bits == config.tree_bits == 10  # 64 * 15 = 960
    assert part.correction_bits == config.correction_bits
    assert part.operand_widths == config.operand_widths == (5,) * 32
    assert config.stored_bits == 2 * part.stored_bits
    assert MacroConfig().slice == MacroConfig()
