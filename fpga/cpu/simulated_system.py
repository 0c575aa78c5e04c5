"""A system in a folder, to be simulated with programs of one's own."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cimforge.flow.simulate.simulator import Design
from cimforge.fpga.cpu.firmware import build_firmware
from cimforge.fpga.cpu.memory_map import region
from cimforge.fpga.cpu.program_room import program_room
from cimforge.fpga.cpu.system_config import SystemConfig
from cimforge.fpga.cpu.system_outputs import emit_system
from cimforge.hdl.params.engine_config import EngineConfig

__all__ = ["SimulatedSystem", "default_system", "simulated_system"]

ROM_BYTES = RAM_BYTES = 1 << 16  # simulated memory costs nothing


@dataclass(frozen=True)
class SimulatedSystem:
    """The ``design`` of a system of ``config``, which has an engine."""

    config: SystemConfig
    design: Design

    @property
    def engine(self) -> EngineConfig:
        """Its engine."""
        assert self.config.engine
        return self.config.engine

    @property
    def ram(self) -> int:
        """The first byte of RAM."""
        return region(self.config, "ram").base

    @property
    def ram_bytes(self) -> int:
        """Bytes of RAM."""
        return self.config.ram_bytes

    @property
    def divisor(self) -> int:
        """Cycles of a bit of the UART."""
        return self.config.divisor

    def build_program(
        self, folder: Path, sources: tuple[str, ...], own: Mapping[str, str], reserved: int
    ) -> None:
        """Compile a program into ``folder``, as build_firmware and program_room do."""
        with program_room(self.config):
            build_firmware(self.config, folder, sources, own, reserved)


def simulated_system(config: SystemConfig, folder: Path) -> SimulatedSystem:
    """Emit the system of ``config``, with an engine, into ``folder``."""
    return SimulatedSystem(config, emit_system(config, folder))


def default_system(engine: EngineConfig) -> SystemConfig:
    """A system to simulate: an engine beside more memory than a program of this package needs."""
    return SystemConfig(engine=engine, rom_bytes=ROM_BYTES, ram_bytes=RAM_BYTES)
