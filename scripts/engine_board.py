"""What cimforge fpga --engine does: an engine behind a link on a board, to a bitstream."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cimforge.flow.bitstream_report import BitstreamReport
from cimforge.flow.board import Board
from cimforge.flow.placer_run import FlowError
from cimforge.fpga.board_link import line_bytes_per_s
from cimforge.fpga.engine_link.linked_engine import LinkedEngine, linked_bitstream
from cimforge.hdl.netlist.yosys import YosysError
from cimforge.scripts.options import CheckFailedError, print_json, show_table, steps

__all__ = ["build_engine_board"]


def build_engine_board(
    config: LinkedEngine,
    board: Board,
    name: str,
    folder: Path,
    link: str,
    seeds: Sequence[int],
    as_json: bool,
) -> None:
    """Build the bitstream and tell of it; CheckFailedError where a tool fails, or it is too slow
    for the board's clock."""
    with steps(f"building for {name}") as announce:
        try:
            report = linked_bitstream(config, board, name, folder, link, announce, seeds)
        except (FlowError, YosysError) as error:
            if as_json:
                print_json({"board": name, "device": board.device, "failed": str(error)})
            raise CheckFailedError(error) from None
    clock = board.clock_hz / 1e6
    if as_json:
        print_json({**report.as_json(), **_facts(config, board, link)})
    else:
        _show(report, config, board, link)
    if report.reached_mhz < clock:
        rule = f"{report.reached_mhz:.1f} MHz, but {name} runs at {clock:g} MHz"
        mend = "raise tree_stages (--set tree_stages=2), or lower --clock"
        raise CheckFailedError(f"too slow: {rule}; {mend}")


def _facts(config: LinkedEngine, board: Board, link: str) -> dict[str, Any]:
    """Of the JSON report, beside what place and route say."""
    return {
        **{"engine": config.engine.module, "ram_bytes": config.ram_bytes, "link": link},
        **{"clock_mhz": round(board.clock_hz / 1e6, 6)},
        "link_bytes_per_s": round(line_bytes_per_s(board, link)),
    }


def _show(report: BitstreamReport, config: LinkedEngine, board: Board, link: str) -> None:
    share = report.luts / report.capacity["luts"]
    path = " → ".join(f"{s.block} {s.delay:.1f} ({s.cells})" for s in report.path)
    seeds = ", ".join(f"{mhz:.1f}" for mhz in report.fmax_seeds.values())
    several = f"median of seeds: {seeds}; " if len(report.fmax_seeds) > 1 else ""
    rows = [
        ("device", report.device),
        ("Fmax", f"{report.fmax_mhz:.1f} MHz ({several}clock {board.clock_hz / 1e6:g} MHz)"),
        ("logic cells", f"{report.luts:,} of {report.capacity['luts']:,} ({share:.0%})"),
        ("flip-flops", f"{report.ffs:,}"),
        ("block RAMs", f"{report.brams} of {report.capacity['brams']}"),
        ("memory", f"{config.ram_bytes:,} bytes"),
        (f"over {link}", f"{line_bytes_per_s(board, link):,.0f} bytes a second, each way"),
        ("critical path, ns (hops)", path),
        ("time", f"{report.seconds:.0f} s"),
    ]
    title = f"{config.module} on {report.board}"
    show_table(title, rows, below=[("bitstream", report.bitstream)])
