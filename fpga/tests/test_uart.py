"""UART, bridge and driver on the emitted Verilog of the board's top."""

from pathlib import Path

import pytest

from cimforge.cocotb_tests.draw import quickest_simulator
from cimforge.cocotb_tests.regression import run_regression
from cimforge.fpga.board_files import board_design, board_files
from cimforge.fpga.boards import BOARDS
from cimforge.fpga.uart import LEAST_DIVISOR
from cimforge.hdl.emit.package import emit_macro
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import load_config
from cimforge.host import protocol

HX8K = BOARDS["hx8k"]
# The least divisor, and one of the boards' own.
CASES = {
    "tiny": (load_config("tiny"), HX8K),
    "odd": (
        MacroConfig(rows=5, cols=3, weight_bits=11, input_bits=7, banks=3, storage="latch"),
        HX8K._replace(baud=HX8K.clock_hz // LEAST_DIVISOR),
    ),
}


@pytest.mark.parametrize(("config", "board"), CASES.values(), ids=CASES)
def test_the_board_passes_its_regression(config, board, request):
    folder = Path("build/tests") / request.node.name
    emit_macro(config, folder, board_files(config, board))
    report = run_regression(
        board_design(config, folder),
        folder / "verify",
        simulator=quickest_simulator(config),
        suite=("uart.uart_suite",),
        options={"divisor": board.divisor},
        announce=lambda _: None,
    )
    assert report.failures == []
    assert report.tests == 10


def test_crc_of_the_check_string():
    """The published check value of CRC-8 (poly 0x07, init 0): 0xF4 for "123456789"."""
    assert protocol.crc8(b"123456789") == 0xF4


def test_every_single_garbled_byte_changes_the_crc():
    frame = bytes([protocol.REQUEST, 0x33, protocol.WRITE, 0x40, 0x01, 1, 2, 3, 4])
    for place in range(len(frame)):
        for turned in range(1, 256):
            wrong = bytearray(frame)
            wrong[place] ^= turned
            assert protocol.crc8(bytes(wrong)) != protocol.crc8(frame)
