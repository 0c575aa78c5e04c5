"""run --engine and fpga --engine: what they report, and what they refuse before any work."""

import json
from functools import cache

import numpy as np
import pytest

from cimforge.compiler import digits
from cimforge.compiler.engine_link.linked_backend import LinkedBackend, PortLine
from cimforge.compiler.engine_link.linked_network import plan_linked_network
from cimforge.compiler.matmul import exact_matmul
from cimforge.flow.bitstream_report import BitstreamReport
from cimforge.hdl.params.config_file import InputError
from cimforge.hdl.params.engine_file import load_engine
from cimforge.host.port import LinkError
from cimforge.host.tests.link_twin import LinkTwin

RUN = ("run", "digits", "--config", "tiny", "--images", "7", "--engine")
SERIAL = (*RUN, "--backend", "serial", "--port", "/dev/board")
TRAIN = cache(digits.train)
RAM = 1 << 16


@pytest.fixture(autouse=True)
def _trained_once(monkeypatch):
    """Every command here trains the same network."""
    monkeypatch.setattr(digits, "train", lambda seed=0: TRAIN(seed))


@pytest.fixture
def board(monkeypatch):
    """A serial port with the golden model of the engine behind it."""
    twin = LinkTwin(load_engine("tiny"), RAM)
    monkeypatch.setattr("cimforge.scripts.engine_line.open_serial", twin.connect)
    return twin


def test_a_network_runs_behind_a_port(cimforge, folder, board):
    done = cimforge(*SERIAL, "--baud", "3000000", "--json")
    assert (done.status, done.json["bit_exact"]) == (0, True)
    told = done.json
    assert (told["images"], told["cycles"], told["baud"]) == (7, 0, 3_000_000)
    assert board.baud == 3_000_000
    assert told["macs"] == 7 * 2368
    batches = -(-7 // told["batch"])
    assert told["payload_sent"] == 64 * batches * told["batch"]
    assert told["board_seconds"] >= told["stream_seconds"] > 0
    expected = 2 * told["macs"] / told["board_seconds"] / 1e9
    assert told["gops"] == pytest.approx(expected, rel=0.05, abs=2e-6)
    (report,) = folder.glob("build/*-engine-serial/report.json")
    assert json.loads(report.read_text())["batch"] == told["batch"]
    table = cimforge(*SERIAL)
    assert table.status == 0
    assert "images at a time" in table.out
    assert "GOPS" in table.out


def test_a_wrong_sum_fails(cimforge, board):
    """One bit of what comes from memory behind the last layer, and the label is still right."""
    read = board.engine.read_memory

    def turned(address, count):
        data = read(address, count)
        return bytes([data[0] ^ 1, *data[1:]])

    board.engine.read_memory = turned
    done = cimforge(*SERIAL, "--json")
    assert (done.status, done.json["bit_exact"]) == (1, False)


def test_a_line_that_dies_is_told(cimforge, board):
    board.broken_after = 60
    done = cimforge(*SERIAL, "--json")
    assert (done.status, done.json["bit_exact"], done.json["accuracy"]) == (1, False, None)
    assert "0 of " in done.json["failed"]
    assert len(done.messages) == 1


def test_another_macro_behind_the_port_is_told(cimforge, monkeypatch):
    twin = LinkTwin(load_engine("tiny", ["engine.acc_vectors=300"]), RAM)
    monkeypatch.setattr("cimforge.scripts.engine_line.open_serial", twin.connect)
    done = cimforge(*SERIAL, "--json")
    assert done.status == 1
    assert "hash" in done.json["failed"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (RUN, "--engine: is of --backend uart-sim, spi-sim and serial alone"),
        ((*RUN, "--backend", "soc"), "--engine: is of --backend uart-sim, spi-sim and serial"),
        ((*RUN[:-1], "--ram", "4096"), "--ram: is the memory of --engine alone"),
        (
            (*RUN, "--backend", "uart-sim", "--simulator", "icarus"),
            "--simulator: --engine runs in verilator alone",
        ),
        ((*SERIAL, "--ram", "5000"), "--ram: ram_bytes must be a power of 2 in 4096..1048576"),
        ((*SERIAL, "--ram", "4096"), "--ram: ram_bytes must hold the network"),
        ((*SERIAL, "--set", "engine.lanes=3"), "lanes must be a power of 2"),
        ((*SERIAL, "--set", "engine.streams=true"), "--engine: engine must be without streams"),
    ],
)
def test_bad_input_is_one_line(cimforge, board, monkeypatch, arguments, message):
    monkeypatch.setattr("cimforge.scripts.way.check_simulator", lambda _: None)
    monkeypatch.setattr("cimforge.scripts.way.check_compiler", lambda: None)
    done = cimforge(*arguments)
    assert (done.status, done.out) == (2, "")
    assert message in done.messages[0]
    assert not board.queues


def test_a_port_that_does_not_open_is_told(cimforge, monkeypatch):
    def closed(device, baud):
        raise LinkError(f"{device}: no such device")

    monkeypatch.setattr("cimforge.scripts.engine_line.open_serial", closed)
    done = cimforge(*SERIAL)
    assert (done.status, done.out) == (2, "")
    assert "--port: /dev/board: no such device" in done.messages[0]


def test_memory_of_the_network_is_named():
    data = digits.load()
    engine = load_engine("tiny")
    bits = digits.network_bits(engine.macro)
    network = digits.quantise_network(digits.train(0), data.train_images, *bits)
    with pytest.raises(InputError, match=r"nearest legal value: (\d+)") as raised:
        plan_linked_network(engine, network, 50, 8192)
    near = int(str(raised.value).split("value: ")[1].rstrip(")"))
    linked = plan_linked_network(engine, network, 50, near)
    images = data.test_images[:50]
    backend = LinkedBackend(engine, near, PortLine(LinkTwin(engine, near), 1), lambda _: None)
    labels = backend.predict(network, images)
    assert np.array_equal(labels, digits.predict(network, images, exact_matmul))
    assert backend.bit_exact
    assert backend.facts()["batch"] == linked.batch


FPGA = ("fpga", "ulx3s-85f", "tiny", "--engine")


@pytest.fixture
def built(monkeypatch):
    """Place and route stubbed; what it was given."""
    told = {}

    def bitstream(config, board, name, folder, link, announce, seeds):
        told.update(config=config, board=board, link=link, seeds=seeds)
        numbers = {"luts": 10, "ffs": 5, "brams": 2, "capacity": {"luts": 100, "brams": 4}}
        fmax = {seed: told.get("mhz", 40.0) for seed in seeds}
        return BitstreamReport(name, board.device, folder / "x.bit", fmax, **numbers, seconds=1.0)

    monkeypatch.setattr("cimforge.scripts.engine_board.linked_bitstream", bitstream)
    monkeypatch.setattr("cimforge.scripts.fpga.check_tools", lambda _: None)
    return told


def test_a_bitstream_is_reported(cimforge, built):
    chosen = ("--set", "engine.act_bytes=256", "--ram", "8192", "--baud", "3000000")
    done = cimforge(*FPGA, *chosen, "--seeds", "1,2", "--json")
    assert done.status == 0
    told = done.json
    assert (told["luts"], told["fmax_mhz"], told["clock_mhz"]) == (10, 40, 30)
    assert (told["ram_bytes"], told["link"], told["link_bytes_per_s"]) == (8192, "uart", 300000)
    config = built["config"]
    assert (config.engine.act_bytes, config.ram_bytes) == (256, 8192)
    assert (built["board"].divisor, built["seeds"]) == (10, (1, 2))
    table = cimforge(*FPGA)
    assert "10 of 100 (10%)" in table.out
    assert "65,536 bytes" in table.out


def test_a_slow_engine_fails(cimforge, built):
    built["mhz"] = 20.0
    done = cimforge(*FPGA, "--json")
    assert (done.status, done.json["fmax_mhz"]) == (1, 20)
    assert "too slow: 20.0 MHz, but ulx3s-85f runs at 30 MHz" in done.messages[0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("fpga", "ulx3s-85f", "tiny", "--ram", "4096"), "--ram: is the memory of --engine alone"),
        ((*FPGA, "--ram", "5000"), "--ram: ram_bytes must be a power of 2"),
        ((*FPGA, "--link", "spi"), "--link: spi has no pins on this board"),
        ((*FPGA, "--set", "engine.act_bytes=3"), "act_bytes must be"),
        ((*FPGA, "--set", "storage=latch"), "(nearest legal value: --set storage="),
    ],
)
def test_a_board_that_cannot_be_is_one_line(cimforge, built, arguments, message):
    done = cimforge(*arguments)
    assert (done.status, done.out) == (2, "")
    assert message in done.messages[0]
    assert not built
