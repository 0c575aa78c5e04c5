"""Programs of a system's core: C of this package and of a caller, compiled for its memory map."""

from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from cimforge.fpga.cpu.memory_map import IO_REGISTERS, Region, memory_map, region
from cimforge.fpga.cpu.system import ROM_FILE
from cimforge.fpga.cpu.system_config import SystemConfig
from cimforge.fpga.cpu.toolchain import compile_program
from cimforge.fpga.cpu.word_memory import rom_text
from cimforge.hdl.bus.registers import Register
from cimforge.hdl.emit.register_views import engine_files
from cimforge.hdl.params.engine_config import EngineConfig

__all__ = [
    "LIBRARY",
    "build_firmware",
    "compile_firmware",
    "driver_files",
    "map_files",
    "system_files",
]

PACKAGE = "cimforge.fpga.firmware"
LIBRARY = ("start.S", "multiply.c", "uart.c")  # of every program
DRIVER, DRIVER_PREFIX = ("cimforge_engine.c", "cimforge_engine.h"), "cim_engine"
STACK_BYTES = 512
GENERATED = {"system.h": "system.h.j2", "link.ld": "link.ld.j2"}


def system_files(config: SystemConfig, reserved: int = 0) -> dict[str, str]:
    """Texts by file name: ``system.h``, where a program finds what, and ``link.ld``, where it lies
    itself: not in the first ``reserved`` bytes of RAM."""
    return map_files(config.module, memory_map(config), IO_REGISTERS, reserved)


def map_files(
    name: str, regions: Sequence[Region], registers: Sequence[Register] = (), reserved: int = 0
) -> dict[str, str]:
    """The same of any system ``name``: a region ``rom``, one ``ram``, and others; ``registers`` lie
    in one named ``io``."""
    loader = PackageLoader(PACKAGE, ".")
    templates = Environment(loader=loader, undefined=StrictUndefined, keep_trailing_newline=True)
    facts = {
        **{"name": name, "regions": regions, "registers": registers},
        **{"stack_bytes": STACK_BYTES, "reserved": reserved},
    }
    return {name: templates.get_template(t).render(**facts) for name, t in GENERATED.items()}


def build_firmware(
    config: SystemConfig,
    folder: Path,
    sources: tuple[str, ...],
    own: Mapping[str, str] | None = None,
    reserved: int = 0,
) -> str:
    """The ROM_FILE of a program, left in ``folder`` and returned.

    ``sources`` are files of the firmware package, LIBRARY and headers come with them; ``own`` are
    further files by name, of which those that end in .c are compiled. Raises CompileError where the
    program is refused or does not fit, InputError where there is no compiler.
    """
    told = {**system_files(config, reserved), **driver_files(config.engine), **(own or {})}
    program = compile_firmware(folder, sources, told, multiplies=config.multiplier != "none")
    text = rom_text(program, region(config, "rom"))
    (folder / ROM_FILE).write_text(text)
    return text


def compile_firmware(
    folder: Path, sources: Sequence[str], own: Mapping[str, str], *, multiplies: bool
) -> bytes:
    """The bytes of a program, which lies in ``folder`` with all that it is made of.

    ``own`` has map_files, and files in the place of the package's where they have their names; else
    as build_firmware.
    """
    folder.mkdir(parents=True, exist_ok=True)
    package = files(PACKAGE)
    shipped = [each.name for each in package.iterdir() if each.name.endswith(".h")]
    texts = {name: package.joinpath(name).read_text() for name in (*shipped, *LIBRARY, *sources)}
    texts |= own
    for name, text in texts.items():
        (folder / name).write_text(text)
    compiled = [name for name in texts if name.endswith((".c", ".S"))]
    return compile_program(folder, compiled, "link.ld", multiplies=multiplies)


def driver_files(engine: EngineConfig | None) -> dict[str, str]:
    """The C driver of an engine, of what programs of a system need, and its generated header."""
    if not engine:
        return {}
    header = engine_files(engine, DRIVER_PREFIX)[f"{engine.module}.h"]
    place = files("cimforge.host").joinpath("c")
    texts = {name: place.joinpath(name).read_text() for name in DRIVER}
    return {**texts, f"{DRIVER_PREFIX}.h": header}
