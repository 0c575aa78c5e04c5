"""Where things are in the address space of a system: one table for hardware, linker and C."""

from typing import NamedTuple

from cimforge.fpga.cpu.system_config import SystemConfig
from cimforge.hdl.bus.engine_map import EngineMap
from cimforge.hdl.bus.registers import Field, Register

__all__ = ["IO_BITS", "IO_REGISTERS", "Region", "memory_map", "region"]

REGION_BITS = 4  # the highest of an address, which choose the region


class Region(NamedTuple):
    """``size`` bytes, a power of 2, from byte ``base`` on; ``access`` is rx (executable, read
    only), rw (bytes), or registers (whole 32-bit words)."""

    name: str
    base: int
    size: int
    access: str
    meaning: str

    @property
    def address_bits(self) -> int:
        """Bits of a byte's place in it."""
        return (self.size - 1).bit_length()

    @property
    def end(self) -> int:
        """The first byte behind it."""
        return self.base + self.size


def memory_map(config: SystemConfig) -> tuple[Region, ...]:
    """The regions of a system; each begins at another multiple of 2^(32 - REGION_BITS)."""
    regions = [
        ("rom", config.rom_bytes, "rx", "boot memory: the program, and what RAM is to begin with"),
        ("ram", config.ram_bytes, "rw", "memory of the core and of the engine"),
        ("io", 1 << IO_BITS, "registers", "UART, timer, status, light"),
    ]
    if config.engine:
        size = 1 << EngineMap(config.engine).address_bits
        regions += [("engine", size, "registers", "registers of the engine")]
    return tuple(
        Region(name, place << 32 - REGION_BITS, size, access, meaning)
        for place, (name, size, access, meaning) in enumerate(regions)
    )


def region(config: SystemConfig, name: str) -> Region:
    """The region ``name``; KeyError where the system has none."""
    return {each.name: each for each in memory_map(config)}[name]


def _io_registers() -> tuple[Register, ...]:
    """The registers of io, in the order of their addresses."""
    uart = (
        Field("byte", 0, 8, "written: to send; read: the one that came, which is taken"),
        Field("empty", 31, 1, "1: none came since the last read"),
    )
    status = (
        Field("overrun", 0, 1, "a byte came before the last was read, and took its place"),
        Field("fault", 1, 1, "an access of the core ended in an error"),
        Field("irq", 2, 1, "the interrupt line of the engine, no event: a write changes nothing"),
    )
    address = (Field("address", 0, 32, "byte address"),)
    told = (
        ("uart", "rw", "bytes; a write waits until the one before it is nearly sent", uart),
        ("status", "w1c", "events since they were cleared", status),
        ("fault_address", "ro", "of the access that set status.fault, the first", address),
        ("cycles", "ro", "the timer", (Field("count", 0, 32, "cycles since reset"),)),
        ("light", "rw", "the light of the board", (Field("on", 0, 1, "1: lit"),)),
    )
    return tuple(
        Register(name, 4 * place, access, meaning, fields)
        for place, (name, access, meaning, fields) in enumerate(told)
    )


IO_REGISTERS = _io_registers()
IO_BITS = 2 + (len(IO_REGISTERS) - 1).bit_length()  # of a byte's address among them
