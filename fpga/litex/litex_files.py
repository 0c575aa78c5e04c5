"""A LiteX system as files: its Verilog, the engine's, the core's, and where software finds what."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cimforge.flow.simulate.simulator import Design
from cimforge.fpga.cpu.memory_map import Region
from cimforge.fpga.cpu.pico_core import CORE_FILE, core_text
from cimforge.fpga.cpu.system_config import SystemConfig
from cimforge.fpga.litex.litex_install import check_litex, quiet_litex

__all__ = ["LitexFiles", "emit_litex"]

HEADER = "// A system by LiteX. SPDX-License-Identifier: Apache-2.0\n\n"
ACCESS = {"rom": "rx", "main_ram": "rw"}  # of regions that are no registers
CALLED = {"main_ram": "ram"}  # by programs
COMMENT_LINES = re.compile(r"^//.*\n?", re.M)
TREE = re.compile(r"/\*.*?\*/\s*", re.S)


@dataclass(frozen=True)
class LitexFiles:
    """A system whose ``design`` lies in a folder: its ``regions``, as programs know them,
    LiteX's ``headers`` by name, csr.h (where registers are) and soc.h (constants), and the name of
    the file that its ROM is filled from."""

    config: SystemConfig
    design: Design
    regions: tuple[Region, ...]
    headers: Mapping[str, str]
    rom_file: str

    def region(self, name: str) -> Region:
        """The region ``name``."""
        return {each.name: each for each in self.regions}[name]


def emit_litex(config: SystemConfig, folder: Path) -> LitexFiles:
    """Write the LiteX system of ``config``, which has an engine, into ``folder``.

    ``NAME.f`` there lists its sources, NAME being the engine's module and ``_litex``. What LiteX
    says of itself and of the time is left out, so that equal input gives equal files. Raises
    InputError where LiteX or the core is not installed, and as add_engine does.
    """
    check_litex()
    core = core_text()
    assert config.engine
    name = f"{config.engine.module}_litex"
    with quiet_litex():
        from cimforge.fpga.litex.litex_system import PORTS, LitexSystem

        soc = LitexSystem(config, folder, name)
        soc.finalize()
        verilog = soc.platform.get_verilog(soc, name=name)
        headers = _headers(soc)
    own = {f"{name}.v": HEADER + _bare(str(verilog.main_source)), CORE_FILE: core, **headers}
    listed = [Path(source).name for source, *_ in soc.platform.sources]
    sources = [CORE_FILE, *(s for s in listed if s != CORE_FILE), f"{name}.v"]
    own[f"{name}.f"] = "\n".join(sources) + "\n"
    for file, text in own.items():
        (folder / file).write_text(text)
    (rom_file,) = verilog.data_files
    design = Design.listed(config.engine.macro, folder, name, PORTS)
    return LitexFiles(config, design, _regions(soc), headers, rom_file)


def _regions(soc: Any) -> tuple[Region, ...]:
    """LiteX's regions, lowest first."""
    told = sorted(soc.bus.regions.items(), key=lambda item: item[1].origin)
    return tuple(
        Region(
            CALLED.get(name, name),
            region.origin,
            region.size,
            ACCESS.get(name, "registers"),
            f"LiteX's region {name}",
        )
        for name, region in told
    )


def _headers(soc: Any) -> dict[str, str]:
    """LiteX's headers, without the functions for its own library."""
    from litex.soc.integration.export import get_csr_header, get_soc_header

    base = soc.bus.regions["csr"].origin
    told = {
        "csr.h": get_csr_header(soc.csr_regions, soc.constants, base, with_access_functions=False),
        "soc.h": get_soc_header(soc.constants, with_access_functions=False),
    }
    return {name: COMMENT_LINES.sub("", text).lstrip() for name, text in told.items()}


def _bare(verilog: str) -> str:
    """LiteX's Verilog without its comments: they hold the time, and the state of the checkout
    around LiteX."""
    return TREE.sub("", COMMENT_LINES.sub("", verilog)).strip() + "\n"
