"""UART, bridge and driver on the emitted Verilog of the board's top."""

import os
from pathlib import Path

import pytest

from cimforge.cocotb_tests.draw import quickest_simulator
from cimforge.cocotb_tests.regression import run_regression
from cimforge.fpga.board_files import board_design, board_files
from cimforge.fpga.boards import BOARDS
from cimforge.fpga.soc import soc_ports
from cimforge.fpga.spi_slave import LEAST_RATIO
from cimforge.fpga.uart import LEAST_DIVISOR
from cimforge.hdl.emit.package import emit_macro
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import load_config

HX8K = BOARDS["hx8k"]
# The least divisor, and one of the boards' own: that without the campaigns of faults, which take as
# long as all else and look the same at any divisor. CIMFORGE_WHOLE=1 runs them, too.
CAMPAIGNS = r"lost_either_way|storm_of_faults|read_is_repeated"
WHOLE = bool(os.environ.get("CIMFORGE_WHOLE"))
CASES = {
    "tiny": (load_config("tiny"), HX8K),
    "odd": (
        MacroConfig(rows=5, cols=3, weight_bits=11, input_bits=7, banks=3, storage="latch"),
        HX8K._replace(baud=HX8K.clock_hz // LEAST_DIVISOR),
    ),
}
# A row of a byte, so that the line is faster than single writes of tables.
FILLED = MacroConfig(rows=600, cols=5, weight_bits=1, input_bits=1, storage="bram", ram="ecp5")


@pytest.mark.parametrize(("config", "board"), CASES.values(), ids=CASES)
def test_the_board_passes_its_regression(config, board, request):
    folder = Path("build/tests") / request.node.name
    whole = WHOLE or board.divisor == LEAST_DIVISOR
    emit_macro(config, folder, board_files(config, board))
    report = run_regression(
        board_design(config, folder),
        folder / "verify",
        simulator="verilator",  # millions of cycles
        suite=("uart.uart_suite",),
        options={"divisor": board.divisor},
        test_filter=None if whole else rf"^(?!.*({CAMPAIGNS}))",
        announce=lambda _: None,
    )
    assert report.failures == []
    assert report.tests == (15 if whole else 12)


def test_the_board_passes_the_brief_suite_of_mutants(request):
    config, folder = CASES["tiny"][0], Path("build/tests") / request.node.name
    emit_macro(config, folder, board_files(config, HX8K))
    report = run_regression(
        board_design(config, folder),
        folder / "verify",
        simulator=quickest_simulator(config),
        suite=("uart.brief_suite",),
        options={"divisor": HX8K.divisor},
        announce=lambda _: None,
    )
    assert report.failures == []
    assert report.tests == 4


def test_the_board_fills_banks_of_row_groups(request):
    """Frames of 507 bytes, which end in the midst of a group of nine rows."""
    ulx3s, folder = BOARDS["ulx3s-85f"], Path("build/tests") / request.node.name
    board = ulx3s._replace(baud=ulx3s.clock_hz // LEAST_DIVISOR)
    emit_macro(FILLED, folder, board_files(FILLED, board))
    report = run_regression(
        board_design(FILLED, folder),
        folder / "verify",
        simulator="verilator",
        suite=("uart.fill_suite",),
        # a frame of 507 rows ends 29,000 cycles, 361 byte times, after its reply began
        options={"divisor": board.divisor, "timeout_bytes": 500},
        announce=lambda _: None,
    )
    assert report.failures == []
    assert report.tests == 2


@pytest.mark.parametrize("ratio", [LEAST_RATIO, 11])
def test_the_board_passes_its_regression_over_spi(ratio, request):
    config, folder = CASES["tiny"][0], Path("build/tests") / request.node.name
    emit_macro(config, folder, board_files(config, HX8K, "spi"))
    report = run_regression(
        board_design(config, folder, "spi"),
        folder / "verify",
        simulator="verilator",
        suite=("uart.spi_suite",),
        options={"ratio": ratio},
        announce=lambda _: None,
    )
    assert report.failures == []
    assert report.tests == 3


def test_another_link_is_refused():
    with pytest.raises(ValueError, match="link must be one of uart, spi, not 'i2c'"):
        soc_ports("i2c")
