"""cimforge fpga: a macro behind a UART on a board, to a bitstream."""

from pathlib import Path

import click

from cimforge.flow.bitstream_report import BitstreamReport
from cimforge.flow.families import check_fabric
from cimforge.flow.macro_files import macro_extras
from cimforge.flow.place_route import build_bitstream, check_tools
from cimforge.flow.placer_run import FlowError
from cimforge.fpga.board_files import board_files
from cimforge.fpga.boards import BOARDS, find_board
from cimforge.fpga.pll import board_at
from cimforge.fpga.soc import build_soc
from cimforge.hdl.emit.package import emit_macro
from cimforge.hdl.netlist.yosys import YosysError
from cimforge.hdl.params.config_file import load_config
from cimforge.scripts.options import (
    CheckFailedError,
    config_epilog,
    config_options,
    default_folder,
    print_json,
    show_table,
    steps,
)

__all__ = ["fpga"]

CONTRACT = ("board", "device", "bitstream", "fmax_mhz", "luts", "ffs", "brams", "seconds")


@click.command(
    epilog=f"BOARD: {', '.join(BOARDS)}, or a TOML file. {config_epilog}",
    short_help="Build a bitstream.",
)
@click.argument("board", metavar="BOARD")
@click.option(
    "--clock",
    type=click.FloatRange(1, 500),
    metavar="MHZ",
    help="The macro's clock, by the board's PLL.  [default: the board's]",
)
@click.option(
    "--baud",
    type=click.IntRange(9600, 12_000_000),
    metavar="RATE",
    help="Of the UART.  [default: the board's]",
)
@config_options
def fpga(
    board: str,
    clock: float | None,
    baud: int | None,
    config: str,
    overrides: tuple[str, ...],
    output: Path | None,
    as_json: bool,
) -> None:
    """Put the macro of CONFIG behind a UART on BOARD: bitstream, Fmax, utilisation, critical
    path."""
    board, chosen = find_board(board)
    chosen = board_at(chosen, clock, baud)
    macro = load_config(config, overrides)
    check_fabric(macro, chosen, board)
    check_tools(chosen)
    folder = default_folder(output, macro)
    files = board_files(macro, chosen)
    emit_macro(macro, folder, {**macro_extras(macro), **files})
    with steps(f"building for {board}") as announce:
        try:
            report = build_bitstream(build_soc(macro, chosen), folder, board, chosen, announce)
        except (FlowError, YosysError) as error:
            if as_json:
                facts = {"board": board, "device": chosen.device, "failed": str(error)}
                print_json({**dict.fromkeys(CONTRACT), **facts})
            raise CheckFailedError(error) from None
    if as_json:
        print_json(report.as_json())
    else:
        _show(macro.module, report, chosen.clock_hz)
    if report.fmax_mhz * 1e6 < chosen.clock_hz:
        rule = f"{report.fmax_mhz:.1f} MHz, but {board} runs at {chosen.clock_hz / 1e6:g} MHz"
        raise CheckFailedError(f"too slow: {rule}; raise tree_stages (--set tree_stages=2)")


def _show(name: str, report: BitstreamReport, clock_hz: int) -> None:
    share = report.luts / report.capacity["luts"]
    path = " → ".join(f"{s.block} {s.delay:.1f} ({s.cells})" for s in report.path)
    rows = [
        ("device", report.device),
        ("Fmax", f"{report.fmax_mhz:.1f} MHz (clock {clock_hz / 1e6:g} MHz)"),
        ("logic cells", f"{report.luts:,} of {report.capacity['luts']:,} ({share:.0%})"),
        ("flip-flops", f"{report.ffs:,}"),
        ("block RAMs", f"{report.brams}"),
        ("critical path, ns (hops)", path),
        ("time", f"{report.seconds:.0f} s"),
    ]
    show_table(f"{name} on {report.board}", rows, below=[("bitstream", report.bitstream)])
