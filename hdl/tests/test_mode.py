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
