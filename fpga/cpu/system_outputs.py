"""The files of a system, beside those of its macro, and the design that they are."""

from pathlib import Path

from cimforge.flow.simulate.simulator import Design
from cimforge.fpga.cpu.pico_core import CORE_FILE, core_text
from cimforge.fpga.cpu.system import build_system
from cimforge.fpga.cpu.system_config import SystemConfig
from cimforge.hdl.emit.engine_sources import engine_sources
from cimforge.hdl.emit.package import emit_macro
from cimforge.hdl.netlist.module import Module, distinct_modules
from cimforge.hdl.netlist.verilog import modules_to_verilog
from cimforge.hdl.params.config import MacroConfig

__all__ = ["emit_system", "system_design", "write_sources"]

HEADER = "// SPDX-License-Identifier: Apache-2.0\n\n"


def emit_system(config: SystemConfig, folder: Path) -> Design:
    """Write the system into ``folder``, its macro too, and return the design that it is.

    Its program is no part of it: ROM_FILE is looked for where it is simulated or synthesised.
    Raises InputError as emit_macro and core_text do.
    """
    write_sources(config, build_system(config), folder)
    return system_design(config, folder)


def write_sources(config: SystemConfig, top: Module, folder: Path) -> None:
    """Write ``top``, a system or what stands around it, and all below into ``folder``; ``TOP.f``
    there lists the sources."""
    if config.engine:
        emit_macro(config.engine.macro, folder)
        texts = engine_sources(config.engine, top)
    else:
        folder.mkdir(parents=True, exist_ok=True)
        texts = {f"{top.name}.v": HEADER + modules_to_verilog(distinct_modules(top))}
        texts |= {f"{top.name}.f": f"{top.name}.v\n"}
    texts[f"{top.name}.f"] = f"{CORE_FILE}\n{texts[f'{top.name}.f']}"
    for name, text in {**texts, CORE_FILE: core_text()}.items():
        (folder / name).write_text(text)


def system_design(config: SystemConfig, folder: Path) -> Design:
    """The system in ``folder``, to be simulated."""
    macro = config.engine.macro if config.engine else MacroConfig()  # which no source is of
    ports = ("clk", "rst", "rx", "tx", "light", "trap")
    return Design.listed(macro, folder, config.module, ports)
