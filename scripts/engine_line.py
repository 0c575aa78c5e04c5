"""--engine: a link that drives an engine in place of a macro, as options of commands."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from cimforge.compiler.engine_link.linked_backend import LinkedBackend, PortLine, TwinLine
from cimforge.fpga.board_link import BYTE_BITS
from cimforge.fpga.engine_link.linked_engine import (
    RAM_BYTES,
    LinkedEngine,
    emit_linked_engine,
    linked_design,
)
from cimforge.fpga.spi_slave import LEAST_RATIO
from cimforge.fpga.uart import FRAME_BITS
from cimforge.hdl.params.config_file import InputError
from cimforge.hdl.params.engine_config import EngineConfig
from cimforge.hdl.params.errors import ConfigError
from cimforge.host.port import LinkError, open_serial
from cimforge.scripts.way import FIRST_BAUD, FIRST_BOARDS, Way

__all__ = [
    *("check_linked", "engine_options", "engine_rows", "linked_engine", "open_linked"),
    "refuse_ram",
]


def engine_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """--engine and --ram."""
    flag = click.option(
        "--engine",
        "linked",
        is_flag=True,
        help="Behind the link an engine around the macro, and memory, not the macro alone; "
        "--set engine.KEY=VALUE changes its parameters.",
    )
    size = click.option(
        "--ram",
        type=int,
        metavar="BYTES",
        help=f"On-chip memory of --engine, a power of 2.  [default: {RAM_BYTES}]",
    )
    return flag(size(command))


def check_linked(way: Way, linked: bool, ram: int | None) -> None:
    """Raise InputError where --engine, which is given if ``linked``, or --ram has no sense."""
    refuse_ram(linked, ram)
    if linked and not (way.link or way.port):
        raise InputError("--engine: is of --backend uart-sim, spi-sim and serial alone")
    if linked and way.link and way.simulator != "verilator":
        raise InputError("--simulator: --engine runs in verilator alone")


def refuse_ram(linked: bool, ram: int | None) -> None:
    """Raise InputError where --ram is given, and --engine is not."""
    if ram is not None and not linked:
        raise InputError("--ram: is the memory of --engine alone")


def linked_engine(engine: EngineConfig, ram: int | None) -> LinkedEngine:
    """The engine behind a link; InputError, one line, where an option is illegal."""
    try:
        return LinkedEngine(engine, ram_bytes=RAM_BYTES if ram is None else ram)
    except ConfigError as error:
        where = "--ram" if error.key == "ram_bytes" else "--engine"
        raise InputError(f"{where}: {error}") from None


def open_linked(
    way: Way,
    engine: EngineConfig,
    ram: int | None,
    folder: Path,
    announce: Callable[[str], None],
    progress: Callable[[int, int], None],
) -> LinkedBackend:
    """What runs networks on an engine behind the way's link, whose Verilog is emitted into
    ``folder`` where it is simulated. Raises InputError where an option is illegal or the port does
    not open."""
    config = linked_engine(engine, ram)
    if way.port:
        baud = way.baud or FIRST_BAUD
        announce(f"connecting to {way.port}")
        try:
            port = open_serial(way.port, baud)
        except LinkError as error:
            raise InputError(f"--port: {error}") from None
        return LinkedBackend(engine, config.ram_bytes, PortLine(port, baud, progress), announce)
    board, link = way.simulated, way.link
    emit_linked_engine(config, board, folder, link)
    line, cycles = {"divisor": board.divisor}, FRAME_BITS * board.divisor
    rate = {"baud": board.baud}
    if link == "spi":
        line, cycles = {"ratio": LEAST_RATIO}, BYTE_BITS * LEAST_RATIO
        rate = {"sck_hz": board.clock_hz // LEAST_RATIO}
    told = {"board": way.board or FIRST_BOARDS[link], "link": link, **rate}
    place = (linked_design(config, folder, link), folder, line, board.clock_hz, cycles, told)
    return LinkedBackend(engine, config.ram_bytes, TwinLine(*place, announce, progress), announce)


def engine_rows(report: dict[str, Any]) -> list[tuple[str, str]]:
    """Rows of a table: what an engine behind a link took."""
    if "stream_gops" not in report:
        return []
    seconds = f"{report['board_seconds']:.4g} s, of the images {report['stream_seconds']:.4g} s"
    rate = f"{report['gops']:.4g} GOPS, of the images {report['stream_gops']:.4g}"
    engine, array = report["engine_cycles"], report["array_cycles"]
    return [
        (
            "images at a time",
            f"{report['batch']}, behind {report['loaded_bytes']:,} bytes of network",
        ),
        ("the engine busy", f"{engine:,} cycles, its array {array:,}"),
        ("end to end", f"{seconds}: {rate}, 2 a MAC"),
    ]
