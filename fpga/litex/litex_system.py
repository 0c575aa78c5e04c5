"""A LiteX system with an engine: PicoRV32, integrated ROM and RAM, UART, timer."""

from pathlib import Path
from typing import Any

from litex.build.generic_platform import GenericPlatform, Pins
from litex.gen import LiteXModule
from litex.soc.cores.gpio import GPIOOut
from litex.soc.integration.soc_core import SoCCore
from migen import ClockDomain, Record, Signal

from cimforge.fpga.cpu.system_config import SystemConfig
from cimforge.fpga.litex.engine_module import add_engine

__all__ = ["LitexSystem", "SystemPlatform"]

CLOCK_HZ = 100_000_000  # a name for a cycle: nothing but the UART's divisor follows from it
FIFO_BYTES = 64  # of the UART: bytes that come while the core does something else
TIMEOUT_CYCLES = 1000  # of an access that no slave answers
PORTS = ("clk", "rst", "rx", "tx", "light", "trap")


class SystemPlatform(GenericPlatform):
    """No board: a single pin for each of PORTS, under its own name."""

    def __init__(self, name: str):
        super().__init__("", [(port, 0, Pins(1)) for port in PORTS], name=name)


class Clocking(LiteXModule):
    """The clock domain ``sys`` of two pins; ``rst`` is where LiteX's controller resets it."""

    def __init__(self, clk: Signal, rst: Signal):
        self.rst = Signal()
        self.cd_sys = ClockDomain()
        self.comb += [self.cd_sys.clk.eq(clk), self.cd_sys.rst.eq(rst | self.rst)]


class LitexSystem(SoCCore):
    """LiteX's SoCCore with the engine of ``config`` beside PicoRV32, variant ``standard``.

    ``rom`` and ``main_ram`` are integrated, of the configuration's bytes; the engine's memory is
    ``main_ram``, the bus a shared one of 32 bits with bursts. Beside LiteX's own controller, UART
    (``divisor`` cycles a bit) and timer with an uptime there is a light. Sources go into
    ``folder``.
    """

    def __init__(self, config: SystemConfig, folder: Path, name: str):
        assert config.engine
        platform = SystemPlatform(name)
        pins: dict[str, Any] = {port: platform.request(port) for port in PORTS}
        self.crg = Clocking(pins["clk"], pins["rst"])
        super().__init__(
            platform,
            CLOCK_HZ,
            cpu_type="picorv32",
            integrated_rom_size=config.rom_bytes,
            integrated_rom_init=[0],  # another program needs no other Verilog
            integrated_sram_size=0,
            integrated_main_ram_size=config.ram_bytes,
            bus_bursting=True,
            bus_timeout=TIMEOUT_CYCLES,
            with_uart=False,
            timer_uptime=True,
        )
        self.main_ram.mem.init = None  # undefined, and no file
        serial = Record([("tx", 1), ("rx", 1)])
        self.comb += [pins["tx"].eq(serial.tx), serial.rx.eq(pins["rx"])]
        baud = CLOCK_HZ / config.divisor
        self.add_uart(uart_pads=serial, baudrate=baud, fifo_depth=FIFO_BYTES)
        self.light = GPIOOut(pins["light"])
        self.comb += pins["trap"].eq(self.cpu.trap)
        add_engine(self, config.engine, folder)
