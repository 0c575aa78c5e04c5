"""What other rooms measure for cimforge explore: macros on boards, and their Verilog."""

from pathlib import Path

from cimforge.cocotb_tests.discovery import SuiteError
from cimforge.cocotb_tests.regression import run_regression
from cimforge.explore.measurements.handed_in import HandedIn
from cimforge.flow.board import Board
from cimforge.flow.place_route import build_bitstream, check_tools
from cimforge.flow.placer_run import FlowError
from cimforge.flow.simulate.simulator import BuildError, Design, check_simulator
from cimforge.fpga.board_files import board_files
from cimforge.fpga.board_link import linked_board
from cimforge.fpga.boards import BOARDS, find_board
from cimforge.fpga.performance import Performance
from cimforge.fpga.pll import board_at, plan_pll
from cimforge.fpga.soc import build_soc
from cimforge.hdl.emit.package import emit_macro
from cimforge.hdl.netlist.yosys import YosysError
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import InputError

__all__ = ["HANDED_IN", "SEED", "SHORT", "SIMULATOR", "check_verilog", "place_macro"]

LINK = "uart"
NO_ROOM = "does not fit the device"  # what run_tool says of a design that is too large
SIMULATOR, SEED = "verilator", 1  # as cimforge verify has them
SHORT = r"\.(values|handshakes)\."  # its --test: every precision, sign, bank and corner; the pace


def place_macro(
    config: MacroConfig, name: str, board: Board, seeds: tuple[int, ...], folder: Path
) -> dict[str, float] | str:
    """A macro behind the UART on a board, as cimforge fpga has it: ``period`` in ns, of the median
    Fmax of the ``seeds``, ``gops`` at the board's clock (0 where it is not reached), ``gops_fmax``,
    ``board_luts`` and ``board_rams``; ``fits`` 0 alone where the device has no room; or why not."""
    try:
        emit_macro(config, folder, board_files(config, board, LINK))
        top = build_soc(config, board, LINK)
        report = build_bitstream(top, folder, name, board, lambda text: None, seeds)
    except InputError as error:
        return {"fits": 0.0} if NO_ROOM in str(error) else str(error)
    except (FlowError, YosysError) as error:
        return str(error)
    gops, clock = Performance(config, board, LINK).gops_int8, board.clock_hz / 1e6
    return {
        "fits": 1.0,
        "period": 1000 / report.fmax_mhz,
        "gops": gops if report.reached_mhz >= clock else 0.0,
        "gops_fmax": gops * report.fmax_mhz / clock,
        "board_luts": report.luts,
        "board_rams": report.brams,
    }


def check_verilog(config: MacroConfig, folder: Path) -> dict[str, float] | str:
    """Whether the emitted Verilog passes the tests SHORT, ``checked`` 1 or 0; why none ran."""
    try:
        emit_macro(config, folder)
        report = run_regression(
            Design.emitted(config, folder),
            folder / "verify",
            simulator=SIMULATOR,
            seed=SEED,
            test_filter=SHORT,
            announce=lambda text: None,
        )
    except (BuildError, SuiteError, YosysError, InputError) as error:
        return str(error)
    return {"checked": float(report.passed)}


def _find_board(source: str, clock: float | None) -> tuple[str, Board]:
    """A board's name, and the board at a clock in MHz, with the pins of LINK."""
    try:
        name, board = find_board(source)
        board = board_at(linked_board(board, LINK, "link"), clock, None, LINK)
        plan_pll(board)
    except InputError as error:
        told = str(error).removeprefix("BOARD: ").replace("--clock", "clock")
        raise InputError(told) from None
    return name, board


def _check_simulator() -> None:
    check_simulator(SIMULATOR)


HANDED_IN = HandedIn(
    boards=BOARDS,
    find_board=_find_board,
    check_tools=check_tools,
    place=place_macro,
    placing=("hdl.bus", "hdl.emit", "fpga", "fpga.boards", "fpga.pll", "flow", "flow.synth"),
    check_simulator=_check_simulator,
    check=check_verilog,
    checking=("hdl.emit", "cocotb_tests", "cocotb_tests.suite", "golden", "flow.simulate"),
)
