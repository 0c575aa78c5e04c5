"""A system on a board: its clock, its reset, its light."""

from collections.abc import Callable, Sequence
from pathlib import Path

from cimforge.flow.bitstream_report import BitstreamReport
from cimforge.flow.board import Board
from cimforge.flow.place_route import SEEDS, build_bitstream
from cimforge.fpga.board_clock import place_clock
from cimforge.fpga.cpu.device_use import placing_announcer, too_large
from cimforge.fpga.cpu.system import ROM_FILE, build_system
from cimforge.fpga.cpu.system_config import SystemConfig
from cimforge.fpga.cpu.system_outputs import write_sources
from cimforge.fpga.led import SHOWN_MS, LedStretcher
from cimforge.hdl.netlist.structure import Structure, expression
from cimforge.hdl.params.config_file import InputError

__all__ = ["build_board_system", "system_bitstream", "system_work"]


def build_board_system(config: SystemConfig, board: Board) -> Structure:
    """``NAME_board``: the system of ``config``, whose UART has the board's divisor, between a
    board's clk, rx, tx and busy.

    ``busy`` lights the LED: while the program says so and SHOWN_MS longer, and for good where the
    core trapped. Clock and reset: place_clock. Latency: the system's. Raises ValueError where the
    divisor is another.
    """
    if config.divisor != board.divisor:
        rule = f"divisor must be the board's, {board.divisor}"
        raise ValueError(f"{rule}, not {config.divisor}")
    out = Structure(config.module, "board", "A system on a board.", role="link", latency=1)
    oscillator, rx = out.port("input", "clk"), out.port("input", "rx")
    tx, busy = out.port("output", "tx"), out.port("output", "busy")
    clk, rst = place_clock(out, board, oscillator)
    light, trap, lit = out.wire("light"), out.wire("trap"), out.wire("lit")
    clocks = {"clk": clk, "rst": rst}
    out.place(build_system(config), "system", **clocks, rx=rx, tx=tx, light=light, trap=trap)
    shown = LedStretcher(config.module, board.clock_hz * SHOWN_MS // 1000)
    out.place(shown, "shown", **clocks, active=expression(f"{light} | {trap}", 1), led=lit)
    out.assign(busy, f"~{lit}" if board.led_active_low else lit)
    return out


def system_bitstream(
    config: SystemConfig,
    board: Board,
    name: str,
    folder: Path,
    rom: str,
    announce: Callable[[str], None] = print,
    seeds: Sequence[int] = SEEDS,
) -> BitstreamReport:
    """Write the sources of a system on the board ``name`` into ``folder``, and build its bitstream
    with the program ``rom`` (build_firmware's) in its boot memory.

    Raises as build_board_system, write_sources and build_bitstream do.
    """
    top = build_board_system(config, board)
    write_sources(config, top, folder)
    work = system_work(folder, name)
    work.mkdir(parents=True, exist_ok=True)
    (work / ROM_FILE).write_text(rom)
    told = placing_announcer(work, board.family, announce)
    try:
        return build_bitstream(top, folder, name, board, told, seeds)
    except InputError as error:
        raise too_large(error, work, board.family, name) from None


def system_work(folder: Path, name: str) -> Path:
    """Where build_bitstream works on the board ``name``, in the ``folder`` of its sources."""
    return folder / "fpga" / name
