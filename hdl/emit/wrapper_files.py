"""Everything beside a wrapped macro: its Verilog, lint waivers, constraints, C header and register
document."""

from cimforge.hdl.bus.registers import RegisterMap
from cimforge.hdl.bus.wrapper import wishbone_modules
from cimforge.hdl.emit.handover import render_sdc
from cimforge.hdl.emit.templates import render
from cimforge.hdl.emit.waivers import WRAPPER_WAIVERS, lint_waivers
from cimforge.hdl.netlist.verilog import modules_to_verilog
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import canonical_command

__all__ = ["BUSES", "wrapper_files"]

BUSES = ("wishbone",)


def wrapper_files(config: MacroConfig) -> dict[str, str]:
    """Files of the macro's Wishbone wrapper ``NAME_wb``, by name.

    ``NAME_wb.f`` lists its own and the macro's sources; the header and the document come from the
    same RegisterMap as the hardware. Header symbols begin with NAME, functions in small letters.
    """
    macro, name = config.module, f"{config.module}_wb"
    command = f"{canonical_command(config)} --bus wishbone"
    header = f"// {command}\n// SPDX-License-Identifier: Apache-2.0\n\n"
    modules = wishbone_modules(config)
    facts = {"name": macro, "guard": macro.upper(), "prefix": macro.lower(), "command": command}
    facts |= {"config": config, "map": RegisterMap(config)}
    sources = (f"{macro}.vlt", "cim_cells.v", f"{macro}.v", f"{name}.vlt", f"{name}.v")
    return {
        f"{name}.v": header + modules_to_verilog(modules),
        f"{name}.vlt": lint_waivers(name, WRAPPER_WAIVERS),
        f"{name}.f": "\n".join(sources) + "\n",
        f"{name}.sdc": render_sdc(config, top=modules[-1]),
        f"{macro}_regs.h": render("regs.h.j2", **facts),
        f"{macro}_regs.md": render("regs.md.j2", **facts),
    }
