"""Everything beside a wrapped macro: its Verilog, lint waivers, C header and register document."""

from jinja2 import Environment, PackageLoader, StrictUndefined

from cimforge.hdl.bus.registers import RegisterMap
from cimforge.hdl.bus.wrapper import wishbone_modules
from cimforge.hdl.emit.waivers import WRAPPER_WAIVERS, lint_waivers
from cimforge.hdl.netlist.verilog import modules_to_verilog
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import canonical_command

__all__ = ["BUSES", "wrapper_files"]

BUSES = ("wishbone",)


def wrapper_files(config: MacroConfig) -> dict[str, str]:
    """Files of the macro's Wishbone wrapper ``NAME_wb``, by name.

    ``NAME_wb.f`` lists its own and the macro's sources; the header and the document come from the
    same RegisterMap as the hardware.
    """
    name = f"{config.module}_wb"
    command = f"{canonical_command(config)} --bus wishbone"
    header = f"// {command}\n// SPDX-License-Identifier: Apache-2.0\n\n"
    loader = PackageLoader("cimforge.hdl.emit", ".")
    environment = Environment(loader=loader, undefined=StrictUndefined, keep_trailing_newline=True)
    facts = {"name": config.module, "guard": config.module.upper(), "command": command}
    rendered = {
        kind: environment.get_template(f"regs.{kind}.j2").render(map=RegisterMap(config), **facts)
        for kind in ("h", "md")
    }
    sources = (
        f"{config.module}.vlt",
        "cim_cells.v",
        f"{config.module}.v",
        f"{name}.vlt",
        f"{name}.v",
    )
    return {
        f"{name}.v": header + modules_to_verilog(wishbone_modules(config)),
        f"{name}.vlt": lint_waivers(name, WRAPPER_WAIVERS),
        f"{name}.f": "\n".join(sources) + "\n",
        f"{config.module}_regs.h": rendered["h"],
        f"{config.module}_regs.md": rendered["md"],
    }
