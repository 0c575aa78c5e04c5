"""Everything beside a wrapped macro: its Verilog, lint waivers, constraints, C header and register
document."""

from cimforge.hdl.bus.registers import RegisterMap
from cimforge.hdl.bus.signatures import wrapper_ports
from cimforge.hdl.bus.wrapper import wishbone_modules
from cimforge.hdl.emit.handover import render_sdc
from cimforge.hdl.emit.templates import render
from cimforge.hdl.emit.waivers import WRAPPER_WAIVERS, lint_waivers
from cimforge.hdl.netlist.verilog import modules_to_verilog
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import canonical_command

__all__ = ["BUSES", "register_files", "wrapper_facts", "wrapper_files"]

BUSES = ("wishbone",)


def wrapper_files(config: MacroConfig) -> dict[str, str]:
    """Files of the macro's Wishbone wrapper ``NAME_wb``, by name; ``NAME_wb.f`` lists its own and
    the macro's sources."""
    macro, name = config.module, f"{config.module}_wb"
    header = f"// {_command(config)}\n// SPDX-License-Identifier: Apache-2.0\n\n"
    modules = wishbone_modules(config)
    models = [f"{model}.v" for model in config.models]
    sources = (
        *(f"{macro}.vlt", "cim_cells.v", *models, f"{macro}.v"),
        *(f"{name}.vlt", f"{name}.v"),
    )
    return {
        f"{name}.v": header + modules_to_verilog(modules),
        f"{name}.vlt": lint_waivers(name, WRAPPER_WAIVERS),
        f"{name}.f": "\n".join(sources) + "\n",
        f"{name}.sdc": render_sdc(config, top=modules[-1]),
        **register_files(config),
    }


def wrapper_facts(config: MacroConfig) -> dict[str, object]:
    """What a manifest says of the wrapper."""
    ports = wrapper_ports(config).items()
    told = [{"name": name, "direction": way, "width": width} for name, (way, width) in ports]
    return {"top": f"{config.module}_wb", "bus": BUSES[0], "ports": told}


def register_files(config: MacroConfig) -> dict[str, str]:
    """C header and register document, from the same RegisterMap as the hardware.

    Header symbols begin with the macro's name, functions in small letters.
    """
    name = config.module
    facts: dict[str, object] = {"name": name, "guard": name.upper(), "prefix": name.lower()}
    facts |= {"command": _command(config), "config": config, "map": RegisterMap(config)}
    facts |= {"ports": wrapper_ports(config)}
    return {f"{name}_regs.{kind}": render(f"regs.{kind}.j2", **facts) for kind in ("h", "md")}


def _command(config: MacroConfig) -> str:
    return f"{canonical_command(config)} --bus wishbone"
