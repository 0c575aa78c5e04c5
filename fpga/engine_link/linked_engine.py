"""An engine on a board behind a link: its parameters, its top, its files, its bitstream."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cimforge.flow.bitstream_report import BitstreamReport
from cimforge.flow.board import OUTPUT_PORTS, Board
from cimforge.flow.macro_files import macro_extras
from cimforge.flow.place_route import SEEDS, build_bitstream
from cimforge.flow.simulate.simulator import Design
from cimforge.fpga.board_clock import place_clock
from cimforge.fpga.cpu.burst_server import BurstServer
from cimforge.fpga.cpu.memory_map import Region
from cimforge.fpga.cpu.ram_arbiter import RamArbiter
from cimforge.fpga.cpu.word_memory import build_ram
from cimforge.fpga.engine_link.engine_bridge import EngineBridge
from cimforge.fpga.led import SHOWN_MS, LedStretcher
from cimforge.fpga.soc import BUFFERS, LARGE_BUFFER, soc_ports
from cimforge.fpga.spi_slave import SpiSlave
from cimforge.fpga.uart import UartReceiver, UartTransmitter
from cimforge.hdl.bus.engine_registers import EngineRegisters
from cimforge.hdl.emit.engine_sources import engine_sources
from cimforge.hdl.emit.package import emit_macro
from cimforge.hdl.engine.assembly import Assembly
from cimforge.hdl.engine.engine_core import build_engine
from cimforge.hdl.engine.seams import MEMORY_PAGE
from cimforge.hdl.netlist.module import behavioural_models, distinct_modules
from cimforge.hdl.netlist.structure import Structure, constant
from cimforge.hdl.params.engine_config import EngineConfig
from cimforge.hdl.params.errors import ConfigError, shown
from cimforge.host.engine_protocol import WAIT_CYCLES

__all__ = [
    *("RAM_BYTES", "LinkedEngine", "build_linked_engine", "emit_linked_engine"),
    *("linked_bitstream", "linked_design"),
]

RAM_BYTES = 1 << 16
MOST_BYTES = 1 << 20


@dataclass(frozen=True)
class LinkedEngine:
    """Parameters of an engine behind a link, checked on construction.

    ``ram_bytes`` of on-chip memory, a power of 2, lie at address 0 of the engine's memory;
    ``wait_cycles`` is the longest that a request waits for a queue. Raises ConfigError with the
    nearest legal value.
    """

    engine: EngineConfig
    ram_bytes: int = RAM_BYTES
    wait_cycles: int = WAIT_CYCLES

    def __post_init__(self) -> None:
        size = self.ram_bytes
        if type(size) is not int or not MEMORY_PAGE <= size <= MOST_BYTES or size & (size - 1):
            near = RAM_BYTES
            if type(size) is int:
                near = max(MEMORY_PAGE, min(1 << max(size, 1).bit_length() - 1, MOST_BYTES))
            rule = f"must be a power of 2 in {MEMORY_PAGE}..{MOST_BYTES}, not {shown(size)}"
            raise ConfigError("ram_bytes", rule, near)
        if self.engine.streams:
            raise ConfigError("engine", "must be without streams: nothing is at their other end")

    @property
    def ram(self) -> Region:
        """The on-chip memory."""
        return Region("ram", 0, self.ram_bytes, "rw", "memory of the link and of the engine")

    @property
    def module(self) -> str:
        """Name of the module: the engine's, ``_link``, and 6 digits of a digest where a parameter
        differs from its default."""
        own = {"ram_bytes": self.ram_bytes, "wait_cycles": self.wait_cycles}
        differs = own != {"ram_bytes": RAM_BYTES, "wait_cycles": WAIT_CYCLES}
        digest = hashlib.sha256(json.dumps(own, sort_keys=True).encode()).hexdigest()[:6]
        return f"{self.engine.module}_link{f'_{digest}' if differs else ''}"


def build_linked_engine(config: LinkedEngine, board: Board, link: str = "uart") -> Structure:
    """``NAME_soc``: a link, its bridge, on-chip memory and the engine, whose DMA works on the same
    memory, for a board's clock and, of a UART, its baud rate.

    Ports are soc_ports': serial lines idle high, SPI is mode 0; ``busy`` lights the LED while a
    queue is under way. Clock and reset: place_clock. Of a cycle of memory the link goes first
    (RamArbiter): it asks for a word in 8 cycles at most. Latency: the link's. Raises ValueError as
    soc_ports does.
    """
    sentence = f"An engine on a board: {link}, bridge, memory, engine."
    top = Assembly(Structure(config.module, "soc", sentence, role="link", latency=1))
    prefix, ram, engine = config.module, config.ram, config.engine
    for port in soc_ports(link):
        top.port("output" if port in OUTPUT_PORTS else "input", port)
    top.nets["clk"], top.nets["rst"] = place_clock(top.out, board, top.nets["clk"])
    _place_link(top, prefix, board, link)
    buffer = BUFFERS.get(board.family, LARGE_BUFFER)
    bridge = EngineBridge(prefix, engine, ram.address_bits, buffer, config.wait_cycles)
    top.place(bridge, "bridge")
    top.place(RamArbiter(prefix, ram, engine.bus_bits), "ram_arbiter")
    top.place(build_ram(prefix, ram, engine.bus_bits), "memory")
    called = {"fetch_data": "word_data_r"}
    top.place(BurstServer(prefix, ram, engine.bus_bits), "burst_server", called)
    for name, width in engine.macro.storage_traits.control_ports:
        top.nets[name] = constant(0, width)
    working = {"busy": "working"}  # the board's port is the light
    top.place(EngineRegisters(engine), "engine_registers", working)
    top.place(build_engine(engine), "engine", working)
    light = LedStretcher(prefix, board.clock_hz * SHOWN_MS // 1000)
    top.place(light, "light", {"active": "working", "led": "lit"})
    inverted = "~" if board.led_active_low else ""
    top.out.assign(top.nets["busy"], f"{inverted}{top.nets['lit']}")
    return top.out


def _place_link(top: Assembly, prefix: str, board: Board, link: str) -> None:
    """What makes bytes of the link's ports."""
    if link == "spi":
        top.place(SpiSlave(prefix), "slave", {"byte": "received", "reply": "sent"})
        return
    top.place(UartReceiver(prefix, board.divisor), "receiver", {"byte": "received"})
    top.place(UartTransmitter(prefix, board.divisor), "transmitter", {"byte": "sent"})


def emit_linked_engine(
    config: LinkedEngine, board: Board, folder: Path, link: str = "uart"
) -> Structure:
    """Write the engine on a board, and its macro, into ``folder``; returns its top, ``NAME_soc``,
    whose sources ``NAME_soc.f`` lists with models of the device's own blocks, which simulation
    alone takes. Raises InputError as emit_macro does."""
    macro = config.engine.macro
    top = build_linked_engine(config, board, link)
    files = engine_sources(config.engine, top)
    listed_already = {f"{model}.v" for model in macro.models}
    models = behavioural_models(distinct_modules(top))
    models = {name: text for name, text in models.items() if name not in listed_already}
    listed = f"{top.name}.f"
    files[listed] = "".join(f"{name}\n" for name in models) + files[listed]
    emit_macro(macro, folder, {**macro_extras(macro), **models, **files})
    return top


def linked_design(config: LinkedEngine, folder: Path, link: str = "uart") -> Design:
    """The engine on a board in ``folder``, to be simulated."""
    return Design.listed(config.engine.macro, folder, f"{config.module}_soc", soc_ports(link))


def linked_bitstream(
    config: LinkedEngine,
    board: Board,
    name: str,
    folder: Path,
    link: str = "uart",
    announce: Callable[[str], None] = print,
    seeds: Sequence[int] = SEEDS,
) -> BitstreamReport:
    """Write the sources of the engine on the board ``name`` into ``folder``, and build its
    bitstream. Raises as emit_linked_engine and build_bitstream do."""
    top = emit_linked_engine(config, board, folder, link)
    return build_bitstream(top, folder, name, board, announce, seeds)
