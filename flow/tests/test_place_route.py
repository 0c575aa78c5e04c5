"""Boards, constraints and bitstreams."""

import os
import re

import pytest

from cimforge.flow.board import BITS_OFF
from cimforge.flow.families import FAMILIES, check_fabric, constraints_text
from cimforge.flow.place_route import build_bitstream
from cimforge.fpga.board_files import board_files
from cimforge.fpga.boards import BOARDS
from cimforge.fpga.soc import SOC_PORTS, build_soc
from cimforge.fpga.uart import LEAST_DIVISOR
from cimforge.hdl.emit.package import emit_macro
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import InputError, load_config


@pytest.mark.parametrize("name", BOARDS)
def test_every_port_has_a_pin_and_the_uart_its_rate(name):
    board = BOARDS[name]
    assert tuple(board.pins) == SOC_PORTS
    assert len(set(board.pins.values())) == len(SOC_PORTS)
    text = constraints_text(board)
    for pin in board.pins.values():
        assert re.search(rf"\b{pin}\b", text)
    if FAMILIES[board.family].clock:
        assert f"{board.oscillator_hz / 1e6:g}" in text
    assert board.divisor >= LEAST_DIVISOR
    assert board.baud_error <= BITS_OFF, "a UART tolerates a few per cent"


def test_constraints_written_out():
    assert constraints_text(BOARDS["hx8k"]) == (
        "set_io clk J3\nset_io rx B10\nset_io tx B12\nset_io busy C3\nset_frequency clk 12\n"
    )
    text = constraints_text(BOARDS["ulx3s-85f"])
    assert 'LOCATE COMP "clk" SITE "G2";\nIOBUF PORT "clk" IO_TYPE=LVCMOS33;' in text
    assert text.endswith('FREQUENCY PORT "clk" 25 MHZ;\n')
    text = constraints_text(BOARDS["tangnano9k"])
    assert 'IO_LOC "rx" 18;\nIO_PORT "rx" IO_TYPE=LVCMOS33;\n' in text
    assert text.endswith('IO_PORT "busy" IO_TYPE=LVCMOS18;\n'), "the supply of the LED's bank"
    assert constraints_text(BOARDS["gatemate-evb"]) == (
        'Pin_in "clk" Loc = "IO_SB_A8";\nPin_in "rx" Loc = "IO_NB_A2";\n'
        'Pin_out "tx" Loc = "IO_NB_A1";\nPin_out "busy" Loc = "IO_EB_B1";\n'
    )


def build(config: MacroConfig, name: str, folder):
    """Emit and build, quietly."""
    board = BOARDS[name]
    emit_macro(config, folder, board_files(config, board))
    return build_bitstream(build_soc(config, board), folder, name, board, lambda _: None)


# Second boards of a family, and one whose placer takes minutes: the SoC around the least macro.
LEAST = ["rows=2", "cols=1", "weight_bits=2", "input_bits=2"]
SECOND = () if os.environ.get("CIMFORGE_WHOLE") else ("icebreaker", "ulx3s-85f", "gatemate-evb")


@pytest.mark.parametrize("name", BOARDS)
def test_tiny_reaches_a_bitstream(name, tmp_path):
    """And the SoC around it is of the size that it should be."""
    config = load_config("tiny", ["tree=behavioral", *(LEAST if name in SECOND else ())])
    report = build(config, name, tmp_path)
    assert report.bitstream.stat().st_size > 10_000
    assert report.fmax_mhz * 1e6 > BOARDS[name].clock_hz
    weights = config.rows * config.cols * config.weight_bits
    assert weights < report.ffs < 2000
    assert 1000 < report.luts < report.capacity["luts"]
    assert report.brams <= report.capacity["brams"]
    begins, *others = (step.block for step in report.path)
    assert begins not in ("top", "word")
    assert not {*others} & {"top", "store", "word"}, "a path may begin at a weight, no more"
    path = sum(step.delay for step in report.path)
    assert 0.8 < path * report.fmax_mhz / 1000 < 1.2, "the path's delay is the period"


def test_a_macro_too_large_is_refused_in_one_line(tmp_path):
    with pytest.raises(InputError, match="does not fit the device") as refused:
        build(MacroConfig(rows=40, cols=8, tree="behavioral"), "icebreaker", tmp_path)
    assert "take a smaller macro or a larger board" in str(refused.value)


@pytest.mark.parametrize("name", ["ulx3s-12f", "hx8k", "tangnano9k", "gatemate-evb"])
def test_a_pin_that_the_device_has_not_is_refused_in_one_line(name, tmp_path, monkeypatch):
    """One board of each family: the placer's own words, and where to mend it."""
    board = BOARDS[name]
    broken = board._replace(pins={**board.pins, "rx": "IO_ZZ_A9"})
    monkeypatch.setitem(BOARDS, name, broken)
    config = load_config("tiny", ["tree=behavioral", "rows=2", "cols=1"])
    with pytest.raises(InputError, match="names what its device does not have") as refused:
        build(config, name, tmp_path)
    assert "IO_ZZ_A9" in str(refused.value) or name == "gatemate-evb"


def test_a_family_without_a_target_takes_what_every_fpga_has():
    check_fabric(load_config("tiny"), BOARDS["gatemate-evb"], "here")
    latches = load_config("tiny", ["storage=latch"])
    with pytest.raises(InputError, match="here: storage latch has no cell on gatemate") as refused:
        check_fabric(latches, BOARDS["gatemate-evb"], "here")
    assert "(nearest legal value: --set storage=flop)" in str(refused.value)
