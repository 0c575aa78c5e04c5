"""Everything beside a wrapped macro: its Verilog, lint waivers, C header and register document."""

from jinja2 import Environment, PackageLoader, StrictUndefined

from hdl.bus.registers import RegisterMap
from hdl.bus.wrapper import wishbone_modules
from hdl.config import MacroConfig
from hdl.config_file import canonical_command
from hdl.emit.verilog import modules_to_verilog
from hdl.emit.waivers import WRAPPER_WAIVERS, lint_waivers

__all__ = ["BUSES", "wrapper_files"]

BUSES = ("wishbone",)


def wrapper_files(config: MacroConfig) -> dict[str, str]:
    """Files of the macro's Wishbone wrapper ``NAME_wb``, by name.

    ``NAME_wb.f`` lists its own and the macro's sources; the header and the document come from the
    same RegisterMap as the hardware.
    """
    name = f"{config.name}_wb"
    command = f"{canonical_command(config)} --bus wishbone"
    header = f"// {command}\n// SPDX-License-Identifier: Apache-2.0\n\n"
    loader = PackageLoader("hdl.bus", ".")
    environment = Environment(loader=loader, undefined=StrictUndefined, keep_trailing_newline=True)
    facts = {"name": config.name, "guard": config.name.upper(), "command": command}
    rendered = {
        kind: environment.get_template(f"regs.{kind}.j2").render(map=RegisterMap(config), **facts)
        for kind in ("h", "md")
    }
    sources = (f"{config.name}.vlt", "cim_cells.v", f"{config.name}.v", f"{name}.vlt", f"{name}.v")
    return {
        f"{name}.v": header + modules_to_verilog(wishbone_modules(config)),
        f"{name}.vlt": lint_waivers(name, WRAPPER_WAIVERS),
        f"{name}.f": "\n".join(sources) + "\n",
        f"{config.name}_regs.h": rendered["h"],
        f"{config.name}_regs.md": rendered["md"],
    }
