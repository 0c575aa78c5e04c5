"""How a product reaches the macro's Verilog: options that run and mvm share."""

from collections.abc import Callable, Collection
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import click

from cimforge.compiler.backends.rtl import RtlBackend
from cimforge.compiler.backends.serial_port import SerialBackend
from cimforge.compiler.map.golden_jobs import GoldenJobs
from cimforge.compiler.player.player_backend import PlayerBackend
from cimforge.compiler.soc.soc_backend import SocBackend
from cimforge.compiler.soc.soc_products import SocProducts
from cimforge.flow.board import Board
from cimforge.flow.macro_files import macro_extras
from cimforge.flow.simulate.simulator import check_simulator
from cimforge.fpga.board_files import board_design, board_files
from cimforge.fpga.board_link import BYTE_BITS, linked_board
from cimforge.fpga.boards import BOARDS
from cimforge.fpga.cpu.simulated_system import default_system, simulated_system
from cimforge.fpga.cpu.toolchain import check_compiler
from cimforge.fpga.litex.litex_install import check_litex
from cimforge.fpga.litex.litex_simulation import litex_simulation
from cimforge.fpga.spi_slave import LEAST_RATIO
from cimforge.fpga.uart import FRAME_BITS, LEAST_DIVISOR
from cimforge.hdl.emit.package import emit_macro
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import InputError
from cimforge.hdl.params.engine_config import EngineConfig
from cimforge.host.driver import LinkError
from cimforge.scripts.system_option import chosen_system, system_option

__all__ = [
    *("BACKENDS", "GOLDEN", "NETWORK_BACKENDS", "SYSTEMS", "Way", "link_rows", "network_options"),
    "way_options",
]

BACKENDS = ("rtl", "uart-sim", "spi-sim", "serial")
SYSTEMS = ("soc", "litex")  # which run whole networks, no product of its own
GOLDEN = "golden"
NETWORK_BACKENDS = (*BACKENDS, *SYSTEMS, GOLDEN)
HELP = "The macro's Verilog; a board's, through its simulated UART or SPI; a board, through a port"
PRODUCT_RAM = 1 << 20  # bytes of a system that computes products of any network
LINKS = {"uart-sim": "uart", "spi-sim": "spi"}  # of a simulated board
# The fewest clock cycles a bit, so the shortest simulation; the first that has such a link.
FIRST_BOARDS = {"uart": "hx8k", "spi": "icebreaker"}
FIRST_BAUD = 1_000_000
MOST_BAUD = 4_000_000
BAUD_SHARE = 0.01  # by which the line's rate may differ from the one that was asked for


def way_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """--backend, --port, --baud and --board."""
    return _options(command, (*BACKENDS, GOLDEN), f"{HELP}; the golden model in NumPy.")


def network_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The same and --system, of a verb that runs whole networks."""
    command = system_option(command)
    return _options(
        command,
        NETWORK_BACKENDS,
        f"{HELP}; a program on a simulated RISC-V core, in a system of this package or of LiteX; "
        "the golden model in NumPy.",
    )


def _options(
    command: Callable[..., Any], backends: tuple[str, ...], text: str
) -> Callable[..., Any]:
    options = (
        click.option(
            "--backend",
            type=click.Choice(backends),
            default=backends[0],
            show_default=True,
            help=text,
        ),
        click.option("--port", metavar="DEVICE", help="Serial port of --backend serial."),
        click.option(
            "--baud",
            type=click.IntRange(1, MOST_BAUD),
            help=f"Of the port or the simulated UART.  [default: {FIRST_BAUD}, or the board's]",
        ),
        click.option(
            "--board",
            type=click.Choice(list(BOARDS)),
            help="Whose Verilog and clock --backend uart-sim and spi-sim have, and whose clock and "
            f"UART --backend soc.  [default: {', '.join(FIRST_BOARDS.values())}; of soc none]",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


class Way(NamedTuple):
    """How a product reaches the macro's Verilog."""

    backend: str
    port: str | None
    baud: int | None
    board: str | None
    simulator: str
    system: tuple[str, ...] = ()

    def check(self) -> None:
        """Raise InputError where it cannot be gone."""
        if (self.backend == "serial") != bool(self.port):
            raise InputError("--port: names the serial port of --backend serial, which needs one")
        soc = self.backend == SYSTEMS[0]
        if self.board and not (self.link or soc):
            raise InputError("--board: is of --backend uart-sim, spi-sim and soc alone")
        if self.system and not soc:
            raise InputError("--system: is of --backend soc alone")
        if self.baud and self.link == "spi":
            raise InputError("--baud: SPI has none; its clock is a sixth of the board's")
        if self.link == "uart" or (soc and self.board):
            self._check_baud()
        elif self.link:
            near = FIRST_BOARDS[self.link]
            linked_board(self.simulated, self.link, f"--board {self._named}", near)
        if self.backend in SYSTEMS:
            if self.simulator != "verilator":
                raise InputError(f"--simulator: --backend {self.backend} runs in verilator alone")
            check_compiler()
            if not soc:
                check_litex()
        if self.backend not in ("serial", GOLDEN):
            check_simulator(self.simulator)

    def _check_baud(self) -> None:
        board = self.simulated
        most = board.clock_hz // LEAST_DIVISOR
        rule = f"--baud: {board.baud} of a clock of {board.clock_hz / 1e6:g} MHz"
        if board.divisor < LEAST_DIVISOR:
            cycles = f"is {board.divisor} cycles a bit, fewer than {LEAST_DIVISOR}"
            raise InputError(f"{rule} {cycles} (highest legal value: {most})")
        real = board.clock_hz / board.divisor
        if abs(real / board.baud - 1) > BAUD_SHARE:
            nearest = f"nearest legal value: {round(real)}"
            raise InputError(f"{rule} is {real:.0f}, more than 1 % beside it ({nearest})")

    @property
    def link(self) -> str:
        """Of a simulated board; empty where there is none."""
        return LINKS.get(self.backend, "")

    @property
    def _named(self) -> str:
        return self.board or FIRST_BOARDS[self.link]

    @property
    def simulated(self) -> Board:
        """The simulated board."""
        board = BOARDS[self._named]
        return board._replace(baud=self.baud) if self.baud else board

    def open(
        self,
        macro: MacroConfig,
        folder: Path,
        announce: Callable[[str], None],
        progress: Callable[[int, int], None],
        *,
        player: bool = False,
    ) -> RtlBackend | SerialBackend | PlayerBackend | GoldenJobs:
        """Emit the macro into ``folder``, and what runs jobs on it; with ``player`` the compiled
        one in place of cocotb, where Verilator simulates the macro alone.

        Raises InputError where the port does not open, or no such macro answers behind it.
        """
        if self.backend == GOLDEN:
            return GoldenJobs()
        top = board_files(macro, self.simulated, self.link) if self.link else {}
        emit_macro(macro, folder, {**macro_extras(macro), **top})
        if self.port:
            board = SerialBackend(self.port, self.baud or FIRST_BAUD, announce, progress)
            try:
                board.connect(macro)
            except LinkError as error:
                raise InputError(f"--port: {error}") from None
            return board
        if player and not self.link and self.simulator == "verilator":
            return PlayerBackend(folder, announce, progress, compare=False)
        options: dict[str, Any] = {}
        if self.link:
            spi = self.link == "spi"
            line = {"ratio": LEAST_RATIO} if spi else {"divisor": self.simulated.divisor}
            options = {"board": partial(board_design, link=self.link), "line": line}
        return RtlBackend(folder, self.simulator, announce, progress, **options)

    def open_system(
        self,
        engine: EngineConfig,
        folder: Path,
        announce: Callable[[str], None],
        progress: Callable[[int, int], None],
    ) -> SocBackend:
        """Emit a system with the engine into ``folder``, and what runs networks on it: that which
        ``cimforge soc`` puts on the board, or one with memory for any network of this package; of
        ``litex`` such a one of LiteX's.

        Raises InputError for an illegal --system, and as emit_litex does.
        """
        if self.backend != SYSTEMS[0]:
            return SocBackend(litex_simulation(engine, folder), folder, announce, progress)
        config = default_system(engine)
        defaults = {key: getattr(config, key) for key in ("rom_bytes", "ram_bytes", "divisor")}
        if self.board:
            defaults = {"divisor": self.simulated.divisor}
        config = chosen_system(engine, self.system, **defaults)
        return SocBackend(simulated_system(config, folder), folder, announce, progress)

    def open_products(
        self,
        engine: EngineConfig,
        folder: Path,
        announce: Callable[[str], None],
        progress: Callable[[int, int], None],
        chosen: Collection[str] | None,
    ) -> SocProducts:
        """Emit a system with the engine into ``folder``, and what computes products on it, of the
        nodes that are chosen. Raises InputError for an illegal --system."""
        defaults = {"rom_bytes": default_system(engine).rom_bytes, "ram_bytes": PRODUCT_RAM}
        target = simulated_system(chosen_system(engine, self.system, **defaults), folder)
        return SocProducts(target, folder, announce, progress, chosen)

    def facts(self, runner: Any) -> dict[str, Any]:
        """Of a report: whose cycles are counted, where a board is simulated, and what passed a
        link. ``payload_share`` is the part of the line's time in the busier direction in which rows
        and vectors, or results, passed."""
        if isinstance(runner, SocBackend):
            return runner.facts() | self._board_facts(runner)
        if self.backend in ("rtl", GOLDEN):
            return {}
        payload = {"payload_sent": runner.sent, "payload_received": runner.received}
        most = max(runner.sent, runner.received)
        if self.backend == "serial":
            baud = self.baud or FIRST_BAUD
            share = most * FRAME_BITS / baud / runner.seconds if runner.seconds else 0.0
            return {"baud": baud, **payload, "payload_share": round(share, 4)}
        board = self.simulated
        rate, cycles = {"baud": board.baud}, FRAME_BITS * board.divisor  # of a byte
        if self.link == "spi":
            rate, cycles = {"sck_hz": board.clock_hz // LEAST_RATIO}, BYTE_BITS * LEAST_RATIO
        share = most * cycles / runner.cycles if runner.cycles else 0.0
        named = {"board": self._named, "clock_hz": board.clock_hz, "link": self.link}
        line = {**rate, **payload, "payload_share": round(share, 4)}
        return {**named, **line, "board_seconds": round(runner.cycles / board.clock_hz, 4)}

    def _board_facts(self, runner: SocBackend) -> dict[str, Any]:
        """Of a system on a board: what its cycles are in seconds; two operations a product."""
        if not self.board:
            return {}
        board = self.simulated
        seconds = runner.cycles / board.clock_hz
        rate = round(2 * runner.macs / seconds / 1e9, 4) if seconds else None
        named = {"board": self.board, "clock_hz": board.clock_hz, "baud": board.baud}
        return {**named, "board_seconds": round(seconds, 6), "gops": rate}


def link_rows(report: dict[str, Any]) -> list[tuple[str, str]]:
    """Rows of a table: what passed a link, where there is one, and of a system its core's part."""
    if "core_cycles_per_image" in report:
        return _system_rows(report)
    if "queues" in report:
        share = f"{report['array_busy_share'] or 0:.1%} of them its arrays compute"
        return [("system", f"{report['system']}, {report['queues']:,} queues; {share}")]
    if "payload_share" not in report:
        return []
    sent, received = report["payload_sent"], report["payload_received"]
    rate = f"{report['baud']:,} baud" if "baud" in report else f"{report['sck_hz']:,} Hz"
    share = f"{report['payload_share']:.1%} of the line's time at {rate}"
    return [("payload", f"{sent:,} bytes to the board, {received:,} back, {share}")]


def _system_rows(report: dict[str, Any]) -> list[tuple[str, str]]:
    """Rows of a table: the engine against the core alone."""
    engine, core = report["engine_cycles_per_image"], report["core_cycles_per_image"]
    told = (
        f"{engine:,.0f} with the engine, {core:,.0f} by the core alone: {report['speed_up']:,.0f} x"
    )
    share = f"{report['engine_busy_share']:.1%}, its array {report['array_busy_share']:.1%}"
    clock = ""
    if "board" in report:
        clock = (
            f"{report['gops']:.4g} GOPS on {report['board']} at {report['clock_hz'] / 1e6:g} MHz"
        )
    return [
        ("cycles an image", told),
        ("of those, the engine busy", share),
        *([("end to end", clock)] if clock else []),
        ("simulated, UART and all", f"{report['simulated_cycles']:,} cycles"),
    ]
