"""cimforge fpga: a macro behind a UART or SPI on a board, to a bitstream."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from cimforge.flow.bitstream_report import BitstreamReport
from cimforge.flow.families import check_fabric
from cimforge.flow.macro_files import macro_extras
from cimforge.flow.place_route import build_bitstream, check_tools
from cimforge.flow.placer_run import FlowError
from cimforge.fpga.board_files import board_files
from cimforge.fpga.board_link import LINK_PORTS, linked_board
from cimforge.fpga.boards import BOARDS, find_board
from cimforge.fpga.performance import Performance
from cimforge.fpga.pll import board_at, plan_pll
from cimforge.fpga.pll.pll_plan import PllPlan
from cimforge.fpga.soc import build_soc
from cimforge.fpga.spi_slave import LEAST_RATIO
from cimforge.hdl.emit.package import emit_macro
from cimforge.hdl.netlist.yosys import YosysError
from cimforge.hdl.params.config_file import load_config
from cimforge.hdl.params.engine_file import load_engine
from cimforge.hdl.params.errors import shown
from cimforge.scripts.engine_board import build_engine_board
from cimforge.scripts.engine_line import engine_options, linked_engine, refuse_ram
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

CONTRACT = (
    *("board", "device", "bitstream", "fmax_mhz", "luts", "ffs", "brams", "seconds"),
    *("clock_mhz", "gops_int8", "tops_binary", "fmax_seeds", "ram_blocks", "fill"),
    *("link", "link_bytes_per_s", "link_share", "pll"),
)


class Seeds(click.ParamType):
    """A list of integers, each once: ``1,2,3``."""

    name = "seeds"

    def convert(
        self, value: Any, parameter: click.Parameter | None, context: click.Context | None
    ) -> tuple[int, ...]:
        """The seeds of the argument ``value``."""
        if isinstance(value, tuple):
            return value
        words = str(value).split(",")
        if not all(word.isascii() and word.isdigit() and len(word) < 10 for word in words):
            self.fail(f"must be integers, for example 1,2,3, not {shown(value)}")
        seeds = tuple(map(int, words))
        if len(set(seeds)) < len(seeds):
            self.fail(f"names a seed twice: {shown(value)}")
        return seeds


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
@click.option(
    "--link",
    type=click.Choice(list(LINK_PORTS)),
    default="uart",
    show_default=True,
    help="What the host drives it through; spi on boards that have its pins.",
)
@click.option(
    "--seeds",
    type=Seeds(),
    default="1",
    show_default=True,
    metavar="N,...",
    help="Of the placer: Fmax is their median, the fastest makes the bitstream.",
)
@engine_options
@config_options
def fpga(
    board: str,
    clock: float | None,
    baud: int | None,
    link: str,
    seeds: tuple[int, ...],
    linked: bool,
    ram: int | None,
    config: str,
    overrides: tuple[str, ...],
    output: Path | None,
    as_json: bool,
) -> None:
    """Put the macro of CONFIG, or an engine around it, behind a link on BOARD: bitstream, Fmax,
    utilisation, critical path."""
    board, chosen = find_board(board)
    chosen = board_at(linked_board(chosen, link, "--link"), clock, baud, link)
    refuse_ram(linked, ram)
    engine = load_engine(config, overrides) if linked else None
    macro = engine.macro if engine else load_config(config, overrides)
    check_fabric(macro, chosen, board)
    behind = linked_engine(engine, ram) if engine else None
    check_tools(chosen)
    folder = default_folder(output, macro)
    if behind:
        build_engine_board(behind, chosen, board, folder / "link", link, seeds, as_json)
        return
    files = board_files(macro, chosen, link)
    emit_macro(macro, folder, {**macro_extras(macro), **files})
    does = Performance(macro, chosen, link)
    plan = plan_pll(chosen)
    with steps(f"building for {board}") as announce:
        try:
            top = build_soc(macro, chosen, link)
            report = build_bitstream(top, folder, board, chosen, announce, seeds)
        except (FlowError, YosysError) as error:
            if as_json:
                facts = {"board": board, "device": chosen.device, "failed": str(error)}
                print_json({**dict.fromkeys(CONTRACT), **facts})
            raise CheckFailedError(error) from None
    if as_json:
        told = {"pll": plan.as_json() if plan else None}
        print_json({**report.as_json(), **does.as_json(), **told})
    else:
        _show(macro.module, report, does, plan)
    if report.reached_mhz * 1e6 < chosen.clock_hz:
        rule = f"{report.reached_mhz:.1f} MHz, but {board} runs at {chosen.clock_hz / 1e6:g} MHz"
        mend = "raise tree_stages (--set tree_stages=2), or lower --clock"
        raise CheckFailedError(f"too slow: {rule}; {mend}")


def _show(name: str, report: BitstreamReport, does: Performance, plan: PllPlan | None) -> None:
    share = report.luts / report.capacity["luts"]
    path = " → ".join(f"{s.block} {s.delay:.1f} ({s.cells})" for s in report.path)
    told = does.as_json()
    clock, fill = told["clock_mhz"], told["fill"]
    made = f", by {plan.primitive} of {plan.reference_hz / 1e6:g} MHz" if plan else ""
    several = len(report.fmax_seeds) > 1
    seeds = ", ".join(f"{mhz:.1f}" for mhz in report.fmax_seeds.values())
    median = f"median of seeds: {seeds}; bitstream of seed {report.seed}; " if several else ""
    rows = [
        ("device", report.device),
        ("Fmax", f"{report.fmax_mhz:.1f} MHz ({median}clock {clock:g} MHz{made})"),
        ("logic cells", f"{report.luts:,} of {report.capacity['luts']:,} ({share:.0%})"),
        ("flip-flops", f"{report.ffs:,}"),
        ("block RAMs", f"{report.brams} of {report.capacity['brams']}"),
        ("at the clock", f"{does.gops_int8:.4g} GOPS int8, {does.tops_binary:.4g} TOPS binary"),
        ("a bank's weights", _cycles_told(fill)),
        _link_told(does),
        ("critical path, ns (hops)", path),
        ("time", f"{report.seconds:.0f} s"),
    ]
    show_table(f"{name} on {report.board}", rows, below=[("bitstream", report.bitstream)])


def _link_told(does: Performance) -> tuple[str, str]:
    """What the link feeds, at which rate of its line."""
    board, payload = does.board, f"{does.payload_rate:,.0f} payload bytes/s"
    busy = f"the array busy {does.link_share:.2%} of the time"
    if does.link == "spi":
        fastest = board.clock_hz / LEAST_RATIO / 1e6
        return "over SPI", f"{payload} at {fastest:.4g} MHz, the fastest sck: {busy}"
    return "over the UART", f"{payload} at {board.baud:,} baud: {busy}"


def _cycles_told(fill: Mapping[str, Any]) -> str:
    """Cycles and time to write a whole bank."""
    text = f"{fill['cycles_by_row']:,} cycles ({fill['seconds_by_row'] * 1e6:.4g} µs)"
    if fill["cycles"] == fill["cycles_by_row"]:
        return text
    return f"{text}; {fill['cycles']:,} ({fill['seconds'] * 1e6:.4g} µs) with fill"
