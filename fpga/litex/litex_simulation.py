"""A LiteX system in a folder, to be simulated with programs of one's own."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from cimforge.flow.simulate.simulator import Design
from cimforge.fpga.cpu.firmware import compile_firmware, driver_files, map_files
from cimforge.fpga.cpu.system_config import SystemConfig
from cimforge.fpga.cpu.word_memory import rom_text
from cimforge.fpga.litex.engine_verilog import check_engine
from cimforge.fpga.litex.litex_files import LitexFiles, emit_litex
from cimforge.hdl.params.engine_config import EngineConfig

__all__ = ["DIVISOR", "LitexSimulation", "litex_simulation"]

DIVISOR = 16  # cycles of a bit: a byte takes as long as the core's loop that takes one
ROM_BYTES = RAM_BYTES = 1 << 16  # simulated memory costs nothing


@dataclass(frozen=True)
class LitexSimulation:
    """The system of ``files``, as SocBackend takes one."""

    files: LitexFiles

    @property
    def design(self) -> Design:
        """The system."""
        return self.files.design

    @property
    def engine(self) -> EngineConfig:
        """Its engine."""
        assert self.files.config.engine
        return self.files.config.engine

    @property
    def ram(self) -> int:
        """The first byte of RAM."""
        return self.files.region("ram").base

    @property
    def divisor(self) -> int:
        """Cycles of a bit of the UART."""
        return self.files.config.divisor

    def build_program(
        self,
        folder: Path,
        sources: tuple[str, ...],
        own: Mapping[str, str],
        reserved: int = 0,
    ) -> None:
        """Compile ``sources`` of the firmware and ``own`` ones into ``folder``, from where the
        simulation fills its ROM; the first ``reserved`` bytes of RAM are not its own.

        Raises as build_firmware does.
        """
        told = {
            **map_files(self.design.top, self.files.regions, reserved=reserved),
            **driver_files(self.engine),
            "board.h": files("cimforge.fpga.litex").joinpath("litex_board.h").read_text(),
            **self.files.headers,
            **own,
        }
        program = compile_firmware(folder, sources, told, multiplies=True)
        text = rom_text(program, self.files.region("rom"))
        (folder / self.files.rom_file).write_text(text)


def litex_simulation(engine: EngineConfig, folder: Path) -> LitexSimulation:
    """Emit a LiteX system with the engine into ``folder``; raises as check_engine and
    emit_litex do."""
    check_engine(engine)
    config = SystemConfig(engine=engine, rom_bytes=ROM_BYTES, ram_bytes=RAM_BYTES, divisor=DIVISOR)
    return LitexSimulation(emit_litex(config, folder))
