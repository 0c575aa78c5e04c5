"""A system: RISC-V core, boot ROM, RAM, UART, timer, and an engine with DMA where there is one."""

from cimforge.fpga.cpu.burst_server import BurstServer
from cimforge.fpga.cpu.cpu_bus import CpuBus
from cimforge.fpga.cpu.io_registers import IoRegisters
from cimforge.fpga.cpu.memory_map import memory_map, region
from cimforge.fpga.cpu.pico_core import OUTPUTS, PicoCore
from cimforge.fpga.cpu.ram_arbiter import RamArbiter
from cimforge.fpga.cpu.system_config import SystemConfig
from cimforge.fpga.cpu.word_memory import build_ram, build_rom
from cimforge.fpga.uart import UartReceiver, UartTransmitter
from cimforge.hdl.bus.engine_registers import EngineRegisters
from cimforge.hdl.engine.assembly import Assembly
from cimforge.hdl.engine.engine_core import build_engine
from cimforge.hdl.netlist.structure import Structure, constant, expression
from cimforge.hdl.params.engine_config import EngineConfig

__all__ = ["ROM_FILE", "build_system"]

ROM_FILE = "rom.hex"
USED = (  # of the core's outputs
    *("trap", "mem_valid", "mem_addr", "mem_wdata", "mem_wstrb"),
    *("mem_la_read", "mem_la_write", "mem_la_addr", "mem_la_wdata", "mem_la_wstrb"),
)


def build_system(config: SystemConfig) -> Structure:
    """The system's top: ports clk, rst (synchronous, active high), ``rx`` and ``tx`` (serial, high
    when idle), ``light``, and ``trap``, high when the core has stopped at an error.

    The core executes the program in ROM_FILE from its reset on. Where things are: memory_map. The
    engine reads and writes RAM beside the core (RamArbiter); its interrupt line is a status bit.
    """
    named = "RISC-V core, memory, UART and timer"
    sentence = f"{named}{', with an engine beside them' if config.engine else ''}."
    top = Assembly(Structure(config.module, "", sentence, role="bus"))
    prefix = config.module
    for name in ("clk", "rst", "rx"):
        top.port("input", name)
    for name in ("tx", "light", "trap"):
        top.port("output", name)
    _place_core(top, config)
    top.place(CpuBus(prefix, memory_map(config)), "bus")
    top.place(build_rom(prefix, region(config, "rom"), ROM_FILE), "boot_rom")
    _place_io(top, config)
    _place_memory(top, config)
    if config.engine:
        _place_engine(top, config.engine)
    return top.out


def _place_core(top: Assembly, config: SystemConfig) -> None:
    """The core, what it does not need tied off."""
    out, nets = top.out, top.nets
    core = PicoCore(config.core_parameters)
    nets["mem_ready"], nets["mem_rdata"] = out.wire("mem_ready"), out.wire("mem_rdata", 32)
    nets |= {name: out.wire(name, OUTPUTS[name]) for name in USED if name not in nets}
    pins = {name: nets[name] for name in (*USED, "clk", "mem_ready", "mem_rdata")}
    for port in core.ports.values():
        if port.name not in pins:
            tied = port.direction == "input"
            width = port.width
            pins[port.name] = constant(0, width) if tied else out.wire(f"no_{port.name}", width)
    out.place(core, "core", **{**pins, "resetn": expression(f"~{nets['rst']}", 1)})


def _place_io(top: Assembly, config: SystemConfig) -> None:
    """UART and registers."""
    prefix, nets = config.module, top.nets
    top.place(UartReceiver(prefix, config.divisor), "receiver", {"byte": "received"})
    top.place(UartTransmitter(prefix, config.divisor), "transmitter", {"byte": "sent"})
    nets["irq"] = top.out.wire("irq") if config.engine else constant(0, 1)
    top.place(IoRegisters(prefix), "io_registers", {"registers": "io"})


def _place_memory(top: Assembly, config: SystemConfig) -> None:
    """RAM behind the core and an engine's bursts."""
    prefix, ram = config.module, region(config, "ram")
    arbiter = RamArbiter(prefix, ram, config.bus_bits)
    if not config.engine:
        for port in arbiter.ports.values():
            if port.name.startswith(("fetch", "store")) and port.direction == "input":
                top.nets[port.name] = constant(0, port.width)
    top.place(arbiter, "ram_arbiter")
    top.place(build_ram(prefix, ram, config.bus_bits), "ram")
    if config.engine:
        called = {"fetch_data": "word_data_r"}
        top.place(BurstServer(prefix, ram, config.bus_bits), "burst_server", called)


def _place_engine(top: Assembly, engine: EngineConfig) -> None:
    """The engine between its registers and memory."""
    for name, width in engine.macro.storage_traits.control_ports:
        top.nets[name] = constant(0, width)
    top.place(EngineRegisters(engine), "engine_registers", {"registers": "engine"})
    top.place(build_engine(engine), "engine")
