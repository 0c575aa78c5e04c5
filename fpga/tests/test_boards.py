"""Boards as data: what their files say, and how a wrong one is refused."""

import re

import pytest

from cimforge.flow.families import constraints_text
from cimforge.fpga.board_link import linked_board
from cimforge.fpga.boards import BOARDS, PORTS, find_board, parse_board
from cimforge.fpga.soc import SOC_PORTS, build_soc, soc_ports
from cimforge.hdl.params.config_file import InputError, load_config

GOOD = """
about = "a board"
source = "its schematic"
device = "iCE40HX8K-CT256"
family = "ice40"
place = ["--hx8k", "--package", "ct256"]
oscillator_hz = 12_000_000
clock_hz = 12_000_000
baud = 1_000_000
[pins]
clk = "J3"
rx = "B10"
tx = "B12"
busy = "C3"
"""


def test_the_boards_that_are_shipped():
    assert list(BOARDS) == [
        *("gatemate-evb", "hx8k", "icebreaker", "tangnano9k", "ulx3s-12f", "ulx3s-85f")
    ]
    for board in BOARDS.values():
        assert tuple(board.pins) == SOC_PORTS == PORTS
        assert board.about
        assert board.source


def test_a_board_of_ones_own(tmp_path):
    path = tmp_path / "my-board.toml"
    path.write_text(GOOD)
    name, board = find_board(str(path))
    assert name == "my-board"
    assert board.pins == BOARDS["hx8k"].pins
    assert (board.led_active_low, board.io, board.spi) == (False, {}, {})
    assert find_board("hx8k") == ("hx8k", BOARDS["hx8k"])


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ('device = "', 'devise = "', "device is missing; a board has it"),
        ("[pins]", "pll_ = 1\n[pins]", "'pll_' is no key of a board; did you mean 'pll'?"),
        ("[pins]", "zzz = 1\n[pins]", "'zzz' is no key of a board; keys: about, source, device"),
        ('"ice40"', '"ice4"', "family must be one of ice40, ecp5, gowin, gatemate, not 'ice4' "),
        ('"ice40"', '"ice4"', "(nearest legal value: 'ice40')"),
        ('"ice40"', "40", "family must be text, not 40"),
        ("12_000_000", '"12 MHz"', "oscillator_hz must be an integer, not '12 MHz'"),
        ("12_000_000", "12", "oscillator_hz must be at least 1000000, not 12 (nearest legal value"),
        ("1_000_000\n", "90_000_000\n", "baud must be at most 12000000, not 90000000"),
        ('["--hx8k", "--package", "ct256"]', '"--hx8k"', "place must be a list of strings, not"),
        ('["--hx8k", "--package", "ct256"]', "[8]", "place.0 must be text, not 8"),
        ("[pins]", "pins = 3\n[more]", "pins must be a table of strings, not 3"),
        ("[pins]", 'led_active_low = "no"\n[pins]', "led_active_low must be true or false, not"),
        ('busy = "C3"', "", "pins.busy is missing; ports: clk, rx, tx, busy"),
        ('busy = "C3"', 'bussy = "C3"\nbusy = "C4"', "pins must be one of clk, rx, tx, busy, not"),
        ('busy = "C3"', 'busy = "J3"', "pins.busy is 'J3', which pins.clk has"),
        ('busy = "C3"', 'busy = "C3"\n[spi]\nsck = "J3"', "pins.spi.sck is 'J3', which pins.clk"),
        ('busy = "C3"', 'busy = "C3"\n[io]\nled = "A"', "io must be one of clk, rx, tx, busy"),
        (
            'busy = "C3"',
            'busy = "C3"\n[spi]\nsck = "A1"',
            "spi.mosi is missing; ports: sck, mosi, ",
        ),
        (
            'busy = "C3"',
            'busy = "C3"\n[spi]\ncs = "A1"',
            "spi must be one of sck, mosi, cs_n, miso",
        ),
        (
            'busy = "C3"',
            'busy = "C3"\n[io]\nmosi_ = "A"',
            "busy, sck, mosi, cs_n, miso, not 'mosi_'",
        ),
        ("1_000_000\n", "2_000_000\n", "baud 2000000 has only 6 cycles a bit, fewer than 8, at 12"),
        ("1_000_000\n", "2_000_000\n", "(nearest legal clock: 16 MHz make 8 cycles a bit)"),
        ("1_000_000\n", "1_411_000\n", "has bits of 9 cycles, 5.5% off"),
        ("[pins]", "[pins", "not TOML: "),
    ],
)
def test_a_wrong_board_is_refused_in_one_line(old, new, complaint):
    text = GOOD.replace(old, new, 1)
    assert text != GOOD
    with pytest.raises(InputError, match=re.escape(complaint)) as refused:
        parse_board(text, "my.toml")
    assert str(refused.value).startswith("my.toml: ")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("ulx3s", "BOARD: no board 'ulx3s'; did you mean 'ulx3s-"),
        ("zzz", "BOARD: no board 'zzz'; boards: gatemate-evb, hx8k"),
        ("zzz", "(one of your own: FILE.toml)"),
        ("./none.toml", "./none.toml: No such file or directory"),
        ("my board.toml", "my board.toml: a board's file is named as it is, of letters, digits"),
    ],
)
def test_a_board_that_is_not_there(name, complaint):
    with pytest.raises(InputError, match=re.escape(complaint)):
        find_board(name)


def test_files_that_are_no_boards(tmp_path):
    (tmp_path / "large.toml").write_text("#" * 70_000)
    with pytest.raises(InputError, match="larger than 64 KiB; a board is a short TOML file"):
        find_board(str(tmp_path / "large.toml"))
    (tmp_path / "bytes.toml").write_bytes(b"a = '\xff'")
    with pytest.raises(InputError, match="not TOML"):
        find_board(str(tmp_path / "bytes.toml"))


@pytest.mark.parametrize("name", BOARDS)
def test_a_link_has_its_own_pins_alone(name):
    """Constraints name the ports of the top that is built, each once; outputs are outputs."""
    board = BOARDS[name]
    assert linked_board(board, "uart", "--link").pins == board.pins
    if not board.spi:
        rule = (
            f"--link: spi has no pins on this board, {board.device} (nearest legal value: 'uart')"
        )
        with pytest.raises(InputError, match=re.escape(rule)):
            linked_board(board, "spi", "--link")
        return
    linked = linked_board(board, "spi", "--link")
    assert tuple(linked.pins) == soc_ports("spi")
    assert {port: linked.pins[port] for port in board.spi} == board.spi
    text = constraints_text(linked)
    for port, pin in linked.pins.items():
        assert len(re.findall(rf"\b{port}\b", text.replace("set_frequency clk", ""))) == 1
        assert re.search(rf"\b{pin}\b", text)
    assert not re.search(r"\b[rt]x\b", text)
    if board.family == "gatemate":
        assert 'Pin_out "miso" Loc = "IO_WA_A7";' in text
        assert 'Pin_in "mosi" Loc = "IO_WA_B7";' in text


def test_boards_with_spi():
    assert [name for name, board in BOARDS.items() if board.spi] == ["gatemate-evb", "icebreaker"]


def test_a_led_that_a_low_level_lights():
    config = load_config("tiny")
    assert "assign busy = ~lit;" in build_soc(config, BOARDS["icebreaker"]).verilog()
    assert "lit" not in build_soc(config, BOARDS["hx8k"]).verilog()
